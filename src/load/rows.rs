//! Loads all rows into staging, in passes over the input until the ledger has every batch.
//!
//! One pass is normally enough. But batches do not wait for the disk, so a server that is
//! killed may lose batches that it confirmed. The ledger is therefore checked after each
//! pass, and missing batches are sent again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use hdrhistogram::Histogram;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::load::ledger::{BatchRows, Batches, LoadRun, Refusals};
use crate::load::pipeline::Pipeline;
use crate::load::plan::options::LoadOptions;
use crate::load::plan::prepare::Prepared;
use crate::load::plan::row_id::RowIds;
use crate::load::read::batch::EncodedBatch;
use crate::load::report::{BatchLatency, FileReport, Mended, RowsReport};
use crate::load::write::rejects::{self, Paths, RejectWriter};
use crate::load::write::session::SinkSpec;
use crate::load::write::sink::CopySink;
use crate::pg::{ConnInfo, fill};
use crate::table::staging::Pair;
use crate::watch::Watch;

/// The number of passes before giving up on a server that keeps losing batches.
const MAX_PASSES: usize = 5;
/// How long to retry while the server is unavailable.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// One pass over the input.
pub(super) struct Pass<'a> {
    pub(super) info: &'a ConnInfo,
    pub(super) pair: &'a Pair,
    pub(super) options: &'a LoadOptions,
    pub(super) prepared: &'a Prepared,
    pub(super) row_ids: &'a RowIds,
    pub(super) run: Uuid,
    pub(super) staging_oid: u32,
    /// The loads whose rows staging holds.
    pub(super) runs: &'a [LoadRun],
    /// The previous load, whose fixed rejects may be among the records.
    pub(super) mends: Option<Uuid>,
    /// Whether batches are written in input order, one after the other, so that of several
    /// records with the same unique key the first is kept.
    pub(super) in_order: bool,
    /// Connections that write, unless batches are written in order.
    pub(super) writers: usize,
    /// Where the rejects of each format go.
    pub(super) rejects: Paths,
    pub(super) watch: &'a Watch,
    /// Set if the server stored fewer rows of a batch than it was sent.
    pub(super) is_miscounted: &'a AtomicBool,
}

impl Pass<'_> {
    /// Loads all rows; `batches` and `rows_of_batches` query the ledger over a live session.
    pub(super) fn load_all(
        &self,
        refusals: &Refusals,
        mut batches: impl FnMut() -> Result<Batches>,
        mut rows_of_batches: impl FnMut() -> Result<Vec<BatchRows>>,
    ) -> Result<(RowsReport, u64)> {
        let begun = Instant::now();
        let mut committed = batches()?;
        for _ in 0..MAX_PASSES {
            let mut tally = Tally::new(self)?;
            self.run_once(committed, refusals.clone(), &mut tally)?;
            let present = rows_of_batches()?;
            let lost = tally.missing_from(&present);
            if tally.is_exceeded_by(&present) {
                return Err(Error::refused(
                    "staging holds rows of this load that are not in the input: the input changed \
                     while an earlier attempt read it",
                )
                .hint("empty staging with `sterna stage truncate` and load again"));
            }
            if lost == 0 {
                tally.report.load_seconds = begun.elapsed().as_secs_f64();
                return tally.finish();
            }
            tracing::warn!(
                "the server has lost {lost} batches that it had confirmed; sending them again"
            );
            committed = batches()?;
        }
        Err(Error::database("the server keeps losing batches that it has confirmed")
            .hint("find out why it restarts, then load with --resume"))
    }

    /// Builds the pipeline from the input to the sinks, and resets the counters.
    pub(super) fn pipeline(&self) -> Pipeline<'_> {
        let Pass { options, prepared, watch, .. } = self;
        watch.counters.reset();
        Pipeline {
            inputs: &prepared.inputs,
            plans: &prepared.plan.rows,
            taxa: &prepared.taxa,
            row_ids: self.row_ids,
            years: &options.years,
            on_unmapped: options.on_unmapped,
            on_inexact: options.on_inexact,
            batch_rows: options.batch_rows,
            max_record_bytes: options.read.max_record_bytes,
            workers: if self.in_order { 1 } else { options.workers },
            sources: if self.in_order { 1 } else { options.workers },
            stop: &watch.stop,
            counters: &watch.counters,
        }
    }

    fn run_once(&self, committed: Batches, refusals: Refusals, tally: &mut Tally) -> Result<()> {
        let Pass { options, prepared, watch, .. } = self;
        let copy_sql = fill(
            include_str!("../../sql/load/copy-in.sql"),
            &[("staging", &self.pair.staging), ("columns", &prepared.columns())],
        );
        let spec = Arc::new(SinkSpec {
            info: self.info.for_own_sessions(),
            run: self.run,
            staging_oid: self.staging_oid,
            copy_sql,
            on_shards: self.pair.distribution.is_elsewhere(),
            committed,
            refusals,
            is_miscounted: self.is_miscounted,
            stop: &watch.stop,
            patience: PATIENCE,
            stall_timeout: options.stall_timeout,
            bytes_sent: &watch.counters.bytes_sent,
            latency_us: Arc::clone(&tally.latency_us),
        });
        let connections = if self.in_order { 1 } else { self.writers };
        let sinks: Result<Vec<CopySink<'_>>> =
            (0..connections).map(|index| CopySink::new(&spec, index == 0)).collect();
        let unmapped = self.pipeline().run(sinks?, |batch| tally.settle(self, batch))?;
        tally.report.set_unmapped(&unmapped);
        tally.report.bytes_read = watch.counters.bytes_read.load(Ordering::Relaxed);
        tally.report.bytes_sent = watch.counters.bytes_sent.load(Ordering::Relaxed);
        Ok(())
    }
}

