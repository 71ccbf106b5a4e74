//! The ledger's version: creates the ledger, upgrades it in place, or refuses a newer one.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::error::{Error, Result};
use crate::pg::{Backoff, Connection, Session, Transaction};
use crate::trust;

/// The tables of a new ledger, one file for each part of the program.
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

/// Server-side functions. They hold no state, so every upgrade replaces them.
const FUNCTIONS: [&str; 4] = [
    include_str!("../../sql/ledger/functions/guard.sql"),
    include_str!("../../sql/ledger/functions/journal.sql"),
    include_str!("../../sql/ledger/functions/carry-over.sql"),
    include_str!("../../sql/ledger/functions/roll-back.sql"),
];

/// The upgrade to each version from the one before it, starting with version 2.
const UPGRADES: [&str; 2] = [
    include_str!("../../sql/ledger/upgrade/2.sql"),
    include_str!("../../sql/ledger/upgrade/3.sql"),
];

/// The version of sterna 0.1.0, whose ledger has no version table.
const FIRST: i32 = 1;

/// The ledger version that this sterna creates, and the only one it works with.
pub const VERSION: i32 = FIRST + UPGRADES.len() as i32;

/// The ledger as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No ledger.
    Nothing,
    /// A ledger of an older version.
    Older(i32),
    /// A ledger of the current version.
    Current,
}

/// What is known about the ledger before its tables are read: if it exists, it is safe to use
/// for this role.
#[derive(Debug)]
pub struct Look {
    /// Why the database cannot be written to, if so.
    read_only: Option<String>,
    /// Whether the tables `sterna.staging` and `sterna.ledger` (the version) exist.
    there: [bool; 2],
}

/// Creates the ledger if it is missing and upgrades an older one, in one transaction.
///
/// # Errors
/// Refused if the database cannot be written to, if a newer sterna wrote the ledger, if
/// another sterna is working while the ledger needs an upgrade, or if the ledger belongs to
/// another role; an error if the role may not create a schema.
pub async fn ensure(session: &mut Connection) -> Result<()> {
    let state = look(session).await?.if_writable()?.state(session).await?;
    state.bring_up_to_date(session).await
}

/// Upgrades an older ledger as [`ensure`] does. Returns whether there is a ledger.
///
/// # Errors
/// As [`ensure`].
pub async fn open(session: &mut Connection) -> Result<bool> {
    let state = look(session).await?.state(session).await?;
    if state == State::Nothing {
        return Ok(false);
    }
    state.bring_up_to_date(session).await?;
    Ok(true)
}

/// Checks whether there is a ledger, and to whom it belongs.
///
/// # Errors
/// Refused if it belongs to another role.
pub async fn look(session: &Session) -> Result<Look> {
    let tables = ["sterna.staging", "sterna.ledger"].as_slice();
    let (read_only, ours, there) = futures::join!(
        session.query_one(include_str!("../../sql/ledger/writable.sql"), &[]),
        trust::ledger(session),
        session.query(include_str!("../../sql/ledger/exists.sql"), &[&tables]),
    );
    ours?;
    let there = there.map_err(closed)?;
    let there = |index: usize| there.get(index).is_some_and(|row| row.get(0));
    Ok(Look { read_only: read_only?.get(0), there: [there(0), there(1)] })
}

fn closed(error: tokio_postgres::Error) -> Error {
    match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Error::refused("the ledger in the schema sterna is closed to this role")
                .caused_by(error)
                .hint("run sterna as the role that created it")
        }
        _ => Error::from(error).context("could not read the ledger in the schema sterna"),
    }
}

impl Look {
    /// Refuses a database that cannot be written to.
    ///
    /// # Errors
    /// Refused, with the reason.
    pub fn if_writable(self) -> Result<Self> {
        match self.read_only {
            None => Ok(self),
            Some(why) => Err(Error::refused(why).hint(
                "connect to the primary: name all hosts and target_session_attrs=read-write",
            )),
        }
    }

