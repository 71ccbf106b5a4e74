//! `sterna inspect`: compares files with the target table before they are loaded.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::Context;
use super::load::{MatchChoices, ReadChoices};
use crate::cli::render;
use crate::error::{Kind, Result};
use crate::inspect::{InspectOptions, inspect};
use crate::load::{OnInexact, Years};
use crate::watch::Watch;

/// Inspect files before loading them: taxa, years, values that do not fit, codes
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna inspect download.zip
  sterna inspect download.zip --year 2024 --format json
  sterna inspect files/*.csv --on-inexact widen --synonyms names.csv

It writes nothing to the database. The exit code is 4 if the files are not ready to be
loaded with the given policy, or with any if none is given.")]
pub struct InspectArgs {
    /// CSV files, .csv.gz, .zip, folders, globs, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Inspect these years only: 2024, 2015-2020, or several with commas [default: all]
    #[arg(long, value_name = "Y")]
    pub year: Vec<Years>,
    /// Policy for values that do not fit [default: try all and recommend one]
    #[arg(long, value_enum)]
    pub on_inexact: Option<OnInexact>,
    /// CSV file of synonyms, with the header synonym,scientific_name
    #[arg(long, value_name = "FILE")]
    pub synonyms: Option<PathBuf>,
    /// TOML file of formats, in place of the built-in ones (see data/formats.toml)
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// How rows are matched with production's.
    #[command(flatten)]
    pub matching: MatchChoices,
    /// How the files are read.
    #[command(flatten)]
    pub read: ReadChoices,
    /// List every file, however many there are
    #[arg(long)]
    pub files: bool,
    /// Threads that read and check [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: Option<u16>,
}

/// Inspects the files, prints the result, and returns the exit code.
///
/// # Errors
/// As [`inspect`].
pub fn run(args: &InspectArgs, context: &Context) -> Result<u8> {
    let mut years = Years::default();
    for more in &args.year {
        years.extend(more.clone());
    }
    let all = InspectOptions::new(context.table.clone(), args.inputs.clone());
    let options = InspectOptions {
        read: args.read.options(),
        years,
        on_inexact: args.on_inexact,
        synonyms: args.synonyms.clone(),
        mapping: args.mapping.clone(),
        matching: Some(args.matching.options()),
        workers: args.workers.map_or(all.workers, usize::from),
        ..all
    };
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let progress = render::progress::Shown::start(context.progress, &watch);
    let found = inspect(&context.conninfo()?, &options, &watch);
    progress.finish();
    let found = found?;
    context.print(&found, || render::inspect::text(&found, args.files))?;
    Ok(if found.verdict.loadable { 0 } else { Kind::Validation.exit_code() })
}
