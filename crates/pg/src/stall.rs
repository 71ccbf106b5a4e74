//! A line that carries nothing any more, though neither side has closed it.
//!
//! Keepalive finds a machine that is gone, but no proxy between that still answers it, and
//! a socket of this machine has none. Silence alone says nothing, as a statement may take
//! hours. So where no byte has come or gone for a while, the server is asked over another
//! line what the session does: where it waits for its client, and the client for its
//! answer, the line has stalled.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::connection::connect;
use super::conninfo::ConnInfo;
use super::sqlstate::{Fault, classify};
use sterna_error::{Error, Result};

/// A session whose line is watched.
pub struct Watched<'a> {
    /// How to reach its server.
    pub info: &'a ConnInfo,
    /// What the server calls it.
    pub pid: i32,
    /// The bytes that have come and gone, by [`super::Connection::carried`].
    pub carried: Arc<AtomicU64>,
    /// For how long nothing may come or go before the server is asked.
    pub limit: Duration,
}

impl Watched<'_> {
    /// Waits for `work`, an answer to the session, for as long as its line has not stalled.
    ///
    /// # Errors
    /// That it has stalled: [`Fault::Transient`], and the session is not to be used again.
    pub async fn unless_stalled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        futures::pin_mut!(work);
        let mut seen = self.carried.load(Ordering::Relaxed);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = tokio::time::sleep(self.limit) => {}
            }
            let now = self.carried.load(Ordering::Relaxed);
            if std::mem::replace(&mut seen, now) != now {
                continue;
            }
            let what = tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                what = Box::pin(self.why_stalled()) => what,
            };
            // Bytes that have moved meanwhile were late, and no more.
            if let Some(what) = what
                && self.carried.load(Ordering::Relaxed) == now
            {
                return Err(self.stalled(&what));
            }
        }
    }

    fn stalled(&self, what: &str) -> Error {
        let seconds = self.limit.as_secs();
        let cause = format!("nothing has come or gone for {seconds} s, and {what}");
        Error::database("the line to the server has stalled")
            .caused_by(io::Error::new(io::ErrorKind::TimedOut, cause))
    }

    /// What shows that the line has stalled; none where the server is at work.
    async fn why_stalled(&self) -> Option<String> {
        match tokio::time::timeout(self.limit.max(Duration::from_secs(10)), self.ask()).await {
            Err(_) => Some("no other session gets an answer".to_owned()),
            Ok(Ok(true)) => Some(format!("the server's session {} waits for sterna", self.pid)),
            Ok(Ok(false)) => None,
            // A server that answers without letting anybody ask says nothing of the line.
            Ok(Err(error))
                if error.sqlstate().is_none() && classify(&error) == Fault::Transient =>
            {
                Some(format!("the server cannot be asked: {error}"))
            }
            Ok(Err(error)) => {
                tracing::debug!("cannot ask whether the line has stalled: {error}");
                None
            }
        }
    }

    /// Whether the server waits for the client, or has ended the session.
    async fn ask(&self) -> Result<bool> {
        let session = connect(self.info).await?;
        let sql = include_str!("../../../sql/waits-for-client.sql");
        Ok(session.query_one(sql, &[&self.pid]).await?.try_get(0)?)
    }
}
