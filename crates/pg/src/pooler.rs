//! Detects poolers that assign server sessions per transaction (PgBouncer's `pool_mode =
//! transaction`, Supavisor's port 6543). With them a session keeps no state: no settings,
//! no advisory locks, no exported snapshots.

use tokio_postgres::SimpleQueryMessage;

use super::{ConnInfo, Connection, Session, connect};
use sterna_error::{Error, Result};

/// Whether sessions of `info` share server processes; `session` is one of them, and
/// idle. Unless `session` is directly connected to the server, opens another one briefly.
///
/// # Errors
/// If the other session cannot be opened.
pub async fn is_pooled(info: &ConnInfo, session: &Connection) -> Result<bool> {
    if session.is_direct() {
        return Ok(false);
    }
    let mine = backend(session).await?;
    let other = connect(info).await?;
    // Whether a pooler reuses the most or the least recently freed server session: in this
    // order, either one client is seen on two server sessions, or both clients on one.
    let theirs = backend(&other).await?;
    let (theirs_again, mine_again) = (backend(&other).await?, backend(session).await?);
    let pooled = mine == theirs || mine != mine_again || theirs != theirs_again;
    if pooled {
        for open in [session, &other] {
            let reset = open.batch_execute(include_str!("../../../sql/pooler/reset.sql")).await;
            if let Err(error) = reset {
                tracing::debug!("the pooled session was not reset: {error}");
            }
        }
    }
    other.close().await?;
    Ok(pooled)
}

/// Refuses work that needs session state if the connection is pooled.
///
/// # Errors
/// Refused if there is such a pooler; otherwise as [`is_pooled`].
pub async fn refuse_pooled(info: &ConnInfo, session: &Connection) -> Result<()> {
    if !is_pooled(info, session).await? {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} is a connection pooler in transaction mode: it loses session locks and settings",
        info.display()
    ))
    .hint(HINT))
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
    let messages = session.simple_query(include_str!("../../../sql/pooler/backend.sql")).await?;
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
