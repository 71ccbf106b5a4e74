//! Writes batches to PostgreSQL: one transaction each, together with its ledger row.
//!
//! A sink is a thread with its own connection and runtime. The thread blocks on a queue and
//! runs the runtime for one batch at a time: this is the one place where blocking and async
//! code meet. COMMIT and the start of the next batch follow a batch's rows without waiting, so
//! a connection waits only one round trip per batch: for the server to ask for the rows.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;

use crate::error::{Error, Kind, Result};
use crate::load::ledger::{self, LedgerBatch};
use crate::load::pipeline::{Done, Sink};
use crate::load::read::batch::EncodedBatch;
use crate::load::write::refused;
use crate::load::write::session::{
    Answer, Claim, Claimed, Failure, SinkSession, SinkSpec, lost, open,
};
use crate::pg::{Backoff, Fault};
use crate::runtime;

/// A connection that writes batches.
pub(in crate::load) struct CopySink<'a> {
    spec: Arc<SinkSpec<'a>>,
    /// Whether the load fails if this sink cannot open its first session.
    is_needed: bool,
    runtime: Runtime,
    writer: Writer<'a>,
}

/// The async side of a sink.
struct Writer<'a> {
    spec: Arc<SinkSpec<'a>>,
    session: Option<Arc<SinkSession>>,
    under_way: Option<UnderWay>,
}

/// A batch whose rows and COMMIT are being sent.
struct UnderWay {
    batch: EncodedBatch,
    /// The rows, taken out of the batch until they are sent.
    data: Bytes,
    /// Refused records that were removed from the batch.
    refused: Vec<(u32, String)>,
    begun: Instant,
    answer: Answer<()>,
}

impl<'a> CopySink<'a> {
    pub(in crate::load) fn new(spec: &Arc<SinkSpec<'a>>, is_needed: bool) -> Result<Self> {
        let writer = Writer { spec: Arc::clone(spec), session: None, under_way: None };
        let (spec, runtime) = (Arc::clone(spec), runtime::blocking()?);
        Ok(CopySink { spec, is_needed, runtime, writer })
    }
}

impl Sink for CopySink<'_> {
    fn open(&mut self) -> Result<bool> {
        match self.runtime.block_on(self.writer.session()) {
            Ok(_) => Ok(true),
            Err(error) if self.is_needed => Err(error),
            Err(error) => {
                let stop = self.spec.stop.load(Ordering::Relaxed);
                tracing::warn!(stop, "continuing with one connection less: {error}");
                Ok(false)
            }
        }
    }

    fn write(&mut self, batch: EncodedBatch, done: Done<'_>) -> Result<()> {
        self.runtime.block_on(self.writer.write(batch, done))
    }

    fn flush(&mut self, done: Done<'_>) -> Result<()> {
        self.runtime.block_on(async { self.writer.settle(None, done).await.map(drop) })
    }
}

