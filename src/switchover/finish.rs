//! What follows an exchange, without a lock that keeps anybody out.

use uuid::Uuid;

use super::Exchange;
use super::journal;
use super::report::SwitchoverReport;
use crate::error::{Error, Result};
use crate::pg::Connection;
use crate::table::fingerprint::{self, Fingerprint};

/// Finishes what could wait until after the exchange: computes the journal's baseline, runs
/// the remaining statements, and compares the catalog once more.
pub(super) async fn finish(
    session: &mut Connection,
    exchange: &Exchange,
    id: Uuid,
    statements: &[String],
    report: &mut SwitchoverReport,
    expected: &Fingerprint,
) -> Result<()> {
    let (settled, finished) = futures::join!(
        journal::settle_baseline(session, &exchange.table, exchange.incoming),
        finish_with(session, statements),
    );
    settled?;
    finished?;
    report.validated_after = statements.iter().filter(|sql| is_validation(sql)).count();
    let (recorded, siblings) =
        (include_str!("../../sql/switchover/record-validated.sql"), [exchange.live]);
    let (recorded, now) = futures::join!(
        session.execute(recorded, &[&id]),
        fingerprint::take_beside(session, exchange.incoming, &siblings),
    );
    recorded?;
    let differences = expected.differences(&now?);
    report.parity_differences =
        differences.into_iter().filter(|d| !report.exceptions.contains(d)).collect();
    Ok(())
}

/// Runs the statements that could wait until after an exchange.
pub(super) async fn finish_with(session: &Connection, statements: &[String]) -> Result<()> {
    for sql in statements {
        session.batch_execute(sql).await.map_err(|e| {
            Error::from(e)
                .context(format!("the tables are exchanged, but this failed after it: `{sql}`"))
                .hint("fix the cause, then run the same command again")
        })?;
    }
    Ok(())
}

/// Whether a statement validates a foreign key.
pub(super) fn is_validation(sql: &str) -> bool {
    sql.contains(" VALIDATE CONSTRAINT ")
}
