//! The journal: triggers record which rows of a table that is being replaced were written to,
//! in the transactions that write. The writes are then carried over to the other table.
//!
//! Each recorded row is carried over in its current state, so neither the order nor the
//! number of writes matters. If both tables have the row, only the changed columns are
//! carried over; the other columns stay as the new release has them.

use std::sync::atomic::AtomicBool;

use tokio_postgres::Row;

use crate::error::{Error, Result};
use crate::pg::{
    Connection, Parameter, Quoted, Session, Table, Transaction, Typed, Volley, fill, first_row,
};
use crate::table::locks::{self, LockLimits, Patience};
use crate::trust;

/// The table that writes are carried over to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Toward {
    /// The staging table, which is to take the live table's place.
    Staging,
    /// The old table, whose place the live table has taken.
    Old,
}

impl Toward {
    /// The name in the ledger.
    pub(super) fn name(self) -> &'static str {
        match self {
            Toward::Staging => "staging",
            Toward::Old => "old",
        }
    }
}

/// The state of a table's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalState {
    /// Rows that the table had when the journal began; `None` until they are counted.
    pub rows_at_begin: Option<i64>,
    /// Rows that carrying over has added to the other table.
    pub added: i64,
    /// Rows that carrying over has removed from the other table.
    pub removed: i64,
    /// Whether both triggers exist and fire on every write.
    pub armed: bool,
    /// Writes still to be carried over.
    pub waiting: i64,
    /// Insertions recorded.
    pub inserted: i64,
    /// Deletions recorded.
    pub deleted: i64,
}

/// The result of carrying writes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CarriedOver {
    /// Recorded writes.
    pub entries: i64,
    /// Rows inserted.
    pub inserted: i64,
    /// Rows updated.
    pub updated: i64,
    /// Rows deleted.
    pub deleted: i64,
}

/// The name of a journal's table and of its trigger function.
///
/// # Errors
/// None in practice: the name is short.
pub fn journal_of(oid: u32) -> Result<Table> {
    Table::new("sterna", format!("journal_{oid}"))
}