    /// Reads the ledger's version, if there is a ledger.
    ///
    /// # Errors
    /// Refused if a newer sterna wrote the ledger, or if the ledger does not record its version.
    pub async fn state(&self, session: &Session) -> Result<State> {
        match self.there {
            [false, false] => return Ok(State::Nothing),
            [true, false] => return Ok(State::Older(FIRST)),
            [_, true] => {}
        }
        let sql = include_str!("../../sql/ledger/version.sql");
        let row = session.query_opt(sql, &[]).await.map_err(closed)?.ok_or_else(|| {
            Error::refused("the ledger in the schema sterna does not record its version")
                .hint("restore the table sterna.ledger from a backup")
        })?;
        let (version, program): (i32, &str) = (row.get(0), row.get(1));
        if version > VERSION {
            return Err(Error::refused(format!(
                "the ledger has version {version}, written by sterna {program}; this is sterna \
                 {}, which works with version {VERSION}",
                env!("CARGO_PKG_VERSION"),
            ))
            .hint(format!("use sterna {program} or a newer one")));
        }
        Ok(if version == VERSION { State::Current } else { State::Older(version) })
    }
}

impl State {
    /// Creates the ledger if it is missing and upgrades an older one.
    ///
    /// # Errors
    /// As [`ensure`].
    pub async fn bring_up_to_date(self, session: &mut Connection) -> Result<()> {
        match self {
            State::Current => Ok(()),
            State::Nothing | State::Older(_) => bring_up_to_date(session).await,
        }
    }
}

async fn bring_up_to_date(session: &mut Connection) -> Result<()> {
    let transaction = session.transaction().await?;
    transaction.batch_execute(include_str!("../../sql/ledger/lock-setup.sql")).await?;
    // Another sterna may have done it in the meantime.
    let found = look(&transaction).await?.state(&transaction).await?;
    trust::code(&transaction, &[], &[]).await?;
    match found {
        State::Current => return Ok(()),
        State::Nothing => create(&transaction).await.map_err(|error| {
            error
                .context("could not create the ledger in the schema sterna")
                .hint("the role needs CREATE on the database")
        })?,
        State::Older(version) => {
            wait_until_alone(&transaction).await?;
            upgrade(&transaction, version).await.map_err(|error| {
                error
                    .context(format!(
                        "could not upgrade the ledger from version {version} to {VERSION}"
                    ))
                    .hint("it is unchanged; run sterna as the role that owns the schema sterna")
            })?;
        }
    }
    // Make sure that no other role has put anything there in the meantime.
    trust::ledger(&transaction).await?;
    transaction.commit().await?;
    if let State::Older(version) = found {
        tracing::warn!("ledger upgraded from version {version} to {VERSION}");
    }
    Ok(())
}

async fn create(transaction: &Transaction<'_>) -> Result<()> {
    let schema = include_str!("../../sql/ledger/create.sql").to_owned();
    let parts = PARTS.iter().map(|part| (*part).to_owned());
    let all: Vec<String> = std::iter::once(schema).chain(parts).chain(functions()).collect();
    transaction.batch_execute(&all.join("\n;\n")).await?;
    record(transaction, VERSION).await
}

async fn upgrade(transaction: &Transaction<'_>, from: i32) -> Result<()> {
    if from == FIRST {
        let table = include_str!("../../sql/ledger/parts/version.sql");
        transaction.batch_execute(table).await?;
    }
    for functions in functions() {
        transaction.batch_execute(&functions).await?;
    }
    for (version, sql) in (FIRST + 1..).zip(UPGRADES).filter(|(version, _)| *version > from) {
        transaction.batch_execute(sql).await?;
        record(transaction, version).await?;
    }
    Ok(())
}

/// The functions. The guard contains the query that [`trust::code`] runs before there is one.
fn functions() -> impl Iterator<Item = String> {
    FUNCTIONS.iter().map(|text| text.replace("{code}", trust::CODE.trim_end()))
}

async fn record(transaction: &Transaction<'_>, version: i32) -> Result<()> {
    let sql = include_str!("../../sql/ledger/record-version.sql");
    transaction.execute(sql, &[&version, &env!("CARGO_PKG_VERSION")]).await?;
    Ok(())
}

/// An older sterna would write to tables that are being altered.
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
            .hint("wait until it is done, or end it with pg_terminate_backend"));
        };
        tokio::time::sleep(pause).await;
    }
    Ok(())
}
