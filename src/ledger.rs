//! The ledger: what sterna has done, in the schema `sterna` of the database that it
//! was done to, which is opened to nobody else.
//!
//! Each part of the program keeps tables of its own there; what is in them is that part's
//! affair. Here are its version and the lock that keeps two runs on one table apart.

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
pub use version::{VERSION, ensure, look, open};

/// Takes the lock that keeps two runs on one table apart, for the session. A load
/// locks its staging table, everything else the table that is replaced: so a
/// migration that holds the one can have files loaded.
///
/// A session whose client is certainly gone is ended for it. Otherwise waits a little:
/// that of a client that has just ended, or was just killed, may not be gone yet. Returns
/// what the server calls the session, which [`lock_again`] asks for.
///
/// # Errors
/// Refused where another session holds it.
pub async fn lock(session: &Connection, table: &Table) -> Result<i32> {
    take_lock(session, table, None).await
}

/// As [`lock`], where this process has lost the session that held the lock, which the
/// server may not have noticed.
///
/// # Errors
/// As [`lock`].
pub async fn lock_again(session: &Connection, table: &Table, lost: i32) -> Result<i32> {
    take_lock(session, table, Some(lost)).await
}

async fn take_lock(session: &Connection, table: &Table, lost: Option<i32>) -> Result<i32> {
    let (sql, name) = (include_str!("../sql/ledger/try-lock.sql"), table.to_string());
    let names: [&dyn Typed; 1] = [&name];
    let (first, longest, total) =
        (Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(3));
    let mut pauses = Backoff::new(first, longest, total, 0);
    loop {
        let (own, ended, locked) = futures::join!(
            mark(session),
            end_abandoned(session, lost),
            session.query_one(sql, &names),
        );
        ended?;
        if locked?.get(0) {
            return own;
        }
        let Some(pause) = pauses.next() else {
            let holders = session::holders(session, Lock::Run, table).await?;
            return Err(working("another sterna is working", table, holders.first()));
        };
        tokio::time::sleep(pause).await;
    }
}

fn working(what: &str, table: &Table, holder: Option<&Holder>) -> Error {
    let Some(holder) = holder else {
        return Error::refused(format!("{what} on {table}")).hint("wait until it is done");
    };
    Error::refused(format!("{what} on {table}: {}", holder.who)).hint(format!(
        "wait until it is done; where its client is gone, the server ends it after a minute of \
         silence, or you do: SELECT pg_terminate_backend({})",
        holder.pid
    ))
}

/// Marks a session as one that works on a table, for as long as it lasts.
///
/// # Errors
/// Where the session is lost.
pub async fn join(session: &Connection, table: &Table) -> Result<()> {
    let sql = include_str!("../sql/ledger/join-work.sql");
    session.query_one(sql, &[&table.to_string()]).await?;
    Ok(())
}

/// Waits until no other session is at work on a table. The server goes on with the last
/// statement of a killed client, which may be a commit: what is there can be told only
/// when it is through. Returns whether there was one.
///
/// # Errors
/// Refused where one stays at work.
pub async fn wait_for_work(session: &Connection, table: &Table) -> Result<bool> {
    let (first, longest, total) =
        (Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(60));
    let mut pauses = Backoff::new(first, longest, total, 0);
    let mut waited = false;
    loop {
        let holders = session::holders(session, Lock::Work, table).await?;
        let Some(holder) = holders.iter().find(|holder| !holder.is_idle) else {
            return Ok(waited);
        };
        waited = true;
        let Some(pause) = pauses.next() else {
            return Err(working("another sterna is still at work", table, Some(holder)));
        };
        tokio::time::sleep(pause).await;
    }
}

/// Gives the lock back, so that the next command finds it free.
///
/// # Errors
/// Where the session is lost, which frees the lock as well.
pub async fn unlock(session: &Connection, table: &Table) -> Result<()> {
    let sql = include_str!("../sql/ledger/unlock.sql");
    session.query_one(sql, &[&table.to_string()]).await?;
    Ok(())
}

/// A JSON document of the ledger; none where it is NULL.
///
/// # Errors
/// Where it is not of the form that sterna writes.
pub fn document<T: DeserializeOwned>(row: &Row, index: usize) -> Result<Option<T>> {
    let document: Option<Json<T>> = row.try_get(index).map_err(|e| {
        let column = row.columns().get(index).map_or("document", |column| column.name());
        Error::database(format!("the ledger has a {column} that sterna did not write")).caused_by(e)
    })?;
    Ok(document.map(|Json(document)| document))
}
