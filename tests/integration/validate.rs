//! `sterna validate` against a real server.

mod accepted;
mod live;
mod own_checks;
mod planted;
mod planted_values;
mod stored;
mod tables;
mod totals;
mod untrusted;

use serde_json::Value;

use crate::cites::Installation;
use crate::server::Finished;

/// Copies staging's rows into production, as an earlier load would have.
const FILL_PRODUCTION: &str =
    "INSERT INTO cites_trade_records SELECT * FROM cites_trade_records_staging";

/// Runs `sterna validate`, which must end with this exit code and a report.
#[track_caller]
fn validated(here: &Installation, code: i32, args: &[&str]) -> Value {
    let mut command = here.db.command(&["validate", "--format", "json"]);
    let finished = Finished::from(command.args(args).output().unwrap()).expect_code(code);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(report["passed"], code == 0, "{report:#}");
    report
}

fn checks(report: &Value) -> &Vec<Value> {
    report["checks"].as_array().unwrap()
}

#[track_caller]
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let found = checks(report).iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// The names of the checks that failed, sorted.
fn failed(report: &Value) -> Vec<&str> {
    let failed = checks(report).iter().filter(|check| check["passed"] == false);
    let mut names: Vec<_> = failed.map(|check| check["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}
