//! `sterna check`: checks before a migration and after a switchover.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::Context;
use super::application::ApplicationArgs;
use super::load::{MatchChoices, ReadChoices};
use super::size::size;
use super::switchover::duration;
use crate::cli::render;
use crate::error::{Error, Kind, Result};
use crate::inspect::{InspectOptions, MissingReport, missing};
use crate::preflight::{PostOptions, PreOptions, PreflightCheck, PreflightSeverity, post, pre};
use crate::runtime;
use crate::watch::Watch;

/// Number of taxa without a species to list.
const TAXA: usize = 10;

/// Check that a migration can start, or that everything works after the switchover
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// When the check runs
    #[command(subcommand)]
    pub moment: Moment,
}

/// When the check runs.
#[derive(Clone, Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the arguments' own help")]
pub enum Moment {
    Pre(PreArgs),
    Post(PostArgs),
}

/// Before a migration: check backup, species, disk space, privileges, distance and obstacles
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna check pre
  sterna check pre download.zip --backup backups/2025-06-01
  sterna check pre --disk-limit 8GB               if the server is hosted
  sterna check pre --disk-space-checked --format json     if the server is remote

It writes nothing. The exit code is 6 if it is not safe to start. It sends and receives up to 1 MiB to
measure the line, and estimates how long backup, load and switchover will take.")]
pub struct PreArgs {
    /// Files whose taxa all need a species [default: those of the last load]
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// CSV file of synonyms, with the header synonym,scientific_name
    #[arg(long, value_name = "FILE", requires = "inputs")]
    pub synonyms: Option<PathBuf>,
    /// TOML file of formats, in place of the built-in ones
    #[arg(long, value_name = "FILE", requires = "inputs")]
    pub mapping: Option<PathBuf>,
    /// How the files are read.
    #[command(flatten)]
    pub read: ReadChoices,
    /// How rows are matched with production's.
    #[command(flatten)]
    pub matching: MatchChoices,
    /// Backup to verify [default: the last one in the ledger]
    #[arg(long, value_name = "DIR")]
    pub backup: Option<PathBuf>,
    /// Confirm that the server's disks have the room that `sterna plan INPUT` names
    #[arg(long)]
    pub disk_space_checked: bool,
    /// Size that the plan of a hosted server allows, such as 8GB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub disk_limit: Option<u64>,
}

/// After a switchover: check the application's queries, its API and the server's statistics
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna check post
  sterna check post --as-role web_user            logs in without the migrator's password
  sterna check post --application-url postgres://authenticator@db.example.com/app --as-role anon
  sterna check post --health-url 'https://api.example.com/rest/v1/species?limit=1'

It writes nothing. The exit code is 4 if something is wrong. Queries run in sessions that log in
as the application, never with the privileges of the role that migrates: without such a login, the
built-in ones are only parsed. A query of your own is an .sql file with one statement that must
return rows; {table} and {schema} stand for the table and its schema.")]
pub struct PostArgs {
    /// The login that runs the queries.
    #[command(flatten)]
    pub application: ApplicationArgs,
    /// Folder of queries, one .sql file each, in place of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// URL that must answer with status 200 (repeatable)
    #[arg(long, value_name = "URL")]
    pub health_url: Vec<String>,
    /// Time limit for a query or a response
    #[arg(long, default_value = "5s", value_name = "DURATION", value_parser = duration)]
    pub time_limit: Duration,
}

/// Runs the checks, prints the result, and returns the exit code.
///
/// # Errors
/// [`Kind::Unsafe`] if a check before the migration failed, [`Kind::Validation`] if one after
/// it failed; otherwise as [`pre`] and [`post`].
pub fn run(args: &CheckArgs, context: &Context) -> Result<u8> {
    let (found, kind) = match &args.moment {
        Moment::Pre(args) => (before(args, context)?, Kind::Unsafe),
        Moment::Post(args) => (after(args, context)?, Kind::Validation),
    };
    context.print(&found, || render::check::text(&found))?;
    if found.passed {
        return Ok(0);
    }
    let names: Vec<_> =
        found.failed(PreflightSeverity::Error).map(|check| check.name.as_str()).collect();
    let what = format!("{} of {}: {}", names.len(), found.checks.len(), names.join(", "));
    Err(Error::new(kind, format!("checks failed, {what}"))
        .hint("the report says what to do about each"))
}

fn before(args: &PreArgs, context: &Context) -> Result<PreflightCheck> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let info = context.conninfo()?;
    let files = (!args.inputs.is_empty()).then(|| files(args, context));
    let options = PreOptions {
        backup: args.backup.clone(),
        disk_space_checked: args.disk_space_checked,
        disk_limit: args.disk_limit,
        missing: files.as_ref().map(|files| missing_taxa(files, context, &watch)).transpose()?,
        files,
    };
    runtime::blocking()?.block_on(pre(&info, &context.table, &options, &watch.stop))
}

fn files(args: &PreArgs, context: &Context) -> InspectOptions {
    InspectOptions {
        read: args.read.options(),
        synonyms: args.synonyms.clone(),
        mapping: args.mapping.clone(),
        matching: Some(args.matching.options()),
        ..InspectOptions::new(context.table.clone(), args.inputs.clone())
    }
}

fn missing_taxa(
    files: &InspectOptions,
    context: &Context,
    watch: &Arc<Watch>,
) -> Result<MissingReport> {
    // Whether rows can be matched is a separate check.
    let files = InspectOptions { matching: None, ..files.clone() };
    let progress = render::progress::Shown::start(context.progress, watch);
    let found = missing(&context.conninfo()?, &files, TAXA, watch);
    progress.finish();
    found
}

fn after(args: &PostArgs, context: &Context) -> Result<PreflightCheck> {
    let options = PostOptions {
        queries: args.queries.clone(),
        health_urls: args.health_url.clone(),
        limit: args.time_limit,
        ..PostOptions::new(args.application.application(args.time_limit)?)
    };
    runtime::blocking()?.block_on(post(&context.conninfo()?, &context.table, &options))
}
