//! How often each command waits for the server: with a distant server, that is what takes the
//! time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sterna::estimate::{LOAD_TRIPS, SWITCHOVER_TRIPS};

use crate::line::{Line, Pass};
use crate::migrate::Scenario;
use crate::server::Finished;

/// Long enough for a client on a busy machine to send everything that it sends without waiting.
const DISTANCE: Duration = Duration::from_millis(20);

/// 2 Mbit/s, in bytes per second. A slower machine makes the line slower, never faster.
const SLOW: f64 = 250e3;

/// A command line, and its row in ARCHITECTURE.md.
const COMMANDS: [(&str, &str); 12] = [
    ("status", "status"),
    ("plan", "plan"),
    ("check pre", "check pre"),
    ("stage create", "stage create"),
    ("stage drop", "stage drop"),
    ("load RELEASE --all", "load"),
    ("validate --all --max-quantity-change 1000", "validate"),
    ("switchover", "switchover"),
    ("rollback switchover --progress never", "rollback"),
    ("stage truncate", "stage truncate"),
    ("migrate RELEASE --skip 2.3 --max-quantity-change 1000 --progress never", "migrate"),
    ("rollback --progress never", "rollback of a migration"),
];

/// The budget of a command in ARCHITECTURE.md.
fn budget(command: &str) -> u64 {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let map = fs::read_to_string(map).unwrap();
    let row = format!("| `{command}` |");
    let mut table = map.lines().skip_while(|line| *line != "### Round trips");
    let line = table.find(|line| line.starts_with(&row));
    let line = line.unwrap_or_else(|| panic!("ARCHITECTURE.md has no budget for {command}"));
    line.split('|').nth(2).unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn no_command_takes_more_round_trips_than_it_may() {
    let here = Scenario::new().await;
    // The ledger exists: it is created only once.
    here.sterna(&["stage", "create"]).expect_code(0);
    here.sterna(&["stage", "drop"]).expect_code(0);
    let mut over = Vec::new();
    for (command, row) in COMMANDS {
        let line = Line::far(DISTANCE, |_, _| Pass::On);
        let args: Vec<&str> = command
            .split(' ')
            .map(|word| if word == "RELEASE" { here.release() } else { word })
            .collect();
        let mut process = here.here.db.command(&args);
        process.env("PGHOST", line.host()).current_dir(here.here.folder.path());
        let done = Finished::from(process.output().unwrap());
        // Without a backup the checkpoint fails, after all checks.
        let code = if command == "check pre" { 6 } else { 0 };
        done.expect_code(code);
        let (taken, budget) = (line.round_trips(), budget(row));
        println!("{command}: {taken} of {budget} round trips");
        if taken > budget {
            over.push(format!("{command} takes {taken} round trips and may take {budget}"));
        }
    }
    assert!(over.is_empty(), "{}", over.join("; "));
}

/// Round trips per batch show in the difference between two loads.
#[tokio::test]
async fn a_batch_waits_once_at_most() {
    let here = Scenario::new().await;
    let mut taken = Vec::new();
    for batch_size in ["2000", "50"] {
        let line = Line::far(DISTANCE, |_, _| Pass::On);
        let args =
            ["load", here.release(), "--all", "--connections", "2", "--batch-size", batch_size];
        let mut process = here.here.db.command(&args);
        process.env("PGHOST", line.host()).current_dir(here.here.folder.path());
        Finished::from(process.output().unwrap()).expect_code(0);
        taken.push(line.round_trips());
        here.sterna(&["stage", "truncate"]).expect_code(0);
    }
    // One batch, and forty. A batch that is alone in the queue takes one more round trip.
    let [one, forty] = taken[..] else { panic!("{taken:?}") };
    assert!(forty - one <= 2 * 39, "{one} and {forty} round trips");
}

/// Runs a command over a line, and returns the JSON that it prints.
fn over(line: &Line, here: &Scenario, args: &[&str]) -> Value {
    let mut process = here.here.db.command(&[args, &["--format", "json"]].concat());
    process.env("PGHOST", line.host()).current_dir(here.here.folder.path());
    let done = Finished::from(process.output().unwrap());
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

/// The estimate of a step, in seconds, and what it is based on.
fn estimate<'a>(report: &'a Value, list: &str, step: &str) -> (Option<f64>, &'a str) {
    let steps = report[list].as_array().unwrap();
    let found = steps.iter().find(|found| found["step"] == step).unwrap();
    (found["estimated_seconds"].as_f64(), found["estimated_from"].as_str().unwrap())
}

#[tokio::test]
async fn a_slow_line_is_told_and_counts() {
    let here = Scenario::new().await;
    // No step has run before.
    here.here.db.psql("DELETE FROM sterna.step").await;
    let (slow, near) = (Line::slow(DISTANCE, SLOW), Line::new(|_, _| Pass::On));
    let pre = ["check", "pre", here.release(), "--disk-space-checked"];
    let [told, near] = [&slow, &near].map(|line| over(line, &here, &pre));
    let trip = told["distance"]["round_trip_ms"].as_f64().unwrap();
    assert!(trip >= 20.0, "{trip}");
    let rate =
        |report: &Value, way: &str| report["distance"][way]["bytes_per_second"].as_f64().unwrap();
    for way in ["up", "down"] {
        assert!(rate(&told, way) < 2.0 * SLOW, "{told:#}");
        assert!(rate(&near, way) > rate(&told, way), "{near:#}");
    }
    let text = |report: &Value, name: &str| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        check["detail"].as_str().unwrap().to_owned()
    };
    assert!(text(&told, "distance").contains("Mbit/s"), "{told:#}");
    for step in ["1.1", "3.2", "4.2"] {
        let [(far, from), (close, _)] =
            [&told, &near].map(|report| estimate(report, "estimates", step));
        assert!(far > close && close > Some(0.0), "{step}: {far:?} {close:?}");
        assert!(from.starts_with("only the line"), "{from}");
    }
    // Each record takes more than 100 bytes.
    let (seconds, _) = estimate(&told, "estimates", "3.2");
    assert!(seconds > Some(2000.0 * 100.0 / rate(&told, "up")), "{told:#}");

    let plan = over(&slow, &here, &["plan", here.release(), "--brief"]);
    assert!(rate(&plan, "up") < 2.0 * SLOW && plan["space"]["table"].as_u64() > Some(0), "{plan}");
    assert!(estimate(&plan, "steps", "3.2").0 > estimate(&plan, "steps", "2.1").0, "{plan}");
    assert_eq!(estimate(&plan, "steps", "3.3"), (None, "not known"));
    // What is known is no more than the line, and the total says what it lacks.
    assert_eq!(plan["total"]["is_least"], true, "{plan}");
    let lacking = plan["total"]["steps_not_known"].as_array().unwrap();
    assert!(lacking.contains(&"3.3".into()) && !lacking.contains(&"5.4".into()), "{plan}");

    let load = ["load", here.release(), "--all", "--connections", "1"];
    let loaded = over(&slow, &here, &load);
    let carried = loaded["line_bytes_per_second"].as_f64().unwrap();
    assert!(carried > 0.0 && carried < 2.0 * SLOW, "{loaded:#}");
    assert!(loaded["bytes_sent"].as_u64() > Some(2000 * 100), "{loaded:#}");
    // From now on the load itself is what is known.
    let then = loaded["seconds"].as_f64().unwrap();
    for (report, list) in [
        (over(&slow, &here, &pre), "estimates"),
        (over(&slow, &here, &["plan", here.release(), "--brief"]), "steps"),
    ] {
        let (seconds, from) = estimate(&report, list, "3.2");
        let is_known = ["as earlier today", "as on "].iter().any(|when| from.starts_with(when));
        assert!(is_known, "{from}");
        assert!(seconds >= Some(0.99 * then), "{seconds:?} {then}");
    }
}

