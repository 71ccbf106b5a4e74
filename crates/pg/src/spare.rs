//! Sessions that are kept when they are closed, for whoever opens the next one: opening a
//! session takes three to seven round trips, and the steps of a migration open dozens, mostly
//! one after the other.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use super::connection::{self, Connection};
use super::{ConnInfo, pooler};
use sterna_error::{Error, Result};

/// How many sessions are kept at most.
const MOST: usize = 4;

/// A session that was kept for longer may have been cut off unnoticed, and is tried out first.
const SURELY_ALIVE: Duration = Duration::from_secs(5);

/// The sessions of one [`ConnInfo`] and its clones.
#[derive(Clone)]
pub(super) struct Spare {
    /// Drives all sessions, so that they can outlive the runtime that first used them.
    runtime: Handle,
    kept: Arc<Mutex<Vec<JoinHandle<Option<Kept>>>>>,
    /// See [`ConnInfo::note`].
    noted: Arc<OnceLock<(String, u32)>>,
}

struct Kept {
    session: Connection,
    since: Instant,
}

impl Spare {
    /// None yet. `runtime` must make progress by itself.
    pub(super) fn new(runtime: Handle) -> Self {
        Spare { runtime, kept: Arc::default(), noted: Arc::default() }
    }

    /// A kept session, or else a new one.
    ///
    /// # Errors
    /// Those of opening one.
    pub(super) async fn session(&self, info: &ConnInfo) -> Result<Connection> {
        while let Some(kept) = self.pop() {
            let usable = usable(kept);
            let usable = match info.connect_timeout() {
                None => usable.await,
                Some(limit) => timeout(limit, usable).await.unwrap_or(None),
            };
            if let Some(session) = usable {
                return Ok(session);
            }
        }
        let (info, home) = (info.clone(), self.clone());
        let opened = self.runtime.spawn(async move { open(&info).await });
        let opened = opened
            .await
            .map_err(|error| Error::database("the session's task failed").caused_by(error))?;
        Ok(opened?.at_home(home))
    }

    /// Begins to open sessions that will be needed soon. An earlier session must be open: while it
    /// is found out whether a pooler shares sessions, there must be no others.
    pub(super) fn open_ahead(&self, info: &ConnInfo, sessions: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in kept.len()..sessions.min(MOST) {
            let (info, home) = (info.clone(), self.clone());
            kept.push(self.runtime.spawn(async move {
                match open(&info).await {
                    Ok(opened) => {
                        let session = opened.at_home(home);
                        Some(Kept { session, since: Instant::now() })
                    }
                    // Whoever needs it opens it, and gets the error.
                    Err(error) => {
                        tracing::debug!("a session was not opened ahead: {error}");
                        None
                    }
                }
            }));
        }
    }

    pub(super) fn note(&self, name: String, oid: u32) {
        // The first note is as good as a later one.
        let _ = self.noted.set((name, oid));
    }

    pub(super) fn noted(&self, name: &str) -> Option<u32> {
        self.noted.get().filter(|(noted, _)| noted == name).map(|(_, oid)| *oid)
    }

    /// Keeps a session; returns it if there are enough.
    pub(super) fn keep(&self, session: Connection) -> Option<Connection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            return Some(session);
        }
        kept.push(self.runtime.spawn(async move {
            match reset(&session).await {
                Ok(true) => Some(Kept { session, since: Instant::now() }),
                Ok(false) => None,
                Err(error) => {
                    tracing::debug!("a session is not used again: {error}");
                    None
                }
            }
        }));
        None
    }

    /// Closes all sessions.
    pub(super) async fn close(&self) {
        let kept = std::iter::from_fn(|| self.pop()).map(async |kept| {
            if let Ok(Some(Kept { session, .. })) = kept.await
                && let Err(error) = session.leave_home().close().await
            {
                tracing::debug!("a session was not closed properly: {error}");
            }
        });
        join_all(kept).await;
    }

    fn pop(&self) -> Option<JoinHandle<Option<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

async fn open(info: &ConnInfo) -> Result<Connection> {
    pooler::owned(info, connection::open_any(info).await?).await
}

/// The session, if it still works.
async fn usable(kept: JoinHandle<Option<Kept>>) -> Option<Connection> {
    let Kept { session, since } = kept.await.ok()??;
    let is_usable = !session.is_closed()
        && (since.elapsed() < SURELY_ALIVE || session.batch_execute("").await.is_ok());
    is_usable.then_some(session)
}

/// Makes a session like a new one. Returns false if it must not be used again: a transaction is
/// open, or a cancel request came late.
async fn reset(session: &Connection) -> Result<bool, tokio_postgres::Error> {
    let Some(process) = session.process() else { return Ok(false) };
    let (reset, set) = futures::join!(
        session.simple_query(include_str!("../sql/reset.sql")),
        pooler::set_up(session, process),
    );
    set?;
    let answer = reset?;
    Ok(answer.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => row.len() == 1 && row.get(0) == Some("t"),
        _ => false,
    }))
}
