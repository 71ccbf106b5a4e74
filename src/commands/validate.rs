//! `sterna validate`: whether the rows of staging, or of the live table, are right.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::Context;
use crate::error::{Error, Kind, Result};
use crate::load::{Watch, Years};
use crate::validate::{Limits, Severity, ValidateOptions, ValidationReport, validate};
use crate::{ledger, report};

/// Check the rows of staging, or of the live table after a switchover
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna validate --expect-rows 489107
  sterna validate --year 2024 --format json
  sterna validate --checks my-checks/ --max-shrinkage 25
  sterna validate --comprehensive               after the switchover

A check of one's own is an .sql file with a header:
  -- Name: no-caviar-by-post
  -- Purpose: caviar does not come in watchstraps.
  -- Severity: error                 (or warning)
  SELECT record_id, term, unit FROM {checked} WHERE term = 'caviar' AND unit = 'watchstraps'
It returns what is wrong. {checked} is the table under validation, {table} the one in
production, {staging} the staging table; other names need their schema.")]
pub struct ValidateArgs {
    /// Years to compare with production: 2024, 2015-2020, or several with commas [default: those loaded]
    #[arg(long, value_name = "Y", conflicts_with = "all")]
    pub year: Vec<Years>,
    /// Compare all years, whichever were loaded
    #[arg(long)]
    pub all: bool,
    /// Rows that there have to be
    #[arg(long, value_name = "N")]
    pub expect_rows: Option<u64>,
    /// Check the live table, and the summary, views, functions and sequences around it
    #[arg(long)]
    pub comprehensive: bool,
    /// Folder of further checks, an .sql file each
    #[arg(long, value_name = "DIR")]
    pub checks: Option<PathBuf>,
    /// First year that a record can be of
    #[arg(long, default_value_t = Limits::default().first_year, value_name = "Y")]
    pub first_year: i32,
    /// Last year that a record can be of [default: this year]
    #[arg(long, value_name = "Y")]
    pub last_year: Option<i32>,
    /// Rows in a hundred that a species may lose, in a year or in all
    #[arg(long, default_value_t = Limits::default().max_shrinkage_percent, value_name = "P", value_parser = percentage)]
    pub max_shrinkage: f64,
    /// By how much in a hundred the total quantity of a unit may change
    #[arg(long, default_value_t = Limits::default().max_quantity_change_percent, value_name = "P", value_parser = percentage)]
    pub max_quantity_change: f64,
    /// Connections that check side by side [default: one per core, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub connections: Option<u16>,
}

fn percentage(text: &str) -> std::result::Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=1000.0).contains(&percent) => Ok(percent),
        _ => Err("not a percentage".into()),
    }
}

/// Validates, shows what was found, and returns the exit code.
///
/// # Errors
/// [`Kind::Validation`] where a check of severity error failed; otherwise as [`validate`].
pub fn run(args: &ValidateArgs, context: &Context) -> Result<u8> {
    let options = options(args, context);
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::file("the async runtime", e))?;
    let found = runtime.block_on(async {
        let info = context.conninfo()?;
        let (session, pair) = context.session(&info).await?;
        ledger::lock(&session, &pair.table).await?;
        let found = validate(&info, &options, &watch.stop).await?;
        ledger::unlock(&session, &pair.table).await?;
        Ok::<_, Error>(found)
    })?;
    context.print(&found, || report::validate::text(&found))?;
    if found.passed { Ok(0) } else { Err(failure(&found)) }
}

fn failure(found: &ValidationReport) -> Error {
    let failed = found.failed();
    let names = failed.iter().filter(|check| check.severity == Severity::Error);
    let names: Vec<_> = names.map(|check| check.name.as_str()).collect();
    let (count, all) = (names.len(), found.checks.len());
    let what = format!("{} failed {count} of {all} checks: {}", found.table, names.join(", "));
    Error::new(Kind::Validation, what).hint(
        "mend what the report names; where the rows are as they should be, a limit may have to \
         be raised (`sterna validate --help`)",
    )
}

fn options(args: &ValidateArgs, context: &Context) -> ValidateOptions {
    let mut options = ValidateOptions::new(context.table.clone());
    if args.all {
        options.years = Some(Years::default());
    }
    for more in &args.year {
        options.years.get_or_insert_default().extend(more.clone());
    }
    options.expect_rows = args.expect_rows;
    options.comprehensive = args.comprehensive;
    options.checks.clone_from(&args.checks);
    options.limits = Limits {
        first_year: args.first_year,
        last_year: args.last_year,
        max_shrinkage_percent: args.max_shrinkage,
        max_quantity_change_percent: args.max_quantity_change,
    };
    options.connections = args.connections.map_or(options.connections, usize::from);
    options
}
