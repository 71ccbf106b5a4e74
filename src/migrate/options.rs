//! Options of a migration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::additions::{self, Addition, texts};
use super::plan::Step;
use crate::application::Application;
use crate::bench::BenchOptions;
use crate::error::{Error, Result};
use crate::estimate::Sizes;
use crate::inspect::InspectOptions;
use crate::load::LoadOptions;
use crate::pg::{Connection, Table};
use crate::validate::{Limits, ValidateOptions, refuse_unknown_checks};

/// Writes the report of the latest run on a table into a folder, which is created if it is
/// missing; returns the file to open.
pub type WriteReport =
    for<'a> fn(&'a Connection, &'a Table, &'a Path) -> BoxFuture<'a, Result<PathBuf>>;

/// What step 4.1 does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BackupTableChoice {
    /// Copy the live table; the copy stays as it is if the switchover is rolled back.
    #[default]
    Always,
    /// Copy nothing: until the clean-up, the switchover keeps the replaced table itself.
    Auto,
}

/// Options of a migration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MigrationOptions {
    /// The table, its files and how they are loaded; the run itself sets `resume`, `verify`, and
    /// the years. If some are set before, they must be those of a partition.
    pub load: LoadOptions,
    /// The first step to run, assuming that earlier ones are done; none for the first of all.
    pub from: Option<Step>,
    /// The last step to run; any step after [`Step::LAST`] counts as `LAST`.
    pub to: Step,
    /// Resume the unfinished run.
    pub resume: bool,
    /// Steps to skip; each is a deviation.
    pub skip: Vec<Step>,
    /// Continue after a failed validation, which is a deviation.
    pub accept_failed_validation: bool,
    /// Checks that may fail, which is a deviation.
    pub accept_check: Vec<String>,
    /// Continue if a query is certainly slower, which is a deviation.
    pub accept_regression: bool,
    /// Species and synonyms to add, in this order.
    pub additions: Vec<Addition>,
    /// The year to test with; none for the newest year in the files.
    pub test_year: Option<i32>,
    /// Seconds to time queries for, at each of the two gates.
    pub bench_seconds: f64,
    /// Limits and expectations of the gates.
    pub gates: Gates,
    /// Time limit of each user-defined check and of each query on a dependent.
    pub time_limit: Duration,
    /// How long to keep trying to get all locks.
    pub max_wait: Duration,
    /// Refresh materialized views after the switchover; until then they cannot be read.
    pub refresh_after: bool,
    /// Whether step 4.1 copies the live table, or leaves that to the switchover, which keeps it.
    pub backup_table: BackupTableChoice,
    /// What the database may take, in bytes; a migration that would take more is refused.
    pub disk_limit: Option<u64>,
    /// The backup folder; none for one named after the run, in the working directory.
    pub backup: Option<PathBuf>,
    /// The report folder, with the same default.
    pub report: Option<PathBuf>,
    /// Writes the report; none leaves that to the caller, who has [`super::Migrated`].
    pub write_report: Option<WriteReport>,
    /// The login that queries dependents for a row in step 5.2; without it they are only parsed
    /// and compiled.
    pub ask_dependents: Option<Application>,
    /// The table is production: the run is refused without a passed rehearsal.
    pub production: bool,
    /// Allow a run without a rehearsal, which is a deviation.
    pub without_rehearsal: bool,
    /// The command line, without secrets, for the commands that errors and reports suggest.
    pub typed: Vec<String>,
}

/// Limits and expectations of the gates. Optional ones given at the beginning still hold if
/// the run is resumed without them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Gates {
    /// The expected number of rows.
    pub expect_rows: Option<u64>,
    /// A folder of additional queries to time, one .sql file each.
    pub queries: Option<PathBuf>,
    /// The allowed slowdown of staging over production.
    pub max_regression: f64,
    /// Additional checks, and the limits of the checks.
    pub limits: CheckLimits,
}

/// Additional checks, and the limits of the checks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CheckLimits {
    /// A folder of additional checks, one .sql file each.
    pub checks: Option<PathBuf>,
    /// The limits of the checks.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Default for Gates {
    fn default() -> Self {
        Gates {
            expect_rows: None,
            queries: None,
            max_regression: 1.2,
            limits: CheckLimits::default(),
        }
    }
}

