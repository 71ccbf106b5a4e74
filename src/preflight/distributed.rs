//! The checks before a load for a table that Citus distributes: those that do not read the disks and
//! the catalog of one server.

use std::time::Instant;

use super::question::version;
use super::{Finding, PreflightCheck, PreflightSeverity};
use crate::error::{Kind, Result};
use crate::pg::{Connection, Table};
use crate::switchover;

/// Checks whether such a table can be replaced, and says which checks are left out.
///
/// # Errors
/// If the catalog cannot be read.
pub(super) async fn check(
    session: &Connection,
    table: &Table,
    oid: u32,
    begun: Instant,
) -> Result<PreflightCheck> {
    let severity = PreflightSeverity::Error;
    let supported = match switchover::refuse_distributed(session, table, oid).await {
        Ok(()) => Finding::good("supported", severity, "the table can be replaced"),
        Err(error) if error.kind() == Kind::Unsafe => {
            let hint = error.next_step().unwrap_or("alter or drop what is named").to_owned();
            Finding::bad("supported", severity, error.to_string(), hint)
        }
        Err(error) => return Err(error),
    };
    let left_out = Finding::good(
        "left-out",
        PreflightSeverity::Info,
        "the table is distributed by Citus: backups, space, rights and files are not checked",
    );
    let checks = vec![version(session).await?, supported, left_out];
    Ok(PreflightCheck::new(table.to_string(), checks, begun.elapsed()))
}
