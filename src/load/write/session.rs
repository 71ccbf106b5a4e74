//! The session of a sink, and the messages that write a batch over it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{MaybeDone, maybe_done};
use futures::{SinkExt, pin_mut};
use hdrhistogram::Histogram;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{CopyInSink, Statement};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::load::encode::{HEADER, TRAILER};
use crate::load::ledger::{self, Batches, Refusals};
use crate::load::plan::options::LoadOptions;
use crate::load::read::batch::EncodedBatch;
use crate::pg::{ConnInfo, Connection, Fault, Watched, classify, connect_for};
use crate::table::distributed;
use crate::trust;

/// The number of bytes passed to the driver at a time.
const CHUNK_BYTES: usize = 128 * 1024;

/// The configuration that all sinks of a load share.
pub(in crate::load) struct SinkSpec<'a> {
    pub(in crate::load) info: ConnInfo,
    pub(in crate::load) run: Uuid,
    pub(in crate::load) staging_oid: u32,
    /// `COPY staging (...) FROM STDIN (FORMAT binary)`.
    pub(in crate::load) copy_sql: String,
    /// Whether its rows are in shards of Citus.
    pub(in crate::load) on_shards: bool,
    /// Batches that have already been committed.
    pub(in crate::load) committed: Batches,
    /// Records that must not be loaded.
    pub(in crate::load) refusals: Refusals,
    /// Set if the server stored fewer rows of a batch than it was sent.
    pub(in crate::load) is_miscounted: &'a AtomicBool,
    /// Checked before a batch is retried.
    pub(in crate::load) stop: &'a AtomicBool,
    /// How long to retry while the server is unavailable.
    pub(in crate::load) patience: Duration,
    /// How long a connection may be silent before sterna checks whether it has stalled.
    pub(in crate::load) stall_timeout: Duration,
    /// Bytes of the rows that were sent and committed.
    pub(in crate::load) bytes_sent: &'a AtomicU64,
    /// Time to write a batch, in microseconds.
    pub(in crate::load) latency_us: Arc<Mutex<Histogram<u64>>>,
}

impl SinkSpec<'_> {
    /// The class of an error while a batch is written.
    pub(super) fn classify(&self, error: &Error) -> Fault {
        if self.on_shards { distributed::classify(error) } else { classify(error) }
    }
}

/// What the sessions that write are named after.
pub(crate) const WRITER: &str = "writer of rows";

/// A server with a shorter round trip is nearby.
const NEAR: Duration = Duration::from_millis(3);
/// The maximum number of connections chosen by default to hide the round trip.
const MOST: usize = 8;

/// The number of connections that write: as requested; by default as for work on the server,
/// plus one for every 10 ms of round trip, limited by the free connections of the server.
///
/// # Errors
/// If the server cannot be queried.
pub(in crate::load) async fn writers(session: &Connection, options: &LoadOptions) -> Result<usize> {
    let nearby = options.server_connections();
    let distance = session.round_trip();
    if options.connections.is_some() || distance < NEAR {
        return Ok(nearby);
    }
    let free = include_str!("../../../sql/load/free-connections.sql");
    let free: i64 = session.query_one(free, &[]).await?.get(0);
    Ok(for_distance(nearby, distance, free))
}

/// Leaves three quarters of the free connections to the application.
fn for_distance(nearby: usize, distance: Duration, free: i64) -> usize {
    let wanted = nearby + distance.as_millis() as usize / 10;
    let room = usize::try_from(free / 4).unwrap_or(0);
    wanted.min(MOST).min(room).max(1)
}

/// An open session with its prepared statements.
pub(in crate::load) struct SinkSession {
    pub(in crate::load) client: Connection,
    /// Its backend pid.
    pub(super) pid: i32,
    /// Whether it must not be used again: its connection has stalled, or a COPY was refused,
    /// which the driver ends a second time after the server has.
    is_lost: AtomicBool,
    pub(in crate::load) insert: Statement,
    pub(in crate::load) copy: Statement,
}

