//! The journal: writes to a table that is being replaced, noted down by triggers in
//! the transactions that make them, and carried over to the other table.

use std::sync::atomic::AtomicBool;

use tokio_postgres::{GenericClient, Transaction};

use super::locks::{self, Limits, Patience};
use crate::error::{Error, Result};
use crate::pg::{Connection, Table, fill};

/// Where writes to a table are carried to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// The table that is to take its place.
    Staging,
    /// The table whose place it has taken.
    Old,
}

impl Toward {
    fn name(self) -> &'static str {
        match self {
            Toward::Staging => "staging",
            Toward::Old => "old",
        }
    }
}

/// What is noted of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Rows that the table had when the journal began, once they were counted.
    pub rows_at_begin: Option<i64>,
    /// Rows that carrying over has added to the other table.
    pub added: i64,
    /// Rows that carrying over has removed from the other table.
    pub removed: i64,
    /// Whether both triggers are there and fire whoever writes.
    pub armed: bool,
    /// Writes that are to be carried over.
    pub waiting: i64,
    /// Insertions noted.
    pub inserted: i64,
    /// Deletions noted.
    pub deleted: i64,
}

/// What carrying over did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Writes of the journal.
    pub entries: i64,
    /// Rows inserted.
    pub inserted: i64,
    /// Rows updated.
    pub updated: i64,
    /// Rows deleted.
    pub deleted: i64,
}

/// Begins to note writes to a table down, to be carried to staging; nothing happens
/// where that is done already.
///
/// # Errors
/// [`crate::error::Kind::LockTimeout`] where writers leave no moment to begin; the
/// server's where the role may not create triggers on the table.
pub async fn begin(
    session: &mut Connection,
    table: &Table,
    oid: u32,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<()> {
    if is_noted(&**session, oid).await? {
        carry(&**session, oid, Toward::Staging).await?;
    } else {
        let begin = async |transaction: &Transaction<'_>, _: Limits| {
            begin_locked(transaction, table, oid, Toward::Staging).await
        };
        let begun = locks::with_retries(session, patience, &[oid], stop, begin).await;
        begun.map_err(|e| e.context(format!("could not begin to note writes to {table} down")))?;
    }
    settle_baseline(session, table, oid).await
}

/// Begins in a transaction that has the lock, or is ready to wait for it.
pub(super) async fn begin_locked(
    transaction: &Transaction<'_>,
    table: &Table,
    oid: u32,
    toward: Toward,
) -> Result<()> {
    let begin = fill(include_str!("../../sql/journal/begin.sql"), &[("table", table)]);
    transaction.batch_execute(&begin).await?;
    let register = include_str!("../../sql/journal/register.sql");
    transaction.execute(register, &[&oid]).await?;
    carry(transaction, oid, toward).await
}

async fn is_noted(session: &impl GenericClient, oid: u32) -> Result<bool> {
    let sql = include_str!("../../sql/journal/is-noted.sql");
    Ok(session.query_one(sql, &[&oid]).await?.get(0))
}

async fn carry(session: &impl GenericClient, oid: u32, toward: Toward) -> Result<()> {
    session.execute(include_str!("../../sql/journal/carry.sql"), &[&oid, &toward.name()]).await?;
    Ok(())
}

/// Works out how many rows a table had when its journal began, where that is not known.
///
/// # Errors
/// Where the table cannot be read.
pub async fn settle_baseline(session: &Connection, table: &Table, oid: u32) -> Result<()> {
    let sql = fill(include_str!("../../sql/journal/baseline.sql"), &[("table", table)]);
    session.execute(&sql, &[&oid]).await?;
    Ok(())
}

/// Carries nothing over in that direction any more, and ends the journal where nothing
/// else needs it.
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
    if state(&**session, oid, toward).await?.is_none() {
        return Ok(());
    }
    let end = async |transaction: &Transaction<'_>, _: Limits| {
        end_locked(transaction, table, oid, toward).await
    };
    locks::with_retries(session, patience, &[oid], stop, end).await?;
    Ok(())
}

pub(super) async fn end_locked(
    transaction: &Transaction<'_>,
    table: &Table,
    oid: u32,
    toward: Toward,
) -> Result<()> {
    let stop = include_str!("../../sql/journal/stop-carrying.sql");
    let needed: bool = transaction.query_one(stop, &[&oid, &toward.name()]).await?.get(0);
    if needed { Ok(()) } else { remove(transaction, table, oid).await }
}

/// Takes the journal off a table that has lost its place, whatever it was for.
pub(super) async fn remove(transaction: &Transaction<'_>, table: &Table, oid: u32) -> Result<()> {
    let end = fill(include_str!("../../sql/journal/end.sql"), &[("table", table)]);
    transaction.batch_execute(&end).await?;
    transaction.execute(include_str!("../../sql/journal/forget.sql"), &[&oid]).await?;
    Ok(())
}

/// What is noted of a table and carried in that direction; none where nothing is.
///
/// # Errors
/// Where the ledger cannot be read.
pub async fn state(
    session: &impl GenericClient,
    oid: u32,
    toward: Toward,
) -> Result<Option<State>> {
    let sql = include_str!("../../sql/journal/state.sql");
    let row = session.query_opt(sql, &[&oid, &toward.name()]).await?;
    Ok(row.map(|row| State {
        rows_at_begin: row.get(0),
        added: row.get(1),
        removed: row.get(2),
        armed: row.get(3),
        waiting: row.get(4),
        inserted: row.get(5),
        deleted: row.get(6),
    }))
}

/// Carries over what is waiting, in the order in which it was noted.
///
/// # Errors
/// Refused where the other table cannot take what was written.
pub(super) async fn replay(
    session: &impl GenericClient,
    from: u32,
    to: u32,
    toward: Toward,
) -> Result<Replayed> {
    let sql = include_str!("../../sql/journal/replay.sql");
    let row = session
        .query_one(sql, &[&from, &to, &toward.name()])
        .await
        .map_err(|e| refusal(e, toward))?;
    Ok(Replayed {
        entries: row.get(0),
        inserted: row.get(1),
        updated: row.get(2),
        deleted: row.get(3),
    })
}

/// What it means that a write cannot be carried over.
fn refusal(error: tokio_postgres::Error, toward: Toward) -> Error {
    let code = error.code().map(|code| code.code().to_owned()).unwrap_or_default();
    let Some(said) = error.as_db_error().map(|e| e.message().to_owned()) else {
        return error.into();
    };
    match code.get(..2) {
        Some("SN") if code == "SN002" => {
            return Error::refused(said).hint(
                "nothing was rounded and the tables are as they were; write a value there that \
                 fits, then run the same command again",
            );
        }
        Some("SN") if toward == Toward::Old => {
            return Error::refused(said).hint(
                "nothing was changed; the old table has the rows as they were at the switchover: \
                 what is wanted of them can be put into the live one by INSERT ... SELECT",
            );
        }
        Some("SN") => Error::refused(said),
        Some("22" | "23") => {
            Error::refused(format!("a write made during the run cannot be carried over: {said}"))
        }
        _ => return error.into(),
    }
    .hint("production was not touched, and has what was written; see `sterna status`")
}

/// How many writes were carried over in that direction so far.
///
/// # Errors
/// Where the ledger cannot be read.
pub async fn carried(session: &impl GenericClient, oid: u32, toward: Toward) -> Result<i64> {
    let sql = include_str!("../../sql/journal/carried.sql");
    Ok(session.query_one(sql, &[&oid, &toward.name()]).await?.get(0))
}
