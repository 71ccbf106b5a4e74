//! `sterna validate`: validates the rows of staging or of the live table.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use serde_json::json;

use super::Context;
use super::application::ApplicationArgs;
use super::step::{AsStep, as_step};
use super::switchover::duration;
use crate::cli::render;
use crate::error::Result;
use crate::load::Years;
use crate::migrate::Step;
use crate::migrate::outcome;
use crate::pg::Table;
use crate::switchover::parity::{left_out, parity};
use crate::validate::{Limits, ValidateOptions, validate};
use crate::watch::Watch;

/// Check the rows of staging, or of the live table after a switchover
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna validate --expect-rows 489107
  sterna validate --year 2024 --format json
  sterna validate --checks my-checks/ --max-shrinkage 25
  sterna validate --comprehensive               after the switchover

A check of your own is an .sql file with a header:
  -- Name: no-caviar-by-post
  -- Purpose: caviar does not come in watchstraps.
  -- Severity: error                 (or warning)
  SELECT record_id, term, unit FROM {checked} WHERE term = 'caviar' AND unit = 'watchstraps'
It returns the rows that are wrong. {checked} is the table under validation, {table} the one in
production, {staging} the staging table; other names need their schema.")]
pub struct ValidateArgs {
    /// Years to compare with production: 2024, 2015-2020, or several with commas [default: those loaded]
    #[arg(long, value_name = "Y", conflicts_with = "all")]
    pub year: Vec<Years>,
    /// Compare all years, not only those that were loaded
    #[arg(long)]
    pub all: bool,
    /// Expected number of rows
    #[arg(long, value_name = "N")]
    pub expect_rows: Option<u64>,
    /// Check the live table, and the summary, views, functions, sequences and grants around it
    #[arg(long)]
    pub comprehensive: bool,
    /// Query views and functions over the table for one row, as the application: only those
    /// owned by superusers or the connected role. Otherwise they are only parsed and compiled
    #[arg(long, requires = "comprehensive")]
    pub ask_dependents: bool,
    /// The login that runs them.
    #[command(flatten)]
    pub application: ApplicationArgs,
    /// Checks and their limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Parallel connections for the checks [default: one per core, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub connections: Option<u16>,
}

/// Options of every command that validates.
#[derive(Args, Clone, Debug)]
pub struct LimitArgs {
    /// Folder of additional checks, one .sql file each
    #[arg(long, value_name = "DIR", help_heading = "Gates")]
    pub checks: Option<PathBuf>,
    /// Time limit for each of your own checks and each query of a dependent
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration, help_heading = "Gates")]
    pub time_limit: Duration,
    /// Earliest valid year of a record
    #[arg(long, default_value_t = Limits::default().first_year, value_name = "Y", help_heading = "Gates")]
    pub first_year: i32,
    /// Latest valid year of a record [default: this year]
    #[arg(long, value_name = "Y", help_heading = "Gates")]
    pub last_year: Option<i32>,
    /// Percentage of rows that may be missing: in total, per year and per species
    #[arg(long, default_value_t = Limits::default().max_shrinkage_percent, value_name = "P", value_parser = percentage, help_heading = "Gates")]
    pub max_shrinkage: f64,
    /// Allowed change of a unit's total quantity, in percent
    #[arg(long, default_value_t = Limits::default().max_quantity_change_percent, value_name = "P", value_parser = percentage, help_heading = "Gates")]
    pub max_quantity_change: f64,
}

impl LimitArgs {
    /// Converts to the engine's options.
    #[must_use]
    pub fn options(&self, table: &Table) -> ValidateOptions {
        ValidateOptions {
            checks: self.checks.clone(),
            time_limit: self.time_limit,
            limits: Limits {
                first_year: self.first_year,
                last_year: self.last_year,
                max_shrinkage_percent: self.max_shrinkage,
                max_quantity_change_percent: self.max_quantity_change,
            },
            ..ValidateOptions::new(table.clone())
        }
    }
}

fn percentage(text: &str) -> std::result::Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=1000.0).contains(&percent) => Ok(percent),
        _ => Err("not a percentage".into()),
    }
}

/// Validates, prints the result, and returns the exit code.
///
/// # Errors
/// [`crate::error::Kind::Validation`] if a check of severity error failed; otherwise as [`validate`].
pub fn run(args: &ValidateArgs, context: &Context) -> Result<u8> {
    let mut options = options(args, context)?;
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let step = match (args.comprehensive, args.year.is_empty()) {
        (true, _) => Step::Comprehensive,
        (false, true) => Step::Validation,
        (false, false) => Step::TestValidation,
    };
    let arguments = json!({"years": options.years, "expect_rows": args.expect_rows});
    let what =
        AsStep { step, arguments, told: |found| outcome::validation(found, &[]), watch: &watch };
    let found = as_step(context, &what, |exclusive, _| {
        if options.comprehensive {
            let parity = exclusive.session(async |session, pair| parity(session, pair).await)?;
            options.further.push(parity.unwrap_or_else(left_out));
        }
        let progress = render::progress::Shown::start(context.progress, &watch);
        let found = exclusive.runtime.block_on(validate(&exclusive.info, &options, &watch));
        progress.finish();
        found
    })?;
    context.print(&found, || render::validate::text(&found))?;
    found.failure(&[]).map_or(Ok(0), Err)
}

fn options(args: &ValidateArgs, context: &Context) -> Result<ValidateOptions> {
    let mut options = args.limits.options(&context.table);
    if args.all {
        options.years = Some(Years::default());
    }
    for more in &args.year {
        options.years.get_or_insert_default().extend(more.clone());
    }
    options.expect_rows = args.expect_rows;
    options.comprehensive = args.comprehensive;
    options.connections = args.connections.map_or(options.connections, usize::from);
    if args.ask_dependents {
        options.ask_dependents = Some(args.application.application(args.limits.time_limit)?);
    }
    Ok(options)
}
