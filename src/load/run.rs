//! A load from start to finish: prepare, attach, rows, verification, matching, indexes, report.

mod again;
mod control;
mod verdict;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;

use crate::error::{Error, Kind, Result};
use crate::load::attach::Attached;
use crate::load::ledger::{self, Batches, LoadRun, LoadState, Refusals};
use crate::load::plan::matching::Way;
use crate::load::plan::options::LoadOptions;
use crate::load::plan::prepare::{Prepared, refuse_input, row_ids};
use crate::load::plan::row_id::RowIds;
use crate::load::report::{LoadReport, RowsReport};
use crate::load::rows::Pass;
use crate::load::settle::cascade::Orphans;
use crate::load::settle::completion::{Completion, Found};
use crate::load::settle::indexes::{self, Builders};
use crate::load::write::rejects;
use crate::load::write::session::writers;
use crate::pg::{ConnInfo, Connection, catalog, connect_for};
use crate::runtime;
use crate::table::staging::{self, Pair};
use crate::watch::{Phase, Watch, peak_memory_bytes};

/// The outcome of a load: its report, and the failure that it ended with, if any.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The report.
    pub report: LoadReport,
    /// [`Kind::TooManyRejects`] or [`Kind::Validation`].
    pub failure: Option<Error>,
}

/// Loads files into the staging table of a table.
///
/// Blocks; must not be called inside an async runtime.
///
/// # Errors
/// Any failure that ends the load early. The rows loaded so far stay, and the load can be
/// resumed.
pub fn load(info: &ConnInfo, options: &LoadOptions, watch: &Watch) -> Result<Loaded> {
    let begun = Instant::now();
    let runtime = runtime::blocking()?;
    let mut control = runtime.block_on(connect_for(info, "load"))?;
    watch.enter(Phase::Preparing, 0);
    let begin = control::begin(&mut control, options, watch);
    let (pair, prepared, attached, locked_by) = runtime.block_on(begin)?;
    let (run, resumed) = (attached.run.id, attached.resumed);
    tracing::info!(%run, resumed, files = prepared.inputs.members().len(), "the load begins");
    let (round_trip, writers, is_new) = (control.round_trip(), Cell::new(0), Cell::new(!resumed));
    let load = Load {
        info,
        options,
        watch,
        runtime,
        pair,
        prepared,
        attached,
        locked_by,
        begun,
        round_trip,
        writers,
        is_miscounted: AtomicBool::new(false),
        is_new,
    };
    load.run(control).map_err(how_to_go_on)
}

/// Adds a hint on how to continue a load that ended early, unless the error has one.
fn how_to_go_on(error: Error) -> Error {
    match error.kind() {
        Kind::Interrupted => error.hint("run the same command with --resume to continue"),
        _ if error.next_step().is_some() => error,
        _ if error.sqlstate() == Some(SqlState::DISK_FULL.code()) => {
            error.hint("free space on the server's disk, then run the same command with --resume")
        }
        Kind::Database | Kind::LockTimeout => {
            error.hint("fix the cause, then run the same command with --resume")
        }
        Kind::File if error.is_disk_full() => {
            error.hint("free space on that disk, then run the same command with --resume")
        }
        _ => error,
    }
}

/// A load that is recorded in the ledger.
struct Load<'a> {
    info: &'a ConnInfo,
    options: &'a LoadOptions,
    watch: &'a Watch,
    runtime: Runtime,
    pair: Pair,
    prepared: Prepared,
    attached: Attached,
    locked_by: Cell<i32>,
    begun: Instant,
    /// The round trip to the server, measured at the start.
    round_trip: Duration,
    /// The number of connections that write.
    writers: Cell<usize>,
    /// Whether the server stored fewer rows of a batch than it was sent.
    is_miscounted: AtomicBool,
    /// Whether nothing has been loaded yet, by this attempt or an earlier one.
    is_new: Cell<bool>,
}

