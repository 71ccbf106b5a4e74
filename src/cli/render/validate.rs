//! The result of a validation as text: failed checks first.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;
use uuid::Uuid;

use super::screen::{self, counted, laid_out, table, width};
use crate::validate::{Change, CheckReport, Severity, ValidationReport};

/// Maximum number of wrong rows listed per check.
const ROWS_LISTED: usize = 5;
/// Maximum number of largest changes listed.
const CHANGES_LISTED: usize = 10;

/// The whole report; the verdict comes last, where it stays visible on a terminal.
#[must_use]
pub fn text(report: &ValidationReport) -> String {
    let mut parts = vec![checks(report)];
    parts.extend(left_out(report));
    let failed = report.failed();
    parts.extend(failed.iter().filter_map(|check| wrong_rows(check)));
    if !report.largest_changes.is_empty() {
        parts.push(changes(&report.largest_changes));
    }
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let verdict = screen::result(if report.passed { "passed" } else { "FAILED" });
    parts.push(format!(
        "{verdict}: {} with {}, {}, {}, {}, {:.2} s\n",
        report.table,
        counted(report.rows, "row"),
        counted(report.checks.len() as u64, "check"),
        counted(errors as u64, "error"),
        counted(warnings as u64, "warning"),
        report.seconds
    ));
    parts.join("\n\n")
}

fn checks(report: &ValidationReport) -> String {
    let mut table = table(["check", "result", "expected", "observed", ""], 2..4);
    let mut has_details = false;
    let passed = report.checks.iter().filter(|c| c.passed && c.skipped.is_none());
    for check in report.failed().into_iter().chain(passed) {
        let result = screen::result(match (check.passed, check.severity) {
            (true, _) => "ok",
            (false, Severity::Error) => "ERROR",
            (false, Severity::Warning) => "warning",
        });
        let [expected, observed] = [&check.expected, &check.observed].map(figure);
        // The wrong rows follow.
        let detail = if check.passed || !check.rows.is_empty() { "" } else { &check.detail };
        has_details |= !detail.is_empty();
        table.add_row([check.name.as_str(), &result, &expected, &observed, detail]);
    }
    screen::leave_out(&mut table, if has_details { &[] } else { &[4] });
    laid_out(table)
}

/// The checks that were not made, by reason.
fn left_out(report: &ValidationReport) -> Option<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in report.checks.iter().filter(|check| check.skipped.is_some()) {
        reasons.entry(&check.detail).or_default().push(&check.name);
    }
    let lines = reasons.iter().map(|(reason, names)| format!("{reason}: {}", names.join(", ")));
    Some(lines.collect::<Vec<_>>().join("\n")).filter(|lines| !lines.is_empty())
}

fn wrong_rows(check: &CheckReport) -> Option<String> {
    let first = check.rows.first()?;
    let rows = &check.rows[..check.rows.len().min(ROWS_LISTED)];
    let mut names: Vec<&String> = first.keys().collect();
    let widest = |name: &&String| rows.iter().map(|row| cell(row, name).width()).max();
    let needed = |names: &[&String]| -> usize {
        names.iter().map(|name| name.width().max(widest(name).unwrap_or(0)) + 2).sum()
    };
    // What is too wide for the screen goes without ids, which JSON has, as long as a name remains.
    while width().is_some_and(|width| needed(&names) > width)
        && let Some(at) = names.iter().position(|name| is_id(first.get(*name)))
        && names.len() > 2
    {
        names.remove(at);
    }
    let mut table = table(names.iter().copied(), 0..0);
    for row in rows {
        table.add_row(names.iter().map(|name| cell(row, name)));
    }
    let shown = laid_out(table);
    Some(format!("{}: {}\n{shown}", check.name, check.purpose))
}

fn is_id(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| Uuid::try_parse(text).is_ok())
}

fn cell(row: &Map<String, Value>, name: &str) -> String {
    row.get(name).map_or_else(String::new, plain)
}

/// A value of a check: a number with separators, if it is one.
fn figure(value: &Value) -> String {
    value.as_u64().map_or_else(|| plain(value), |number| HumanCount(number).to_string())
}

/// A value without quotes; empty for NULL.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn changes(changes: &[Change]) -> String {
    let mut table = table(["largest changes", "year", "production", "now", "difference"], 2..5);
    for change in changes.iter().take(CHANGES_LISTED) {
        table.add_row([
            change.species.clone().or_else(|| change.species_id.clone()).unwrap_or_default(),
            change.year.map_or_else(|| "all".into(), |year| year.to_string()),
            HumanCount(change.production.unsigned_abs()).to_string(),
            HumanCount(change.checked.unsigned_abs()).to_string(),
            difference(change.checked - change.production),
        ]);
    }
    laid_out(table)
}

/// A number with separators and its sign.
fn difference(number: i64) -> String {
    let sign = if number < 0 { '-' } else { '+' };
    format!("{sign}{}", HumanCount(number.unsigned_abs()))
}
