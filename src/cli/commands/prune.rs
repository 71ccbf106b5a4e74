//! `sterna prune`: removes what old runs have left behind.

use std::sync::Arc;

use clap::Args;

use super::Context;
use crate::cli::render;
use crate::error::Result;
use crate::prune::{PruneOptions, prune};
use crate::table::partition::Takes;
use crate::watch::Watch;

/// Remove backups, reports and ledger rows of old migrations
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna prune --keep 14 --dry-run
  sterna prune --keep 14

Unfinished migrations, those whose old table is still there, and everything later are kept, whatever
their number. So are backups taken by `sterna backup`, and folders that hold files of others. Folders that
stay, or are missing here, are listed.")]
pub struct PruneArgs {
    /// The number of migrations to keep
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: u32,
    /// Forget backups whose folders are missing, instead of looking for them again the next time
    #[arg(long)]
    pub forget_missing: bool,
    /// Only show what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command, prints the result, and returns the exit code.
///
/// # Errors
/// As [`prune`]; refused if another sterna works on the table.
pub fn run(args: &PruneArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let exclusive = context.exclusive(Takes::Partitions, &watch)?;
    let mut options = PruneOptions::new(args.keep);
    (options.forget_missing, options.dry_run) = (args.forget_missing, args.dry_run);
    let pruned =
        exclusive.session(async |session, pair| prune(session, &pair.table, options).await);
    exclusive.release();
    let pruned = pruned?;
    context.print(&pruned, || render::prune::text(&pruned))?;
    Ok(0)
}
