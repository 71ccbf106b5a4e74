//! `sterna load`: loads files into the staging table.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::Context;
use super::step::{AsStep, was_step};
use crate::cli::render;
use crate::command_line;
use crate::error::Result;
use crate::load::{
    LoadOptions, MatchOptions, MaxRejects, OnInexact, OnUnmapped, ReadOptions, Unfilled, Years,
    load,
};
use crate::migrate::Step;
use crate::migrate::outcome;
use crate::pg::Table;
use crate::runtime;
use crate::watch::Watch;

/// Load CITES files into the staging table: every record accounted for, exactly once
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("which").required(true).args(["year", "all"]))]
#[command(after_help = "Examples:
  sterna load download.zip --all --verify
  sterna load download.zip --year 2024 --format json
  sterna load files/*.csv --year 2015-2020,2023 --on-inexact widen
  sterna load download.zip --all --resume        after an interruption
  sterna load ports.csv --all --mapping ports.toml --match code,year
  sterna load sterna-rejects-1a2b3c4d.csv --all --append   after fixing them")]
pub struct LoadArgs {
    /// CSV files, .csv.gz, .zip, folders, globs, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Load these years only: 2024, 2015-2020, or several with commas
    #[arg(long, value_name = "Y")]
    pub year: Vec<Years>,
    /// Load all years
    #[arg(long)]
    pub all: bool,
    /// Options shared with other commands that load.
    #[command(flatten)]
    pub choices: LoadChoices,
    /// Resume an unfinished load, or start one if there is none
    #[arg(long)]
    pub resume: bool,
    /// Add to the rows in staging, such as fixed rejects
    #[arg(long)]
    pub append: bool,
    /// Read staging back and compare it with what was read from the files
    #[arg(long)]
    pub verify: bool,
    /// List every file in the result, however many there are
    #[arg(long)]
    pub files: bool,
    /// Keep the indexes in place during the load instead of building them afterwards
    #[arg(long)]
    pub keep_indexes: bool,
}

/// Options of every command that loads files.
#[derive(Args, Clone, Debug)]
pub struct LoadChoices {
    /// How the files are read.
    #[command(flatten)]
    pub read: ReadChoices,
    /// Records per batch; each batch is one transaction
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Performance")]
    pub batch_size: u32,
    /// Threads that read and encode [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Performance")]
    pub workers: Option<u16>,
    /// Connections that write [default: one per core, at most 4; more if the server is far
    /// away]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Performance")]
    pub connections: Option<u16>,
    /// Replace a connection after this many seconds without a byte, unless the server is busy
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=86_400), help_heading = "Performance")]
    pub stall_timeout: u32,
    /// What to do with records whose taxon maps to no species
    #[arg(long, value_enum, default_value_t = OnUnmapped::Skip, help_heading = "Input")]
    pub on_unmapped: OnUnmapped,
    /// What to do with values that the column cannot hold exactly
    #[arg(long, value_enum, default_value_t = OnInexact::Reject, help_heading = "Input")]
    pub on_inexact: OnInexact,
    /// CSV file of synonyms, with the header synonym,scientific_name
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub synonyms: Option<PathBuf>,
    /// TOML file of formats, in place of the built-in ones (see data/formats.toml)
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub mapping: Option<PathBuf>,
    /// How rows are matched with production's.
    #[command(flatten)]
    pub matching: MatchChoices,
    /// Rejected records to allow: a number, or a percentage of the records read
    #[arg(long, default_value = "0", value_name = "N|P%", help_heading = "Input")]
    pub max_rejects: MaxRejects,
    /// File for rejected records [default: sterna-rejects-RUN.csv]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub rejects: Option<PathBuf>,
}

/// Options of every command that reads files.
#[derive(Args, Clone, Debug)]
pub struct ReadChoices {
    /// Also read the subfolders of a folder
    #[arg(long, help_heading = "Input")]
    pub recursive: bool,
    /// Longest record in bytes; records are held in memory, and longer ones are rejected
    #[arg(long, default_value_t = 16 << 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1024..=1 << 30), help_heading = "Input")]
    pub max_record_bytes: u32,
}

impl ReadChoices {
    /// Converts to the engine's options.
    #[must_use]
    pub fn options(&self) -> ReadOptions {
        let max_record_bytes = self.max_record_bytes as usize;
        ReadOptions { recursive: self.recursive, max_record_bytes }
    }
}

/// How rows are matched with production's, and what they keep of them.
#[derive(Args, Clone, Debug)]
pub struct MatchChoices {
    /// Columns that match a record with a row of production, separated by commas [default:
    /// the mapping's record_id, else a unique key that the files fill]
    #[arg(long = "match", value_name = "COLUMNS", value_delimiter = ',', help_heading = "Input")]
    pub match_by: Vec<String>,
    /// Whether columns that the files do not fill keep production's value if a row matches,
    /// or take their default; keys are kept
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub unfilled: Unfilled,
}

impl MatchChoices {
    /// Converts to the engine's options.
    #[must_use]
    pub fn options(&self) -> MatchOptions {
        MatchOptions { by: self.match_by.clone(), unfilled: self.unfilled }
    }
}

impl LoadChoices {
    /// Converts to the engine's options, for a load of all years.
    #[must_use]
    pub fn options(&self, table: &Table, inputs: &[String]) -> LoadOptions {
        let defaults = LoadOptions::new(table.clone(), inputs.to_vec());
        LoadOptions {
            read: self.read.options(),
            batch_rows: self.batch_size as usize,
            workers: self.workers.map_or(defaults.workers, usize::from),
            connections: self.connections.map(usize::from),
            stall_timeout: Duration::from_secs(self.stall_timeout.into()),
            on_unmapped: self.on_unmapped,
            on_inexact: self.on_inexact,
            synonyms: self.synonyms.clone(),
            mapping: self.mapping.clone(),
            matching: self.matching.options(),
            max_rejects: self.max_rejects,
            rejects: self.rejects.clone(),
            ..defaults
        }
    }
}

/// Loads the files, prints the result, and returns the exit code.
///
/// # Errors
/// As [`load`].
pub fn run(args: &LoadArgs, context: &Context) -> Result<u8> {
    let options = options(args, context);
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let step = if options.years.is_all() { Step::Load } else { Step::TestLoad };
    let progress = render::progress::Shown::start(context.progress, &watch);
    // What follows the load uses its sessions.
    let runtime = runtime::driven()?;
    let info = context.conninfo()?.keeping_sessions(runtime.handle().clone());
    let done = load(&info, &options, &watch);
    progress.finish();
    if done.is_err() {
        runtime.block_on(info.close_kept());
    }
    let done = done?;
    // A load has its own lock and ledger, and survives a lost session. That it was also a
    // step of the plan is recorded afterwards.
    let arguments = options.arguments();
    let what = AsStep { step, arguments, told: outcome::load, watch: &watch };
    if let Err(unwritten) = was_step(context, &info, &what, &done, done.report.seconds) {
        tracing::warn!("loaded, but not recorded in the ledger of runs: {unwritten}");
    }
    runtime.block_on(info.close_kept());
    context.print(&done.report, || render::text::load(&done.report, args.files))?;
    done.failure.map_or(Ok(0), Err)
}

fn options(args: &LoadArgs, context: &Context) -> LoadOptions {
    let mut years = Years::default();
    for more in &args.year {
        years.extend(more.clone());
    }
    LoadOptions {
        years,
        resume: args.resume,
        append: args.append,
        verify: args.verify,
        keep_indexes: args.keep_indexes,
        typed: command_line::kept(std::env::args().skip(1)),
        ..args.choices.options(&context.table, &args.inputs)
    }
}
