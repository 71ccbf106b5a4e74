//! The rights that the connected role needs and lacks.

use super::question::found;
use super::{Finding, PreflightSeverity};
use crate::error::{Error, Result};
use crate::pg::Connection;
use crate::switchover::{Altered, alterations};

/// What to do about missing rights.
const HINT: &str = "grant what is listed, or connect as the role that owns everything";

/// Lists every right that is missing, with the statement that grants it.
pub(super) async fn check(session: &Connection, oid: u32, altered: &[Altered]) -> Result<Finding> {
    let lines = missing(session, oid, altered).await?;
    let mut finding = found(
        "rights",
        PreflightSeverity::Error,
        &lines,
        "the role may do all that a load and a switchover need",
        HINT,
    );
    if !lines.is_empty() {
        // List all of them, however many: each one is needed.
        finding.detail = lines.join("; ");
    }
    Ok(finding)
}

/// Refuses a role that lacks rights for a load and a switchover of a table.
///
/// # Errors
/// Refused, with every right that is missing; or if the server cannot be queried.
pub async fn refuse_missing_rights(session: &Connection, oid: u32) -> Result<()> {
    let altered = alterations(session, oid).await?.altered;
    let lines = missing(session, oid, &altered).await?;
    if lines.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("this role lacks rights: {}", lines.join("; "))).hint(HINT))
}

async fn missing(session: &Connection, oid: u32, altered: &[Altered]) -> Result<Vec<String>> {
    let what: Vec<&str> = altered.iter().map(|a| a.what.as_str()).collect();
    let owners: Vec<u32> = altered.iter().map(|a| a.owner).collect();
    let sql = include_str!("../../sql/preflight/rights.sql");
    let rows = session.query(sql, &[&oid, &what, &owners]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