/// Why a batch was not written.
pub(in crate::load) enum Failure {
    /// It was written: an earlier transaction committed, but its answer was lost.
    AlreadyIn,
    /// The server stored only that many rows of the batch.
    Miscounted(u64),
    /// An error of the server or the connection.
    Error(Error),
}

pub(super) type Answer<T> = Pin<Box<dyn Future<Output = std::result::Result<T, Failure>> + Send>>;

/// A batch whose start has been sent; resolves when the server asks for its rows.
pub(super) type Claimed = Pin<Box<MaybeDone<Answer<CopyInSink<Bytes>>>>>;

impl SinkSession {
    pub(super) fn is_over(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed) || self.client.is_closed()
    }

    /// Sends the start of a batch: BEGIN, its ledger row, and COPY.
    pub(super) async fn claim(
        self: &Arc<Self>,
        spec: &SinkSpec<'_>,
        batch: &EncodedBatch,
        refused: &[(u32, String)],
    ) -> Claimed {
        let (session, claim) = (Arc::clone(self), Claim::of(spec, batch, refused));
        let claimed: Answer<_> = Box::pin(async move {
            // Pipelined: all three are sent before the first is answered.
            let (begun, claimed, copying) = futures::join!(
                session.client.batch_execute("BEGIN READ WRITE"),
                claim.insert(&session),
                session.client.copy_in(&session.copy),
            );
            begun?;
            claimed?;
            Ok(copying?)
        });
        let mut claimed = Box::pin(maybe_done(claimed));
        let _ = futures::poll!(claimed.as_mut());
        claimed
    }

    /// Rolls back a batch that was begun but has sent no rows.
    pub(super) async fn give_up(&self, spec: &SinkSpec<'_>, mut claimed: Claimed) {
        if self.is_over() {
            return;
        }
        let given_up = self.watched(spec, async {
            claimed.as_mut().await;
            claimed.as_mut().take_output().unwrap_or_else(|| Err(lost())).map(drop)
        });
        match given_up.await {
            Ok(()) => self.roll_back(spec).await,
            Err(_) => self.lose(),
        }
    }

    /// Marks the session as lost, so that the next batch opens another one.
    pub(super) fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    pub(super) async fn roll_back(&self, spec: &SinkSpec<'_>) {
        // Fails if the connection is lost, which also ends the transaction.
        if !self.is_over() {
            let rolled_back = async { Ok(self.client.batch_execute("ROLLBACK").await?) };
            let _ = self.watched(spec, rolled_back).await;
        }
    }

    /// Returns the future that sends the rows and waits for COMMIT, which is queued after them
    /// right away.
    pub(super) async fn finish(
        self: &Arc<Self>,
        copying: CopyInSink<Bytes>,
        data: Bytes,
        rows: u64,
    ) -> Answer<()> {
        let session = Arc::clone(self);
        let mut commit =
            Box::pin(maybe_done(async move { session.client.batch_execute("COMMIT").await }));
        // The queued COMMIT is not sent before the COPY has ended. If the COPY fails, or is
        // not ended because the client is gone, COMMIT rolls back.
        let _ = futures::poll!(commit.as_mut());
        Box::pin(async move {
            let copied = send(copying, &data).await;
            drop(data);
            commit.as_mut().await;
            let committed = commit.as_mut().take_output();
            let copied = copied?;
            if copied != rows {
                return Err(Failure::Miscounted(copied));
            }
            committed.unwrap_or(Ok(()))?;
            Ok(())
        })
    }

    /// Waits for `work` of this session, unless its connection stalls.
    pub(super) async fn watched<T>(
        &self,
        spec: &SinkSpec<'_>,
        work: impl Future<Output = std::result::Result<T, Failure>>,
    ) -> std::result::Result<T, Failure> {
        let watched = Watched {
            info: &spec.info,
            pid: self.pid,
            carried: self.client.carried(),
            limit: spec.stall_timeout,
        };
        match watched.unless_stalled(work).await {
            Ok(done) => done,
            Err(error) => {
                self.lose();
                Err(Failure::Error(error.context("while writing a batch")))
            }
        }
    }
}

