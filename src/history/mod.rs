//! The report of a run: everything that the ledger says of it, as one value. How it is
//! shown is decided elsewhere.
//!
//! What belongs to a run is what happened to its table since the run began, so that a
//! step that was taken by a command of its own is in it as well. Without a run of the
//! plan it is everything that the ledger says of the table. Nothing is measured for the
//! report, and nothing in the ledger is secret.

mod collect;
mod throughput;
mod verdict;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub use collect::collect;
pub use throughput::{Throughput, Writer};
pub use verdict::{RunOutcome, RunVerdict, WayBack, readable};

use crate::backup::SavedTable;
use crate::bench::BenchReport;
use crate::load::report::RowsReport;
use crate::migrate::status::Status;
use crate::migrate::{Step, StepState};
use crate::table::fingerprint::Difference;
use crate::validate::{Change, ValidationReport};

/// Everything that the ledger says of a run.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// How it ended.
    pub outcome: RunOutcome,
    /// The table that is replaced.
    pub table: String,
    /// When the report was collected, in UTC by the server's clock.
    pub collected_at: String,
    /// The run of the plan; none where there were only commands by themselves.
    pub run: Option<Status>,
    /// Every attempt at a step, in the order in which they began.
    pub attempts: Vec<Attempt>,
    /// Loads, the oldest first.
    pub loads: Vec<Load>,
    /// Validations, the oldest first.
    pub validations: Vec<Validation>,
    /// Query benchmarks, the oldest first.
    pub benchmarks: Vec<Benchmark>,
    /// Switchovers, the oldest first.
    pub switchovers: Vec<Switchover>,
    /// Backups in files, the oldest first.
    pub backups: Vec<Backup>,
    /// Backup tables that are there.
    pub backup_tables: Vec<BackupTable>,
    /// How to go back from here.
    pub way_back: Vec<WayBack>,
    /// What durations depend on.
    pub environment: RunEnvironment,
    /// What the ledger has and this version cannot read.
    pub unreadable: Vec<String>,
}

/// An attempt at a step.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// The step's number.
    pub step: Step,
    /// What it does.
    pub title: &'static str,
    /// What it locks, and how, by the plan.
    pub locks: &'static str,
    /// Which attempt of its run it is, from 1.
    pub attempt: i32,
    /// How far it came.
    pub state: StepState,
    /// Whether a command took it by itself.
    pub by_command: bool,
    /// Seconds from the first attempt's beginning to this one's.
    pub began_seconds: f64,
    /// How long it took, or has taken so far.
    pub seconds: f64,
    /// Rows that it read or wrote.
    pub rows: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who took it.
    pub role: String,
    /// When it began, in UTC.
    pub started_at: String,
}

/// A load and how fast it went.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// Its id.
    pub run_id: Uuid,
    /// How far it came, as the ledger calls it.
    pub state: String,
    /// When it began, in UTC.
    pub started_at: String,
    /// How long all of it took; none where it was not ended.
    pub seconds: Option<f64>,
    /// What was asked for.
    pub arguments: Value,
    /// What became of the records; none where they were not read to the end.
    pub rows: Option<RowsReport>,
    /// Rows per second over its course, by connection; none where it wrote none.
    pub throughput: Option<Throughput>,
}

/// A validation.
#[derive(Clone, Debug, Serialize)]
pub struct Validation {
    /// When it ended, in UTC.
    pub at: String,
    /// What it found.
    #[serde(flatten)]
    pub report: ValidationReport,
}

/// A query benchmark.
#[derive(Clone, Debug, Serialize)]
pub struct Benchmark {
    /// When it ended, in UTC.
    pub at: String,
    /// What it measured.
    #[serde(flatten)]
    pub report: BenchReport,
}

/// A switchover.
#[derive(Clone, Debug, Serialize)]
pub struct Switchover {
    /// Its id.
    pub switchover_id: Uuid,
    /// How far it has come: `switched`, `returned` or `cleaned`.
    pub state: String,
    /// Rows of the new table when it went live.
    pub rows: i64,
    /// Writes that were carried over to it.
    pub replayed_rows: i64,
    /// What the catalog says otherwise since, because it was asked for. Had anything else
    /// differed, there would have been no switchover.
    pub exceptions: Vec<Difference>,
    /// How many things the catalog said of the table, each of which was compared.
    pub compared: i32,
    /// Tries for a moment in which all locks could be had, where it was a step of the run.
    pub attempts: Option<u64>,
    /// How long readers were kept out, in milliseconds, where it was a step of the run.
    pub locked_ms: Option<f64>,
    /// Who made it.
    pub role: String,
    /// When, in UTC.
    pub switched_at: String,
    /// When it was rolled back, in UTC.
    pub returned_at: Option<String>,
    /// When the old table was dropped, in UTC.
    pub cleaned_at: Option<String>,
}

/// A backup in files.
#[derive(Clone, Debug, Serialize)]
pub struct Backup {
    /// Its folder, on the machine that took it.
    pub path: String,
    /// SHA-256 of its file of checksums.
    pub sha256: String,
    /// Its tables with their rows.
    pub tables: Vec<SavedTable>,
    /// Its size.
    pub bytes: i64,
    /// What its last verification found.
    pub verified: bool,
    /// When it was taken, in UTC.
    pub at: String,
}

/// A copy of the live table beside it.
#[derive(Clone, Debug, Serialize)]
pub struct BackupTable {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: i64,
    /// When it was made, in UTC.
    pub at: String,
}

/// What durations depend on.
#[derive(Clone, Debug, Serialize)]
pub struct RunEnvironment {
    /// The version of sterna that collected the report.
    pub sterna: &'static str,
    /// Whether it was compiled with optimisation, as for a release.
    pub release_build: bool,
    /// The server, as it says itself.
    pub server: String,
    /// The database.
    pub database: String,
    /// The role that collected the report.
    pub role: String,
    /// Settings of the server.
    pub settings: Value,
    /// Operating system and processor of this machine.
    pub client: String,
    /// Cores that sterna may use.
    pub client_cores: usize,
}

impl RunReport {
    /// The load whose rows are, or were to be, those of the new table: the last one of the
    /// files as a whole.
    #[must_use]
    pub fn main_load(&self) -> Option<&Load> {
        let whole = |load: &&Load| load.arguments["years"].as_array().is_none_or(Vec::is_empty);
        let loads = || self.loads.iter().rev().filter(|load| load.rows.is_some());
        loads().find(whole).or_else(|| loads().next())
    }

    /// The comparison with production that covers the most years, the latest of those.
    #[must_use]
    pub fn comparison(&self) -> Option<&Validation> {
        self.validations
            .iter()
            .filter(|validation| !validation.report.by_year.is_empty())
            .max_by_key(|validation| validation.report.by_year.len())
    }

    /// Rows of all years that were compared: of production, and of what was to replace it.
    #[must_use]
    pub fn rows_compared(&self) -> Option<(i64, i64)> {
        let years: &[Change] = &self.comparison()?.report.by_year;
        let sum = |rows: fn(&Change) -> i64| years.iter().map(rows).sum();
        Some((sum(|year| year.production), sum(|year| year.checked)))
    }
}
