//! The report of a validation: values only, without formatting.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::Severity;
use crate::error::{Error, Kind, grouped};

/// The report of a validation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValidationReport {
    /// Its id in the ledger.
    pub id: String,
    /// Whether no check of severity error failed.
    pub passed: bool,
    /// The table that was checked.
    pub table: String,
    /// Its number of rows.
    pub rows: u64,
    /// The years that were compared with production; empty for all.
    pub years: Vec<i32>,
    /// Whether the live table and what is related to it was checked.
    pub comprehensive: bool,
    /// All checks, those from files first.
    pub checks: Vec<CheckReport>,
    /// The largest differences from production in the number of rows.
    pub largest_changes: Vec<Change>,
    /// Rows of each species in all compared years, the largest changes first.
    #[serde(default)]
    pub by_species: Vec<Change>,
    /// Rows of all species in each compared year.
    #[serde(default)]
    pub by_year: Vec<Change>,
    /// Totals of each column of quantities by unit in the compared years, the unit with the most
    /// rows first.
    #[serde(default)]
    pub by_unit: Vec<Total>,
    /// Duration of the validation.
    pub seconds: f64,
}

impl ValidationReport {
    /// Returns an error that names the failed checks, if any of them was not accepted.
    #[must_use]
    pub fn failure(&self, accepted: &[String]) -> Option<Error> {
        let refused = self.refused(accepted);
        let names: Vec<_> = refused.iter().map(|check| check.name.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        let (count, all) = (names.len(), self.checks.len());
        let described: Vec<_> = refused.iter().map(|check| check.with_figures()).collect();
        let what =
            format!("{count} of {all} checks of {} failed: {}", self.table, described.join(", "));
        let hint = match names.contains(&"rows-accounted") {
            true => {
                "rows were removed from staging or added to it since the load, perhaps with a \
                 deleted species: load again, with `sterna rollback 2.1` and --resume in a \
                 migration, otherwise with `sterna stage truncate` and `sterna load`"
            }
            false => {
                "fix what the report names; if the rows are as they should be, raise a limit \
                 (`sterna validate --help`), or have `sterna switchover` or `sterna migrate` accept a \
                 check by its name: --accept-check NAME"
            }
        };
        Some(Error::new(Kind::Validation, what).hint(hint))
    }

    /// The checks that failed, errors before warnings.
    #[must_use]
    pub fn failed(&self) -> Vec<&CheckReport> {
        let mut failed: Vec<_> = self.checks.iter().filter(|check| !check.passed).collect();
        failed.sort_by_key(|check| check.severity);
        failed
    }

    /// The errors that were not accepted, by the full name of their check or by the part before
    /// the dot.
    #[must_use]
    pub fn refused(&self, accepted: &[String]) -> Vec<&CheckReport> {
        let is_accepted = |check: &CheckReport| accepted.iter().any(|name| check.is_named(name));
        let mut errors = self.failed();
        errors.retain(|check| check.severity == Severity::Error && !is_accepted(check));
        errors
    }

    /// The text to record for each accepted error, with its figures.
    #[must_use]
    pub fn deviations(&self, accepted: &[String]) -> Vec<String> {
        let errors = self.failed().into_iter().filter(|check| check.severity == Severity::Error);
        let said = errors.filter_map(|check| {
            let name = accepted.iter().find(|name| check.is_named(name))?;
            let CheckReport { name: check, expected, observed, detail, .. } = check;
            Some(format!(
                "check {check} failed and --accept-check {name} was given: expected {expected}, \
                 found {observed}; {detail}"
            ))
        });
        said.collect()
    }

    /// How many checks of a severity failed.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.failed().iter().filter(|check| check.severity == severity).count()
    }
}

/// The report of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// Its name, followed by a dot and what it was repeated for, if so.
    pub name: String,
    /// How serious a failure is.
    pub severity: Severity,
    /// Whether it found nothing wrong; true if it was skipped.
    pub passed: bool,
    /// The expected figure; 0 if the check looks for wrong rows.
    pub expected: Value,
    /// The figure that was found; null if the check was skipped.
    pub observed: Value,
    /// What that means, in one line.
    pub detail: String,
    /// What is true if it passes.
    pub purpose: String,
    /// What is wrong if it failed, as a noun in the singular and what follows it: `row without a
    /// quantity`. `None` if its file does not say so.
    #[serde(default)]
    pub fault: Option<String>,
    /// Why it was skipped.
    pub skipped: Option<String>,
    /// The first wrong rows, as columns and values: with their ids, and the file and first line
    /// of the batch that they came in.
    pub rows: Vec<Map<String, Value>>,
}

impl CheckReport {
    /// Its name, with the figures if two of them are compared.
    fn with_figures(&self) -> String {
        match (self.expected.as_u64(), self.observed.as_u64()) {
            (Some(expected), Some(observed)) if self.rows.is_empty() && expected > 0 => format!(
                "{} (expected {}, found {})",
                self.name,
                grouped(expected),
                grouped(observed)
            ),
            _ => self.name.clone(),
        }
    }

    /// Whether `name` is its full name, or the name of the check without what it was repeated for.
    fn is_named(&self, name: &str) -> bool {
        let rest = self.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// A skipped check.
    #[must_use]
    pub fn skipped(name: String, severity: Severity, purpose: &str, why: String) -> Self {
        CheckReport {
            name,
            severity,
            passed: true,
            expected: Value::Null,
            observed: Value::Null,
            detail: format!("left out: {why}"),
            purpose: purpose.into(),
            fault: None,
            skipped: Some(why),
            rows: Vec::new(),
        }
    }

    /// A check that looked for wrong rows and found `count` of them.
    pub(super) fn wrong(
        name: String,
        severity: Severity,
        purpose: &str,
        count: i64,
        rows: Vec<Map<String, Value>>,
    ) -> Self {
        let detail = match rows.first() {
            Some(row) if count > 0 => format!("{count} wrong, the first: {}", sentence(row)),
            _ if count > 0 => format!("{count} wrong"),
            _ => "nothing is wrong".to_owned(),
        };
        CheckReport {
            name,
            severity,
            passed: count == 0,
            expected: json!(0),
            observed: json!(count),
            detail,
            purpose: purpose.into(),
            fault: None,
            skipped: None,
            rows,
        }
    }
}

/// Formats a row like `record_id 17, year 1874`, without NULLs.
fn sentence(row: &Map<String, Value>) -> String {
    let said = row.iter().filter(|(name, value)| !value.is_null() && *name != "xmin");
    let said = said.map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text:?}"),
        other => format!("{name} {other}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

/// The numbers of rows of a species, or of a year, in production and in the checked table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its scientific name, if it has a row in the table of species.
    pub species: Option<String>,
    /// Its id.
    pub species_id: Option<String>,
    /// The year; `None` for all compared years.
    pub year: Option<i32>,
    /// Rows in production.
    pub production: i64,
    /// Rows in the table that was checked.
    pub checked: i64,
}

/// The total of a column in one unit, in production and in the checked table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// The column.
    pub column: String,
    /// The unit; empty for rows without one.
    pub unit: String,
    /// Rows in production.
    pub production_rows: i64,
    /// Rows in the table that was checked.
    pub checked_rows: i64,
    /// The total in production.
    pub production: f64,
    /// The total in the table that was checked.
    pub checked: f64,
}
