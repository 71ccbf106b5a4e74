//! The version of the ledger: made, upgraded in place, or refused.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, Transaction};

use crate::error::{Error, Result};
use crate::pg::{Backoff, Connection};
use crate::trust;

/// The tables of each part of the program, as a new ledger has them.
const PARTS: [&str; 15] = [
    include_str!("../../sql/ledger/parts/version.sql"),
    include_str!("../../sql/ledger/parts/staging.sql"),
    include_str!("../../sql/ledger/parts/load.sql"),
    include_str!("../../sql/ledger/parts/cascade.sql"),
    include_str!("../../sql/ledger/parts/journal.sql"),
    include_str!("../../sql/ledger/parts/switchover.sql"),
    include_str!("../../sql/ledger/parts/activity.sql"),
    include_str!("../../sql/ledger/parts/validation.sql"),
    include_str!("../../sql/ledger/parts/backup.sql"),
    include_str!("../../sql/ledger/parts/species.sql"),
    include_str!("../../sql/ledger/parts/summary.sql"),
    include_str!("../../sql/ledger/parts/bench.sql"),
    include_str!("../../sql/ledger/parts/migration.sql"),
    include_str!("../../sql/ledger/parts/backup-table.sql"),
    include_str!("../../sql/ledger/parts/rehearsal.sql"),
];

/// What happens on the server. It holds no state, so every upgrade replaces it.
const FUNCTIONS: [&str; 4] = [
    include_str!("../../sql/ledger/functions/guard.sql"),
    include_str!("../../sql/ledger/functions/journal.sql"),
    include_str!("../../sql/ledger/functions/carry-over.sql"),
    include_str!("../../sql/ledger/functions/roll-back.sql"),
];

/// What makes each version of the one before it, from version 2 on.
const UPGRADES: [&str; 1] = [include_str!("../../sql/ledger/upgrade/2.sql")];

/// The version of the ledger that has no table for it: that of sterna 0.1.0.
const FIRST: i32 = 1;

/// The version that this sterna makes, and alone works with.
pub const VERSION: i32 = FIRST + UPGRADES.len() as i32;

/// What is there before anything is done.
enum Found {
    Nothing,
    Older(i32),
    Current,
}

/// Creates the ledger where it is missing and upgrades an older one, in one transaction
/// either way.
///
/// # Errors
/// Refused where nothing can be written, where a newer sterna wrote the ledger, or another
/// one is at work while it has to be upgraded; where the role may not create a schema, or
/// the ledger is another role's.
pub async fn ensure(session: &mut Connection) -> Result<()> {
    let writable = session.query_one(include_str!("../../sql/ledger/writable.sql"), &[]).await?;
    if let Some(why) = writable.get::<_, Option<String>>(0) {
        return Err(Error::refused(why)
            .hint("connect to the primary: name all hosts and target_session_attrs=read-write"));
    }
    match find(&**session).await? {
        Found::Current => Ok(()),
        Found::Nothing | Found::Older(_) => bring_up_to_date(session).await,
    }
}

/// Upgrades an older ledger as [`ensure`] does, and tells whether there is one at all.
///
/// # Errors
/// As [`ensure`].
pub async fn open(session: &mut Connection) -> Result<bool> {
    match find(&**session).await? {
        Found::Nothing => return Ok(false),
        Found::Current => {}
        Found::Older(_) => bring_up_to_date(session).await?,
    }
    Ok(true)
}

async fn find(session: &impl GenericClient) -> Result<Found> {
    // Before the first look into its tables, which could be views.
    trust::ledger(session).await?;
    let closed = |e: tokio_postgres::Error| match e.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Error::refused("the ledger in the schema sterna is closed to this role")
                .caused_by(e)
                .hint("run sterna as the role that made it")
        }
        _ => Error::from(e).context("could not look at the ledger in the schema sterna"),
    };
    let tables = ["sterna.staging", "sterna.ledger"].as_slice();
    let exists = include_str!("../../sql/ledger/exists.sql");
    let there = session.query(exists, &[&tables]).await.map_err(closed)?;
    let there: Vec<bool> = there.iter().map(|row| row.get(0)).collect();
    if there == [false, false] {
        return Ok(Found::Nothing);
    }
    if there == [true, false] {
        return Ok(Found::Older(FIRST));
    }
    let sql = include_str!("../../sql/ledger/version.sql");
    let row = session.query_opt(sql, &[]).await.map_err(closed)?.ok_or_else(|| {
        Error::refused("the ledger in the schema sterna does not say its version")
            .hint("restore its table sterna.ledger from a backup")
    })?;
    let (version, program): (i32, &str) = (row.get(0), row.get(1));
    if version > VERSION {
        return Err(Error::refused(format!(
            "the ledger is of version {version}, written by sterna {program}; this is sterna {}, \
             which works with version {VERSION}",
            env!("CARGO_PKG_VERSION"),
        ))
        .hint(format!("use sterna {program} or a newer one")));
    }
    Ok(if version == VERSION { Found::Current } else { Found::Older(version) })
}

