//! Failed checks as findings: checks of one kind and rows that are alike are shown once.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::show;
use crate::error::plural;
use crate::validate::{CheckReport, Severity, ValidationReport};

/// Maximum number of lines shown per check.
const LINES_SHOWN: usize = 5;
/// What tells where a row is, and not what is wrong with it; the shortest first, because it stays
/// in sight.
const PLACES: [&str; 4] = ["record_id", "id", "file", "batch_from_line"];

/// Failed checks of one kind, such as those of a check that is made for several columns.
pub(super) struct Finding<'a> {
    pub(super) is_error: bool,
    /// The name without what the check was repeated for.
    pub(super) name: &'a str,
    pub(super) purpose: &'a str,
    /// The checks with their indexes in the report.
    pub(super) checks: Vec<(usize, &'a CheckReport)>,
}

/// The failed checks of a validation, errors first.
pub(super) fn of(report: &ValidationReport) -> Vec<Finding<'_>> {
    let mut findings: Vec<Finding<'_>> = Vec::new();
    for check in report.checks.iter().enumerate().filter(|(_, check)| !check.passed) {
        let name = check.1.name.split('.').next().unwrap_or_default();
        let (purpose, is_error) = (check.1.purpose.as_str(), check.1.severity == Severity::Error);
        let alike =
            |of: &&mut Finding<'_>| (of.name, of.purpose, of.is_error) == (name, purpose, is_error);
        match findings.iter_mut().find(alike) {
            Some(found) => found.checks.push(check),
            None => findings.push(Finding { is_error, name, purpose, checks: vec![check] }),
        }
    }
    findings.sort_by_key(|finding| !finding.is_error);
    findings
}

/// What is wrong, to stand behind its figure: `shipments without a quantity`.
pub(super) fn fault(check: &CheckReport) -> Option<String> {
    let fault = check.fault.as_ref()?;
    let (noun, rest) = fault.split_once(' ').unwrap_or((fault, ""));
    match check.observed.as_i64() {
        Some(1) => Some(fault.clone()),
        Some(_) => Some(format!("{} {rest}", plural(noun)).trim_end().to_owned()),
        None => None,
    }
}

/// The wrong rows of a check, those that are alike on one line.
pub(super) struct Lines {
    pub(super) columns: Vec<String>,
    pub(super) cells: Vec<Vec<String>>,
    /// Listed rows that no line stands for.
    pub(super) more: usize,
    /// Whether a line stands for several rows.
    pub(super) is_grouped: bool,
}

/// The listed rows of a check; `None` if it lists none.
pub(super) fn lines(check: &CheckReport) -> Option<Lines> {
    let listed = &check.rows;
    let has_value = |name: &&String| listed.iter().any(|row| row.get(*name) != Some(&Value::Null));
    let names: Vec<&String> = listed.first()?.keys().filter(has_value).collect();
    let (mut places, contents): (Vec<&String>, Vec<&String>) =
        names.into_iter().partition(|name| is_place(listed, name));
    places
        .sort_by_key(|name| PLACES.iter().position(|place| place == name).unwrap_or(PLACES.len()));
    let mut groups: Vec<(Vec<String>, usize, &Map<String, Value>)> = Vec::new();
    for row in listed {
        let cells: Vec<String> = contents.iter().map(|name| cell(row, name)).collect();
        // Of rows that only their place tells apart, the places are shown.
        let like = groups.iter_mut().find(|(alike, ..)| !cells.is_empty() && *alike == cells);
        match like {
            Some((_, rows, _)) => *rows += 1,
            None => groups.push((cells, 1, row)),
        }
    }
    groups.sort_by_key(|(_, rows, _)| std::cmp::Reverse(*rows));
    let is_grouped = groups.iter().any(|(_, rows, _)| *rows > 1);
    let mut columns: Vec<String> = contents.iter().map(|name| (*name).clone()).collect();
    if is_grouped {
        columns.push("rows like this".to_owned());
    }
    let place = |name: &&String| match is_grouped {
        true => format!("{name} of the first"),
        false => (*name).clone(),
    };
    columns.extend(places.iter().map(place));
    let shown = groups.iter().take(LINES_SHOWN);
    let of_groups: usize = shown.clone().map(|(_, rows, _)| rows).sum();
    let cells = shown.map(|(cells, rows, first)| {
        let mut cells = cells.clone();
        cells.extend(is_grouped.then(|| show::count(*rows)));
        cells.extend(places.iter().map(|name| cell(first, name)));
        cells
    });
    Some(Lines { columns, cells: cells.collect(), more: listed.len() - of_groups, is_grouped })
}

/// Whether a column tells rows apart: one of the known ones, or with ids.
fn is_place(rows: &[Map<String, Value>], name: &str) -> bool {
    let is_id = |row: &Map<String, Value>| match row.get(name) {
        Some(Value::String(text)) => Uuid::try_parse(text).is_ok(),
        _ => false,
    };
    PLACES.contains(&name) || rows.iter().all(is_id)
}

fn cell(row: &Map<String, Value>, name: &str) -> String {
    row.get(name).map_or_else(String::new, show::plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed(name: &str, fault: Option<&str>, rows: &[Value]) -> CheckReport {
        let rows = rows.iter().filter_map(Value::as_object).cloned();
        serde_json::from_value(json!({
            "name": name, "severity": "warning", "passed": false, "expected": 0,
            "observed": rows.clone().count(), "detail": "", "purpose": "all is well.",
            "fault": fault, "skipped": null, "rows": rows.collect::<Vec<_>>(),
        }))
        .unwrap()
    }

    #[test]
    fn a_fault_has_the_number_of_its_figure() {
        let row = json!({"id": "a"});
        let of = |rows: &[Value]| fault(&failed("x", Some("shipment without a quantity"), rows));
        assert_eq!(of(std::slice::from_ref(&row)).unwrap(), "shipment without a quantity");
        assert_eq!(of(&[row.clone(), row.clone()]).unwrap(), "shipments without a quantity");
        assert_eq!(fault(&failed("x", None, &[row])), None);
    }

    #[test]
    fn rows_that_are_alike_are_one_line() {
        let row = |id: u8, term: &str| json!({"record_id": id, "file": null, "term": term});
        let found = failed("x", None, &[row(1, "b"), row(2, "a"), row(3, "a")]);
        let found = lines(&found).unwrap();
        assert_eq!(found.columns, ["term", "rows like this", "record_id of the first"]);
        assert_eq!(found.cells, [["a", "2", "2"], ["b", "1", "1"]]);
        assert_eq!(found.more, 0);
        let bare = |id: u8| json!({"record_id": id, "file": null});
        let found = failed("x", None, &[1, 2, 3, 4, 5, 6].map(bare));
        let found = lines(&found).unwrap();
        assert_eq!(
            (found.columns.as_slice(), found.cells.len()),
            (&["record_id".to_owned()][..], 5)
        );
        assert_eq!(found.more, 1);
    }
}
