//! The result of a validation as text: failed checks first.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::HumanCount;
use serde_json::{Map, Value};

use crate::validate::{Change, CheckReport, Severity, ValidationReport};

/// Maximum number of wrong rows listed per check.
const ROWS_LISTED: usize = 5;
/// Maximum number of largest changes listed.
const CHANGES_LISTED: usize = 10;

/// The whole report; the verdict comes last, where it stays visible on a terminal.
#[must_use]
pub fn text(report: &ValidationReport) -> String {
    let mut parts = vec![checks(report)];
    let failed = report.failed();
    parts.extend(failed.iter().filter_map(|check| wrong_rows(check)));
    if !report.largest_changes.is_empty() {
        parts.push(changes(&report.largest_changes));
    }
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let verdict = if report.passed { "passed" } else { "FAILED" };
    parts.push(format!(
        "{verdict}: {} with {} rows, {} checks, {errors} errors, {warnings} warnings, {:.2} s\n",
        report.table,
        HumanCount(report.rows),
        report.checks.len(),
        report.seconds
    ));
    parts.join("\n\n")
}

fn checks(report: &ValidationReport) -> String {
    let mut table = table(["check", "result", "expected", "observed", ""], 2..4);
    let passed = report.checks.iter().filter(|c| c.passed && c.skipped.is_none());
    let skipped = report.checks.iter().filter(|c| c.skipped.is_some());
    for check in report.failed().into_iter().chain(passed).chain(skipped) {
        let result = match (check.passed, check.severity) {
            (true, _) if check.skipped.is_some() => "-",
            (true, _) => "ok",
            (false, Severity::Error) => "ERROR",
            (false, Severity::Warning) => "warning",
        };
        let figures = [&check.expected, &check.observed].map(plain);
        let [expected, observed] = figures;
        let detail = if check.passed && check.skipped.is_none() { "" } else { &check.detail };
        table.add_row([check.name.as_str(), result, &expected, &observed, detail]);
    }
    table.trim_fmt()
}

fn wrong_rows(check: &CheckReport) -> Option<String> {
    let first = check.rows.first()?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(first.keys());
    for row in check.rows.iter().take(ROWS_LISTED) {
        table.add_row(first.keys().map(|name| cell(row, name)));
    }
    let shown = table.trim_fmt();
    Some(format!("{}: {}\n{shown}", check.name, check.purpose))
}

fn cell(row: &Map<String, Value>, name: &str) -> String {
    row.get(name).map_or_else(String::new, plain)
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
            change.production.to_string(),
            change.checked.to_string(),
            format!("{:+}", change.checked - change.production),
        ]);
    }
    table.trim_fmt()
}

/// A table without borders, with the columns in `numbers` right-aligned.
fn table<const N: usize>(header: [&str; N], numbers: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
