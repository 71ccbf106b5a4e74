//! The threads between files and server, and the bounded queues between them.
//!
//! Sources read files in parallel and pass batches of records to workers, which pass batches
//! of rows to sinks, which pass finished batches to the caller's thread. Every queue holds
//! only a few batches, and the bytes of all batches in flight are limited, so memory depends
//! neither on the size of the input nor on that of its records. The first failure stops
//! everything. Emptied buffers are returned and reused. This is the only file that uses
//! crossbeam.

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
use crate::load::waits::{Timed, Waits};
use crate::watch::Counters;

/// The capacity of the queue in front of each stage, in batches.
const QUEUE_BATCHES: usize = 2;
/// The memory limit for records in flight, in bytes per thread.
const THREAD_BYTES: usize = 4 << 20;
/// How long a source waits for memory before it checks whether to stop.
const STOP_ASKED: Duration = Duration::from_millis(50);

/// The configuration that all stages share.
pub struct Pipeline<'a> {
    /// The inputs to read.
    pub inputs: &'a Inputs,
    /// How the records of each member become rows.
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
    /// The maximum number of records per batch.
    pub batch_rows: usize,
    /// The maximum size of a record, in bytes.
    pub max_record_bytes: usize,
    /// The number of threads that encode.
    pub workers: usize,
    /// The number of threads that read files.
    pub sources: usize,
    /// Set by the caller to stop cleanly.
    pub stop: &'a AtomicBool,
    /// Counts that can be watched.
    pub counters: &'a Counters,
}

/// The last stage, which takes encoded batches.
pub trait Sink: Send {
    /// Gets ready, while the other stages already run. Returns false if this sink cannot work
    /// but the load can do without it.
    ///
    /// # Errors
    /// Any failure that must stop the load.
    fn open(&mut self) -> Result<bool> {
        Ok(true)
    }

    /// Writes a batch, and passes finished batches to `done`: this one or earlier ones. May
    /// move rows to a batch's rejects.
    ///
    /// # Errors
    /// Any failure to write a batch, which stops the load.
    fn write(&mut self, batch: EncodedBatch, done: Done<'_>) -> Result<()>;

    /// Waits for batches in flight; called when no further batch is waiting.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    fn flush(&mut self, _done: Done<'_>) -> Result<()> {
        Ok(())
    }
}

/// The callback for finished batches.
pub type Done<'a> = &'a mut dyn FnMut(EncodedBatch);

impl Pipeline<'_> {
    /// Processes all members, passes every finished batch to `settle`, and returns the taxa
    /// that map to no species.
    ///
    /// # Errors
    /// The first failure of any stage, or [`Kind::Interrupted`] if `stop` was set.
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
        let [reading, encoding, writing] = [(); 3].map(|()| Waits::default());
        let (sources, workers) =
            (self.sources.min(self.plans.members()).max(1), self.workers.max(1));
        let writers = sinks.len();
        let (to_workers, records) = bounded::<RecordBatch>(QUEUE_BATCHES);
        let (to_sinks, rows) = bounded::<EncodedBatch>(QUEUE_BATCHES);
        let (to_settle, settled) = bounded::<EncodedBatch>(QUEUE_BATCHES);
        // Room for every batch that can be in flight, so that no buffer is dropped.
        let (spare_in, spare) = bounded::<EncodedBatch>(
            3 * QUEUE_BATCHES + 2 * sinks.len() + self.workers + self.sources,
        );
        let (spare_records_in, spare_records) =
            bounded::<RecordBatch>(spare_in.capacity().unwrap_or(0));
        thread::scope(|scope| {
            for _ in 0..sources {
                let to_workers = to_workers.clone();
                let (failure, unmapped, next, spare, room, waits) =
                    (&failure, &unmapped, &next_member, spare_records.clone(), &room, &reading);
                scope.spawn(move || {
                    let found = failure
                        .watch(|| self.read(next, &to_workers, &spare, (room, waits), failure));
                    if let Some(found) = found {
                        unmapped.lock().unwrap_or_else(PoisonError::into_inner).merge(found);
                    }
                });
            }
            for _ in 0..workers {
                let (records, to_sinks, spare, waits) =
                    (records.clone(), to_sinks.clone(), spare.clone(), &encoding);
                scope.spawn(move || self.encode(&records, &to_sinks, &spare, waits));
            }
            for sink in sinks {
                let (rows, to_settle, failure, waits) =
                    (rows.clone(), to_settle.clone(), &failure, &writing);
                scope.spawn(move || {
                    failure.watch(|| write(sink, &rows, &to_settle, waits, failure))
                });
            }
            // Only the stages hold queue ends: each stage ends when those before it have.
            drop((to_workers, records, to_sinks, rows, to_settle, spare, spare_records));
            for mut batch in settled {
                if failure.stopped() {
                    continue;
                }
                let Counters { rows_done, rows_loaded, .. } = self.counters;
                rows_done.fetch_add(batch.records.account.rows_read, Ordering::Relaxed);
                rows_loaded.fetch_add(batch.row_ends.len() as u64, Ordering::Relaxed);
                failure.watch(|| settle(&batch));
                let mut records = std::mem::take(&mut batch.records);
                room.give_back(records.memory());
                records.clear();
                let _ = spare_records_in.try_send(records);
                let _ = spare_in.try_send(batch);
            }
        });
        reading.log("readers", sources);
        encoding.log("encoders", workers);
        writing.log("writers", writers);
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
        (room, waits): (&Room, &Waits),
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
                    &mut Timed { reader, waits },
                    &mut mapper,
                    || spare.try_recv().unwrap_or_default(),
                    |batch| {
                        let is_sent = waits.for_room(|| {
                            room.take(batch.memory(), || failure.stopped());
                            to_workers.send(batch).is_ok()
                        });
                        match is_sent {
                            true => ControlFlow::Continue(()),
                            false => ControlFlow::Break(()),
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
        waits: &Waits,
    ) {
        let mut encoder = Encoder::new(self.taxa, self.row_ids, self.on_inexact);
        while let Ok(batch) = waits.for_input(|| records.recv()) {
            let member = batch.location.member;
            let mut out = spare.try_recv().unwrap_or_default();
            let key = self.inputs.member_key(&self.inputs.members()[member]);
            encoder.encode(&self.plans[member], &key, batch, &mut out);
            if !waits.for_room(|| to_sinks.send(out).is_ok()) {
                return;
            }
        }
    }
}

fn write<S: Sink>(
    mut sink: S,
    rows: &Receiver<EncodedBatch>,
    to_settle: &Sender<EncodedBatch>,
    waits: &Waits,
    failure: &Failure<'_>,
) -> Result<()> {
    if !sink.open()? {
        return Ok(());
    }
    let mut done = |batch| {
        // Fails only if the caller's thread is gone, which then needs no results.
        waits.for_room(|| to_settle.send(batch).is_ok());
    };
    loop {
        let batch = match rows.try_recv() {
            Ok(batch) => batch,
            Err(_) => {
                sink.flush(&mut done)?;
                match waits.for_input(|| rows.recv()) {
                    Ok(batch) => batch,
                    Err(_) => return Ok(()),
                }
            }
        };
        // After a failure, batches are still received, so that no earlier stage blocks.
        if !failure.stopped() {
            sink.write(batch, &mut done)?;
        }
    }
}

/// The memory budget for records in flight.
struct Room {
    taken: Mutex<usize>,
    given_back: Condvar,
    most: usize,
}

impl Room {
    /// Waits until `bytes` fit the budget; a batch larger than the whole budget goes alone.
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

    /// Runs a stage and records its failure.
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
