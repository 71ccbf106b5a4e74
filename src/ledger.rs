//! The ledger: what sterna has done, in the schema `sterna` of the database that it
//! was done to, which is opened to nobody else.
//!
//! Each part of the program keeps tables of its own there, made when they are first
//! missing; what is in them is that part's affair. Here is also the lock that keeps
//! two runs on one table apart.

use std::time::Duration;

use tokio_postgres::GenericClient;

use crate::error::{Error, Result};
use crate::pg::{Backoff, Connection, Table};

/// The tables of each part, with one that shows whether they are there. A part is
/// added by an entry; where an older sterna has made the ledger it is completed.
const PARTS: [(&str, &str); 14] = [
    ("sterna.staging", include_str!("../sql/ledger/parts/staging.sql")),
    ("sterna.load_batch", include_str!("../sql/ledger/parts/load.sql")),
    ("sterna.load_cascade", include_str!("../sql/ledger/parts/cascade.sql")),
    ("sterna.journal", include_str!("../sql/ledger/parts/journal.sql")),
    ("sterna.switchover", include_str!("../sql/ledger/parts/switchover.sql")),
    ("sterna.switchover_activity", include_str!("../sql/ledger/parts/activity.sql")),
    ("sterna.validation", include_str!("../sql/ledger/parts/validation.sql")),
    ("sterna.backup", include_str!("../sql/ledger/parts/backup.sql")),
    ("sterna.synonym", include_str!("../sql/ledger/parts/species.sql")),
    ("sterna.summary_before", include_str!("../sql/ledger/parts/summary.sql")),
    ("sterna.bench", include_str!("../sql/ledger/parts/bench.sql")),
    ("sterna.step", include_str!("../sql/ledger/parts/migration.sql")),
    ("sterna.backup_table", include_str!("../sql/ledger/parts/backup-table.sql")),
    ("sterna.rehearsal", include_str!("../sql/ledger/parts/rehearsal.sql")),
];

/// Creates the ledger, or the parts of it, that are missing.
///
/// # Errors
/// Where the role may not create a schema, or the ledger is another role's.
pub async fn ensure(session: &mut Connection) -> Result<()> {
    let closed = |e| {
        Error::from(e)
            .context("could not look at the ledger in the schema sterna")
            .hint("connect as the role that made it, or as a member of that role")
    };
    if missing(&**session).await.map_err(closed)?.is_empty() {
        return Ok(());
    }
    let transaction = session.transaction().await?;
    transaction.batch_execute(include_str!("../sql/ledger/lock-setup.sql")).await?;
    let missing = missing(&transaction).await?;
    let first = (missing.len() == PARTS.len()).then_some(include_str!("../sql/ledger/create.sql"));
    for sql in first.into_iter().chain(missing) {
        transaction.batch_execute(sql).await.map_err(|e| {
            Error::from(e)
                .context("could not create the ledger in the schema sterna")
                .hint("the role needs CREATE on the database, or has to be the ledger's owner")
        })?;
    }
    Ok(transaction.commit().await?)
}

/// What creates the parts that are not there.
async fn missing(session: &impl GenericClient) -> Result<Vec<&'static str>, tokio_postgres::Error> {
    let tables: Vec<&str> = PARTS.iter().map(|(table, _)| *table).collect();
    let rows = session.query(include_str!("../sql/ledger/exists.sql"), &[&tables]).await?;
    let parts = rows.iter().zip(PARTS).filter(|(row, _)| !row.get::<_, bool>(0));
    Ok(parts.map(|(_, (_, sql))| sql).collect())
}

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
