//! Poolers that hand out server sessions per transaction (PgBouncer's `pool_mode =
//! transaction`, Supavisor's port 6543), behind which a session keeps nothing: no
//! settings, no advisory lock, no snapshot that others could share.

use tokio_postgres::SimpleQueryMessage;

use super::{ConnInfo, Connection, Session, connect};
use sterna_error::{Error, Result};

/// Whether sessions of `info` share server processes; `session` is one of them, and
/// idle. Opens another one for a moment, where it is not the server that answers.
///
/// # Errors
/// Where the other one cannot be opened.
pub async fn is_pooled(info: &ConnInfo, session: &Connection) -> Result<bool> {
    if session.is_direct() {
        return Ok(false);
    }
    let mine = backend(session).await?;
    let other = connect(info).await?;
    // Whether a pooler reuses the server session that was free last or first, in this
    // order one of the two is seen on two of them, or both on one.
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

/// Refuses what needs a session of its own where there is none to be had.
///
/// # Errors
/// Refused behind such a pooler; otherwise as [`is_pooled`].
pub async fn refuse_pooled(info: &ConnInfo, session: &Connection) -> Result<()> {
    if !is_pooled(info, session).await? {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} is a connection pooler in transaction mode: locks and settings of a session are lost \
         there",
        info.display()
    ))
    .hint(HINT))
}

/// Where to connect instead.
pub const HINT: &str = "use the direct connection, or the pooler in session mode (Supabase: port \
                        5432 instead of 6543)";

/// The server process behind a session. Asked without a prepared statement, which a
/// pooler may not know.
pub(super) async fn backend(session: &Session) -> Result<String> {
    let messages = session.simple_query(include_str!("../../../sql/pooler/backend.sql")).await?;
    let value = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    value.ok_or_else(|| Error::database("the server did not name its process"))
}
