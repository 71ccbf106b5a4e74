//! `sterna check pre` and `sterna check post`.

mod post;
mod pre;

use serde_json::Value;

use crate::server::Finished;

/// The findings, which are reported with every exit code.
pub(crate) fn findings(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|e| panic!("{e}: {finished:?}"))
}

/// The finding with this name.
#[track_caller]
pub(crate) fn finding<'a>(report: &'a Value, name: &str) -> &'a Value {
    let found = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// Names of the failed checks with this severity.
fn failed(report: &Value, severity: &str) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|c| c["passed"] == false && c["severity"] == severity);
    failed.map(|c| c["name"].as_str().unwrap().to_owned()).collect()
}
