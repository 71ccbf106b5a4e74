//! The conditions for an exchange to begin.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::journal::{self, Toward};
use super::record::{SwitchoverRecord, SwitchoverState};
use super::{Exchange, dependents};
use crate::command_line;
use crate::error::{Error, Kind, Result};
use crate::ledger;
use crate::pg::catalog::relation;
use crate::pg::{Connection, Session, Table, fill};
use crate::table::fingerprint::{self, Fingerprint};
use crate::table::partition;
use crate::table::staging::{self, Pair};

/// Interval between two looks for old snapshots.
const SNAPSHOT_POLL: Duration = Duration::from_millis(100);

/// The refusal of a switchover without a staging table, which may be done already.
pub(super) fn no_staging(pair: &Pair, last: Option<&SwitchoverRecord>) -> Error {
    let error = format!("there is no {}", pair.staging);
    let is_live = |last: &&SwitchoverRecord| {
        last.state == SwitchoverState::Switched && last.new == pair.table_oid
    };
    match last.filter(is_live) {
        None => Error::refused(error).hint("`sterna load` creates and fills it"),
        Some(_) => Error::refused(format!("{error}: the last switchover made it {}", pair.table))
            .hint(
                "nothing is left to switch over; `sterna load` loads another release, and \
                 `sterna rollback switchover` puts the old table back",
            ),
    }
}

/// Refuses a table that cannot be replaced without losing something, or with dependents that
/// cannot be pointed at another table.
///
/// # Errors
/// The refusal, with every reason.
pub async fn refuse_unsupported(session: &Session, table: &Table, oid: u32) -> Result<()> {
    let (rows, partition, dependents) = futures::join!(
        session.query(include_str!("../../sql/switchover/unsupported.sql"), &[&oid]),
        partition::unsupported(session, oid),
        dependents::find(session, oid, &[]),
    );
    let (rows, dependents) = (rows?, dependents?.unsupported);
    let mut reasons: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    reasons.extend(partition?);
    reasons.extend(dependents.iter().map(|what| format!("{what} cannot be pointed elsewhere")));
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("{table} cannot be replaced: {}", reasons.join("; ")))
        .hint("nothing was changed; alter or drop what is named, then try again"))
}

/// Refuses a staging table that is empty, or whose loads have not finished.
pub(super) async fn refuse_unloaded(session: &Connection, pair: &Pair, oid: u32) -> Result<()> {
    let row = session.query_one(include_str!("../../sql/switchover/loads.sql"), &[&oid]).await?;
    let (loads, unfinished): (i64, i64) = (row.get(0), row.get(1));
    if unfinished > 0 && row.get::<_, Option<&str>>(5) == Some("rejected") {
        let resume = command_line::resume_load(row.get(4));
        return Err(Error::refused(format!(
            "the last load into {} rejected more records than it may",
            pair.staging
        ))
        .hint(format!(
            "fix the file of rejects and load it with --append; or accept that many: `{resume} \
             --max-rejects N`; or begin again with `sterna stage truncate`"
        )));
    }
    if unfinished > 0 {
        return Err(Error::refused(format!(
            "{} holds a load that is not at its end",
            pair.staging
        ))
        .hint(format!(
            "resume it with `{}`; see `sterna status`",
            command_line::resume_load(row.get(4))
        )));
    }
    if staging::has_rows(session, pair).await? {
        return Ok(());
    }
    let names: [(&str, &dyn crate::pg::Quoted); 1] = [("table", &pair.table)];
    let count = fill(include_str!("../../sql/switchover/count-rows.sql"), &names);
    let live: i64 = session.query_one(&count, &[]).await?.get(0);
    if live == 0 && loads > 0 {
        return Ok(());
    }
    // No flag overrides this: a switchover is not for emptying the table.
    Err(Error::refused(format!("{} is empty, and {} has {live} rows", pair.staging, pair.table))
        .hint("check the input with `sterna inspect INPUT...`, then fill it with `sterna load`"))
}

/// The earlier switchover whose old table has the name that the leaving table will get; that
/// old table is dropped in the exchange.
///
/// # Errors
/// Refused if the name belongs to something else, or if the old table has been attached to another.
pub(super) async fn previous_old_table(
    session: &Connection,
    exchange: &Exchange,
    last: Option<&SwitchoverRecord>,
) -> Result<Option<SwitchoverRecord>> {
    let name = exchange.leaving_table()?;
    let Some(found) = relation(session, &name).await? else { return Ok(None) };
    let kept = last.filter(|last| last.state == SwitchoverState::Switched && last.old == found.oid);
    if kept.is_some() {
        partition::refuse_attached(session, found.oid).await?;
        return Ok(kept.cloned());
    }
    Err(Error::refused(format!("{name} exists and was not left there by sterna"))
        .hint("rename or drop it; the table that is replaced gets that name"))
}

/// Refuses a rollback if there is no old table to return to, or if it is now part of another.
pub(super) async fn refuse_no_old_table(
    session: &Connection,
    exchange: &Exchange,
    last: &SwitchoverRecord,
) -> Result<()> {
    let nothing = |why: String| Error::refused(why).hint("there is nothing to roll back to");
    match last.state {
        SwitchoverState::Cleaned => return Err(nothing("the old table was cleaned up".into())),
        SwitchoverState::Returned => {
            return Err(nothing("the switchover was rolled back already".into()));
        }
        SwitchoverState::Switched if last.new != exchange.live => {
            let what = format!("{} is not the table that the switchover put there", exchange.table);
            return Err(
                Error::refused(what).hint("another session has replaced it; see `sterna status`")
            );
        }
        SwitchoverState::Switched => {}
    }
    let old = exchange.incoming_table()?;
    if relation(session, &old).await?.is_none_or(|found| found.oid != last.old) {
        return Err(nothing(format!("{old}, which was replaced, is gone")));
    }
    partition::refuse_attached(session, last.old).await
}

