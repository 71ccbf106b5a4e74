//! Batches into PostgreSQL: one transaction each, with its ledger row.
//!
//! A sink is a thread with a connection and a runtime of its own. The thread waits
//! on a queue that blocks and runs the runtime for one batch at a time: this is
//! the one place where blocking and async code meet. Everything a batch needs is
//! sent at once and the answers are read afterwards, so that a slow network costs
//! two round trips per batch.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{SinkExt, pin_mut};
use hdrhistogram::Histogram;
use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Json;
use tokio_postgres::{CopyInSink, Statement};
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::load::encode::{HEADER, TRAILER};
use crate::load::ledger::{self, Batches, LedgerBatch, Refusals};
use crate::load::pipeline::Sink;
use crate::load::read::batch::EncodedBatch;
use crate::load::write::refused;
use crate::pg::{Backoff, ConnInfo, Connection, Fault, Watched, classify, connect};
use crate::runtime;
use crate::trust;

/// Bytes handed to the driver at a time.
const CHUNK_BYTES: usize = 128 * 1024;

/// What all sinks of a load share.
pub(in crate::load) struct SinkSpec<'a> {
    pub(in crate::load) info: ConnInfo,
    pub(in crate::load) run: Uuid,
    pub(in crate::load) staging_oid: u32,
    /// `COPY staging (...) FROM STDIN (FORMAT binary)`.
    pub(in crate::load) copy_sql: String,
    /// Batches that are in already.
    pub(in crate::load) committed: Batches,
    /// Records that are not to be loaded.
    pub(in crate::load) refusals: Refusals,
    /// Asked before a batch is tried again.
    pub(in crate::load) stop: &'a AtomicBool,
    /// How long to go on trying while the server cannot be had.
    pub(in crate::load) patience: Duration,
    /// For how long nothing may come or go before the server is asked whether it waits.
    pub(in crate::load) stall_timeout: Duration,
    /// Microseconds that batches took to be written.
    pub(in crate::load) latency_us: Arc<Mutex<Histogram<u64>>>,
}

/// A connection that writes batches.
pub(in crate::load) struct CopySink<'a> {
    spec: Arc<SinkSpec<'a>>,
    runtime: Runtime,
    session: Option<Session>,
}

/// An open session with its statements.
pub(in crate::load) struct Session {
    pub(in crate::load) client: Connection,
    /// What the server calls it.
    pid: i32,
    /// Whether its line carries nothing any more.
    is_stalled: bool,
    pub(in crate::load) insert: Statement,
    pub(in crate::load) copy: Statement,
}

/// Why a batch was not written.
pub(in crate::load) enum Failure {
    /// The batch is in: an earlier transaction committed although its answer was lost.
    AlreadyIn,
    /// The server's or the connection's error.
    Error(Error),
}

impl<'a> CopySink<'a> {
    pub(in crate::load) fn new(spec: Arc<SinkSpec<'a>>) -> Result<Self> {
        let runtime = runtime::blocking()?;
        let session = Some(runtime.block_on(open(&spec, None))?);
        Ok(CopySink { spec, runtime, session })
    }

    async fn write_async(
        spec: &SinkSpec<'_>,
        slot: &mut Option<Session>,
        batch: &mut EncodedBatch,
    ) -> Result<()> {
        let location = batch.records.location;
        let key = (location.member, location.number);
        if let Some(known) = spec.committed.get(&key) {
            return recognise(known, batch);
        }
        let mut refused = spec.refusals.get(&key).cloned().unwrap_or_default();
        batch.take_out(&refused);
        if batch.row_ends.is_empty() {
            return Ok(());
        }
        let seed = (location.member as u64) << 32 | u64::from(location.number);
        let (first, longest) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut pauses = Backoff::new(first, longest, spec.patience, seed);
        let mut is_first = true;
        loop {
            let tried = attempt(spec, slot, batch, &refused, is_first).await;
            is_first = false;
            let error = match tried {
                Ok(()) => return Ok(()),
                Err(Failure::AlreadyIn) => {
                    let client = &session(spec, slot).await?.client;
                    let batches = ledger::batches(client, spec.run).await?;
                    return match batches.get(&key) {
                        Some(known) => recognise(known, batch),
                        None => Err(ledger::discarded()),
                    };
                }
                Err(Failure::Error(error)) => error,
            };
            let error = match classify(&error) {
                // Finds at least the row that this error is about, or fails.
                Fault::DataRefused => match refuse(spec, slot, batch, &error).await {
                    Ok(found) => {
                        refused.extend(found);
                        continue;
                    }
                    Err(error) => error,
                },
                _ => error,
            };
            if classify(&error) != Fault::Transient {
                return Err(error);
            }
            if spec.stop.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, "interrupted"));
            }
            let Some(pause) = pauses.next() else { return Err(error) };
            tracing::warn!("a batch is tried again in {} ms: {error}", pause.as_millis());
            tokio::time::sleep(pause).await;
        }
    }
}

impl Sink for CopySink<'_> {
    fn write(&mut self, batch: &mut EncodedBatch) -> Result<()> {
        if batch.row_ends.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let CopySink { spec, runtime, session } = self;
        runtime.block_on(Self::write_async(spec, session, batch))?;
        let elapsed_us = begun.elapsed().as_micros() as u64;
        let mut latency = self.spec.latency_us.lock().unwrap_or_else(PoisonError::into_inner);
        latency.saturating_record(elapsed_us);
        Ok(())
    }
}

