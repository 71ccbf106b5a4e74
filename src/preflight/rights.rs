//! The rights that the connected role needs and lacks.

use super::question::found;
use super::{Finding, PreflightSeverity};
use crate::error::Result;
use crate::pg::Connection;
use crate::switchover::Altered;

/// Lists every right that is missing, with the statement that grants it.
pub(super) async fn check(session: &Connection, oid: u32, altered: &[Altered]) -> Result<Finding> {
    let what: Vec<&str> = altered.iter().map(|a| a.what.as_str()).collect();
    let owners: Vec<u32> = altered.iter().map(|a| a.owner).collect();
    let sql = include_str!("../../sql/preflight/rights.sql");
    let rows = session.query(sql, &[&oid, &what, &owners]).await?;
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut finding = found(
        "rights",
        PreflightSeverity::Error,
        &lines,
        "the role may do all that a load and a switchover need",
        "grant what is listed, or connect as the role that owns everything",
    );
    if !lines.is_empty() {
        // List all of them, however many: each one is needed.
        finding.detail = lines.join("; ");
    }
    Ok(finding)
}
