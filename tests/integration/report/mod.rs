//! The report of a run, in its files and in a browser.

mod browser;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::migrate::Scenario;

/// A report that was written.
struct Report {
    folder: PathBuf,
    json: Value,
    html: String,
    markdown: String,
    junit: String,
}

impl Report {
    fn read(folder: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        Report {
            folder: folder.to_owned(),
            json: serde_json::from_str(&text("report.json")).unwrap(),
            html: text("report.html"),
            markdown: text("report.md"),
            junit: text("junit.xml"),
        }
    }

    /// The report of a scenario's `sterna report`.
    fn of(scenario: &Scenario, name: &str) -> Self {
        let folder = scenario.here.folder.path().join(name);
        let out = folder.to_str().unwrap();
        scenario.sterna(&["report", "--out", out]).expect_code(0);
        Report::read(&folder)
    }

    fn verdict(&self) -> &str {
        self.json["outcome"]["verdict"].as_str().unwrap()
    }

    /// Opens the page: there are no complaints, figures match the JSON, and it renders on a
    /// desktop and on a phone.
    #[track_caller]
    fn assert_page_is_right(&self) {
        let page = self.folder.join("report.html");
        let dom = if browser::is_left_out() {
            self.html.clone()
        } else {
            let (dom, console) = browser::read(&page);
            assert_eq!(console, [""; 0]);
            dom
        };
        let figures = figures(&dom);
        assert!(figures.len() >= 10, "{figures:?}");
        for Figure { at, value, shown } in &figures {
            let in_json = self.json.pointer(at);
            let in_json = in_json.unwrap_or_else(|| panic!("{at} is not in the JSON"));
            let value: Value = serde_json::from_str(value).unwrap();
            assert_eq!(in_json.as_f64(), value.as_f64(), "{at}");
            assert_eq!(in_json.is_number(), value.is_number(), "{at}");
            let digits: String = shown.chars().filter(|c| !",.".contains(*c)).collect();
            if let (Some(number), Ok(shown)) = (in_json.as_i64(), digits.parse::<i64>()) {
                assert_eq!(number, shown, "{at}");
            }
        }
        let sentence = self.json["outcome"]["sentence"].as_str().unwrap();
        assert!(dom.contains(&format!("<h1>{sentence}</h1>")), "{sentence}");
        for size in [(1280, 900), (390, 844)] {
            if browser::is_left_out() {
                break;
            }
            let picture = self.folder.join(format!("{}.png", size.0));
            assert_eq!(browser::screenshot(&page, &picture, size), size);
        }
    }

    /// The page fetches nothing and runs nothing.
    #[track_caller]
    fn assert_page_needs_nothing_else(&self) {
        for word in ["<script", "<iframe", "<link rel=\"stylesheet", " src=", "@import", "url("] {
            assert!(!self.html.contains(word), "{word}");
        }
        let links = self.html.split("href=\"").skip(1);
        for link in links.map(|rest| rest.split('"').next().unwrap()) {
            let is_report = link.starts_with("../") && link.ends_with("/report.html");
            assert!(link.starts_with('#') || link.starts_with("data:") || is_report, "{link}");
        }
        let here = self.html.split("href=\"#").skip(1);
        for name in here.map(|rest| rest.split('"').next().unwrap()) {
            assert!(self.html.contains(&format!("id=\"{name}\"")), "{name}");
        }
    }
}

/// A figure of the page that names its place in the JSON.
#[derive(Debug)]
struct Figure {
    at: String,
    value: String,
    shown: String,
}