impl Load<'_> {
    fn run(&self, mut control: Connection) -> Result<Loaded> {
        let mut index_seconds = 0.0;
        let mut done = match &self.attached.run {
            LoadRun { report: Some(rows), state, .. } if *state != LoadState::Loading => Done {
                rows: rows.clone(),
                state: *state,
                was_indexed: false,
                verified: None,
                failure: None,
                verify_seconds: 0.0,
            },
            _ => {
                if self.options.keep_indexes {
                    let begun = Instant::now();
                    let built = async { self.build_indexes(true).await?.close().await };
                    self.runtime.block_on(built)?;
                    index_seconds += begun.elapsed().as_secs_f64();
                }
                self.load_rows(&mut control)?
            }
        };
        let (mut found, mut match_seconds) = (None, 0.0);
        loop {
            self.judge(&mut control, &mut done)?;
            if !matches!(done.state, LoadState::Built | LoadState::Loaded) {
                break;
            }
            if done.state == LoadState::Built && self.is_to_be_matched(&mut control)? {
                let begun = Instant::now();
                match self.complete(&mut control)? {
                    Some(matched) => found = Some(matched),
                    None => done = self.load_again(&mut control, &done)?,
                }
                match_seconds += begun.elapsed().as_secs_f64();
                continue;
            }
            match self.settle_rows() {
                Ok(seconds) => {
                    index_seconds += seconds;
                    self.conclude(&mut control, &mut done)?;
                    break;
                }
                Err(error) => done = self.load_without(&mut control, &done, error)?,
            }
        }
        self.settle(&mut control, done.state, None)?;
        if done.state == LoadState::Loaded {
            done.failure = self.settle_mended(&mut control, &done.rows)?;
        }
        let run = self.attached.run.id;
        let (rows_cascaded, years_without_rows) =
            self.with_control(&mut control, async |session| {
                let years = self.options.years.iter().collect::<Vec<_>>();
                let years = staging::years_without_rows(session, &self.pair, &years).await?;
                let (rows, unlocked) = futures::join!(
                    ledger::rows_cascaded(session, run),
                    crate::ledger::unlock(session, &self.pair.staging),
                );
                unlocked?;
                Ok((rows?, years))
            })?;
        self.runtime.block_on(control.close())?;
        let load_seconds = done.rows.load_seconds;
        let per_second = |count: u64| (load_seconds > 0.0).then(|| count as f64 / load_seconds);
        let line = per_second(done.rows.bytes_sent);
        let report = LoadReport {
            run_id: run.to_string(),
            state: done.state.name(),
            staging: self.pair.staging.to_string(),
            seconds: self.begun.elapsed().as_secs_f64(),
            index_seconds,
            match_seconds,
            rows_matched: found.map(|found| found.rows - found.new),
            rows_new: found.map(|found| found.new),
            columns: self.prepared.matching.uses.clone(),
            left_out: self.prepared.inputs.left_out().to_vec(),
            rows_cascaded,
            years_without_rows,
            verify_seconds: done.verify_seconds,
            rows_per_second: per_second(done.rows.account.rows_loaded).unwrap_or_default(),
            round_trip_ms: self.round_trip.as_secs_f64() * 1000.0,
            line_bytes_per_second: line.filter(|rate| *rate > 0.0 && self.writers.get() > 0),
            writers: self.writers.get(),
            peak_memory_bytes: peak_memory_bytes(),
            verified: done.verified,
            resumed: self.attached.resumed,
            rows: done.rows,
        };
        Ok(Loaded { report, failure: done.failure })
    }

    fn load_rows(&self, control: &mut Connection) -> Result<Done> {
        let row_ids = self.runtime.block_on(row_ids(control, &self.pair, &self.prepared))?;
        self.watch.enter(Phase::Loading, self.prepared.inputs.bytes());
        let run = self.attached.run.id;
        // A run that has just begun has neither refusals nor batches.
        let is_new = self.is_new.replace(false);
        let refusals = match is_new {
            true => Refusals::default(),
            false => {
                self.with_control(control, async |session| ledger::refusals(session, run).await)?
            }
        };
        tracing::info!(row_ids = row_ids.len(), "production's row ids are read");
        let (options, staging_oid) = (self.options, self.attached.staging_oid);
        // The writers need their room.
        self.runtime.block_on(self.info.close_kept());
        let (indexes, writers) = self.with_control(control, async |session| {
            let (indexes, writers) =
                futures::join!(catalog::indexes(session, staging_oid), writers(session, options));
            Ok((indexes?, writers?))
        })?;
        let is_indexed = !indexes.is_empty();
        self.writers.set(if is_indexed { 1 } else { writers });
        let pass = Pass { in_order: is_indexed, writers, ..self.pass(&row_ids) };
        for path in pass.rejects.values() {
            refuse_input(path, &self.prepared.inputs, self.options)?;
        }
        let (ledger, has_none) = (RefCell::new(&mut *control), Cell::new(is_new));
        let loaded = pass.load_all(
            &refusals,
            || match has_none.replace(false) {
                true => Ok(Batches::default()),
                false => self.batches(&mut ledger.borrow_mut()),
            },
            || self.rows_of_batches(&mut ledger.borrow_mut()),
        );
        if loaded.is_err() && self.is_miscounted.load(Ordering::Relaxed) {
            // Not fatal: staging is counted again before a load becomes `loaded`.
            if let Err(error) = self.settle(control, LoadState::Failed, None) {
                tracing::debug!("the load is not marked as failed: {error}");
            }
        }
        let (rows, checksum) = loaded?;
        // Those that build indexes.
        self.info.open_ahead(self.options.server_connections().min(2));
        self.settle(control, LoadState::Built, Some((&rows, checksum)))?;
        let (loaded, seconds) = (rows.account.rows_loaded, format!("{:.2}", rows.load_seconds));
        tracing::info!(rows = loaded, %seconds, "rows are in");
        Ok(Done {
            rows,
            state: LoadState::Built,
            was_indexed: is_indexed,
            verified: None,
            failure: None,
            verify_seconds: 0.0,
        })
    }

    /// Whether the server still has to match the loaded rows with production.
    fn is_to_be_matched(&self, control: &mut Connection) -> Result<bool> {
        if self.prepared.matching.way != Way::Server {
            return Ok(false);
        }
        let run = self.attached.run.id;
        let by = self.with_control(control, async |session| ledger::matched_by(session, run).await);
        Ok(by?.is_none())
    }

    /// Has the server match the rows. Returns `None` if records had to be taken out first.
    fn complete(&self, control: &mut Connection) -> Result<Option<Found>> {
        self.watch.enter(Phase::Matching, 0);
        // Once matching has replaced the ids, records that share one cannot be found any more.
        if self.prepared.matching.made.is_some() && self.refuse_doubles(control)? {
            return Ok(None);
        }
        let Load { pair, prepared, attached, watch: Watch { stop, .. }, .. } = self;
        let (staging_oid, run) = (attached.staging_oid, attached.run.id);
        let completion = Completion { pair, staging_oid, prepared, run };
        let found =
            self.with_control(control, async |session| completion.run(session, stop).await)?;
        tracing::info!(rows = found.rows, new = found.new, "rows are matched with production's");
        Ok(Some(found))
    }

    fn pass<'a>(&'a self, row_ids: &'a RowIds) -> Pass<'a> {
        let short_id = self.attached.run.id.simple().to_string();
        let default = || PathBuf::from(format!("sterna-rejects-{}.csv", &short_id[..8]));
        Pass {
            info: self.info,
            pair: &self.pair,
            options: self.options,
            prepared: &self.prepared,
            row_ids,
            run: self.attached.run.id,
            staging_oid: self.attached.staging_oid,
            runs: &self.attached.runs,
            mends: self.attached.run.mends,
            in_order: false,
            writers: self.options.server_connections(),
            rejects: rejects::paths(
                &self.options.rejects.clone().unwrap_or_else(default),
                self.prepared.plan.rows.distinct(),
                &self.prepared.formats,
            ),
            watch: self.watch,
            is_miscounted: &self.is_miscounted,
        }
    }

    /// Builds the indexes, with `keys` also the foreign keys. Returns the sessions that did.
    async fn build_indexes(&self, keys: bool) -> Result<Builders> {
        self.watch.enter(Phase::Indexing, 0);
        let (staging_oid, connections) =
            (self.attached.staging_oid, self.options.server_connections());
        indexes::build(self.info, &self.pair, staging_oid, connections, keys, &self.watch.stop)
            .await
    }

    /// Builds the indexes, and makes sure that all rows refer to rows that exist.
    fn settle_rows(&self) -> Result<f64> {
        let begun = Instant::now();
        let (pair, staging_oid) = (&self.pair, self.attached.staging_oid);
        let (columns, looked_up) =
            (&self.prepared.hashed_columns(), &self.prepared.plan.looked_up());
        let orphans = Orphans { pair, columns, staging_oid, looked_up };
        self.runtime.block_on(async {
            let sessions = self.build_indexes(false).await?;
            indexes::finish(sessions, &orphans, &self.watch.stop).await
        })?;
        Ok(begun.elapsed().as_secs_f64())
    }
}

/// The progress of a load.
struct Done {
    rows: RowsReport,
    state: LoadState,
    /// Whether the indexes were in place while rows were loaded.
    was_indexed: bool,
    verified: Option<bool>,
    failure: Option<Error>,
    verify_seconds: f64,
}
