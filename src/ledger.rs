//! The ledger: what sterna has done, in the schema `sterna` of the database that it
//! was done to, which is opened to nobody else.
//!
//! Each part of the program keeps tables of its own there; what is in them is that part's
//! affair. Here are its version and the lock that keeps two runs on one table apart.

mod version;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::error::{Error, Result};
use crate::pg::{Backoff, Connection, Table};

pub use version::{VERSION, ensure, open};

/// Takes the lock that keeps two runs on one table apart, for the session. A load
/// locks its staging table, everything else the table that is replaced: so a
/// migration that holds the one can have files loaded.
///
/// Waits a little: the session of a client that has just ended, or was just killed,
/// may not be gone yet.
///
/// # Errors
/// Refused where another session holds it.
pub async fn lock(session: &Connection, table: &Table) -> Result<()> {
    let sql = include_str!("../sql/ledger/try-lock.sql");
    let (first, longest, total) =
        (Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(3));
    let mut pauses = Backoff::new(first, longest, total, 0);
    while !session.query_one(sql, &[&table.to_string()]).await?.get::<_, bool>(0) {
        let Some(pause) = pauses.next() else {
            return Err(Error::refused(format!("another sterna is working on {table}"))
                .hint("wait until it is done; a killed one lets go when the server has noticed"));
        };
        tokio::time::sleep(pause).await;
    }
    Ok(())
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
/// when it is through.
///
/// # Errors
/// Refused where one stays at work.
pub async fn wait_for_work(session: &Connection, table: &Table) -> Result<()> {
    let sql = include_str!("../sql/ledger/at-work.sql");
    let (first, longest, total) =
        (Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(60));
    let mut pauses = Backoff::new(first, longest, total, 0);
    loop {
        let rows = session.query(sql, &[&table.to_string()]).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let Some(pause) = pauses.next() else {
            let pid: i32 = row.get(0);
            return Err(Error::refused(format!(
                "session {pid} of another sterna is still at work on {table}"
            ))
            .hint("wait until it is done, or end it by pg_terminate_backend"));
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
