//! What the ledger says about recomputations of a summary.

use std::time::Instant;

use uuid::Uuid;

use super::{SUMMARY, SummaryReport, Target, patiently, recompute_in};
use crate::error::Result;
use crate::pg::{Connection, Table, Transaction, explain_denied};

/// Returns the latest recomputation that was not undone, if there is one.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn last(session: &mut Connection, target: &Target) -> Result<Option<Uuid>> {
    let transaction = session.transaction().await?;
    Ok(last_in(&transaction, &target.summary).await?.map(|(run, _)| run))
}

/// Whether a run has recomputed the summary, and that was not undone.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn stands(session: &Connection, run: Uuid) -> Result<bool> {
    let sql = include_str!("../../../sql/table/summary/stands.sql");
    Ok(session.query_one(sql, &[&run]).await?.get(0))
}

/// Whether the summary beside a table counts rows that are gone when the switchover of this run is
/// rolled back: another run has recomputed it while they were live.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn counts_undone(session: &Connection, whole: &Table, run: Uuid) -> Result<bool> {
    let sql = include_str!("../../../sql/table/summary/counts-undone.sql");
    Ok(session.query_one(sql, &[&whole.schema.name(), &SUMMARY, &run]).await?.get(0))
}

/// Recomputes the summary after a rollback. That cannot be undone: the rows from before it count
/// what is gone.
///
/// # Errors
/// As [`super::recompute`].
pub async fn follow(session: &mut Connection, target: &Target) -> Result<SummaryReport> {
    let (begun, run) = (Instant::now(), Uuid::new_v4());
    let forget = include_str!("../../../sql/table/summary/keep-nothing.sql");
    let mut report = patiently(session, async |transaction| {
        let report = recompute_in(transaction, target, run).await?;
        transaction.execute(forget, &[&run]).await?;
        Ok(report)
    })
    .await
    .map_err(|e| explain_denied(e.context("could not recompute the summary")))?;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// Whether the ledger still knows what a recomputation replaced.
pub(super) async fn is_kept(transaction: &Transaction<'_>, run: Uuid) -> Result<bool> {
    let sql = include_str!("../../../sql/table/summary/is-kept.sql");
    Ok(transaction.query_one(sql, &[&run]).await?.get(0))
}

/// Forgets what a recomputation replaced, because a later one stands: its rows are not to be
/// restored any more.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn forget(session: &Connection, run: Uuid) -> Result<()> {
    session.execute(include_str!("../../../sql/table/summary/settle-undo.sql"), &[&run]).await?;
    Ok(())
}

pub(super) async fn last_in(
    transaction: &Transaction<'_>,
    summary: &Table,
) -> Result<Option<(Uuid, i64)>> {
    let sql = include_str!("../../../sql/table/summary/last-run.sql");
    let names = [summary.schema.name(), summary.name.name()];
    let row = transaction.query_opt(sql, &[&names[0], &names[1]]).await?;
    Ok(row.map(|row| (row.get(0), row.get::<_, Option<i64>>(1).unwrap_or(0))))
}