/// The ledger row of a batch.
pub(super) struct Claim {
    run: Uuid,
    /// File and batch number.
    key: (i32, i32),
    /// First line, byte offset, bytes, rows, and the sum of the rows' hashes.
    numbers: [i64; 5],
    refused: Json<Vec<(u32, String)>>,
}

impl Claim {
    pub(super) fn of(spec: &SinkSpec<'_>, batch: &EncodedBatch, refused: &[(u32, String)]) -> Self {
        let location = &batch.records.location;
        Claim {
            run: spec.run,
            key: (location.member as i32, location.number as i32),
            numbers: [
                location.first_line as i64,
                location.byte_offset as i64,
                location.byte_length as i64,
                batch.row_ends.len() as i64,
                batch.checksum.cast_signed(),
            ],
            refused: Json(refused.to_vec()),
        }
    }

    pub(super) async fn insert(&self, session: &SinkSession) -> std::result::Result<(), Failure> {
        let (file, number) = &self.key;
        let [line, offset, length, rows, checksum] = &self.numbers;
        let values: [&(dyn ToSql + Sync); 9] =
            [&self.run, file, number, line, offset, length, rows, checksum, &self.refused];
        let inserted = session.client.execute_prepared(&session.insert, &values).await;
        inserted.map(drop).map_err(claim_failure)
    }
}

/// The failure when an answer has already been taken.
pub(super) fn lost() -> Failure {
    Failure::Error(Error::database("the answer to a batch is lost"))
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Error(Error::from(error).context("while writing a batch"))
    }
}

/// Interprets an error of inserting the ledger row of a batch.
fn claim_failure(error: tokio_postgres::Error) -> Failure {
    match error.code() {
        Some(&SqlState::UNIQUE_VIOLATION) => Failure::AlreadyIn,
        Some(&SqlState::NOT_NULL_VIOLATION) => Failure::Error(ledger::discarded()),
        _ => Failure::Error(trust::explain(Error::from(error)).context("while writing a batch")),
    }
}

/// Opens a session, in place of the one with the pid `lost`, if any. That one is ended first,
/// because the server may not have noticed the loss and may still hold the locks of a batch.
pub(super) async fn open(spec: &SinkSpec<'_>, lost: Option<i32>) -> Result<SinkSession> {
    let client = connect_for(&spec.info, WRITER).await?;
    let mut settings = include_str!("../../../sql/load/session.sql").to_owned();
    if spec.on_shards {
        settings += distributed::SESSION;
    }
    if lost.is_some() {
        crate::ledger::end_abandoned(&client, lost).await?;
    }
    let (set, pid, insert, copy) = futures::join!(
        client.batch_execute(&settings),
        crate::ledger::mark(&client),
        client.prepare(include_str!("../../../sql/ledger/insert-batch.sql")),
        client.prepare(&spec.copy_sql),
    );
    set?;
    Ok(SinkSession {
        pid: pid?,
        is_lost: AtomicBool::new(false),
        insert: insert?,
        copy: copy?,
        client,
    })
}

/// Sends rows with header and trailer; returns the number of rows that the server stored.
pub(in crate::load) async fn send(
    sink: CopyInSink<Bytes>,
    rows: &Bytes,
) -> std::result::Result<u64, tokio_postgres::Error> {
    pin_mut!(sink);
    sink.feed(Bytes::from_static(HEADER)).await?;
    for start in (0..rows.len()).step_by(CHUNK_BYTES) {
        sink.feed(rows.slice(start..rows.len().min(start + CHUNK_BYTES))).await?;
    }
    sink.feed(Bytes::from_static(TRAILER)).await?;
    sink.finish().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_takes_connections_and_leaves_most_to_others() {
        let ms = Duration::from_millis;
        assert_eq!(for_distance(2, ms(5), 100), 2);
        assert_eq!(for_distance(2, ms(50), 100), 7);
        assert_eq!(for_distance(4, ms(300), 100), MOST);
        assert_eq!(for_distance(4, ms(50), 12), 3);
        assert_eq!(for_distance(4, ms(50), 3), 1);
        assert_eq!(for_distance(4, ms(50), -2), 1);
    }
}
