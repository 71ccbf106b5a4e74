//! Validations in the ledger, and whether one still speaks of the rows that are there.
//!
//! The rows of a validation are known by the loads that wrote them and by their
//! number. A row bears the transaction that wrote it, and the ledger has those of
//! every batch; so a row that was changed or added since is one that no batch wrote,
//! one that was deleted is missing from the number, and batches that were written
//! again are not those of the validation.

use serde_json::{Value, json};
use uuid::Uuid;

use super::report::ValidationReport;
use super::subject::Subject;
use crate::error::{Error, Result};
use crate::pg::{Connection, Table, fill};

/// A validation as the ledger has it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredValidation {
    /// Its id.
    pub id: Uuid,
    /// Whether no error was found.
    pub passed: bool,
    /// Whether it was one of the live table.
    pub comprehensive: bool,
    /// The years that were compared with production; empty for all.
    pub years: Vec<i32>,
    /// What was found, as `sterna validate --format json` shows it.
    pub report: Value,
    checked: u32,
    identity: Value,
}

/// Rows that came and went in a staging table because they did in production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Rows that came.
    pub added: i64,
    /// Rows that went.
    pub removed: i64,
    /// All writes that were carried over, changes included.
    pub writes: i64,
}

/// The last validation of a table, by its OID.
///
/// # Errors
/// Where the ledger cannot be read.
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
    /// Why it does not speak of the rows that `table` holds now; `None` where it does.
    /// What a journal has `carried` over from production is no reason: production has
    /// those rows as well.
    ///
    /// Reads the table once. What it says stays true as long as nobody can write: take
    /// a lock of mode SHARE or stronger on the table before.
    ///
    /// # Errors
    /// Where the table or the ledger cannot be read.
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
            return Ok(Some(format!("{had_foreign} of its rows were not written by a load")));
        }
        let Carried { added, removed, writes } = carried;
        if foreign > writes {
            return Ok(Some(format!("{foreign} rows were added or changed since")));
        }
        if had.as_i64() != Some(rows - added + removed) {
            return Ok(Some(format!("it has {rows} rows, and had {had} then")));
        }
        Ok(None)
    }
}

/// The loads of a table, and what they wrote.
async fn loads(session: &Connection, oid: u32) -> Result<Value> {
    let sql = include_str!("../../sql/validate/identity.sql");
    Ok(session.query_one(sql, &[&oid]).await?.get(0))
}

/// What identifies the rows that a session sees.
pub(super) async fn identity(session: &Connection, subject: &Subject) -> Result<Value> {
    let loads = loads(session, subject.checked_oid).await?;
    let sql = include_str!("../../sql/validate/rows-now.sql");
    let sql = fill(sql, &[("checked", &subject.checked)]);
    let row = session.query_one(&sql, &[&subject.checked_oid]).await?;
    let (rows, foreign): (i64, i64) = (row.get(0), row.get(1));
    Ok(json!({"loads": loads, "rows": rows, "foreign_rows": foreign}))
}

/// Keeps a validation.
pub(super) async fn store(
    session: &Connection,
    id: Uuid,
    subject: &Subject,
    report: &ValidationReport,
    identity: &Value,
) -> Result<()> {
    let json = serde_json::to_value(report)
        .map_err(|e| Error::database("no JSON of a validation").caused_by(e))?;
    let (name, version) = (subject.checked.to_string(), env!("CARGO_PKG_VERSION"));
    let sql = include_str!("../../sql/validate/store.sql");
    let (staging, checked) = (subject.staging_oid, subject.checked_oid);
    let (passed, live) = (report.passed, report.comprehensive);
    session
        .execute(sql, &[&id, &staging, &checked, &name, &passed, &live, &json, identity, &version])
        .await?;
    Ok(())
}
