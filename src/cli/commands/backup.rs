//! `sterna backup`: saves the table and the rows that it refers to, and verifies backups.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use serde_json::json;

use super::Context;
use super::step::{AsStep, as_step};
use crate::backup::{
    BackupOptions, Choice, Extent, Verified, backup, mark_verified, restorable, verify,
};
use crate::cli::render;
use crate::error::{Error, Result};
use crate::migrate::Step;
use crate::migrate::outcome;
use crate::pg::connect_for;
use crate::runtime;
use crate::watch::Watch;

/// Save the table, its species and summary to a folder, and verify what was saved
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Examples:
  sterna backup --out backups/before-migration
  sterna backup --full --out backups/whole
  sterna backup verify backups/before-migration --restore

The folder holds backup.dump (for pg_restore), manifest.json and SHA256SUMS (for sha256sum -c).
It must not exist yet: nothing is overwritten.")]
pub struct BackupArgs {
    /// Another action on a backup.
    #[command(subcommand)]
    pub action: Option<BackupAction>,
    /// Folder to write the backup to
    #[arg(long, required = true, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Save the whole database
    #[arg(long)]
    pub full: bool,
    /// How to write the rows
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    pub method: Choice,
}

/// Other actions on a backup.
#[derive(Clone, Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the arguments' own help")]
pub enum BackupAction {
    Verify(VerifyArgs),
}

/// Check that a backup is complete, undamaged and readable
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The folder of the backup
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Also restore it into a temporary server
    #[arg(long)]
    pub restore: bool,
}

/// Runs the command, prints the result, and returns the exit code.
///
/// # Errors
/// As [`backup`], [`verify`] and [`restorable`].
pub fn run(args: &BackupArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    if let Some(BackupAction::Verify(args)) = &args.action {
        let check = if args.restore { restorable } else { verify };
        let found = check(&args.folder, &watch.stop)?;
        if let Err(error) = runtime::blocking()?.block_on(mark(&found, context)) {
            tracing::info!("not recorded in the ledger: {error}");
        }
        context.print(&found, || render::backup::verified(&found))?;
        return Ok(0);
    }
    let out = args.out.clone().ok_or_else(|| Error::usage("--out is missing"))?;
    let extent = if args.full { Extent::Full } else { Extent::Tables };
    let options = BackupOptions { table: context.table.clone(), out, extent, choice: args.method };
    let arguments = json!({"out": options.out, "full": args.full});
    let what = AsStep { step: Step::Backup, arguments, told: outcome::backup, watch: &watch };
    let done = as_step(context, &what, |exclusive, _| {
        exclusive.runtime.block_on(backup(&exclusive.info, &options, &watch.stop))
    })?;
    context.print(&done, || render::backup::taken(&done))?;
    Ok(0)
}

async fn mark(found: &Verified, context: &Context) -> Result<()> {
    let mut session = connect_for(&context.conninfo()?, "backup").await?;
    mark_verified(&mut session, found).await.map(drop)
}
