//! `sterna reindex`: checks that the table's indexes are valid, and rebuilds them.

use std::sync::Arc;

use clap::Args;

use serde_json::json;

use super::Context;
use super::step::{AsStep, as_step};
use crate::cli::render;
use crate::error::Result;
use crate::migrate::Step;
use crate::migrate::outcome;
use crate::pg::connect_for;
use crate::runtime;
use crate::table::reindex::{Rebuild, ReindexReport, reindex};
use crate::watch::Watch;

/// Check that all indexes of the table are valid; rebuild selected ones
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna reindex                 only checks: a switchover leaves nothing to rebuild
  sterna reindex --invalid
  sterna reindex --index idx_cites_trade_year

Indexes are rebuilt with REINDEX INDEX CONCURRENTLY, which blocks neither readers nor writers.
Leftovers of an interrupted rebuild are dropped first.")]
pub struct ReindexArgs {
    /// Rebuild every index
    #[arg(long, conflicts_with_all = ["invalid", "index"])]
    pub all: bool,
    /// Rebuild the indexes that are not valid
    #[arg(long, conflicts_with = "index")]
    pub invalid: bool,
    /// Rebuild this index (repeatable)
    #[arg(long, value_name = "NAME")]
    pub index: Vec<String>,
}

/// Runs the command, prints the result, and returns the exit code.
///
/// # Errors
/// As [`reindex`], and if an index is not valid in the end.
pub fn run(args: &ReindexArgs, context: &Context) -> Result<u8> {
    let rebuild = match args {
        ReindexArgs { all: true, .. } => Rebuild::All,
        ReindexArgs { invalid: true, .. } => Rebuild::Invalid,
        ReindexArgs { index, .. } if index.is_empty() => Rebuild::Nothing,
        ReindexArgs { index, .. } => Rebuild::Named(index.clone()),
    };
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let arguments = json!({"all": args.all, "invalid": args.invalid, "index": args.index});
    let what = AsStep { step: Step::Indexes, arguments, told: outcome::indexes, watch: &watch };
    let done = match rebuild {
        // Only checks, so that a role without write access to the ledger can run it.
        Rebuild::Nothing => runtime::blocking()?.block_on(look(context, &watch))?,
        rebuild => as_step(context, &what, |exclusive, _| {
            exclusive.session(async |session, pair| {
                reindex(session, &pair.table, &rebuild, &watch.stop).await
            })
        })?,
    };
    context.print(&done, || render::reindex::text(&done))?;
    done.verdict().map(|()| 0)
}

async fn look(context: &Context, watch: &Watch) -> Result<ReindexReport> {
    let session = connect_for(&context.conninfo()?, "reindex").await?;
    reindex(&session, &context.table, &Rebuild::Nothing, &watch.stop).await
}