/// Returns the live table's fingerprint, which must be the same as when the staging table was
/// created from it.
///
/// # Errors
/// Refused as drift, with what has changed.
pub(super) async fn refuse_drift(session: &Connection, exchange: &Exchange) -> Result<Fingerprint> {
    let siblings = [exchange.incoming];
    let (now, row) = futures::join!(
        fingerprint::take_beside(session, exchange.live, &siblings),
        session.query_opt(
            include_str!("../../sql/table/stage/fingerprint.sql"),
            &[&exchange.incoming],
        ),
    );
    let now = now?;
    let Some(row) = row? else { return Ok(now) };
    let Some(then): Option<Fingerprint> = ledger::document(&row, 0)? else { return Ok(now) };
    match then.differences(&now).as_slice() {
        [] => Ok(now),
        differences => Err(drift(&exchange.table, differences)),
    }
}

/// The refusal to replace a table that was altered in the meantime.
pub(super) fn drift(table: &Table, differences: &[fingerprint::Difference]) -> Error {
    let what: Vec<_> =
        differences.iter().take(3).map(|d| format!("{} {}", d.kind, d.key)).collect();
    let more = match differences.len().saturating_sub(what.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Error::refused(format!("{table} was altered during the run: {}{more}", what.join(", "))).hint(
        "nothing was changed; run `sterna stage drop`, then load again for the table as it is now",
    )
}

/// Waits until no transaction is left whose snapshot may be older than the load or than the
/// last writes that were carried over: it would see the new table without those rows.
pub(super) async fn wait_for_snapshots(
    session: &Connection,
    incoming: u32,
    live: u32,
    max_wait: Duration,
    stop: &AtomicBool,
) -> Result<()> {
    let begun = Instant::now();
    loop {
        let sql = include_str!("../../sql/switchover/old-snapshots.sql");
        let rows = session.query(sql, &[&incoming, &live]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        if begun.elapsed() >= max_wait {
            let holders: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
            let what = "transactions older than the load would see the new table without its rows";
            return Err(Error::new(Kind::LockTimeout, format!("{what}: {}", holders.join("; ")))
                .hint("nothing was changed; end them, or try again with a longer --max-wait"));
        }
        tokio::time::sleep(SNAPSHOT_POLL).await;
    }
}

/// Counts that were taken before the locks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// Rows of the incoming table, without those that carrying over added.
    pub(super) rows_without_carried: i64,
    /// Writes carried over so far.
    pub(super) entries: i64,
}

/// Counts the rows of the incoming table, which must be as many as were loaded and carried
/// over, and checks that the journal has not missed a write.
pub(super) async fn count_rows(
    session: &mut Connection,
    exchange: &Exchange,
    toward: Toward,
    journaled: bool,
) -> Result<Counted> {
    let incoming_table = exchange.incoming_table()?;
    let names: [(&str, &dyn crate::pg::Quoted); 2] =
        [("live", &exchange.table), ("incoming", &incoming_table)];
    let counts = fill(include_str!("../../sql/journal/counts.sql"), &names);
    let loads = include_str!("../../sql/switchover/loads.sql");
    let read = session.snapshot(async |session| {
        futures::join!(
            session.query_one(&counts, &[]),
            session.query_one(loads, &[&exchange.incoming]),
            journal::state(session, exchange.live, toward),
            journal::carried(session, exchange.live, toward),
        )
    });
    let (counts, loads, state, entries) = read.await?;
    let (counts, loads, state, entries) = (counts?, loads?, state?, entries?);
    let (live, incoming): (i64, i64) = (counts.get(0), counts.get(1));
    let (loads, loaded, was_live): (i64, i64, bool) = (loads.get(0), loads.get(2), loads.get(3));
    let known = toward == Toward::Staging && loads > 0 && !was_live;
    let Some(state) = state.filter(|_| journaled) else {
        refuse_other_rows(exchange, incoming, if known { loaded } else { incoming }, false)?;
        return Ok(Counted { rows_without_carried: incoming, entries: 0 });
    };
    if let Some(begin) = state.rows_at_begin
        && begin + state.inserted - state.deleted != live
    {
        let table = &exchange.table;
        return Err(Error::refused(format!(
            "{table} has {live} rows, but by the writes that were recorded it should have {}",
            begin + state.inserted - state.deleted
        ))
        .hint(
            "some writes were not recorded, or a partition has left the table; run `sterna stage \
             drop`, and `sterna cleanup` if the old table of an earlier switchover is there, then \
             start again",
        ));
    }
    let came = state.added - state.removed;
    let expected = if known { loaded + came } else { incoming };
    refuse_other_rows(exchange, incoming, expected, state.deleted > 0)?;
    Ok(Counted { rows_without_carried: incoming - came, entries })
}

/// `cascades`: rows may have been deleted along with what they referred to, as in production.
fn refuse_other_rows(exchange: &Exchange, found: i64, expected: i64, cascades: bool) -> Result<()> {
    if found == expected || (cascades && found < expected) {
        return Ok(());
    }
    let incoming = exchange.incoming_table()?;
    Err(Error::refused(format!("{incoming} has {found} rows instead of the {expected} loaded"))
        .hint("something else wrote to it; run `sterna stage truncate`, then load again"))
}
