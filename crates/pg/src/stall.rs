//! Detects a connection that no longer transfers data, although neither side closed it.
//!
//! Keepalive detects a dead machine, but not a proxy in between that still answers probes,
//! and unix sockets have no keepalive. Silence alone means nothing, because a statement may
//! take hours. So if no byte is transferred for a while, another connection asks the server
//! what the session is doing: if it waits for the client while the client waits for the
//! answer, the connection has stalled.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::conninfo::ConnInfo;
use super::name::connect_for;
use super::sqlstate::{Fault, classify};
use sterna_error::{Error, Result};

/// A session whose connection is watched.
pub struct Watched<'a> {
    /// Connection parameters of its server.
    pub info: &'a ConnInfo,
    /// The process id of the session on the server.
    pub pid: i32,
    /// The counter of bytes transferred, from [`super::Connection::carried`].
    pub carried: Arc<AtomicU64>,
    /// How long the connection may be silent before the server is asked.
    pub limit: Duration,
}

impl Watched<'_> {
    /// Waits for `work`, an answer to the session, unless its connection stalls.
    ///
    /// # Errors
    /// If it stalls: a [`Fault::Transient`]. The session must not be used again.
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
            // If bytes were transferred in the meantime, they were only late.
            if let Some(what) = what
                && self.carried.load(Ordering::Relaxed) == now
            {
                return Err(self.stalled(&what));
            }
        }
    }

    fn stalled(&self, what: &str) -> Error {
        let seconds = self.limit.as_secs();
        let cause = format!("no data was transferred for {seconds} s, and {what}");
        Error::database("the connection to the server has stalled")
            .caused_by(io::Error::new(io::ErrorKind::TimedOut, cause))
    }

    /// The evidence that the connection has stalled; `None` if the server is working.
    async fn why_stalled(&self) -> Option<String> {
        match tokio::time::timeout(self.limit.max(Duration::from_secs(10)), self.ask()).await {
            Err(_) => Some("no other session gets an answer".to_owned()),
            Ok(Ok(true)) => Some(format!("the server's session {} waits for sterna", self.pid)),
            Ok(Ok(false)) => None,
            // An answer of the server that refuses the query says nothing about the connection.
            Ok(Err(error))
                if error.sqlstate().is_none() && classify(&error) == Fault::Transient =>
            {
                Some(format!("another connection failed: {error}"))
            }
            Ok(Err(error)) => {
                tracing::debug!("cannot check whether the connection has stalled: {error}");
                None
            }
        }
    }

    /// Whether the server waits for the client, or has ended the session.
    async fn ask(&self) -> Result<bool> {
        // Not a kept session, which may have stalled as well.
        let session = connect_for(&self.info.for_own_sessions(), "watch over a connection").await?;
        let sql = include_str!("../sql/waits-for-client.sql");
        Ok(session.query_one(sql, &[&self.pid]).await?.try_get(0)?)
    }
}