impl Writer<'_> {
    /// Starts a batch, queued after the one in flight.
    async fn write(&mut self, mut batch: EncodedBatch, done: Done<'_>) -> Result<()> {
        let location = batch.records.location;
        let key = (location.member, location.number);
        let known = self.spec.committed.get(&key);
        let refused = match known {
            Some(_) => Vec::new(),
            None => self.spec.refusals.get(&key).cloned().unwrap_or_default(),
        };
        batch.take_out(&refused);
        if known.is_some() || batch.row_ends.is_empty() {
            // The one in flight first: batches finish in order.
            self.settle(None, done).await?;
            if let Some(known) = self.spec.committed.get(&key) {
                recognise(known, &mut batch)?;
            }
            done(batch);
            return Ok(());
        }
        let claimed = match &self.session {
            Some(session) if self.under_way.is_some() => {
                Some(session.claim(&self.spec, &batch, &refused).await)
            }
            _ => None,
        };
        let claimed = self.settle(claimed, done).await?;
        let begun = Instant::now();
        match self.send(claimed, &mut batch, &refused).await {
            Ok((data, answer)) => {
                self.under_way = Some(UnderWay { batch, data, refused, begun, answer });
                Ok(())
            }
            Err(failure) => {
                self.write_again(&mut batch, refused, failure).await?;
                self.note(begun, &batch);
                done(batch);
                Ok(())
            }
        }
    }

    /// Waits for the batch in flight. If it fails, gives up the batch `claimed` after it and
    /// writes the failed one again. Returns what is still claimed.
    async fn settle(
        &mut self,
        mut claimed: Option<Claimed>,
        done: Done<'_>,
    ) -> Result<Option<Claimed>> {
        let Some(UnderWay { mut batch, data, refused, begun, answer }) = self.under_way.take()
        else {
            return Ok(claimed);
        };
        let answered = match &self.session {
            Some(session) => session.watched(&self.spec, answer).await,
            None => answer.await,
        };
        give_back(&mut batch, data);
        if let Err(failure) = answered {
            if let (Some(behind), Some(session)) = (claimed.take(), &self.session) {
                session.give_up(&self.spec, behind).await;
            }
            self.write_again(&mut batch, refused, failure).await?;
        }
        self.note(begun, &batch);
        done(batch);
        Ok(claimed)
    }

    /// Sends the rows of a batch once the server asks for them, and COMMIT.
    async fn send(
        &mut self,
        claimed: Option<Claimed>,
        batch: &mut EncodedBatch,
        refused: &[(u32, String)],
    ) -> std::result::Result<(Bytes, Answer<()>), Failure> {
        let spec = Arc::clone(&self.spec);
        let session = self.session().await.map_err(Failure::Error)?;
        let mut claimed = match claimed {
            Some(claimed) => claimed,
            None => session.claim(&spec, batch, refused).await,
        };
        let asked = session.watched(&spec, async {
            claimed.as_mut().await;
            claimed.as_mut().take_output().unwrap_or_else(|| Err(lost()))
        });
        match asked.await {
            Ok(copying) => {
                let data = std::mem::take(&mut batch.rows).freeze();
                let rows = batch.row_ends.len() as u64;
                Ok((data.clone(), session.finish(copying, data, rows).await))
            }
            Err(failure) => {
                session.lose();
                Err(failure)
            }
        }
    }

    /// Retries a failed batch until it is written.
    async fn write_again(
        &mut self,
        batch: &mut EncodedBatch,
        mut refused: Vec<(u32, String)>,
        mut failure: Failure,
    ) -> Result<()> {
        let spec = Arc::clone(&self.spec);
        let location = batch.records.location;
        let seed = (location.member as u64) << 32 | u64::from(location.number);
        let (first, longest) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut pauses = Backoff::new(first, longest, spec.patience, seed);
        loop {
            let error = match failure {
                Failure::AlreadyIn => {
                    let client = &self.session().await?.client;
                    let batches = ledger::batches(client, spec.run).await?;
                    return match batches.get(&(location.member, location.number)) {
                        Some(known) => recognise(known, batch),
                        None => Err(ledger::discarded()),
                    };
                }
                Failure::Miscounted(copied) => {
                    spec.is_miscounted.store(true, Ordering::Relaxed);
                    let rows = batch.row_ends.len();
                    return Err(Error::refused(format!(
                        "the server stored {copied} of {rows} rows"
                    ))
                    .hint(
                        "does staging have a trigger or a rule? Empty it with `sterna stage \
                         truncate` and load again",
                    ));
                }
                Failure::Error(error) => error,
            };
            let error = match spec.classify(&error) {
                // `refuse` finds at least the row behind this error, or fails.
                Fault::DataRefused => match self.refuse(batch, &error).await {
                    Ok(found) => {
                        refused.extend(found);
                        match self.attempt(batch, &refused).await {
                            Ok(()) => return Ok(()),
                            Err(again) => failure = again,
                        }
                        continue;
                    }
                    Err(error) => error,
                },
                _ => error,
            };
            if spec.classify(&error) != Fault::Transient {
                return Err(error);
            }
            if spec.stop.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, "interrupted"));
            }
            let Some(pause) = pauses.next() else { return Err(error) };
            tracing::warn!("retrying a batch in {} ms: {error}", pause.as_millis());
            tokio::time::sleep(pause).await;
            match self.attempt(batch, &refused).await {
                Ok(()) => return Ok(()),
                Err(again) => failure = again,
            }
        }
    }

    /// Retries a batch once. It is unknown whether the batch has been committed.
    async fn attempt(
        &mut self,
        batch: &mut EncodedBatch,
        refused: &[(u32, String)],
    ) -> std::result::Result<(), Failure> {
        let spec = Arc::clone(&self.spec);
        let session = self.session().await.map_err(Failure::Error)?;
        let claim = Claim::of(&spec, batch, refused);
        let data = std::mem::take(&mut batch.rows).freeze();
        let (rows, sent) = (batch.row_ends.len() as u64, data.clone());
        let written = session.watched(&spec, async {
            // Not pipelined: a COPY that the server refuses would cost the session, because the
            // driver ends it again and takes the answer for that of the next statement.
            let (begun, claimed) = futures::join!(
                session.client.batch_execute("BEGIN READ WRITE"),
                claim.insert(&session),
            );
            begun?;
            claimed?;
            let copying = session.client.copy_in(&session.copy).await?;
            session.finish(copying, sent, rows).await.await
        });
        let written = written.await;
        give_back(batch, data);
        if written.is_err() {
            session.roll_back(&spec).await;
        }
        written
    }

    /// Finds the rows that the server refuses, and removes them from the batch.
    async fn refuse(
        &mut self,
        batch: &mut EncodedBatch,
        error: &Error,
    ) -> Result<Vec<(u32, String)>> {
        let spec = Arc::clone(&self.spec);
        let found = refused::find(&spec, &*self.session().await?, batch).await?;
        if found.is_empty() {
            let what = "the server refuses a batch, but accepts each of its rows alone";
            return Err(Error::database(format!("{what}: {error}")));
        }
        batch.take_out(&found);
        Ok(found)
    }

    /// The open session, or a new one.
    async fn session(&mut self) -> Result<Arc<SinkSession>> {
        let lost = self.session.take_if(|session| session.is_over());
        if self.session.is_none() {
            match open(&self.spec, lost.as_ref().map(|session| session.pid)).await {
                Ok(session) => self.session = Some(Arc::new(session)),
                Err(error) => {
                    self.session = lost;
                    return Err(error);
                }
            }
        }
        self.session.clone().ok_or_else(|| Error::database("there is no session"))
    }

    /// Records how long a batch took, and its bytes.
    fn note(&self, begun: Instant, batch: &EncodedBatch) {
        self.spec.bytes_sent.fetch_add(batch.rows.len() as u64, Ordering::Relaxed);
        let elapsed_us = begun.elapsed().as_micros() as u64;
        let mut latency = self.spec.latency_us.lock().unwrap_or_else(PoisonError::into_inner);
        latency.saturating_record(elapsed_us);
    }
}

/// Returns the buffer to its batch; copies it if the driver still holds it.
fn give_back(batch: &mut EncodedBatch, data: Bytes) {
    batch.rows = data.try_into_mut().unwrap_or_else(|data| data.as_ref().into());
}

/// Checks that a batch is the same as the one already written.
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
