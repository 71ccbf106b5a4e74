//! The report of a run: everything that the ledger says about it, as one value. It is
//! rendered elsewhere.
//!
//! A report covers what happened to the table since the run began, including steps that
//! separate commands ran. Without a migration it covers everything that the ledger says
//! about the table. Nothing is measured for the report, and nothing in the ledger is secret.

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
use crate::migrate::{RunState, Step, StepState};
use crate::table::fingerprint::Difference;
use crate::validate::{Change, ValidationReport};

/// The names of the files of a report: page, Markdown, JSON, JUnit XML.
pub const FILES: [&str; 4] = ["report.html", "report.md", JSON, "junit.xml"];

/// The name of the file with all data.
pub const JSON: &str = "report.json";

/// Everything that the ledger says about a run.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// How it ended.
    pub outcome: RunOutcome,
    /// The table to replace.
    pub table: String,
    /// When the report was collected, in UTC by the server's clock.
    pub collected_at: String,
    /// The migration; none if there were only separate commands.
    pub run: Option<Status>,
    /// The migration of the table before it; none if it is the first.
    pub previous: Option<PreviousRun>,
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
    /// Existing backup tables.
    pub backup_tables: Vec<BackupTable>,
    /// Ways to resume, roll back or restore from here.
    pub way_back: Vec<WayBack>,
    /// The environment that durations depend on.
    pub environment: RunEnvironment,
    /// Ledger entries that this version cannot read.
    pub unreadable: Vec<String>,
}

/// An attempt at a step.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// The step's number.
    pub step: Step,
    /// What it does.
    pub title: &'static str,
    /// The locks it takes, by the plan.
    pub locks: &'static str,
    /// Which attempt of its run it is, from 1.
    pub attempt: i32,
    /// Its state.
    pub state: StepState,
    /// Whether it never ended: the process, the machine or the connection was lost.
    pub killed: bool,
    /// Whether a separate command ran it.
    pub by_command: bool,
    /// Seconds from the beginning of the first attempt to the beginning of this one.
    pub began_seconds: f64,
    /// Seconds that it took, or has taken so far; if it was killed, to its last batch, and 0
    /// without one.
    pub seconds: f64,
    /// Rows that it read or wrote.
    pub rows: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// The role that ran it.
    pub role: String,
    /// When it began, in UTC.
    pub started_at: String,
}

/// The migration before a run.
#[derive(Clone, Debug, Serialize)]
pub struct PreviousRun {
    /// Its id.
    pub run_id: Uuid,
    /// Its state.
    pub state: RunState,
    /// When it began, in UTC.
    pub started_at: String,
    /// The folder of its report, on the machine that wrote it; none if it wrote none.
    pub folder: Option<String>,
}

/// A load and its speed.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// Its id.
    pub run_id: Uuid,
    /// Its state in the ledger.
    pub state: String,
    /// When it began, in UTC.
    pub started_at: String,
    /// Seconds that it took; none if it did not end.
    pub seconds: Option<f64>,
    /// Its arguments.
    pub arguments: Value,
    /// What became of the records; none if they were not read to the end.
    pub rows: Option<RowsReport>,
    /// Rows per second over its course, by connection; none if it wrote no rows.
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
    /// Its state: `switched`, `returned` or `cleaned`.
    pub state: String,
    /// Rows of the new table when it went live.
    pub rows: i64,
    /// Writes that were carried over to it.
    pub replayed_rows: i64,
    /// Differences in the catalog that were asked for. Any other difference would have
    /// prevented the switchover.
    pub exceptions: Vec<Difference>,
    /// The number of catalog entries of the table, all of which were compared.
    pub compared: i32,
    /// Attempts to get all locks at once, if it was a step of the run.
    pub attempts: Option<u64>,
    /// How long readers were locked out, in milliseconds, if it was a step of the run.
    pub locked_ms: Option<f64>,
    /// The role that ran it.
    pub role: String,
    /// When it happened, in UTC.
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
    /// Its size in bytes.
    pub bytes: i64,
    /// The result of its last verification.
    pub verified: bool,
    /// When it was taken, in UTC.
    pub at: String,
}

/// A copy of the live table beside it.
#[derive(Clone, Debug, Serialize)]
pub struct BackupTable {
    /// Its name.
    pub table: String,
    /// Its number of rows.
    pub rows: i64,
    /// When it was created, in UTC.
    pub at: String,
}

/// The environment that durations depend on.
#[derive(Clone, Debug, Serialize)]
pub struct RunEnvironment {
    /// The version of sterna that collected the report.
    pub sterna: &'static str,
    /// Whether it is a release build, compiled with optimisation.
    pub release_build: bool,
    /// The server's version, as it reports it.
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
    /// The load whose rows are, or were to be, those of the new table: the last load of all
    /// years.
    #[must_use]
    pub fn main_load(&self) -> Option<&Load> {
        let whole = |load: &&Load| load.arguments["years"].as_array().is_none_or(Vec::is_empty);
        let loads = || self.loads.iter().rev().filter(|load| load.rows.is_some());
        loads().find(whole).or_else(|| loads().next())
    }

    /// The comparison with production that covers the most years, and the latest of these.
    #[must_use]
    pub fn comparison(&self) -> Option<&Validation> {
        self.validations
            .iter()
            .filter(|validation| !validation.report.by_year.is_empty())
            .max_by_key(|validation| validation.report.by_year.len())
    }

    /// The benchmark of the main load's rows, from which the sizes of both tables are known, and
    /// its index.
    #[must_use]
    pub fn main_benchmark(&self) -> Option<(usize, &Benchmark)> {
        let load = self.main_load()?;
        let last = self.benchmarks.len().checked_sub(1)?;
        let benchmark = &self.benchmarks[last];
        (benchmark.at >= load.started_at).then_some((last, benchmark))
    }

    /// Rows of all compared years: of production, and of the table to replace it.
    #[must_use]
    pub fn rows_compared(&self) -> Option<(i64, i64)> {
        let years: &[Change] = &self.comparison()?.report.by_year;
        let sum = |rows: fn(&Change) -> i64| years.iter().map(rows).sum();
        Some((sum(|year| year.production), sum(|year| year.checked)))
    }
}
