//! The rights that the connected role needs and lacks.

use super::question::found;
use super::{Finding, PreflightSeverity};
use crate::error::{Error, Result};
use crate::pg::Connection;
use crate::switchover::{Altered, alterations};
use crate::table::summary;

/// What becomes of the summary beside the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SummaryUse {
    /// Whether a backup saves it.
    pub saved: bool,
    /// Whether it is recomputed.
    pub recomputed: bool,
}

impl SummaryUse {
    const ALL: SummaryUse = SummaryUse { saved: true, recomputed: true };
}

/// What to do about missing rights.
const HINT: &str = "grant what is listed, or connect as the role that owns everything";

/// Lists every right that is missing, with the statement that grants it.
pub(super) async fn check(session: &Connection, oid: u32, altered: &[Altered]) -> Result<Finding> {
    let lines = missing(session, oid, altered, SummaryUse::ALL).await?;
    let mut finding = found(
        "rights",
        PreflightSeverity::Error,
        &lines,
        "the role may do all that a backup, a load, a switchover and the summary need",
        HINT,
    );
    if !lines.is_empty() {
        // List all of them, however many: each one is needed.
        finding.detail = lines.join("; ");
    }
    Ok(finding)
}

/// Refuses a role that lacks rights for a load and a switchover of a table, or for what becomes of
/// its summary.
///
/// # Errors
/// Refused, with every right that is missing; or if the server cannot be queried.
pub async fn refuse_missing_rights(
    session: &Connection,
    oid: u32,
    of_summary: SummaryUse,
) -> Result<()> {
    let altered = alterations(session, oid).await?.altered;
    let lines = missing(session, oid, &altered, of_summary).await?;
    if lines.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("this role lacks rights: {}", lines.join("; "))).hint(HINT))
}

async fn missing(
    session: &Connection,
    oid: u32,
    altered: &[Altered],
    of_summary: SummaryUse,
) -> Result<Vec<String>> {
    let what: Vec<&str> = altered.iter().map(|a| a.what.as_str()).collect();
    let owners: Vec<u32> = altered.iter().map(|a| a.owner).collect();
    let sql = include_str!("../../sql/preflight/rights.sql");
    let SummaryUse { saved, recomputed } = of_summary;
    let (name, columns) = (summary::SUMMARY, summary::SUMMARY_COLUMNS.as_slice());
    let rows =
        session.query(sql, &[&oid, &what, &owners, &name, &columns, &saved, &recomputed]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
