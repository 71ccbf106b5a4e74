//! The threads between files and server, and the queues that bound them.
//!
//! Sources read files side by side and hand batches of records to workers, which
//! hand batches of rows to sinks, which hand what became of them to the caller's
//! thread. Every queue holds a few batches, and all batches under way together a bounded
//! number of bytes, so that memory depends neither on the size of the input nor on that of
//! its records. The first failure stops everything. Emptied buffers travel
//! back and are used again. This is the only file that names crossbeam.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::cites::Taxa;
use crate::error::{Error, Kind, Result};
use crate::input::Inputs;
use crate::load::encode::{Encoder, OnInexact, RowPlan};
use crate::load::plan::row_id::RowIds;
use crate::load::read::batch::{EncodedBatch, RecordBatch};
use crate::load::read::map::{Mapper, OnUnmapped, UnmappedTaxa, Years};
use crate::load::read::per_member::PerMember;
use crate::load::read::source::Source;
use crate::watch::Counters;

/// Batches that wait before each stage.
const QUEUE_BATCHES: usize = 2;
/// Memory that records under way may take, for each thread.
const THREAD_BYTES: usize = 4 << 20;
/// How long a source waits for room before it asks whether to stop.
const STOP_ASKED: Duration = Duration::from_millis(50);

/// What the stages share; nothing in it changes while they run.
pub struct Pipeline<'a> {
    /// What to read.
    pub inputs: &'a Inputs,
    /// How each member becomes rows.
    pub plans: &'a PerMember<RowPlan>,
    /// The species to map to.
    pub taxa: &'a Taxa,
    /// Production's row ids.
    pub row_ids: &'a RowIds,
    /// The years to load.
    pub years: &'a Years,
    /// What to do with taxa that map to no species.
    pub on_unmapped: OnUnmapped,
    /// What to do with values that do not fit exactly.
    pub on_inexact: OnInexact,
    /// Records per batch at most.
    pub batch_rows: usize,
    /// Bytes that a record may have.
    pub max_record_bytes: usize,
    /// Threads that encode.
    pub workers: usize,
    /// Threads that read files.
    pub sources: usize,
    /// Set from outside to stop cleanly.
    pub stop: &'a AtomicBool,
    /// Counts that others may watch.
    pub counters: &'a Counters,
}

/// Where encoded batches end.
pub trait Sink: Send {
    /// Makes ready, beside the other stages. False where this sink cannot work and others
    /// can.
    ///
    /// # Errors
    /// What keeps it from working; the load stops.
    fn open(&mut self) -> Result<bool> {
        Ok(true)
    }

    /// Takes a batch to write, and hands those that are in for good to `done`: this one
    /// or those before it. May move rows to a batch's rejects.
    ///
    /// # Errors
    /// What keeps a batch from being written; the load stops.
    fn write(&mut self, batch: EncodedBatch, done: Done<'_>) -> Result<()>;

    /// Waits for what is under way, for there is nothing more to write now.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn flush(&mut self, _done: Done<'_>) -> Result<()> {
        Ok(())
    }
}

/// Takes batches that are in for good.
pub type Done<'a> = &'a mut dyn FnMut(EncodedBatch);