/// Begins to record writes to a table, to be carried over to staging. A journal that exists
/// already is kept.
///
/// # Errors
/// [`crate::error::Kind::LockTimeout`] if the lock against writers cannot be had in time; the
/// server's error if the role may not create triggers on the table; refused if the journal that
/// exists lacks a partition.
pub async fn begin(
    session: &mut Connection,
    table: &Table,
    oid: u32,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<()> {
    let recorded: [&dyn Typed; 1] = [&oid];
    let (recorded, unrecorded) = futures::join!(
        session.query_one(include_str!("../../sql/journal/is-recorded.sql"), &recorded),
        unrecorded(session, table, oid),
    );
    let mut recorded = recorded?.get(0);
    if let Some((error, is_needed)) = unrecorded? {
        if is_needed {
            return Err(error);
        }
        // What a command that was killed has left.
        end(session, table, oid, Toward::Staging, patience, stop).await?;
        recorded = false;
    }
    if recorded {
        let carry = include_str!("../../sql/journal/carry.sql");
        session.execute(carry, &[&oid, &Toward::Staging.name()]).await?;
    } else {
        let lock = fill(include_str!("../../sql/switchover/lock-writers.sql"), &[("table", table)]);
        let begin = async |session: &mut Connection, limits: LockLimits| {
            let mut volley = Volley::default();
            limits.lock(&mut volley, std::slice::from_ref(&lock));
            begin_locked(&mut volley, oid, Toward::Staging);
            locks::send(session, &volley).await
        };
        let begun = locks::with_retries(session, patience, &[oid], stop, begin).await;
        begun.map_err(|e| e.context(format!("could not begin to record writes to {table}")))?;
    }
    settle_baseline(session, table, oid).await
}

/// Refuses a table whose partitions have changed since its last switchover, if its writes are
/// recorded for the rollback of that: what they hold could not be accounted for.
///
/// # Errors
/// The refusal, which names them.
pub(crate) async fn refuse_unrecorded(session: &Session, table: &Table, oid: u32) -> Result<()> {
    match unrecorded(session, table, oid).await? {
        Some((error, true)) => Err(error),
        _ => Ok(()),
    }
}

/// The refusal of a table with a journal that does not account for some partitions, and whether a
/// rollback needs the journal.
async fn unrecorded(session: &Session, table: &Table, oid: u32) -> Result<Option<(Error, bool)>> {
    let rows = session.query(include_str!("../../sql/journal/unrecorded.sql"), &[&oid]).await?;
    let Some(is_needed) = rows.first().map(|row| row.get(2)) else { return Ok(None) };
    let told = rows.iter().map(|row| match (row.get::<_, &str>(0), row.get(1)) {
        (added, true) => format!(
            "{added} was added since the last switchover, or its triggers were disabled, so writes \
             to it are not recorded"
        ),
        (old, false) => format!(
            "the counterpart of {old} was detached or dropped since the last switchover, so its \
             rows cannot be accounted for"
        ),
    });
    let told: Vec<String> = told.collect();
    let error = Error::refused(format!(
        "the partitions of {table} have changed: {}",
        told.join("; ")
    ))
    .hint(
        "if the last switchover need not be rolled back any more, `sterna cleanup --older-than 0s` \
         drops the old table, and the next release begins with the partitions as they are; or \
         detach what was added, attach what was detached, until after the next switchover",
    );
    Ok(Some((error, is_needed)))
}

/// Adds the statements that begin a journal to a volley that has locked the table.
pub(super) fn begin_locked(volley: &mut Volley, oid: u32, toward: Toward) {
    volley.query(include_str!("../../sql/journal/make.sql"), vec![of_oid(oid)]);
    volley.query(include_str!("../../sql/journal/begin.sql"), vec![of_oid(oid)]);
    let register = include_str!("../../sql/journal/register.sql");
    volley.query(register, vec![of_oid(oid), of_text(toward.name())]);
}

pub(super) fn of_oid(oid: u32) -> Parameter {
    Box::new(oid)
}

pub(super) fn of_text(text: &str) -> Parameter {
    Box::new(text.to_owned())
}

/// Computes how many rows a table had when its journal began, if that is not known yet.
///
/// # Errors
/// If the table cannot be read.
pub async fn settle_baseline(session: &Connection, table: &Table, oid: u32) -> Result<()> {
    let journal = journal_of(oid)?;
    let names: [(&str, &dyn Quoted); 2] = [("table", table), ("journal", &journal)];
    let sql = fill(include_str!("../../sql/journal/baseline.sql"), &names);
    session.execute(&sql, &[&oid]).await?;
    Ok(())
}

/// Stops carrying writes over in one direction, and ends the journal if the other direction
/// does not need it.
///
/// # Errors
/// As [`begin`].
pub async fn end(
    session: &mut Connection,
    table: &Table,
    oid: u32,
    toward: Toward,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<()> {
    let recorded: [&dyn Typed; 1] = [&oid];
    let (recorded, left) = futures::join!(
        session.query_one(include_str!("../../sql/journal/is-recorded.sql"), &recorded),
        left(session, oid),
    );
    if !recorded?.get::<_, bool>(0) {
        return Ok(());
    }
    if session.query_one(STOP_CARRYING, &[&oid, &toward.name()]).await?.get(0) {
        return Ok(());
    }
    let lock = fill(include_str!("../../sql/switchover/lock-everybody.sql"), &[("table", table)]);
    let Left { mut relations, locks: mut all } = left?;
    relations.push(oid);
    all.insert(0, lock);
    let end = async |session: &mut Connection, limits: LockLimits| {
        let mut volley = Volley::default();
        limits.lock(&mut volley, &all);
        end_locked(&mut volley, oid)?;
        locks::send(session, &volley).await
    };
    locks::with_retries(session, patience, &relations, stop, end).await?;
    Ok(())
}

/// Tables that have left a table as its partitions, and still have the triggers of its journal.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) relations: Vec<u32>,
    /// The statements that lock them, for the end of the journal.
    pub(super) locks: Vec<String>,
}

/// Finds the tables that have left a table as its partitions, with the triggers of its journal.
///
/// # Errors
/// Refused if one of them belongs to a role of which this one is no member.
pub(super) async fn left(session: &Session, oid: u32) -> Result<Left> {
    let mut left = Left::default();
    for row in session.query(include_str!("../../sql/journal/left.sql"), &[&oid]).await? {
        if let Some(drop) = row.get::<_, Option<&str>>(2) {
            let table: &str = row.get(3);
            return Err(Error::refused(format!(
                "{table}, which has been detached, still has triggers that record writes, and \
                 belongs to another role"
            ))
            .hint(format!(
                "have its owner remove them (`{drop}`), then run the same command again"
            )));
        }
        left.relations.push(row.get(0));
        left.locks.push(row.get(1));
    }
    Ok(left)
}

const STOP_CARRYING: &str = include_str!("../../sql/journal/stop-carrying.sql");

/// Stops carrying writes over in one direction, while the other one continues.
pub(super) fn stop_carrying(volley: &mut Volley, oid: u32, toward: Toward) {
    volley.query(STOP_CARRYING, vec![of_oid(oid), of_text(toward.name())]);
}

/// Removes a table's journal for both directions, in a volley that has locked the table.
pub(super) fn end_locked(volley: &mut Volley, oid: u32) -> Result<()> {
    let journal = journal_of(oid)?;
    volley.query(include_str!("../../sql/journal/end.sql"), vec![of_oid(oid)]);
    volley.add(fill(include_str!("../../sql/journal/drop.sql"), &[("journal", &journal)]));
    volley.query(include_str!("../../sql/journal/forget.sql"), vec![of_oid(oid)]);
    Ok(())
}

/// Returns the state of a table's journal for one direction; `None` if there is none.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn state(session: &Session, oid: u32, toward: Toward) -> Result<Option<JournalState>> {
    let sql = include_str!("../../sql/journal/state.sql");
    let row = session.query_opt(sql, &[&oid, &toward.name()]).await?;
    Ok(row.map(|row| JournalState {
        rows_at_begin: row.get(0),
        added: row.get(1),
        removed: row.get(2),
        armed: row.get(3),
        waiting: row.get(4),
        inserted: row.get(5),
        deleted: row.get(6),
    }))
}