/// Collects the results of a pass, batch by batch.
struct Tally {
    report: RowsReport,
    checksum: u64,
    rejects_key: u64,
    /// The number of fixed rejects and the sum of their keys, by the load that rejected them.
    mends: BTreeMap<Uuid, (u64, u64)>,
    rejects: RejectWriter,
    /// The rows of every batch that the ledger has to contain.
    expected: HashMap<(u32, u32), u32>,
    latency_us: Arc<Mutex<Histogram<u64>>>,
}

impl Tally {
    fn new(pass: &Pass<'_>) -> Result<Self> {
        let members = pass.prepared.inputs.members().iter();
        let files =
            members.map(|m| FileReport { path: Arc::clone(&m.name), ..FileReport::default() });
        // Two significant digits up to an hour take about 60 KiB.
        let latency_us = Histogram::new_with_bounds(1, 3_600_000_000, 2)
            .map_err(|e| Error::usage("no histogram").caused_by(e))?;
        Ok(Tally {
            report: RowsReport { files: files.collect(), ..RowsReport::default() },
            checksum: 0,
            rejects_key: 0,
            mends: pass.runs.iter().map(|run| (run.id, (0, 0))).collect(),
            rejects: RejectWriter::create(pass.rejects.clone(), pass.run)?,
            expected: HashMap::new(),
            latency_us: Arc::new(Mutex::new(latency_us)),
        })
    }

    fn settle(&mut self, pass: &Pass<'_>, batch: &EncodedBatch) -> Result<()> {
        let location = batch.records.location;
        let (file, account) = (location.member, batch.records.account);
        self.report.account += account;
        self.report.files[file].account += account;
        let plan = &pass.prepared.plan.rows[file];
        let name = &pass.prepared.inputs.members()[file].name;
        for (load, key) in rejects::brought_back(plan, &batch.records, pass.mends) {
            if let Some((rows, sum)) = self.mends.get_mut(&load) {
                (*rows, *sum) = (*rows + 1, sum.wrapping_add(key));
            }
        }
        for reject in &batch.records.rejects {
            let offset = batch.records.record(reject.record as usize).at().byte_offset;
            let key = rejects::key(name.as_bytes(), offset.to_string().as_bytes());
            self.rejects_key = self.rejects_key.wrapping_add(key);
            *self.report.reject_reasons.entry(reject.reason.name().into()).or_default() += 1;
            self.report.show_reject(rejects::shown((file, name), plan, &batch.records, reject));
        }
        if !batch.row_ends.is_empty() {
            self.checksum = self.checksum.wrapping_add(batch.checksum);
            self.report.batches += 1;
            self.expected.insert((file as u32, location.number), batch.row_ends.len() as u32);
        }
        let read = self.report.account.rows_read;
        let are_accepted = |rejects| !pass.options.max_rejects.exceeded(rejects, read);
        self.rejects.write(name, plan, &pass.prepared.formats, &batch.records, are_accepted)
    }

    /// The number of batches that are missing or differ from what was sent.
    fn missing_from(&self, present: &[BatchRows]) -> usize {
        let is_as_sent = |batch: &&BatchRows| self.expected.get(&batch.key) == Some(&batch.rows);
        self.expected.len() - present.iter().filter(is_as_sent).count()
    }

    /// Whether staging has rows of batches that this pass did not read.
    fn is_exceeded_by(&self, present: &[BatchRows]) -> bool {
        present.iter().any(|batch| batch.rows > 0 && !self.expected.contains_key(&batch.key))
    }

    fn finish(mut self) -> Result<(RowsReport, u64)> {
        if !self.report.account.balances() {
            return Err(Error::database(format!(
                "the account does not add up: {:?}",
                self.report.account
            ))
            .hint("this is a bug in sterna; please report it"));
        }
        let (paths, written) = self.rejects.finish()?;
        self.report.set_rejects_files(&paths, written);
        self.report.checksum = format!("{:016x}", self.checksum);
        self.report.rejects_key = format!("{:016x}", self.rejects_key);
        let mends = self.mends.into_iter().filter(|(_, (rows, _))| *rows > 0);
        self.report.mends = mends
            .map(|(run_id, (rows, key))| Mended { run_id, rows, key: format!("{key:016x}") })
            .collect();
        let histogram = self.latency_us.lock().unwrap_or_else(PoisonError::into_inner);
        let ms = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        self.report.batch_ms = BatchLatency {
            p50: ms(0.5),
            p95: ms(0.95),
            p99: ms(0.99),
            max: histogram.max() as f64 / 1000.0,
        };
        drop(histogram);
        Ok((self.report, self.checksum))
    }
}
