//! `sterna rollback`: the way back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::exclusive::{Exclusive, InLedger};
use super::migrate::{Site, folder, recorded_additions, verbs};
use super::switchover::duration;
use super::{Context, outcome};
use crate::error::{Error, Result};
use crate::load::Watch;
use crate::migrate::ledger::{self, RunKind};
use crate::migrate::{
    Run, RunState, Step, StepRecord, StepState, Undoing, acted, command_line, to_undo, undo,
};
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
  sterna rollback 1.1             everything that the latest run has done
  sterna rollback --run RUN       further back: RUN, and whatever was done after it

Without --run it takes back what the latest run has done and nothing before that, whatever the run
failed at. It also finishes what a killed migration or rollback has left half done.")]
pub struct RollbackArgs {
    /// The step to go back to before, by number or name [default: the last one]
    #[arg(value_name = "STEP")]
    pub step: Option<Step>,
    /// Take back this run as well as all that was done to the table after it; says what that
    /// is, and asks
    #[arg(long, value_name = "RUN")]
    pub run: Option<Uuid>,
    /// Answer yes to what --run asks
    #[arg(long, requires = "run")]
    pub yes: bool,
    /// How long to try for a moment in which all locks can be had
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
    /// Compute materialized views after the exchange; until then they cannot be read
    #[arg(long)]
    pub refresh_after: bool,
    /// Folder of the report [default: where the run has written its own, if it has]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl RollbackArgs {
    /// Of the latest run, back to before a step.
    pub(super) fn back_to(step: Step, max_wait: Duration, out: Option<PathBuf>) -> Self {
        RollbackArgs {
            step: Some(step),
            run: None,
            yes: false,
            max_wait,
            refresh_after: false,
            out,
        }
    }
}

/// What was taken back.
#[derive(Clone, Debug, Serialize)]
pub struct RolledBack {
    /// What taking back a switchover did, where one was: the last one.
    #[serde(flatten)]
    pub switchover: Map<String, Value>,
    /// The runs that steps of were taken back, the latest first.
    pub runs: Vec<Uuid>,
    /// The steps, the last one first.
    pub undone: Vec<Undoing>,
}

/// What is to be taken back.
enum Undo {
    /// Steps of a run of the plan, the last one first.
    Steps(Run, Vec<StepRecord>),
    /// A switchover by a command of its own, by its run.
    Switchover(Uuid),
}

impl Undo {
    fn run(&self) -> Uuid {
        match self {
            Undo::Steps(run, _) => run.run_id,
            Undo::Switchover(run) => *run,
        }
    }
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
    let mut exclusive = Exclusive::take(context, watch)?;
    let chosen = choose(args, &exclusive)?;
    if args.run.is_some() {
        confirm(args, &chosen)?;
    }
    let runs = chosen.iter().map(Undo::run).collect();
    let mut undone = Vec::new();
    for what in chosen {
        // Before anything is taken back that stands on it.
        let run = what.run();
        exclusive.session(async |session, pair| {
            switchover::refuse_no_return(session, pair, run).await
        })?;
        match what {
            Undo::Switchover(run) => undone.push(by_command(args, &exclusive, watch, run)?),
            Undo::Steps(run, steps) => {
                let site = Site {
                    exclusive,
                    watch: Arc::clone(watch),
                    progress: context.progress,
                    application: None,
                    max_wait: args.max_wait,
                    refresh_after: args.refresh_after,
                    run: run.run_id,
                    additions: recorded_additions(&run.arguments)?,
                    backup: folder("backup", run.run_id),
                    folder: folder("report", run.run_id),
                };
                undone.extend(of_run(args, &site, &run, &steps)?);
                exclusive = site.exclusive;
            }
        }
    }
    exclusive.release();
    let switchover = undone.iter().rev().find(|undone| undone.step == Step::Switchover);
    let switchover = switchover.and_then(|undone| undone.detail.as_object().cloned());
    Ok(RolledBack { switchover: switchover.unwrap_or_default(), runs, undone })
}

/// The latest run; with `--run` all back to that one.
fn choose(args: &RollbackArgs, exclusive: &Exclusive) -> Result<Vec<Undo>> {
    let table = &exclusive.pair.table;
    let runs = exclusive.ledger(async |session| ledger::runs(session, table).await)?;
    let Some(wanted) = args.run else {
        let latest = runs.first().ok_or_else(|| {
            Error::refused("no migration is in the ledger that could be rolled back")
                .hint("`sterna stage drop`, `sterna species undo` and `sterna summary --undo` take back what was done by hand")
        })?;
        return Ok(vec![of_latest(args.step, exclusive, *latest)?]);
    };
    let at = runs.iter().position(|(run, _)| *run == wanted).ok_or_else(|| {
        Error::refused(format!(
            "no run {wanted} of {table} is in the ledger, or its old table was cleaned up"
        ))
        .hint("`sterna status` names the latest run")
    })?;
    let mut chosen = Vec::new();
    for (at_run, (id, kind)) in runs.into_iter().take(at + 1).enumerate() {
        let back_to = args.step.filter(|_| at_run == at).unwrap_or(Step::Backup);
        let made = exclusive
            .session(async |session, pair| record::of_run(&**session, &pair.table, id).await)?;
        let made = made.map(|made| made.state);
        if made == Some(State::Cleaned) {
            return Err(Error::refused(format!(
                "the table that the run {id} has replaced is gone: it was cleaned up, or another \
                 switchover came after it"
            ))
            .hint("its backup has the rows; see `sterna report`"));
        }
        match kind {
            RunKind::Command if made == Some(State::Switched) => chosen.push(Undo::Switchover(id)),
            RunKind::Command => {}
            RunKind::Migration => {
                let run = find(exclusive, id)?;
                if run.state != RunState::RolledBack && acted(&run).next().is_some() {
                    let steps = to_undo(&run, Some(back_to))?.into_iter().cloned().collect();
                    chosen.push(Undo::Steps(run, steps));
                }
            }
        }
    }
    match chosen.last() {
        Some(last) if last.run() == wanted => Ok(chosen),
        _ => Err(Error::refused(format!("the run {wanted} was rolled back already"))
            .hint("there is nothing to roll back; see `sterna status`")),
    }
}