/// The statement that carries waiting writes over.
pub(super) const CARRY_OVER: &str = include_str!("../../sql/journal/carry-over.sql");

/// Carries waiting writes over without blocking writers: what they write in the meantime is
/// carried over the next time.
///
/// # Errors
/// Refused if the other table cannot take a write.
pub(super) async fn carry_over(
    session: &Connection,
    from: u32,
    to: u32,
    toward: Toward,
) -> Result<CarriedOver> {
    let mut volley = Volley::of_snapshot();
    // The writes themselves may take long, but nobody is waited for.
    LockLimits::set(&mut volley, LockLimits::of(session.deadlock_timeout_ms()).lock_ms, 0);
    let place = volley.query(CARRY_OVER, vec![of_oid(from), of_oid(to), of_text(toward.name())]);
    let answers = volley.send(session).await;
    let answers = answers.map_err(|failure| refusal(failure.error.into(), toward))?;
    Ok(carried_by(first_row(&answers, place)?))
}

/// How long a trial waits for a lock, in milliseconds.
const TRIAL_LOCK_MS: &str = "2000";

/// As [`carry_over`], in a transaction that may still be rolled back.
///
/// # Errors
/// As [`carry_over`].
pub(super) async fn carry_over_in(
    transaction: &Transaction<'_>,
    from: u32,
    to: u32,
    toward: Toward,
) -> Result<CarriedOver> {
    let limits = include_str!("../../sql/table/locks/limits.sql");
    transaction.query(limits, &[&TRIAL_LOCK_MS, &"0"]).await?;
    let row = transaction
        .query_one(CARRY_OVER, &[&from, &to, &toward.name()])
        .await
        .map_err(|e| refusal(e.into(), toward))?;
    Ok(carried_by(&row))
}

fn carried_by(row: &Row) -> CarriedOver {
    CarriedOver {
        entries: row.get(0),
        inserted: row.get(1),
        updated: row.get(2),
        deleted: row.get(3),
    }
}

/// The refusal for a write that cannot be carried over.
pub(super) fn refusal(error: Error, toward: Toward) -> Error {
    let db_error = error.postgres().and_then(tokio_postgres::Error::as_db_error);
    let Some(said) = db_error.map(|e| e.message().to_owned()) else { return error };
    let refused = match (error.sqlstate().unwrap_or_default(), toward) {
        ("SN002", Toward::Staging) => {
            return Error::refused(said).hint(
                "nothing was rounded and the tables are unchanged; replace the value by one that \
                 fits, then run the same command again",
            );
        }
        ("SN002", Toward::Old) => {
            return Error::refused(said).hint(
                "nothing was rounded and the tables are unchanged; replace the value by one that \
                 fits, or have such writes saved in a table beside it (--keep none, --keep \
                 inserted)",
            );
        }
        ("SN001", Toward::Old) => {
            return Error::refused(said).hint(
                "nothing was changed; the old table has the rows as they were at the switchover: \
                 copy those that are needed into the live table with INSERT ... SELECT",
            );
        }
        ("SN001", Toward::Staging) => Error::refused(said),
        (code, _) if code.starts_with("22") || code.starts_with("23") => {
            Error::refused(format!("a write made during the run cannot be carried over: {said}"))
        }
        _ => return trust::explain(error),
    };
    refused.hint("production was not touched and has the write; see `sterna status`")
}

/// Returns how many writes were carried over in one direction so far.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn carried(session: &Session, oid: u32, toward: Toward) -> Result<i64> {
    let sql = include_str!("../../sql/journal/carried.sql");
    Ok(session.query_one(sql, &[&oid, &toward.name()]).await?.get(0))
}
