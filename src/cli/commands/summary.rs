//! `sterna summary`: recomputes the summary per species from the trade records.

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::Context;
use super::step::{AsStep, as_step, mark_undone};
use crate::cli::render;
use crate::error::{Error, Result};
use crate::migrate::Step;
use crate::migrate::outcome;
use crate::pg::{Connection, Table};
use crate::table::partition::Takes;
use crate::table::summary::{self, SummaryFound, SummaryUndone, Target};
use crate::watch::Watch;

/// Recompute species_trade_summary from the table, in one transaction
#[derive(Args, Clone, Debug)]
#[command(after_help = "The previous rows are kept in the ledger; --undo restores them.

A record's quantity is the column `quantity`. If a table has importer_reported_quantity and
exporter_reported_quantity instead, it is the importer's, else the exporter's.")]
pub struct SummaryArgs {
    /// Restore the summary from before the last recomputation
    #[arg(long)]
    pub undo: bool,
}

/// Runs the command, prints the result, and returns the exit code.
///
/// # Errors
/// As [`summary::recompute`] and [`summary::undo`]; refused if there is no summary.
pub fn run(args: &SummaryArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    if args.undo {
        let undone = undo(context, &watch)?;
        context.print(&undone, || render::summary::undone(&undone))?;
        return Ok(0);
    }
    let arguments = json!({});
    let what = AsStep { step: Step::Summary, arguments, told: outcome::summary, watch: &watch };
    let done = as_step(context, &what, |exclusive, run| {
        exclusive.session(async |session, pair| {
            let target = target(session, &pair.whole).await?;
            summary::recompute(session, &target, run).await
        })
    })?;
    context.print(&done, || render::summary::recomputed(&done))?;
    Ok(0)
}

fn undo(context: &Context, watch: &Arc<Watch>) -> Result<SummaryUndone> {
    let exclusive = context.exclusive(Takes::Partitions, watch)?;
    let undone = exclusive.session(async |session, pair| {
        let target = target(session, &pair.whole).await?;
        match summary::last(session, &target).await? {
            Some(run) => summary::undo(session, &target, run).await,
            None => Err(Error::refused("there is no recomputation to undo")),
        }
    })?;
    mark_undone(&exclusive, &[Step::Summary])?;
    exclusive.release();
    Ok(undone)
}

async fn target(session: &Connection, table: &Table) -> Result<Target> {
    match summary::find(session, table).await? {
        SummaryFound::Target(target) => Ok(target),
        SummaryFound::Nothing(reason) => {
            Err(Error::refused(format!("there is no summary to recompute: {reason}")))
        }
    }
}