fn figures(dom: &str) -> Vec<Figure> {
    let elements = dom.split("<data ").skip(1);
    let figures = elements.map(|element| {
        let (tag, rest) = element.split_once('>').unwrap();
        let attribute = |name: &str| {
            let (_, value) = tag.split_once(&format!("{name}=\"")).unwrap();
            value.split('"').next().unwrap().replace("&quot;", "\"")
        };
        let shown = rest.split("</data>").next().unwrap().trim().to_owned();
        Figure { at: attribute("data-json"), value: attribute("value"), shown }
    });
    figures.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_is_told_from_the_plan_to_the_way_back() {
    let scenario = Scenario::new().await;
    scenario.migrate(&["--to", "4.1"]).expect_code(0);
    let bench = ["bench", "--rounds", "3", "--max-regression", "1000"];
    scenario.sterna(&bench).expect_code(0);
    scenario.migrate(&["--resume", "--out", "of-the-run"]).expect_code(0);
    Report::read(&scenario.here.folder.path().join("of-the-run")).assert_page_needs_nothing_else();
    let report = Report::of(&scenario, "again");
    assert_eq!(report.verdict(), "finished");
    report.assert_page_is_right();
    report.assert_page_needs_nothing_else();

    let json = &report.json;
    let load = json["loads"].as_array().unwrap().last().unwrap();
    assert_eq!(load["rows"]["rows_loaded"], 2000);
    let connections = load["throughput"]["connections"].as_array().unwrap();
    let rows: i64 = connections.iter().map(|writer| writer["rows"].as_i64().unwrap()).sum();
    assert_eq!(rows, 2000);
    let compared = json["validations"].as_array().unwrap().iter().rev();
    let compared =
        compared.map(|found| &found["by_year"]).find(|years| **years != Value::Array(vec![]));
    let years = compared.unwrap().as_array().unwrap();
    let sum = |side: &str| years.iter().map(|year| year[side].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("production"), sum("checked")), (1500, 2000));
    assert_eq!(json["switchovers"][0]["state"], "switched");
    assert!(json["switchovers"][0]["locked_ms"].as_f64().unwrap() > 0.0);
    // The server's own setting, whatever the session has set.
    assert_eq!(json["environment"]["settings"]["jit"], "on");
    let digest = json["backups"][0]["sha256"].as_str().unwrap();
    let deviation = json["run"]["deviations"][0].as_str().unwrap();
    for text in [digest, deviation, "sterna rollback switchover", "SHARE ROW EXCLUSIVE"] {
        assert!(report.html.contains(text), "{text}");
    }
    // Quantities, sizes and waits stand beside what they are compared with.
    let units = compared_units(json);
    let rows = |side: &str| units.iter().map(|unit| unit[side].as_i64().unwrap()).sum::<i64>();
    assert_eq!((rows("production_rows"), rows("checked_rows")), (1500, 2000));
    let total = |side: &str| units.iter().map(|unit| unit[side].as_f64().unwrap()).sum::<f64>();
    assert!(total("production") > 0.0 && total("checked") > total("production"));
    for text in ["Quantity per unit", "Size on the server", "A query of the application takes"] {
        assert!(report.html.contains(text), "{text}");
    }
    assert!(report.html.contains("waiting for the switchover") || !cfg!(feature = "charts"));
    assert!(
        report.html.contains("</data> records were loaded.") && !report.html.contains("flow-1-")
    );
    assert_eq!(json["previous"], Value::Null);
    assert!(report.markdown.contains("## How to go back from here"), "{}", report.markdown);
    assert!(report.junit.contains("name=\"4.2 switchover try 1\""), "{}", report.junit);
}

