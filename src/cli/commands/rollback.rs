//! `sterna rollback`: undoes steps of the migration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use uuid::Uuid;

use super::Context;
use super::switchover::duration;
use crate::cli::render;
use crate::error::{Error, Kind, Result};
use crate::migrate::rollback::{RollbackOptions, foresee, roll_back};
use crate::migrate::{Step, ledger};
use crate::pg::connect_for;
use crate::runtime;
use crate::switchover::Keep;
use crate::watch::Watch;

/// Undo steps of the migration: the last one, or STEP and all later ones
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna rollback                 the last step that left something to undo
  sterna rollback switchover      back to the state before step 4.2: the old table is live again,
                                  with all writes since
  sterna rollback 1.1             everything that the latest run did
  sterna rollback --run RUN       further back: RUN, and everything done after it
  sterna rollback switchover --dry-run --keep inserted
                                  show obstacles, and what would happen to the writes

Writes since the switchover are carried over to the old table, or those that --keep selects; the
others are saved in <table>_left. Rows of the new release that other tables refer to are always
carried over.

Without --run it undoes the latest run and nothing before it, wherever that run failed. It also
completes what a killed migration or rollback left half done.")]
pub struct RollbackArgs {
    /// Step to undo, with all later ones, by number or name [default: the last one]
    #[arg(value_name = "STEP")]
    pub step: Option<Step>,
    /// Undo this run and everything done to the table after it; lists all of it and asks first.
    /// The first characters of its id will do, as in the names of its folders
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Answer yes to the question that --run asks
    #[arg(long, requires = "run")]
    pub yes: bool,
    /// Show every obstacle, and what would happen to the writes since the switchover; exit code
    /// 6 if the rollback would be refused
    #[arg(long)]
    pub dry_run: bool,
    /// Which writes since the switchover to keep; the others are saved in a table
    #[arg(long, value_enum, default_value_t = Keep::All)]
    pub keep: Keep,
    /// Give up indexes, columns and constraints added to the live table since the switchover;
    /// otherwise they stop the rollback
    #[arg(long)]
    pub leave_additions: bool,
    /// How long to keep trying to get all locks
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
    /// Compute materialized views after the exchange; until then they cannot be read
    #[arg(long)]
    pub refresh_after: bool,
    /// Folder of the report [default: the folder of the run's own report, if it has one]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl RollbackArgs {
    /// Converts to the engine's options.
    fn options(&self, context: &Context) -> Result<RollbackOptions> {
        let run = self.run.as_deref().map(|id| run_id(id, context)).transpose()?;
        Ok(RollbackOptions {
            step: self.step,
            run,
            keep: self.keep,
            leave_additions: self.leave_additions,
            max_wait: self.max_wait,
            refresh_after: self.refresh_after,
            report: self.out.clone(),
            write_report: Some(render::run::write_latest),
            ..RollbackOptions::new(context.table.clone())
        })
    }
}

/// The run of the table whose id begins like this.
fn run_id(begins: &str, context: &Context) -> Result<Uuid> {
    if let Ok(id) = begins.parse() {
        return Ok(id);
    }
    let runs = runtime::blocking()?.block_on(async {
        let mut session = connect_for(&context.conninfo()?, "rollback").await?;
        crate::ledger::open(&mut session).await?;
        match ledger::is_there(&session).await? {
            true => ledger::runs(&session, &context.table).await,
            false => Ok(Vec::new()),
        }
    })?;
    let begins = begins.to_lowercase();
    let mut ids: Vec<_> = runs.into_iter().map(|(id, _)| id).collect();
    ids.retain(|id| id.to_string().starts_with(&begins));
    match ids.as_slice() {
        [id] => Ok(*id),
        [] => Err(Error::usage(format!("no run on {} begins with {begins:?}", context.table))
            .hint("`sterna status` shows the id of the latest, and folders bear those of others")),
        _ => Err(Error::usage(format!("{} runs begin with {begins:?}", ids.len()))
            .hint("give more of its id")),
    }
}

/// Rolls back, prints the result, and returns the exit code.
///
/// # Errors
/// The error of the step that could not be undone; refused if there is nothing to undo.
pub fn run(args: &RollbackArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let (info, options) = (context.conninfo()?, args.options(context)?);
    if args.dry_run {
        let foreseen = foresee(&info, &options, &watch)?;
        context.print(&foreseen, || {
            let switchover = foreseen.switchover.as_ref().map(render::switchover::foreseen);
            render::migrate::to_roll_back(&foreseen.steps, foreseen.recomputes_summary)
                + &switchover.unwrap_or_default()
        })?;
        let refused = foreseen.switchover.is_some_and(|switchover| switchover.is_refused());
        return Ok(if refused { Kind::Unsafe.exit_code() } else { 0 });
    }
    let confirm = |text: &str| render::ask::go_on(text, args.yes);
    let done = roll_back(&info, &options, confirm, &watch)?;
    context.print(&done, || render::migrate::rolled_back(&done.undone))?;
    Ok(0)
}
