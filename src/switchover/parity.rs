//! Checks that the catalog still describes the live table as before the switchover: its
//! grants, policies, triggers, indexes and everything that depends on it.

use serde_json::{Value, json};

use crate::error::Result;
use crate::pg::{Connection, catalog};
use crate::switchover::record::{self, SwitchoverState};
use crate::table::backup_table;
use crate::table::fingerprint;
use crate::table::staging::{OLD_SUFFIX, Pair, SUFFIX};
use crate::validate::{CATALOG_PARITY, CheckReport, Severity};

const PURPOSE: &str = "the catalog describes the table as it did before the switchover";

/// Compares the catalog with the fingerprint from before the switchover. `None` if the table
/// is not one that a switchover put there, or if the old one was cleaned up since.
///
/// # Errors
/// If the catalog or the ledger cannot be read.
pub async fn parity(session: &Connection, pair: &Pair) -> Result<Option<CheckReport>> {
    let last = record::last(session, &pair.table).await?;
    let stands = |last: &record::SwitchoverRecord| {
        last.new == pair.table_oid && last.state == SwitchoverState::Switched
    };
    let Some(last) = last.filter(stands) else { return Ok(None) };
    let mut siblings = vec![last.old];
    for suffix in [SUFFIX, OLD_SUFFIX, backup_table::SUFFIX] {
        let beside = pair.table.with_suffix(suffix)?;
        siblings.extend(catalog::relation(session, &beside).await?.map(|found| found.oid));
    }
    let now = fingerprint::take_beside(session, pair.table_oid, &siblings).await?;
    let differences = last.fingerprint.differences(&now);
    let unexplained: Vec<_> = differences.iter().filter(|d| !last.exceptions.contains(d)).collect();
    let detail = match unexplained.first() {
        None => "as expected".to_owned(),
        Some(first) => format!("{} differences, the first: {first}", unexplained.len()),
    };
    Ok(Some(CheckReport {
        name: CATALOG_PARITY.into(),
        severity: Severity::Error,
        passed: unexplained.is_empty(),
        expected: json!(0),
        observed: json!(unexplained.len()),
        detail,
        purpose: PURPOSE.into(),
        fault: Some("difference from the catalog before the switchover".into()),
        skipped: None,
        rows: unexplained
            .iter()
            .filter_map(|difference| match json!(difference) {
                Value::Object(row) => Some(row),
                _ => None,
            })
            .collect(),
    }))
}

/// The skipped check, for when there is nothing to compare with.
#[must_use]
pub fn left_out() -> CheckReport {
    let why = "the table does not come from a switchover that still stands".to_owned();
    CheckReport::skipped(CATALOG_PARITY.into(), Severity::Error, PURPOSE, why)
}