async fn bring_up_to_date(session: &mut Connection) -> Result<()> {
    let transaction = session.transaction().await?;
    transaction.batch_execute(include_str!("../../sql/ledger/lock-setup.sql")).await?;
    // Another sterna may have done it meanwhile.
    let found = find(&transaction).await?;
    trust::code(&transaction, &[], &[]).await?;
    match found {
        Found::Current => return Ok(()),
        Found::Nothing => create(&transaction).await.map_err(|error| {
            error
                .context("could not create the ledger in the schema sterna")
                .hint("the role needs CREATE on the database")
        })?,
        Found::Older(version) => {
            wait_until_alone(&transaction).await?;
            upgrade(&transaction, version).await.map_err(|error| {
                error
                    .context(format!(
                        "could not upgrade the ledger from version {version} to {VERSION}"
                    ))
                    .hint("it is as it was; run sterna as the role that owns the schema sterna")
            })?;
        }
    }
    // Nobody has put anything there meanwhile.
    trust::ledger(&transaction).await?;
    transaction.commit().await?;
    if let Found::Older(version) = found {
        tracing::warn!("ledger upgraded from version {version} to {VERSION}");
    }
    Ok(())
}

async fn create(transaction: &Transaction<'_>) -> Result<()> {
    transaction.batch_execute(include_str!("../../sql/ledger/create.sql")).await?;
    for part in PARTS {
        transaction.batch_execute(part).await?;
    }
    replace_functions(transaction).await?;
    record(transaction, VERSION).await
}

async fn upgrade(transaction: &Transaction<'_>, from: i32) -> Result<()> {
    if from == FIRST {
        let table = include_str!("../../sql/ledger/parts/version.sql");
        transaction.batch_execute(table).await?;
    }
    replace_functions(transaction).await?;
    for (version, sql) in (FIRST + 1..).zip(UPGRADES).filter(|(version, _)| *version > from) {
        transaction.batch_execute(sql).await?;
        record(transaction, version).await?;
    }
    Ok(())
}

/// The guard asks what this program asks before there is a ledger.
async fn replace_functions(transaction: &Transaction<'_>) -> Result<()> {
    for functions in FUNCTIONS {
        let functions = functions.replace("{code}", trust::CODE.trim_end());
        transaction.batch_execute(&functions).await?;
    }
    Ok(())
}

async fn record(transaction: &Transaction<'_>, version: i32) -> Result<()> {
    let sql = include_str!("../../sql/ledger/record-version.sql");
    transaction.execute(sql, &[&version, &env!("CARGO_PKG_VERSION")]).await?;
    Ok(())
}

/// An older sterna would write into what is being altered.
async fn wait_until_alone(transaction: &Transaction<'_>) -> Result<()> {
    let sql = include_str!("../../sql/ledger/others-at-work.sql");
    let (first, longest, total) =
        (Duration::from_millis(20), Duration::from_millis(500), Duration::from_secs(3));
    let mut pauses = Backoff::new(first, longest, total, 0);
    while let Some(row) = transaction.query(sql, &[]).await?.first() {
        let Some(pause) = pauses.next() else {
            let pid: i32 = row.get(0);
            return Err(Error::refused(format!(
                "the ledger has to be upgraded, but session {pid} of another sterna is at work"
            ))
            .hint("wait until it is done, or end it by pg_terminate_backend"));
        };
        tokio::time::sleep(pause).await;
    }
    Ok(())
}