#[tokio::test]
async fn a_migration_says_what_it_will_take() {
    let here = Scenario::new().await;
    let line = Line::slow(DISTANCE / 4, 10.0 * SLOW);
    here.here.db.psql("DELETE FROM sterna.step").await;
    let args =
        ["migrate", here.release(), "--to", "3.2", "--progress", "always", "--without-rehearsal"];
    let mut process = here.here.db.command(&args);
    process.env("PGHOST", line.host()).current_dir(here.here.folder.path());
    let done = Finished::from(process.output().unwrap());
    let done = done.expect_code(0);
    let parts =
        ["distance: round trip ", " Mbit/s", "space: up to ", "time of 1.1", "space of 3.2"];
    for part in parts.into_iter().chain(["time of 3.2", "time of 4.2"]) {
        assert_eq!(done.stderr.contains(part), part != "time of 4.2", "{part}: {done:?}");
    }
    // The first steps have shown more: how many rows there are, and how fast they are written.
    let told: Vec<_> = done.stderr.lines().filter(|line| line.contains("now expected")).collect();
    assert!(told.iter().any(|line| line.contains("only the line")), "{done:?}");
    assert!(told.iter().any(|line| line.contains("indexes of 2.1 in this run")), "{done:?}");
    assert!(done.stderr.contains("     time left: "), "{done:?}");
}

