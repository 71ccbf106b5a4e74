//! What a validation hands back: values only.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::Severity;
use crate::error::{Error, Kind};

/// What a validation found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValidationReport {
    /// Its id in the ledger.
    pub id: String,
    /// Whether no check of severity error failed.
    pub passed: bool,
    /// The table that was checked.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// The years that were compared with production; empty for all.
    pub years: Vec<i32>,
    /// Whether the live table was checked, with all that stands around it.
    pub comprehensive: bool,
    /// Every check, in the order of their files.
    pub checks: Vec<CheckReport>,
    /// Where the table differs most from production in its number of rows.
    pub largest_changes: Vec<Change>,
    /// Rows of each species in all years that were compared, the largest changes first.
    #[serde(default)]
    pub by_species: Vec<Change>,
    /// Rows of all species in each year that was compared.
    #[serde(default)]
    pub by_year: Vec<Change>,
    /// How long it took.
    pub seconds: f64,
}

impl ValidationReport {
    /// Where errors were found that are not accepted: these.
    #[must_use]
    pub fn failure(&self, accepted: &[String]) -> Option<Error> {
        let refused = self.refused(accepted);
        let names: Vec<_> = refused.iter().map(|check| check.name.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        let (count, all) = (names.len(), self.checks.len());
        let what = format!("{} failed {count} of {all} checks: {}", self.table, names.join(", "));
        let hint = match names.contains(&"rows-accounted") {
            true => {
                "rows went from staging or came to it since the load, perhaps with a species that was \
                 deleted: load again, by `sterna rollback 2.1` and --resume within a migration, else \
                 by `sterna stage truncate` and `sterna load`"
            }
            false => {
                "fix what the report names; where the rows are as they should be, raise a limit \
                 (`sterna validate --help`), or accept a check by its name (--accept-check)"
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

    /// The errors that nobody has accepted by the name of their check, or by what stands
    /// before its dot.
    #[must_use]
    pub fn refused(&self, accepted: &[String]) -> Vec<&CheckReport> {
        let is_accepted = |check: &CheckReport| accepted.iter().any(|name| check.is_named(name));
        let mut errors = self.failed();
        errors.retain(|check| check.severity == Severity::Error && !is_accepted(check));
        errors
    }

    /// What is recorded of the errors that were accepted, with their figures.
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

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// Its name, and behind a dot what it was repeated for.
    pub name: String,
    /// What it means that it fails.
    pub severity: Severity,
    /// Whether it found nothing wrong; true where it was left out.
    pub passed: bool,
    /// The figure that was to be found; 0 wrong rows where it is about rows.
    pub expected: Value,
    /// The figure that was found; NULL where it was left out.
    pub observed: Value,
    /// What that means, in a line.
    pub detail: String,
    /// What is so where it passes.
    pub purpose: String,
    /// Why it was left out.
    pub skipped: Option<String>,
    /// The first of what is wrong, as column and value: rows with their ids, the file
    /// and the line where the batch begins that brought them.
    pub rows: Vec<Map<String, Value>>,
}

impl CheckReport {
    /// Whether a user means it by this name: its own, or what it was repeated from.
    fn is_named(&self, name: &str) -> bool {
        let rest = self.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// A check that was left out.
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
            skipped: Some(why),
            rows: Vec::new(),
        }
    }

    /// A check that looked for what is wrong and found that many.
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
            skipped: None,
            rows,
        }
    }
}

/// `record_id 17, year 1874`; what is not there is left out.
fn sentence(row: &Map<String, Value>) -> String {
    let said = row.iter().filter(|(name, value)| !value.is_null() && *name != "xmin");
    let said = said.map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text:?}"),
        other => format!("{name} {other}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

/// A species whose number of rows is not production's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its scientific name, where it has a row in the table of species.
    pub species: Option<String>,
    /// Its id.
    pub species_id: Option<String>,
    /// The year; `None` for all that were compared.
    pub year: Option<i32>,
    /// Rows in production.
    pub production: i64,
    /// Rows in the table that was checked.
    pub checked: i64,
}
