//! `sterna summary`: the summary per species, recomputed from the trade records.

use clap::Args;
use uuid::Uuid;

use super::{Context, runtime};
use crate::error::{Error, Result};
use crate::pg::Connection;
use crate::summary::{self, Found, SummaryReport, Target, Undone};
use crate::{ledger, report};

/// Recompute species_trade_summary from the table, in one transaction
#[derive(Args, Clone, Debug)]
#[command(after_help = "The rows as they were are kept in the ledger; --undo puts them back.

A record's quantity is `quantity`; where a table has importer_reported_quantity and
exporter_reported_quantity instead, it is the importer's, else the exporter's.")]
pub struct SummaryArgs {
    /// Put back what was there before the last recomputation
    #[arg(long)]
    pub undo: bool,
}

enum Done {
    Recomputed(SummaryReport),
    Undone(Undone),
}

/// Acts, reports, and returns the exit code.
///
/// # Errors
/// As [`summary::recompute`] and [`summary::undo`]; refused where there is no summary.
pub fn run(args: &SummaryArgs, context: &Context) -> Result<u8> {
    match runtime()?.block_on(act(args, context))? {
        Done::Recomputed(done) => context.print(&done, || report::summary::recomputed(&done))?,
        Done::Undone(done) => context.print(&done, || report::summary::undone(&done))?,
    }
    Ok(0)
}

async fn act(args: &SummaryArgs, context: &Context) -> Result<Done> {
    let (mut session, pair) = context.session(&context.conninfo()?).await?;
    let target = match summary::find(&session, &pair.table).await? {
        Found::Target(target) => target,
        Found::Nothing(reason) => {
            return Err(Error::refused(format!("there is no summary to recompute: {reason}")));
        }
    };
    ledger::lock(&session, &pair.table).await?;
    let done = if args.undo {
        Done::Undone(undo(&mut session, &target).await?)
    } else {
        Done::Recomputed(summary::recompute(&mut session, &target, Uuid::new_v4()).await?)
    };
    ledger::unlock(&session, &pair.table).await?;
    Ok(done)
}

async fn undo(session: &mut Connection, target: &Target) -> Result<Undone> {
    match summary::last(session, target).await? {
        Some(run) => summary::undo(session, target, run).await,
        None => Err(Error::refused("no recomputation stands that could be undone")),
    }
}
