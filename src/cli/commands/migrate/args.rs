//! The arguments of `sterna migrate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::commands::Context;
use crate::cli::commands::application::ApplicationArgs;
use crate::cli::commands::bench::{not_negative, ratio};
use crate::cli::commands::load::LoadChoices;
use crate::cli::commands::size::size;
use crate::cli::commands::switchover::duration;
use crate::cli::commands::validate::LimitArgs;
use crate::cli::render;
use crate::error::Result;
use crate::load::{LoadOptions, Years};
use crate::migrate::{Addition, BackupTableChoice, CheckLimits, Gates, MigrationOptions, Step};
use crate::pg::Table;

/// Run the whole plan: backup, test, load, validate, switch over, validate again
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna migrate download.zip --expect-rows 489107
  sterna migrate download.zip --to 3.3            stop before the switchover
  sterna migrate download.zip --resume            after an interruption, a failure, or --to
  sterna migrate download.zip --year 2024         one partition of a table partitioned by year
  sterna rollback switchover                      back to the state before step 4.2
  sterna migrate download.zip --add-synonym 'Branta hutchinsii leucopareia=Branta canadensis leucopareia'

`sterna plan` shows every step, `sterna status` the progress of the run. A gate that fails
(exit code 4 or 5) stops the run; all but 5.2 come before production is touched.")]
pub struct MigrateArgs {
    /// Options shared with `sterna rehearse`.
    #[command(flatten)]
    pub choices: MigrationChoices,
    /// First step to run, by number or name; earlier steps are assumed to be done
    #[arg(long, value_name = "STEP", conflicts_with = "resume")]
    pub from: Option<Step>,
    /// Last step to run
    #[arg(long, value_name = "STEP", default_value = Step::LAST.number())]
    pub to: Step,
    /// Resume the unfinished run at the first step that is not done
    #[arg(long)]
    pub resume: bool,
    /// Folder of the backup [default: sterna-backup-RUN]
    #[arg(long, value_name = "DIR")]
    pub backup_out: Option<PathBuf>,
    /// Folder of the report [default: sterna-report-RUN]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// In step 5.2, query views and functions over the table for one row, as the application:
    /// only those owned by superusers or the connected role
    #[arg(long)]
    pub ask_dependents: bool,
    /// The login that runs them.
    #[command(flatten)]
    pub application: ApplicationArgs,
    /// Migrate a production table without a passed rehearsal; recorded as a deviation
    #[arg(long)]
    pub without_rehearsal: bool,
}

