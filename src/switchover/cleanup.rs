//! Cleanup after a switchover: drops the old table for good.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::journal::{self, Left, Toward};
use super::record::{self, SwitchoverState};
use super::{Exchange, distributed};
use crate::error::{Error, Result};
use crate::pg::catalog::relation;
use crate::pg::{ConnInfo, Connection, Table, Volley, connect_for, fill};
use crate::table::locks::{self, LockLimits, Patience};
use crate::table::partition::{self, Takes};
use crate::table::staging;

/// Drops the old table for good, no sooner than `older_than` after the switchover.
/// Returns its name; `None` if there is nothing to clean up.
///
/// # Errors
/// Refused if it is too early, or if the old table has been attached to another one; the server's
/// error if something depends on the old table.
pub async fn cleanup(
    info: &ConnInfo,
    table: &Table,
    older_than: Duration,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<Option<Table>> {
    let mut session = connect_for(info, "cleanup").await?;
    let pair = staging::pair_of(&mut session, table, Takes::Shards).await?;
    let Some(last) = record::last(&session, &pair.table).await? else { return Ok(None) };
    if last.state != SwitchoverState::Switched || last.new != pair.table_oid {
        return Ok(None);
    }
    if last.age < older_than {
        let left = older_than - last.age;
        return Err(Error::refused(format!(
            "the switchover was {} ago, and the old table is kept for {}",
            in_words(last.age),
            in_words(older_than)
        ))
        .hint(format!("wait for another {}, or give a shorter --older-than", in_words(left))));
    }
    let exchange = Exchange::backwards(pair.table.clone(), last.new, last.old);
    let old = exchange.incoming_table()?;
    if pair.distribution.is_elsewhere() {
        distributed::clean_up(&mut session, &exchange, &last, patience, stop).await?;
        return Ok(Some(old));
    }
    let found = relation(&session, &old).await?;
    // The journal may also be recording writes for a load that is under way.
    let (state, left) = futures::join!(
        journal::state(&session, last.new, Toward::Staging),
        journal::left(&session, last.new),
    );
    let is_needed = state?.is_some();
    let left = if is_needed { Left::default() } else { left? };
    let is_there = found.is_some_and(|found| found.oid == last.old);
    if is_there {
        partition::refuse_attached(&session, last.old).await?;
    }
    let lock = include_str!("../../sql/switchover/lock-everybody.sql");
    let mut locks = vec![fill(lock, &[("table", &exchange.table)])];
    locks.extend(is_there.then(|| fill(lock, &[("table", &old)])));
    locks.extend(left.locks);
    let work = async |session: &mut Connection, limits: LockLimits| {
        let mut volley = Volley::default();
        limits.lock(&mut volley, &locks);
        if is_needed {
            journal::stop_carrying(&mut volley, exchange.live, Toward::Old);
        } else {
            journal::end_locked(&mut volley, exchange.live)?;
        }
        if is_there {
            drop_locked(&mut volley, &old, last.old);
        } else {
            unregister(&mut volley, last.old);
        }
        let cleaned = include_str!("../../sql/switchover/record-cleaned.sql");
        volley.query(cleaned, vec![Box::new(last.id)]);
        locks::send(session, &volley).await
    };
    let relations = [vec![last.old, last.new], left.relations].concat();
    locks::with_retries(&mut session, patience, &relations, stop, work)
        .await
        .map_err(partition::refusal)?;
    Ok(is_there.then_some(old))
}

/// Adds the statements that drop an old table, unless it has been attached to another one.
pub(super) fn drop_locked(volley: &mut Volley, old: &Table, oid: u32) {
    partition::lock_detached(volley, old, oid);
    unregister(volley, oid);
    let drop = include_str!("../../sql/switchover/drop-table.sql");
    volley.add(fill(drop, &[("table", old)]));
}

/// Adds the statement that leaves to others what is left of an old table.
fn unregister(volley: &mut Volley, oid: u32) {
    let unregister = include_str!("../../sql/table/stage/unregister.sql");
    volley.query(unregister, vec![Box::new(oid)]);
}

/// In days and hours from one day on, else in seconds.
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