/// Of the latest run: nothing before it is touched, whatever there is left of it.
fn of_latest(
    step: Option<Step>,
    exclusive: &Exclusive,
    (id, kind): (Uuid, RunKind),
) -> Result<Undo> {
    if kind == RunKind::Command {
        return match step {
            None | Some(Step::Switchover) => Ok(Undo::Switchover(id)),
            Some(step) => Err(Error::refused(format!(
                "the switchover {id} was a command of its own, which has no step {step}"
            ))
            .hint("`sterna rollback switchover` takes it back")),
        };
    }
    let run = find(exclusive, id)?;
    if run.state == RunState::RolledBack {
        let error = Error::refused("the last migration was rolled back already");
        return Err(error.hint(further_back(exclusive, &run)?));
    }
    match to_undo(&run, step) {
        Ok(steps) => {
            let steps = steps.into_iter().cloned().collect();
            Ok(Undo::Steps(run, steps))
        }
        // Begun, and killed before its first step.
        Err(_) if run.steps.is_empty() => Ok(Undo::Steps(run, Vec::new())),
        Err(error) => Err(error),
    }
}

fn find(exclusive: &Exclusive, id: Uuid) -> Result<Run> {
    let table = &exclusive.pair.table;
    let found = exclusive.ledger(async |session| ledger::find(session, table, Some(id)).await)?;
    found.ok_or_else(|| Error::database("the run is no longer in the ledger"))
}

/// How an earlier run is taken back, where its new table is the live one.
fn further_back(exclusive: &Exclusive, run: &Run) -> Result<String> {
    let last = exclusive
        .session(async |session, pair| record::last(&**session, &pair.table).await)?
        .filter(|last| last.state == State::Switched && last.run != run.run_id);
    Ok(match last {
        None => "there is nothing to roll back; see `sterna status`".to_owned(),
        Some(last) => {
            let back = format!("rollback --run {}", last.run);
            let back = command_line::other(&run.arguments, &back);
            format!("what the run before it has done stands; `{back}` takes that back")
        }
    })
}

/// Says what is to be taken back, and asks.
fn confirm(args: &RollbackArgs, chosen: &[Undo]) -> Result<()> {
    let mut text = String::from("this takes back, in this order:\n");
    for what in chosen {
        text.push_str(&match what {
            Undo::Switchover(run) => format!("  {run}: a switchover by a command of its own\n"),
            Undo::Steps(run, steps) => {
                let acted = steps.iter().filter(|record| record.step.plan().leaves_traces);
                let acted: Vec<_> = acted.map(|record| record.step.to_string()).collect();
                let (id, state) = (run.run_id, run.state.name());
                format!("  {id}, begun {}, {state}: {}\n", run.started_at, acted.join(", "))
            }
        });
    }
    match report::ask::go_on(&text, args.yes)? {
        true => Ok(()),
        false => {
            Err(Error::refused("nothing was rolled back")
                .hint("the same command with --yes does it"))
        }
    }
}

/// Takes steps of a run back, and settles the run where nothing is left of it.
fn of_run(
    args: &RollbackArgs,
    site: &Site,
    run: &Run,
    steps: &[StepRecord],
) -> Result<Vec<Undoing>> {
    let (id, settle) = (run.run_id, ledger::settle);
    let set = |state| site.exclusive.ledger(async |session| settle(session, id, state).await);
    let mut undone = Vec::new();
    let mut records = InLedger { exclusive: &site.exclusive, run: id, arguments: &run.arguments };
    set(RunState::Stopped)?;
    for record in steps {
        undone
            .push(undo(record, site, verbs, &mut records).map_err(|e| site.exclusive.explain(e))?);
    }
    let left = find(&site.exclusive, id)?;
    let stays = acted(&left)
        .any(|record| record.step.plan().leaves_traces || record.state == StepState::Undoing);
    if !stays {
        // Whatever else was begun, such as the journal, ends with the first step.
        verbs(Step::Backup).undo(site, &Value::Null)?;
        set(RunState::RolledBack)?;
    }
    if let Some(folder) = args.out.clone().or_else(|| reported(run)) {
        report_again(site, &folder);
    }
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

/// Takes back a switchover that was a command of its own.
fn by_command(
    args: &RollbackArgs,
    exclusive: &Exclusive,
    watch: &Arc<Watch>,
    run: Uuid,
) -> Result<Undoing> {
    let (step, table) = (Step::Switchover, exclusive.pair.table.clone());
    let options = SwitchoverOptions {
        refresh_after: args.refresh_after,
        ..SwitchoverOptions::new(table, run, args.max_wait)
    };
    let Exclusive { runtime, info, .. } = exclusive;
    let back = runtime.block_on(switchover::roll_back(info, &options, &watch.stop))?;
    let detail = outcome::switchover(&back)?.detail;
    Ok(Undoing { step, name: step.plan().name, detail })
}
