//! Detects poolers that assign server processes per transaction or statement (PgBouncer's
//! `pool_mode = transaction`, Supavisor's port 6543). With them a session keeps no state: no
//! settings, no advisory locks, no exported snapshots.

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use super::connection::open_any;
use super::{ConnInfo, Connection, Session};
use sterna_error::{Error, Result};

/// The words by which the refusal of a pooler is known.
const SHARED: &str = "is a connection pooler in ";

/// The session with its settings, once it is known that no other client uses its server process.
/// Until then nothing is changed in it: the pooler would give it to the next client as it is.
///
/// # Errors
/// Refused if there is a pooler that shares server processes; if a second session, which tells,
/// cannot be opened.
pub(super) async fn owned(info: &ConnInfo, session: Connection) -> Result<Connection> {
    if session.process().is_some() {
        return Ok(session);
    }
    let mine = backend(&session).await?.process;
    if !info.keeps_processes(session.endpoint()) {
        let other = open_any(info).await?;
        let (here, there) = (session.endpoint(), other.endpoint());
        if info.display_endpoint(here) != info.display_endpoint(there) {
            let (here, there) = (info.display_endpoint(here), info.display_endpoint(there));
            return Err(Error::database(format!(
                "a first session reached {here}, and a second one {there}"
            ))
            .hint("try again when it is clear which server is the primary"));
        }
        // Whether a pooler reuses the most or the least recently freed server process: in this
        // order, either one client is seen on two processes, or both clients on one.
        let theirs = backend(&other).await?.process;
        let (theirs_again, mine_again) =
            (backend(&other).await?.process, backend(&session).await?.process);
        if mine == theirs || mine != mine_again || theirs != theirs_again {
            return Err(refusal(info, &other).await);
        }
        other.close().await?;
        info.note_that_it_keeps_processes(session.endpoint());
    }
    let process = mine.parse().map_err(|_| Error::database("the server has no process id"))?;
    session.own(process).await
}

/// Gives a session its settings if its server process is this one.
pub(super) async fn set_up(session: &Session, process: i32) -> Result<(), tokio_postgres::Error> {
    let (set, watched) = futures::join!(
        session.query(include_str!("../sql/session.sql"), &[&process]),
        session.query(include_str!("../sql/watch-client.sql"), &[&process]),
    );
    match watched {
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => return Err(error),
        Err(error) => {
            tracing::debug!("the server does not check whether its client is alive: {error}");
        }
        Ok(_) => {}
    }
    set.map(|_| ())
}

/// The refusal of a pooler, by whether it admits transactions.
async fn refusal(info: &ConnInfo, session: &Session) -> Error {
    let begun = session.batch_execute("BEGIN").await;
    // Ignored, because the session is not used again.
    let _ = session.batch_execute("ROLLBACK").await;
    let is_refused = |error: &tokio_postgres::Error| {
        error.as_db_error().is_some_and(|said| said.message().contains("statement pooling"))
    };
    let mode = match begun.as_ref().err().is_some_and(is_refused) {
        true => "statement mode: it allows no transactions",
        false => "transaction mode: it loses session locks and settings",
    };
    Error::refused(format!("{} {SHARED}{mode}", info.display())).hint(HINT)
}

/// The part of an error that says which kind of pooler is in the way, if one is.
#[must_use]
pub fn refused(error: &Error) -> Option<String> {
    let text = error.to_string();
    let (_, mode) = text.split_once(SHARED)?;
    Some(mode.split(':').next().unwrap_or_default().to_owned())
}

/// Where to connect instead.
pub const HINT: &str = "use the direct connection, or the pooler in session mode (Supabase: port \
                        5432 instead of 6543)";

/// What a session is talking to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    /// The id of the server process.
    pub(super) process: String,
    /// The server's `deadlock_timeout`, in milliseconds.
    pub(super) deadlock_timeout_ms: i64,
}

/// Returns what a session is talking to. Queried without a prepared statement, which a pooler
/// may not support.
pub(super) async fn backend(session: &Session) -> Result<Backend, tokio_postgres::Error> {
    let messages = session.simple_query(include_str!("../sql/pooler/backend.sql")).await?;
    let found = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(Backend {
            process: row.get(0)?.to_owned(),
            deadlock_timeout_ms: row.get(1)?.parse().ok()?,
        }),
        _ => None,
    });
    // No server answers otherwise; a second is PostgreSQL's default.
    Ok(found.unwrap_or(Backend { process: String::new(), deadlock_timeout_ms: 1_000 }))
}
