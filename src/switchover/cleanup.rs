//! The end of a switchover: the table that it kept goes for good.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio_postgres::Transaction;

use super::Exchange;
use super::journal::{self, Toward};
use super::locks::{self, Limits, Patience};
use super::record::{self, State};
use crate::error::{Error, Result};
use crate::pg::catalog::relation;
use crate::pg::{ConnInfo, Table, connect, fill};
use crate::staging;

/// Drops the old table for good, `older_than` after the switchover at the earliest.
/// Returns its name; none where there is none.
///
/// # Errors
/// Refused where it is too early, or where something depends on the old table.
pub async fn cleanup(
    info: &ConnInfo,
    table: &Table,
    older_than: Duration,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<Option<Table>> {
    let mut session = connect(info).await?;
    let pair = staging::pair(&mut session, table).await?;
    let Some(last) = record::last(&*session, &pair.table).await? else { return Ok(None) };
    if last.state != State::Switched || last.new != pair.table_oid {
        return Ok(None);
    }
    if last.age < older_than {
        let left = older_than - last.age;
        return Err(Error::refused(format!(
            "the switchover was {} ago, and the old table is kept for {}",
            in_words(last.age),
            in_words(older_than)
        ))
        .hint(format!("wait for another {}, or say a shorter --older-than", in_words(left))));
    }
    let exchange = Exchange::backwards(pair.table.clone(), last.new, last.old);
    let old = exchange.incoming_table()?;
    let found = relation(&session, &old).await?;
    let work = async |transaction: &Transaction<'_>, _: Limits| {
        journal::end_locked(transaction, &exchange.table, exchange.live, Toward::Old).await?;
        if found.as_ref().is_some_and(|found| found.oid == last.old) {
            let drop =
                fill(include_str!("../../sql/switchover/drop-table.sql"), &[("table", &old)]);
            transaction.batch_execute(&drop).await?;
        }
        let cleaned = include_str!("../../sql/switchover/record-cleaned.sql");
        transaction.execute(cleaned, &[&last.id]).await?;
        Ok(())
    };
    let relations = [last.old, last.new];
    locks::with_retries(&mut session, patience, &relations, stop, work).await?;
    Ok(Some(old))
}

/// In days where it is days, else in seconds.
fn in_words(duration: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match duration.as_secs() {
        seconds if seconds >= DAY && seconds.is_multiple_of(DAY) => format!("{} d", seconds / DAY),
        seconds if seconds >= DAY => {
            format!("{} d {} h", seconds / DAY, seconds % DAY / 3600)
        }
        seconds => format!("{seconds} s"),
    }
}