/// Tries once. `refused` are the records already taken out of the batch.
async fn attempt(
    spec: &SinkSpec<'_>,
    slot: &mut Option<Session>,
    batch: &mut EncodedBatch,
    refused: &[(u32, String)],
    is_first: bool,
) -> std::result::Result<(), Failure> {
    let rows = batch.row_ends.len() as u64;
    let checksum = batch.checksum.cast_signed();
    let session = session(spec, slot).await.map_err(Failure::Error)?;
    let location = &batch.records.location;
    let (file, number) = (location.member as i32, location.number as i32);
    let (line, offset, length) =
        (location.first_line as i64, location.byte_offset as i64, location.byte_length as i64);
    let (row_count, refused) = (rows as i64, Json(refused));
    let client = &session.client;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&spec.run, &file, &number, &line, &offset, &length, &row_count, &checksum, &refused];
    let watched = Watched {
        info: &spec.info,
        pid: session.pid,
        carried: client.carried(),
        limit: spec.stall_timeout,
    };
    // Taken where the work may be dropped in the middle: it is needed for the next try.
    let data = std::mem::take(&mut batch.rows).freeze();
    let work = watched.unless_stalled(async {
        let claiming = futures::future::join(
            client.batch_execute("BEGIN"),
            client.execute(&session.insert, &values),
        );
        let (claim, copying) = if is_first {
            // All three are under way before the first is answered.
            let (claim, copying) = futures::join!(claiming, client.copy_in(&session.copy));
            (claim, Some(copying))
        } else {
            // The batch may be in. A COPY that the server refuses would cost the session: the
            // driver ends it once more, and takes the answer for that of the next statement.
            (claiming.await, None)
        };
        let (begun, claimed) = claim;
        begun?;
        claimed.map_err(claim_failure)?;
        let copying = match copying {
            Some(copying) => copying?,
            None => client.copy_in(&session.copy).await?,
        };
        let copied = send(copying, &data).await?;
        if copied != rows {
            let what = format!("the server took {copied} of {rows} rows");
            return Err(Failure::Error(
                Error::refused(what).hint("does staging have a trigger or a rule?"),
            ));
        }
        client.batch_execute("COMMIT").await?;
        Ok(())
    });
    let written = work.await;
    // The buffer comes back once the driver has let go of it.
    batch.rows = data.try_into_mut().unwrap_or_else(|data| data.as_ref().into());
    let written = match written {
        Ok(written) => written,
        Err(error) => {
            session.is_stalled = true;
            return Err(Failure::Error(error.context("while writing a batch")));
        }
    };
    if written.is_err() {
        // Fails where the connection is lost, which ends the transaction as well.
        let _ = client.batch_execute("ROLLBACK").await;
    }
    written
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Error(Error::from(error).context("while writing a batch"))
    }
}

/// What it means that the ledger did not take the row of a batch.
fn claim_failure(error: tokio_postgres::Error) -> Failure {
    match error.code() {
        Some(&SqlState::UNIQUE_VIOLATION) => Failure::AlreadyIn,
        Some(&SqlState::NOT_NULL_VIOLATION) => Failure::Error(ledger::discarded()),
        _ => Failure::Error(trust::explain(Error::from(error)).context("while writing a batch")),
    }
}

/// Takes the rows out of a batch that the server refuses.
async fn refuse(
    spec: &SinkSpec<'_>,
    slot: &mut Option<Session>,
    batch: &mut EncodedBatch,
    error: &Error,
) -> Result<Vec<(u32, String)>> {
    let found = refused::find(session(spec, slot).await?, spec.staging_oid, batch).await?;
    if found.is_empty() {
        let what = "the server refuses a batch, but each of its rows by itself is accepted";
        return Err(Error::database(format!("{what}: {error}")));
    }
    batch.take_out(&found);
    Ok(found)
}

/// The batch is in: it must be the very same that was written then.
fn recognise(known: &LedgerBatch, batch: &mut EncodedBatch) -> Result<()> {
    batch.take_out(&known.refused);
    if (known.rows, known.checksum) == (batch.row_ends.len() as u64, batch.checksum) {
        return Ok(());
    }
    let location = batch.records.location;
    Err(Error::refused(format!(
        "the records from line {} on no longer make the rows that were loaded before: \
         species or production's row ids have changed since",
        location.first_line
    ))
    .hint("empty staging with `sterna stage truncate` and load again"))
}

/// The open session, or a new one.
async fn session<'a>(
    spec: &SinkSpec<'_>,
    slot: &'a mut Option<Session>,
) -> Result<&'a mut Session> {
    let lost = slot.take_if(|session| session.is_stalled || session.client.is_closed());
    if let Some(session) = slot.take() {
        return Ok(slot.insert(session));
    }
    match open(spec, lost.as_ref().map(|session| session.pid)).await {
        Ok(session) => Ok(slot.insert(session)),
        Err(error) => {
            *slot = lost;
            Err(error)
        }
    }
}

/// Opens a session, in the place of one that is `lost`: the server may not have noticed,
/// and keep what a batch has locked.
async fn open(spec: &SinkSpec<'_>, lost: Option<i32>) -> Result<Session> {
    let client = connect(&spec.info).await?;
    if lost.is_some() {
        crate::ledger::end_abandoned(&client, lost).await?;
    }
    client.batch_execute(include_str!("../../../sql/load/session.sql")).await?;
    let (pid, insert, copy) = futures::join!(
        crate::ledger::mark(&client),
        client.prepare(include_str!("../../../sql/ledger/insert-batch.sql")),
        client.prepare(&spec.copy_sql),
    );
    Ok(Session { pid: pid?, is_stalled: false, insert: insert?, copy: copy?, client })
}

/// Sends rows with header and trailer; returns how many the server took.
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
