//! `sterna rollback`: the way back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::exclusive::{Exclusive, InLedger, last_run};
use super::migrate::{Site, folder, recorded_additions, verbs};
use super::switchover::duration;
use super::{Context, outcome};
use crate::error::{Error, Result};
use crate::load::Watch;
use crate::migrate::{Run, RunState, Step, StepState, Undoing, ledger, to_undo, undo};
use crate::report;
use crate::run_report::collect;
use crate::switchover::record::{self, State};
use crate::switchover::{self, SwitchoverOptions};

/// Take steps of the migration back: the last one, or all back to before STEP
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna rollback                 the last step that has left something
  sterna rollback switchover      back to before step 4.2: the old table is live again, with all
                                  that was written since
  sterna rollback 1.1             everything

It also finishes what a killed migration or rollback has left half done.")]
pub struct RollbackArgs {
    /// The step to go back to before, by number or name [default: the last one]
    #[arg(value_name = "STEP")]
    pub step: Option<Step>,
    /// How long to try for a moment in which all locks can be had
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
    /// Folder of the report [default: where the run has written its own, if it has]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What was taken back.
#[derive(Clone, Debug, Serialize)]
pub struct RolledBack {
    /// What taking back a switchover did, where one was.
    #[serde(flatten)]
    pub switchover: Map<String, Value>,
    /// The steps, the last one first.
    pub undone: Vec<Undoing>,
}

/// Rolls back, reports, and returns the exit code.
///
/// # Errors
/// That of the step that could not be taken back; refused where there is none.
pub fn run(args: &RollbackArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let done = roll_back(args, context, &watch)?;
    context.print(&done, || report::migrate::rolled_back(&done.undone))?;
    Ok(0)
}

/// Rolls back.
pub(super) fn roll_back(
    args: &RollbackArgs,
    context: &Context,
    watch: &Arc<Watch>,
) -> Result<RolledBack> {
    let exclusive = Exclusive::take(context, watch)?;
    let run = last_run(&exclusive)?;
    let undone = match run {
        Some(run) if !is_by_hand(&exclusive, &run)? => {
            if run.state == RunState::RolledBack {
                return Err(Error::refused("the last migration was rolled back already")
                    .hint("there is nothing to roll back; see `sterna status`"));
            }
            of_run(args, context, exclusive, watch, &run)?
        }
        _ => {
            exclusive.release();
            by_hand(args, context, watch)?
        }
    };
    let switchover = undone.iter().find(|undone| undone.step == Step::Switchover);
    let switchover = switchover.and_then(|undone| undone.detail.as_object().cloned());
    Ok(RolledBack { switchover: switchover.unwrap_or_default(), undone })
}

/// Whether a switchover was made by its own command since the run.
fn is_by_hand(exclusive: &Exclusive, run: &Run) -> Result<bool> {
    if run.state.is_unfinished() {
        return Ok(false);
    }
    let last = exclusive.session(async |session, pair| {
        let last = record::last(&**session, &pair.table).await?;
        Ok(last.filter(|last| last.state == State::Switched))
    })?;
    let Some(last) = last else { return Ok(false) };
    let of_run = run.step(Step::Switchover).and_then(|record| record.detail["run_id"].as_str());
    Ok(of_run != Some(last.id.to_string().as_str()))
}

fn of_run(
    args: &RollbackArgs,
    context: &Context,
    exclusive: Exclusive,
    watch: &Arc<Watch>,
    run: &Run,
) -> Result<Vec<Undoing>> {
    let site = Site {
        exclusive,
        watch: Arc::clone(watch),
        progress: context.progress,
        max_wait: args.max_wait,
        run: run.run_id,
        additions: recorded_additions(&run.arguments)?,
        backup: folder("backup", run.run_id),
        folder: folder("report", run.run_id),
    };
    let (id, settle) = (run.run_id, ledger::settle);
    let set = |state| site.exclusive.ledger(async |session| settle(session, id, state).await);
    let mut undone = Vec::new();
    let mut records =
        InLedger { exclusive: &site.exclusive, run: run.run_id, arguments: &run.arguments };
    let steps = match to_undo(run, args.step) {
        // Begun, and killed before its first step.
        Err(_) if run.steps.is_empty() => Vec::new(),
        steps => steps?,
    };
    if steps.iter().any(|r| r.step == Step::Switchover && r.state == StepState::Done) {
        // Before anything is taken back that stands on it.
        site.exclusive.session(switchover::refuse_no_return)?;
    }
    set(RunState::Stopped)?;
    for record in steps {
        undone
            .push(undo(record, &site, verbs, &mut records).map_err(|e| site.exclusive.explain(e))?);
    }
    let left = site.last_run()?;
    let stays = left.steps.iter().any(|record| {
        record.state.may_have_acted()
            && (record.step.plan().leaves_traces || record.state == StepState::Undoing)
    });
    if !stays {
        // Whatever else was begun, such as the journal, ends with the first step.
        verbs(Step::Backup).undo(&site, &Value::Null)?;
        set(RunState::RolledBack)?;
    }
    if let Some(folder) = args.out.clone().or_else(|| reported(run)) {
        report_again(&site, &folder);
    }
    let Site { exclusive, .. } = site;
    exclusive.release();
    Ok(undone)
}

/// Where the run has written its report.
fn reported(run: &Run) -> Option<PathBuf> {
    Some(run.step(Step::Report)?.detail["folder"].as_str()?.into())
}

/// Writes the report anew: it says now that the run was rolled back.
fn report_again(site: &Site, folder: &Path) {
    let written = site.exclusive.session(async |session, pair| {
        let collected = collect(session, &pair.table).await?;
        report::run::write(folder, &collected)
    });
    if let Err(error) = written {
        tracing::warn!("the report could not be written: {error}");
    }
}

/// Takes back a switchover that no run of the plan has made.
fn by_hand(args: &RollbackArgs, context: &Context, watch: &Arc<Watch>) -> Result<Vec<Undoing>> {
    let step = Step::Switchover;
    if args.step.is_some_and(|wanted| wanted != step) {
        return Err(Error::refused("no migration is in the ledger that could be rolled back")
            .hint("`sterna stage drop`, `sterna species undo` and `sterna summary --undo` take back what was done by hand"));
    }
    let options = SwitchoverOptions { table: context.table.clone(), max_wait: args.max_wait };
    let exclusive = Exclusive::take(context, watch)?;
    let Exclusive { runtime, info, .. } = &exclusive;
    let back = runtime.block_on(switchover::roll_back(info, &options, &watch.stop))?;
    exclusive.release();
    let detail = outcome::switchover(&back)?.detail;
    Ok(vec![Undoing { step, name: step.plan().name, detail }])
}