/// The totals by unit that the page shows.
fn compared_units(json: &Value) -> Vec<Value> {
    let validations = json["validations"].as_array().unwrap().iter().rev();
    let mut units = validations.map(|found| found["by_unit"].as_array().unwrap());
    units.find(|units| !units.is_empty()).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_links_to_the_one_before_it() {
    let scenario = Scenario::new().await;
    scenario.migrate(&["--out", "the first"]).expect_code(0);
    scenario.migrate(&["--out", "second"]).expect_code(0);
    let folder = scenario.here.folder.path();
    let (first, second) = (folder.join("the first"), Report::read(&folder.join("second")));
    let first = Report::read(&first);
    assert_eq!(second.json["previous"]["run_id"], first.json["run"]["run_id"]);
    let link = "<a href=\"../the%20first/report.html\">";
    assert!(second.html.contains(link), "{}", second.html);
    assert!(second.markdown.contains("Previous run"), "{}", second.markdown);
    second.assert_page_needs_nothing_else();
    second.assert_page_is_right();
    // A page that another run has replaced is not the previous run's.
    fs::write(first.folder.join("report.html"), "of another run").unwrap();
    assert!(!Report::of(&scenario, "third").html.contains(link));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_killed_is_told_as_one() {
    let scenario = Scenario::new().await;
    scenario.migrate(&["--to", "3.2"]).expect_code(0);
    // What a kill after the last batch leaves behind.
    let killed = "UPDATE sterna.step
        SET state = 'started', seconds = NULL, detail = 'null', finished_at = NULL
        WHERE step = '3.2'";
    scenario.here.db.psql(killed).await;
    let seconds = |report: &Report| {
        let attempts = report.json["attempts"].as_array().unwrap();
        let mut killed = attempts.iter().filter(|attempt| attempt["killed"] == true);
        let (attempt, others) = (killed.next().unwrap(), killed.count());
        assert_eq!((&attempt["step"], others), (&"3.2".into(), 0));
        attempt["seconds"].as_f64().unwrap()
    };
    let before = Report::of(&scenario, "before");
    assert!(before.html.contains("<strong>Step 3.2 was killed</strong>"), "{}", before.html);
    assert!(before.html.contains("× killed") || !cfg!(feature = "charts"));
    assert!(before.markdown.contains("| killed |"), "{}", before.markdown);
    // It lasted until its last batch, however much later the report is written.
    let lasted = seconds(&before);
    assert!(lasted > 0.0);
    scenario.migrate(&["--resume", "--out", "after"]).expect_code(0);
    let after = Report::of(&scenario, "after");
    assert_eq!(seconds(&after), lasted);
    after.assert_page_is_right();
    assert_eq!(after.verdict(), "finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_tells_the_fault_with_its_figure() {
    let scenario = Scenario::new().await;
    let release = fs::read_to_string(scenario.release()).unwrap();
    let header: Vec<&str> = release.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let spoilt = (0..).zip(release.lines()).map(|(at, line)| {
        let mut fields: Vec<&str> = line.split(',').collect();
        match at {
            1..=70 => fields[column("Quantity")] = "",
            71..=73 => fields[column("Term")] = "tusk of a unicorn",
            74 => fields[column("Unit")] = "fathoms",
            _ => {}
        }
        fields.join(",") + "\n"
    });
    fs::write(scenario.release(), spoilt.collect::<String>()).unwrap();
    scenario.migrate(&["--to", "3.3"]).expect_code(0);
    let report = Report::of(&scenario, "warned");
    report.assert_page_is_right();
    let page: String =
        report.html.split('<').map(|part| part.rsplit('>').next().unwrap()).collect();
    for fault in [
        "Warning: 70 shipments without a quantity",
        "Warning: 3 rows whose term is not on its list; 1 row whose unit is not on its list",
    ] {
        assert!(page.contains(fault), "{fault}: {page}");
    }
    // Rows that are alike are one line.
    assert_eq!(report.html.matches(">tusk of a unicorn</th>").count(), 1, "{}", report.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_are_shown_and_what_is_in_files_is_text() {
    let scenario = Scenario::new().await;
    let release = fs::read_to_string(scenario.release()).unwrap();
    let header: Vec<&str> = release.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let spoilt = (0..).zip(release.lines()).map(|(at, line)| {
        let mut fields: Vec<&str> = line.split(',').collect();
        match at {
            7 => fields[column("Quantity")] = "<script>alert(1)</script>",
            8 => fields[column("Taxon")] = "<script>alert(2)</script>",
            _ => {}
        }
        fields.join(",") + "\n"
    });
    fs::write(scenario.release(), spoilt.collect::<String>()).unwrap();
    scenario.migrate(&["--from", "3.2", "--out", "of-the-run"]).expect_code(3);
    let report = Report::read(&scenario.here.folder.path().join("of-the-run"));
    assert_eq!(report.verdict(), "failed");
    report.assert_page_is_right();
    report.assert_page_needs_nothing_else();
    let rows = &report.json["loads"][0]["rows"];
    assert_eq!((&rows["rows_rejected"], &rows["rows_unmapped"]), (&1.into(), &1.into()));
    assert_eq!(rows["first_rejects"][0]["value"], "<script>alert(1)</script>");
    assert_eq!(rows["first_rejects"][0]["line"], 8);
    for number in 1..=2 {
        let escaped = format!("script&#62;alert({number})");
        assert!(report.html.contains(&escaped), "{escaped}");
    }
    assert!(!report.markdown.contains("<script"), "{}", report.markdown);
    assert!(report.junit.contains("<failure"), "{}", report.junit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_validation_comes_first_and_a_rollback_is_told() {
    let scenario = Scenario::new().await;
    scenario.migrate(&["--expect-rows", "1999", "--out", "of-the-run"]).expect_code(4);
    let folder = scenario.here.folder.path().join("of-the-run");
    let failed = Report::read(&folder);
    assert_eq!(failed.verdict(), "failed");
    failed.assert_page_is_right();
    let finding = failed.html.find("rows-expected").unwrap();
    let validations = failed.html.find("id=\"validation\"").unwrap();
    let passed = failed.html.find("</span> Passed").unwrap();
    assert!(finding < passed || finding < validations, "failures first");
    assert!(failed.html.contains("production was not touched"));

    let more = ["--resume", "--accept-failed-validation", "--expect-rows", "1999"];
    scenario.migrate(&[&more[..], &["--out", "of-the-run"]].concat()).expect_code(0);
    scenario.sterna(&["rollback", "switchover", "--format", "json"]).expect_code(0);
    let back = Report::read(&folder);
    assert_eq!(back.verdict(), "rolled_back");
    back.assert_page_is_right();
    assert_eq!(back.json["switchovers"][0]["state"], "returned");
    assert!(back.json["attempts"].as_array().unwrap().iter().any(|a| a["attempt"] == 2));

    scenario.sterna(&["rollback", "1.1", "--format", "json"]).expect_code(0);
    let all = Report::read(&folder);
    assert_eq!((all.verdict(), all.json["way_back"].as_array().unwrap().len()), ("rolled_back", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_run_there_is_nothing_to_report() {
    let scenario = Scenario::new().await;
    let db = crate::server::TestDb::new().await;
    let refused = db.sterna(&["report", "--out", "nowhere"]).expect_code(6);
    assert!(refused.stderr.contains("hint: `sterna migrate` runs the plan"), "{refused:?}");
    assert!(!Path::new("nowhere").exists());
    // A load by its own command counts.
    let report = Report::of(&scenario, "by-hand");
    assert_eq!(report.verdict(), "commands");
    assert_eq!(report.json["loads"].as_array().unwrap().len(), 1);
}