impl MigrationOptions {
    /// The whole plan, with the defaults of the command line.
    #[must_use]
    pub fn new(table: Table, inputs: Vec<String>) -> Self {
        MigrationOptions {
            load: LoadOptions::new(table, inputs),
            from: None,
            to: Step::LAST,
            resume: false,
            skip: Vec::new(),
            accept_failed_validation: false,
            accept_check: Vec::new(),
            accept_regression: false,
            additions: Vec::new(),
            test_year: None,
            bench_seconds: 5.0,
            gates: Gates::default(),
            time_limit: Duration::from_secs(10 * 60),
            max_wait: Duration::from_secs(60),
            refresh_after: false,
            backup_table: BackupTableChoice::default(),
            disk_limit: None,
            backup: None,
            report: None,
            write_report: None,
            ask_dependents: None,
            production: false,
            without_rehearsal: false,
            typed: Vec::new(),
        }
    }

    /// The table to replace.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.load.table
    }

    /// Refuses invalid options.
    pub(super) fn check(&self) -> Result<()> {
        if self.from.is_some_and(|from| from > self.to) {
            return Err(Error::usage(format!("--to {} comes before --from", self.to)));
        }
        if let Some(step) = self.skip.iter().find(|step| !step.may_be_skipped()) {
            return Err(Error::usage(format!("step {step} cannot be skipped"))
                .hint("use --from and --to to run a part of the plan"));
        }
        additions::check(&self.additions)?;
        refuse_unknown_checks(&self.accept_check, self.gates.limits.checks.as_deref())
    }

    /// The arguments for the ledger, without secrets.
    pub(super) fn arguments(&self) -> Result<Value> {
        let [add_species, like, add_synonym] = texts(&self.additions);
        let mut arguments = json!({
            "inputs": self.load.inputs,
            "skip": self.skip,
            "accept_failed_validation": self.accept_failed_validation,
            "accept_check": self.accept_check,
            "accept_regression": self.accept_regression,
            "add_species": add_species,
            "like": like,
            "add_synonym": add_synonym,
            "test_year": self.test_year,
            "bench_seconds": self.bench_seconds,
            "max_wait_seconds": self.max_wait.as_secs_f64(),
            "refresh_after": self.refresh_after,
            "backup_table": self.backup_table,
            "disk_limit": self.disk_limit,
            "load": self.load.arguments(),
            "from": self.from,
            "to": self.to,
            "backup_out": self.backup,
            "out": self.report,
            "ask_dependents": self.ask_dependents.is_some(),
            "without_rehearsal": self.without_rehearsal,
            "typed": self.typed,
        });
        if let (Value::Object(all), Value::Object(gates)) =
            (&mut arguments, super::outcome::value(&self.gates)?)
        {
            all.extend(gates);
        }
        Ok(arguments)
    }

    /// What a run with these options adds to the database.
    pub(super) fn sizes(&self, sizes: Sizes) -> Sizes {
        match self.backup_table {
            BackupTableChoice::Always => sizes,
            BackupTableChoice::Auto => sizes.without_backup_table(),
        }
    }

    /// The options of a validation.
    pub(super) fn validation(&self) -> ValidateOptions {
        let CheckLimits { checks, limits } = self.gates.limits.clone();
        let time_limit = self.time_limit;
        ValidateOptions { checks, time_limit, limits, ..ValidateOptions::new(self.table().clone()) }
    }

    /// The options of a benchmark.
    pub(super) fn bench(&self) -> BenchOptions {
        BenchOptions {
            seconds: self.bench_seconds,
            max_regression: self.gates.max_regression,
            queries: self.gates.queries.clone(),
            ..BenchOptions::new(self.table().clone())
        }
    }

    /// The options to inspect the files, of all years or those of the partition.
    pub(super) fn inspection(&self) -> InspectOptions {
        let load = self.load.clone();
        InspectOptions {
            read: load.read,
            on_inexact: Some(load.on_inexact),
            synonyms: load.synonyms,
            mapping: load.mapping,
            workers: load.workers,
            years: load.years,
            ..InspectOptions::new(load.table, load.inputs)
        }
    }
}
