//! The ledger: the record of what sterna has done to a database, kept in that database in the
//! schema `sterna`, to which no other role has access.
//!
//! Each part of the program owns its tables there. This module holds the ledger's version and
//! the lock that prevents two runs on one table.

mod session;
mod version;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::error::{Error, Result};
use crate::pg::{Backoff, Connection, Table, Typed};
use session::{Holder, Lock};

pub use session::{end_abandoned, mark};
pub use version::{State, VERSION, ensure, look, open};

/// Takes the session-level lock that prevents two runs on one table. A load locks its
/// staging table, everything else locks the table that is replaced; so a migration that
/// holds its lock can still run a load.
///
/// Terminates sessions whose client process is known to be gone. Otherwise retries for up to
/// 3 s: the session of a client that has just exited or been killed may not be gone yet.
/// Returns the session's backend PID, which [`lock_again`] takes.
///
/// # Errors
/// Refused if another session holds the lock.
pub async fn lock(session: &Connection, table: &Table) -> Result<i32> {
    Ok(take_lock(session, table, None).await?.0)
}

/// As [`lock`], and has `reads` ask questions of the session that are answered under the lock, in
/// one round trip. It must send them when it is first polled.
///
/// # Errors
/// As [`lock`].
pub async fn lock_and_read<T>(
    session: &Connection,
    table: &Table,
    reads: impl AsyncFn(&Connection) -> T,
) -> Result<T> {
    // The first try is sent before the questions.
    let (locked, read) = futures::join!(take_lock(session, table, None), reads(session));
    let (_, is_first) = locked?;
    Ok(if is_first { read } else { reads(session).await })
}

/// As [`lock`], after this process has lost the session that held the lock. The server may
/// not have noticed the loss yet.
///
/// # Errors
/// As [`lock`].
pub async fn lock_again(session: &Connection, table: &Table, lost: i32) -> Result<i32> {
    Ok(take_lock(session, table, Some(lost)).await?.0)
}

/// Also returns whether the first try got the lock.
async fn take_lock(session: &Connection, table: &Table, lost: Option<i32>) -> Result<(i32, bool)> {
    let (sql, name) = (include_str!("../sql/ledger/try-lock.sql"), table.to_string());
    let names: [&dyn Typed; 1] = [&name];
    let mut pauses = patience();
    let mut is_first = true;
    loop {
        let (own, ended, locked) = futures::join!(
            mark(session),
            end_abandoned(session, lost),
            session.query_one(sql, &names),
        );
        ended?;
        if locked?.get(0) {
            return Ok((own?, is_first));
        }
        is_first = false;
        let Some(pause) = pauses.next() else {
            let holders = session::holders(session, Lock::Run, table).await?;
            return Err(working(session, "working", table, holders.first()).await);
        };
        tokio::time::sleep(pause).await;
    }
}

/// As [`lock`], for a load, which locks the staging table `of` a table only: no other process may
/// migrate that table. This one may: the load is a step of its migration.
///
/// # Errors
/// Refused if another session holds one of the locks.
pub async fn lock_staging(session: &Connection, staging: &Table, of: &Table) -> Result<i32> {
    let others = async |session: &Connection| {
        let holders = session::holders(session, Lock::Run, of).await?;
        let Some(other) = holders.into_iter().find(|holder| !holder.is_own) else {
            return Ok(None);
        };
        // A single command, such as a backup, locks staging as well if it needs it.
        let sql = include_str!("../sql/ledger/is-migrating.sql");
        let names: [&dyn Typed; 2] = [&of.schema.name(), &of.name.name()];
        let is_migrating: bool = session.query_one(sql, &names).await?.get(0);
        Ok::<_, Error>(is_migrating.then_some(other))
    };
    let (locked, other) = futures::join!(take_lock(session, staging, None), others(session));
    let (own, mut other) = (locked?.0, other?);
    let mut pauses = patience();
    while let Some(holder) = other {
        let Some(pause) = pauses.next() else {
            return Err(working(session, "working", of, Some(&holder)).await);
        };
        tokio::time::sleep(pause).await;
        other = others(session).await?;
    }
    Ok(own)
}

/// The pauses between tries to get a lock.
fn patience() -> Backoff {
    let (first, longest, total) =
        (Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(3));
    Backoff::new(first, longest, total, 0)
}

/// The refusal to work on a table that another process works on.
async fn working(session: &Connection, how: &str, table: &Table, holder: Option<&Holder>) -> Error {
    let what = format!("another sterna is {how} on {table}");
    let Some(holder) = holder else {
        return Error::refused(what).hint("wait until it is done");
    };
    let sql = include_str!("../sql/ledger/run-at-work.sql");
    let names: [&dyn Typed; 3] = [&table.schema.name(), &table.name.name(), &holder.pid];
    let run = match session.query_opt(sql, &names).await {
        Ok(row) => row.map_or_else(String::new, |row| format!("{}; ", row.get::<_, &str>(0))),
        Err(error) => {
            tracing::debug!("its run is not known: {error}");
            String::new()
        }
    };
    Error::refused(format!("{what}: {run}{}", holder.who)).hint(format!(
        "wait until it is done: `sterna status --watch` shows it; if its client is gone, the \
         server ends the session after a minute of silence, or end it yourself: SELECT \
         pg_terminate_backend({})",
        holder.pid
    ))
}

/// Marks a session as working on a table, until the session ends.
///
/// # Errors
/// If the session is lost.
pub async fn join(session: &Connection, table: &Table) -> Result<()> {
    let sql = include_str!("../sql/ledger/join-work.sql");
    session.query_one(sql, &[&table.to_string()]).await?;
    Ok(())
}

/// Whether another session is working on a table at this moment.
///
/// # Errors
/// If the server's views cannot be read.
pub async fn is_worked_on(session: &Connection, table: &Table) -> Result<bool> {
    let holders = session::holders(session, Lock::Work, table).await?;
    Ok(holders.iter().any(|holder| !holder.is_idle))
}

/// Waits until no other session is working on a table. The server finishes the last
/// statement of a killed client, which may be a commit; only then is the state of the table
/// known.
///
/// # Errors
/// Refused if a session is still working after 60 s.
pub async fn wait_for_work(session: &Connection, table: &Table) -> Result<()> {
    let (first, longest, total) =
        (Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(60));
    let mut pauses = Backoff::new(first, longest, total, 0);
    loop {
        let holders = session::holders(session, Lock::Work, table).await?;
        let Some(holder) = holders.iter().find(|holder| !holder.is_idle) else {
            return Ok(());
        };
        let Some(pause) = pauses.next() else {
            return Err(working(session, "still at work", table, Some(holder)).await);
        };
        tokio::time::sleep(pause).await;
    }
}

/// Releases the lock for the next command.
///
/// # Errors
/// If the session is lost, which releases the lock as well.
pub async fn unlock(session: &Connection, table: &Table) -> Result<()> {
    let sql = include_str!("../sql/ledger/unlock.sql");
    session.query_one(sql, &[&table.to_string()]).await?;
    Ok(())
}

/// Reads a JSON document of the ledger; `None` if it is NULL.
///
/// # Errors
/// If it does not have the form that sterna writes.
pub fn document<T: DeserializeOwned>(row: &Row, index: usize) -> Result<Option<T>> {
    let document: Option<Json<T>> = row.try_get(index).map_err(|e| {
        let column = row.columns().get(index).map_or("document", |column| column.name());
        Error::database(format!("the ledger has a {column} that sterna did not write")).caused_by(e)
    })?;
    Ok(document.map(|Json(document)| document))
}
