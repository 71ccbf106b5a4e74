//! `sterna rehearse`: the whole plan and its rollback on a copy of production.

mod report_folder;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::Context;
use super::migrate::MigrationChoices;
use super::size::size;
use crate::cli::render;
use crate::error::Result;
use crate::pg::ConnInfo;
use crate::private;
use crate::rehearse::{Rehearsal, RehearsalOptions};
use crate::watch::Watch;

/// Run the whole plan and its rollback on a temporary copy of production
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna rehearse download.zip --expect-rows 489107
  sterna rehearse download.zip --backup backups/whole      a backup by `sterna backup --full`
  sterna rehearse download.zip --into postgresql://admin@staging.example.org/rehearsal

Use the same options as for `sterna migrate`: the table [migrate] of sterna.toml applies to both.
Production is only read, except for its ledger. Without --into the copy is in a temporary PostgreSQL
server, which is removed when the rehearsal ends, even if it fails.")]
pub struct RehearseArgs {
    /// Options shared with `sterna migrate`.
    #[command(flatten)]
    pub choices: MigrationChoices,
    /// Backup by `sterna backup --full` to restore [default: a temporary one is taken]
    #[arg(long, value_name = "DIR")]
    pub backup: Option<PathBuf>,
    /// Empty database to restore into; it is kept [default: a temporary server]
    #[arg(long, value_name = "URL")]
    pub into: Option<String>,
    /// Free space on production's disks, such as 20GiB, if sterna cannot see them
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub free_space: Option<u64>,
    /// Folder of the report [default: sterna-rehearsal-ID]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Runs the rehearsal, prints the result, and returns the exit code.
///
/// # Errors
/// The error of whatever did not pass, after writing the report; if interrupted, without a
/// report.
pub fn run(args: &RehearseArgs, context: &Context) -> Result<u8> {
    let context = &args.choices.narrowed(context)?;
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    args.out.as_deref().map_or(Ok(()), private::own_folder)?;
    let env = |name: &str| std::env::var(name).ok();
    let into = args.into.as_deref().map(|url| ConnInfo::resolve(Some(url), &env)).transpose()?;
    let rehearsal = Rehearsal::new(RehearsalOptions {
        backup: args.backup.clone(),
        into,
        free_bytes: args.free_space,
        ..RehearsalOptions::new(args.choices.options(&context.table)?)
    });
    let mut lines = render::rehearsal::RehearsalLines::new(context.progress, &watch);
    let mut done = rehearsal.run(&context.conninfo()?, &watch, &mut lines)?;
    report_folder::publish(&mut done, args.out.as_deref())?;
    context.print(&done.report, || render::rehearsal::text(&done.report))?;
    done.failure.map_or(Ok(0), Err)
}