#[tokio::test]
async fn the_plan_says_what_each_step_takes_on_the_server() {
    let here = Scenario::new().await;
    let db = &here.here.db;
    // A vacuum after the plan would add to the table what the plan did not see. The statement waits
    // for one that is under way.
    db.psql("ALTER TABLE cites_trade_records SET (autovacuum_enabled = false)").await;
    db.psql("VACUUM ANALYZE cites_trade_records").await;
    let plan = here.sterna(&["plan", here.release(), "--brief", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.expect_code(0).stdout).unwrap();
    let step = |number: &str| {
        let steps = plan["steps"].as_array().unwrap();
        steps.iter().find(|found| found["step"] == number).unwrap()
    };
    let bytes = |number: &str, what: &str| step(number)[what].as_u64();
    let sizes = "SELECT pg_table_size(c), pg_indexes_size(c), pg_total_relation_size(c)
        FROM to_regclass('cites_trade_records') AS c";
    let sizes = db.psql(sizes).await;
    let sizes: Vec<u64> = sizes.split('|').map(|size| size.parse().unwrap()).collect();
    let rows = |what: &Value| what.as_f64().unwrap();
    let times = rows(&step("3.2")["estimated_rows"]) / rows(&plan["space"]["rows"]);
    let staging = bytes("3.2", "bytes_added").unwrap() as f64;
    assert!((staging - sizes[2] as f64 * times).abs() < 16.0, "{plan:#}");
    assert!(bytes("3.2", "wal_bytes") > bytes("3.2", "bytes_added"), "{plan:#}");
    assert_eq!(bytes("3.1", "bytes_freed"), bytes("2.1", "bytes_added"));
    assert!(bytes("4.1", "bytes_added") > Some(sizes[0]), "{plan:#}");
    assert!(bytes("5.4", "bytes_freed") > Some(sizes[2]), "{plan:#}");
    assert!(plan["peak"]["peak_bytes"].as_u64() >= bytes("3.2", "bytes_added"), "{plan:#}");
    // Nobody knows what the server sorts while it is asked.
    assert_eq!(step("3.3")["temporary_bytes"], Value::Null);
    for step in plan["steps"].as_array().unwrap() {
        assert!(!step["space_from"].as_str().unwrap().is_empty(), "{step}");
    }
    let text = here.sterna(&["plan", here.release(), "--brief"]).expect_code(0).stdout;
    for part in
        ["space of these files: up to ", "time: at least ", "\nlocks\n  1.1  SHARE ROW EXCLUSIVE "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Without rows there is nothing to go by, and nothing is claimed.
    db.psql("TRUNCATE cites_trade_records CASCADE").await;
    db.psql("VACUUM cites_trade_records").await;
    let empty = here.sterna(&["plan", here.release(), "--brief", "--format", "json"]);
    let empty: Value = serde_json::from_str(&empty.expect_code(0).stdout).unwrap();
    assert_eq!(empty["peak"]["peak_bytes"], Value::Null, "{empty:#}");
}

#[test]
fn estimates_count_as_many_round_trips_as_a_command_may_take() {
    assert!(u64::from(LOAD_TRIPS) >= budget("load"));
    assert!(u64::from(SWITCHOVER_TRIPS) >= budget("switchover"));
}