impl Pipeline<'_> {
    /// Runs all members through; hands every finished batch to `settle`, and
    /// returns the taxa that mapped to no species.
    ///
    /// # Errors
    /// The first failure of any stage, or [`Kind::Interrupted`] after `stop` was set.
    pub fn run<S: Sink>(
        &self,
        sinks: Vec<S>,
        mut settle: impl FnMut(&EncodedBatch) -> Result<()>,
    ) -> Result<UnmappedTaxa> {
        let failure =
            Failure { first: Mutex::new(None), stop: AtomicBool::new(false), outer: self.stop };
        let threads = self.sources + self.workers + sinks.len();
        let room =
            Room { taken: Mutex::new(0), given_back: Condvar::new(), most: threads * THREAD_BYTES };
        let unmapped = Mutex::new(UnmappedTaxa::default());
        let next_member = AtomicUsize::new(0);
        let (to_workers, records) = bounded::<RecordBatch>(QUEUE_BATCHES);
        let (to_sinks, rows) = bounded::<EncodedBatch>(QUEUE_BATCHES);
        let (to_settle, settled) = bounded::<EncodedBatch>(QUEUE_BATCHES);
        // Room for every batch that can be under way, so that none is dropped.
        let (spare_in, spare) = bounded::<EncodedBatch>(
            3 * QUEUE_BATCHES + 2 * sinks.len() + self.workers + self.sources,
        );
        let (spare_records_in, spare_records) =
            bounded::<RecordBatch>(spare_in.capacity().unwrap_or(0));
        thread::scope(|scope| {
            for _ in 0..self.sources.min(self.plans.members()).max(1) {
                let to_workers = to_workers.clone();
                let (failure, unmapped, next, spare, room) =
                    (&failure, &unmapped, &next_member, spare_records.clone(), &room);
                scope.spawn(move || {
                    let found =
                        failure.watch(|| self.read(next, &to_workers, &spare, room, failure));
                    if let Some(found) = found {
                        unmapped.lock().unwrap_or_else(PoisonError::into_inner).merge(found);
                    }
                });
            }
            for _ in 0..self.workers.max(1) {
                let (records, to_sinks, spare) = (records.clone(), to_sinks.clone(), spare.clone());
                scope.spawn(move || self.encode(&records, &to_sinks, &spare));
            }
            for sink in sinks {
                let (rows, to_settle, failure) = (rows.clone(), to_settle.clone(), &failure);
                scope.spawn(move || failure.watch(|| write(sink, &rows, &to_settle, failure)));
            }
            // The stages own the ends of their queues: each ends when those before it have.
            drop((to_workers, records, to_sinks, rows, to_settle, spare, spare_records));
            for mut batch in settled {
                if failure.stopped() {
                    continue;
                }
                self.counters.rows_loaded.fetch_add(batch.row_ends.len() as u64, Ordering::Relaxed);
                failure.watch(|| settle(&batch));
                let mut records = std::mem::take(&mut batch.records);
                room.give_back(records.memory());
                records.clear();
                let _ = spare_records_in.try_send(records);
                let _ = spare_in.try_send(batch);
            }
        });
        if let Some(error) = failure.first.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        Ok(unmapped.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn read(
        &self,
        next_member: &AtomicUsize,
        to_workers: &Sender<RecordBatch>,
        spare: &Receiver<RecordBatch>,
        room: &Room,
        failure: &Failure<'_>,
    ) -> Result<UnmappedTaxa> {
        let mut mapper = Mapper::new(self.taxa, self.years);
        loop {
            let member = next_member.fetch_add(1, Ordering::Relaxed);
            let Some(plan) = self.plans.get(member).filter(|_| !failure.stopped()) else {
                return Ok(mapper.into_unmapped());
            };
            let known = &self.inputs.members()[member];
            let source = Source {
                name: &known.name,
                member,
                layout: &plan.layout,
                batch_rows: self.batch_rows,
                max_record_bytes: self.max_record_bytes,
                on_unmapped: self.on_unmapped,
                counters: self.counters,
                stop: &|| failure.stopped(),
            };
            self.inputs.with_reader(known, |reader| {
                source.run(
                    reader,
                    &mut mapper,
                    || spare.try_recv().unwrap_or_default(),
                    |batch| {
                        room.take(batch.memory(), || failure.stopped());
                        match to_workers.send(batch) {
                            Ok(()) => ControlFlow::Continue(()),
                            Err(_) => ControlFlow::Break(()),
                        }
                    },
                )
            })?;
        }
    }

    fn encode(
        &self,
        records: &Receiver<RecordBatch>,
        to_sinks: &Sender<EncodedBatch>,
        spare: &Receiver<EncodedBatch>,
    ) {
        let mut encoder = Encoder::new(self.taxa, self.row_ids, self.on_inexact);
        for batch in records {
            let member = batch.location.member;
            let mut out = spare.try_recv().unwrap_or_default();
            let key = self.inputs.member_key(&self.inputs.members()[member]);
            encoder.encode(&self.plans[member], &key, batch, &mut out);
            if to_sinks.send(out).is_err() {
                return;
            }
        }
    }
}

fn write<S: Sink>(
    mut sink: S,
    rows: &Receiver<EncodedBatch>,
    to_settle: &Sender<EncodedBatch>,
    failure: &Failure<'_>,
) -> Result<()> {
    if !sink.open()? {
        return Ok(());
    }
    let mut done = |batch| {
        // Fails where the caller's thread is gone, and with it all that would be told.
        let _ = to_settle.send(batch);
    };
    loop {
        let batch = match rows.try_recv() {
            Ok(batch) => batch,
            Err(_) => {
                sink.flush(&mut done)?;
                match rows.recv() {
                    Ok(batch) => batch,
                    Err(_) => return Ok(()),
                }
            }
        };
        // Batches are taken on, so that no stage before waits for room.
        if !failure.stopped() {
            sink.write(batch, &mut done)?;
        }
    }
}

/// Memory for the records that are under way.
struct Room {
    taken: Mutex<usize>,
    given_back: Condvar,
    most: usize,
}

impl Room {
    /// Waits for room; a batch that is larger than all of it goes alone.
    fn take(&self, bytes: usize, stopped: impl Fn() -> bool) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && *taken + bytes > self.most && !stopped() {
            let waited = self.given_back.wait_timeout(taken, STOP_ASKED);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken += bytes;
    }

    fn give_back(&self, bytes: usize) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.given_back.notify_all();
    }
}

/// The first failure of any thread, which stops all of them.
struct Failure<'a> {
    first: Mutex<Option<Error>>,
    stop: AtomicBool,
    outer: &'a AtomicBool,
}

impl Failure<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.outer.load(Ordering::Relaxed)
    }

    /// Runs a stage and notes its failure.
    fn watch<T>(&self, stage: impl FnOnce() -> Result<T>) -> Option<T> {
        match stage() {
            Ok(done) => Some(done),
            Err(error) => {
                self.stop.store(true, Ordering::Relaxed);
                let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
                None
            }
        }
    }
}
