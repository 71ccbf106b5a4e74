//! Validations in the ledger, and whether one is still valid for the rows of a table.
//!
//! The rows of a validation are identified by the loads that wrote them and by their number.
//! A row carries the transaction that wrote it, and the ledger has the transactions of all
//! batches. So a row that was changed or added since belongs to no batch, a deleted one makes
//! the number smaller, and batches that were written again differ from those of the
//! validation.

use serde_json::{Value, json};
use uuid::Uuid;

use super::report::ValidationReport;
use super::subject::Subject;
use crate::error::{Error, Result, counted};
use crate::pg::{Connection, Table, fill};

/// A validation in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredValidation {
    /// Its id.
    pub id: Uuid,
    /// Whether no check of severity error failed.
    pub passed: bool,
    /// Whether it was a validation of the live table.
    pub comprehensive: bool,
    /// The years that were compared with production; empty for all.
    pub years: Vec<i32>,
    /// The report, as `sterna validate --format json` shows it.
    pub report: Value,
    checked: u32,
    identity: Value,
}

/// Changes in a staging table that were carried over from production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Rows added.
    pub added: i64,
    /// Rows removed.
    pub removed: i64,
    /// All writes that were carried over, including updates.
    pub writes: i64,
}

/// Returns the last validation of a table, by its OID.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn last(session: &Connection, relation_oid: u32) -> Result<Option<StoredValidation>> {
    let sql = include_str!("../../sql/validate/last.sql");
    let row = session.query_opt(sql, &[&relation_oid]).await?;
    row.map(|row| {
        let report: Value = row.get(3);
        let years = serde_json::from_value(report["years"].clone())
            .map_err(|e| Error::database("a stored validation has no years").caused_by(e))?;
        Ok(StoredValidation {
            id: row.get(0),
            passed: row.get(1),
            comprehensive: row.get(2),
            years,
            report,
            identity: row.get(4),
            checked: row.get(5),
        })
    })
    .transpose()
}

impl StoredValidation {
    /// Returns why this validation is not valid for the current rows of `table`; `None` if it is
    /// valid. Rows that the journal has `carried` over from production do not count:
    /// production has them as well.
    ///
    /// Reads the table once. The answer remains true only while nobody can write: take a lock
    /// of mode SHARE or stronger on the table first.
    ///
    /// # Errors
    /// If the table or the ledger cannot be read.
    pub async fn is_outdated(
        &self,
        session: &Connection,
        table: &Table,
        carried: Carried,
    ) -> Result<Option<String>> {
        let loads = loads(session, self.checked).await?;
        if loads != self.identity["loads"] {
            return Ok(Some("other loads have written to it since".into()));
        }
        let sql = include_str!("../../sql/validate/rows-now.sql");
        let sql = fill(sql, &[("checked", table)]);
        let row = session.query_one(&sql, &[&self.checked]).await?;
        let (rows, foreign): (i64, i64) = (row.get(0), row.get(1));
        let (had, had_foreign) = (&self.identity["rows"], &self.identity["foreign_rows"]);
        if *had_foreign != 0 {
            return Ok(Some(format!("{had_foreign} of its rows did not come from a load")));
        }
        let Carried { added, removed, writes } = carried;
        if foreign > writes {
            let rows = counted(foreign.unsigned_abs(), "row");
            return Ok(Some(format!("since then, {rows} added or changed")));
        }
        if had.as_i64() != Some(rows - added + removed) {
            let rows = counted(rows.unsigned_abs(), "row");
            return Ok(Some(format!("it has {rows}, and had {had} then")));
        }
        Ok(None)
    }
}

/// Reads the loads of a table and what they wrote.
async fn loads(session: &Connection, oid: u32) -> Result<Value> {
    let sql = include_str!("../../sql/validate/identity.sql");
    Ok(session.query_one(sql, &[&oid]).await?.get(0))
}

/// Reads what identifies the rows that a session sees.
pub(super) async fn identity(session: &Connection, subject: &Subject) -> Result<Value> {
    let loads = loads(session, subject.checked_oid).await?;
    let sql = include_str!("../../sql/validate/rows-now.sql");
    let sql = fill(sql, &[("checked", &subject.checked)]);
    let row = session.query_one(&sql, &[&subject.checked_oid]).await?;
    let (rows, foreign): (i64, i64) = (row.get(0), row.get(1));
    Ok(json!({"loads": loads, "rows": rows, "foreign_rows": foreign}))
}

/// Stores a validation.
pub(super) async fn store(
    session: &Connection,
    id: Uuid,
    subject: &Subject,
    report: &ValidationReport,
    identity: &Value,
) -> Result<()> {
    let json = serde_json::to_value(report)
        .map_err(|e| Error::database("could not serialize a validation").caused_by(e))?;
    let (name, version) = (subject.checked.to_string(), env!("CARGO_PKG_VERSION"));
    let sql = include_str!("../../sql/validate/store.sql");
    let (staging, checked) = (subject.staging_oid, subject.checked_oid);
    let (passed, live) = (report.passed, report.comprehensive);
    session
        .execute(sql, &[&id, &staging, &checked, &name, &passed, &live, &json, identity, &version])
        .await?;
    Ok(())
}
