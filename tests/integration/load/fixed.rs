//! Rejects that are fixed and loaded: from any format, of any length, in any number of appends.

use std::fs;

use serde_json::json;

use crate::cites::{Installation, file_of, shipment};
use sterna::pg::embedded::ModelSchema;

const STATES: &str = "SELECT string_agg(state, ' ' ORDER BY started_at) FROM sterna.load_run";

/// A load with four rejects in `out.csv`, whose lines are fixed one by one.
async fn four_rejects(here: &Installation) -> (String, Vec<String>) {
    // Without ids, so that only the account shows that one came back twice.
    let bad = shipment(&[("Id", ""), ("Year", "x")]);
    let records = [vec![shipment(&[("Id", "1")])], vec![bad; 4]].concat();
    let file = here.file("in.csv", file_of(&records));
    here.report(3, &[&file, "--all", "--rejects", "out.csv"]);
    let text = fs::read_to_string(here.path("out.csv")).unwrap();
    let (header, rejects) = text.split_once('\n').unwrap();
    let fixed = rejects.lines().map(|line| line.replacen(",x,", ",2020,", 1)).collect();
    (header.to_owned(), fixed)
}

#[tokio::test]
async fn a_load_is_mended_when_all_its_rejects_are_back_in_however_many_appends() {
    let here = Installation::new().await;
    let (header, fixed) = four_rejects(&here).await;
    for (part, lines) in [&fixed[2..3], &fixed[..2], &fixed[3..]].iter().enumerate() {
        let file = here.file(
            &format!("{part}.csv"),
            [std::slice::from_ref(&header), *lines].concat().join("\n"),
        );
        let appended = here.load(&[&file, "--all", "--append", "--rejects", "again.csv"]);
        match part {
            2 => drop(appended.expect_code(0)),
            _ => {
                let appended = appended.expect_code(3);
                let back = format!("{} of its 4 rejects have come back", [1, 3][part]);
                assert!(appended.stderr.contains(&back), "{appended:?}");
            }
        }
    }
    assert_eq!(here.db.psql(STATES).await, "loaded loaded loaded loaded");
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records_staging").await, "5");
}

#[tokio::test]
async fn a_reject_that_comes_back_twice_fails_the_load() {
    let here = Installation::new().await;
    let (header, fixed) = four_rejects(&here).await;
    let part = |lines: &[String]| [std::slice::from_ref(&header), lines].concat().join("\n");
    let first = here.file("first.csv", part(&fixed[..3]));
    here.load(&[&first, "--all", "--append", "--rejects", "again.csv"]).expect_code(3);
    let second = here.file("second.csv", part(&fixed[2..]));
    let failed = here.load(&[&second, "--all", "--append", "--rejects", "again.csv"]);
    let failed = failed.expect_code(4);
    assert!(failed.stderr.contains("some of them twice"), "{failed:?}");
    assert_eq!(here.db.psql(STATES).await, "rejected loaded failed");
}

#[tokio::test]
async fn a_reject_may_be_as_long_as_a_record() {
    let here = Installation::new().await;
    // Every character of it takes two in the file, and again in the reject file.
    let long = format!("\"{}\"", "\"\"".repeat(520_000));
    let bad = shipment(&[("Year", "x"), ("Export.permit.RandomID", &long)]);
    let file = here.file("in.csv", file_of(&[bad]));
    here.report(3, &[&file, "--all", "--rejects", "out.csv"]);
    let text = fs::read_to_string(here.path("out.csv")).unwrap();
    fs::write(here.path("out.csv"), text.replacen(",x,", ",2020,", 1)).unwrap();
    here.report(0, &["out.csv", "--all", "--append", "--rejects", "again.csv"]);
    let stored = "SELECT sum(length(export_permit)) FROM cites_trade_records_staging
        WHERE export_permit ~ '^\"*$'";
    assert_eq!(here.db.psql(stored).await, "520000");
    assert_eq!(here.db.psql(STATES).await, "loaded loaded");
}

/// A file of each of two formats, each with a bad record.
async fn two_formats() -> (Installation, [String; 2]) {
    let here = Installation::with_schema(ModelSchema::ReportedQuantities).await;
    let format = |name: &str, year: &str| {
        format!(
            "[[format]]\nname = '{name}'\nrow_id = 'id'\nlookup = {{ field = 'Taxon', column = \
            'species_id', table = 'species', key = 'scientific_name', value = 'id' }}\n\
            [format.columns]\n{year} = 'year'\nTaxon = 'taxon'\nTerm = 'term'\nApp = 'appendix'\n"
        )
    };
    here.file("m.toml", format("first", "Year") + &format("second", "Season"));
    let file = |name: &str, year: &str| {
        here.file(name, format!("{year},Taxon,Term,App\nx,Ursus maritimus,skins,I\n"))
    };
    let files = [file("a.csv", "Year"), file("b.csv", "Season")];
    (here, files)
}

#[tokio::test]
async fn each_format_has_a_file_of_rejects_and_all_are_named() {
    let (here, [first, second]) = two_formats().await;
    let args = [&first, &second, "--all", "--mapping", "m.toml", "--rejects", "out.csv"];
    let failed = here.load(&args).expect_code(3);
    let report: serde_json::Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(report["rejects_files"], json!(["out.csv", "out.second.csv"]));
    assert_eq!(
        (&report["rejects_file"], &report["rejects_written"]),
        (&json!("out.csv"), &json!(2))
    );
    assert!(failed.stderr.contains("out.csv and out.second.csv"), "{failed:?}");
    for name in ["out.csv", "out.second.csv"] {
        let text = fs::read_to_string(here.path(name)).unwrap();
        fs::write(here.path(name), text.replacen("x,", "2020,", 1)).unwrap();
    }
    let more = ["--all", "--append", "--mapping", "m.toml", "--rejects", "again.csv"];
    here.report(0, &[&["out.csv", "out.second.csv"][..], &more].concat());
    assert_eq!(here.db.psql(STATES).await, "loaded loaded");
}

#[tokio::test]
async fn no_file_of_rejects_is_one_that_the_user_has() {
    let (here, [first, second]) = two_formats().await;
    let load = |inputs: &[&str]| {
        let more = ["--all", "--mapping", "m.toml", "--rejects", "out.csv"];
        here.load(&[inputs, &more].concat()).expect_code(2)
    };
    let precious = here.file("out.second.csv", "precious\n");
    let refused = load(&[&first, &second]);
    assert!(refused.stderr.contains("was not written by sterna"), "{refused:?}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious\n");
    // An input file, even one in the form of a reject file.
    let text = "Season,Taxon,Term,App,sterna_record\nx,Ursus maritimus,skins,I,\n";
    let input = here.file("out.second.csv", text);
    let refused = load(&[&first, &input]);
    assert!(refused.stderr.contains("an input"), "{refused:?}");
    assert_eq!(fs::read_to_string(&input).unwrap(), text);
    assert_eq!(here.db.psql("SELECT to_regclass('cites_trade_records_staging')").await, "");
}