/// Options of a migration and of its rehearsal.
#[derive(Args, Clone, Debug)]
pub struct MigrationChoices {
    /// CSV files, .csv.gz, .zip, folders or globs
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Replace only the partition of these years, in a table partitioned by year: 2024, 2015-2020
    #[arg(long, value_name = "YEARS")]
    pub year: Option<Years>,
    /// Skip a step; recorded as a deviation (repeatable). With 2.3, step 3.3 times no queries either
    #[arg(long, value_name = "STEP")]
    pub skip: Vec<Step>,
    /// Continue even if a validation fails; recorded as a deviation
    #[arg(long, help_heading = "Gates")]
    pub accept_failed_validation: bool,
    /// Continue even if this check fails; recorded as a deviation with its figures (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Gates")]
    pub accept_check: Vec<String>,
    /// Continue even if a query is certainly slower; recorded as a deviation
    #[arg(long, help_heading = "Gates")]
    pub accept_regression: bool,
    /// Add a species, with its common name (repeatable)
    #[arg(long, value_name = "NAME=COMMON NAME")]
    pub add_species: Vec<String>,
    /// Species to copy the ranks from: one for each --add-species
    #[arg(long, value_name = "NAME", requires = "add_species")]
    pub like: Vec<String>,
    /// Treat a name in the files as a species of the database (repeatable)
    #[arg(long, value_name = "NAME=SPECIES")]
    pub add_synonym: Vec<String>,
    /// Year to test with [default: the newest in the files]
    #[arg(long, value_name = "Y")]
    pub test_year: Option<i32>,
    /// Expected number of rows
    #[arg(long, value_name = "N", help_heading = "Gates")]
    pub expect_rows: Option<u64>,
    /// Seconds for timing queries, at each of the two gates; longer, and told, if the fewest rounds
    /// that a verdict needs take longer: 8 to 32 for each query, with two round trips each
    #[arg(long, default_value_t = 5.0, value_name = "S", value_parser = not_negative, help_heading = "Gates")]
    pub bench_seconds: f64,
    /// Folder of additional queries to time, one .sql file each
    #[arg(long, value_name = "DIR", help_heading = "Gates")]
    pub queries: Option<PathBuf>,
    /// Allowed slowdown of staging over production
    #[arg(long, default_value_t = 1.20, value_name = "RATIO", value_parser = ratio, help_heading = "Gates")]
    pub max_regression: f64,
    /// How long to keep trying to get all locks
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
    /// Compute materialized views after the exchange; until then they cannot be read
    #[arg(long)]
    pub refresh_after: bool,
    /// Whether step 4.1 copies the live table
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub backup_table: BackupTableChoice,
    /// Size that the plan of a hosted server allows, such as 8GB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub disk_limit: Option<u64>,
    /// Options of the load.
    #[command(flatten)]
    pub load: LoadChoices,
    /// Checks and their limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

impl MigrateArgs {
    /// Converts to the engine's options.
    ///
    /// # Errors
    /// Usage errors that name the option.
    pub(super) fn options(&self, context: &Context) -> Result<MigrationOptions> {
        let limit = self.choices.limits.time_limit;
        let application = self.ask_dependents.then(|| self.application.application(limit));
        let mut options = MigrationOptions {
            from: self.from,
            to: self.to,
            resume: self.resume,
            backup: self.backup_out.clone(),
            report: self.out.clone(),
            ask_dependents: application.transpose()?,
            production: context.production,
            without_rehearsal: self.without_rehearsal,
            typed: context.typed(),
            ..self.choices.options(&context.table)?
        };
        options.load.typed.clone_from(&options.typed);
        Ok(options)
    }
}

impl MigrationChoices {
    /// The context with the partition that `--year` chooses as its table, if it does.
    ///
    /// # Errors
    /// As [`Context::narrowed`].
    pub(in crate::cli::commands) fn narrowed(&self, context: &Context) -> Result<Context> {
        context.narrowed(self.year.as_ref(), self.load.mapping.as_deref())
    }

    /// Converts to the engine's options, for the whole plan.
    ///
    /// # Errors
    /// Usage errors that name the option.
    pub(in crate::cli::commands) fn options(&self, table: &Table) -> Result<MigrationOptions> {
        let limits = self.limits.options(table);
        let load = self.load.options(table, &self.inputs);
        Ok(MigrationOptions {
            load: LoadOptions { years: self.year.clone().unwrap_or_default(), ..load },
            skip: self.skip.clone(),
            accept_failed_validation: self.accept_failed_validation,
            accept_check: self.accept_check.clone(),
            accept_regression: self.accept_regression,
            additions: Addition::parse(&self.add_species, &self.like, &self.add_synonym)?,
            test_year: self.test_year,
            bench_seconds: self.bench_seconds,
            gates: Gates {
                expect_rows: self.expect_rows,
                queries: self.queries.clone(),
                max_regression: self.max_regression,
                limits: CheckLimits { checks: limits.checks, limits: limits.limits },
            },
            time_limit: limits.time_limit,
            max_wait: self.max_wait,
            refresh_after: self.refresh_after,
            backup_table: self.backup_table,
            disk_limit: self.disk_limit,
            write_report: Some(render::run::write_latest),
            ..MigrationOptions::new(table.clone(), self.inputs.clone())
        })
    }
}
