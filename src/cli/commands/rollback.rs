//! `sterna rollback`: takes steps of the migration back.

mod choose;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use self::choose::{Undo, choose, find};
use super::exclusive::{Exclusive, InLedger};
use super::migrate::{Site, folder, recorded_additions, verbs};
use super::switchover::duration;
use super::{Context, outcome};
use crate::cli::render;
use crate::error::{Error, Kind, Result};
use crate::history::collect;
use crate::migrate::ledger;
use crate::migrate::{Run, RunState, Step, StepRecord, StepState, Undoing, acted, undo};
use crate::switchover::record::{self, State};
use crate::switchover::{self, Foreseen, Keep, SwitchoverOptions};
use crate::watch::Watch;

/// Undo steps of the migration: the last one, or STEP and all later ones
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna rollback                 the last step that has left something
  sterna rollback switchover      back to before step 4.2: the old table is live again, with all
                                  that was written since
  sterna rollback 1.1             everything that the latest run has done
  sterna rollback --run RUN       further back: RUN, and everything done after it
  sterna rollback switchover --dry-run --keep inserted
                                  what would be in the way, and what would become of the writes

What was written since the switchover goes along, or what --keep says of it; the rest is saved in
<table>_left beside the table. Rows of the new release that other tables refer to always go along.

Without --run it takes back what the latest run has done and nothing before that, whatever the run
failed at. It also finishes what a killed migration or rollback has left half done.")]
pub struct RollbackArgs {
    /// Step to undo, with all later ones, by number or name [default: the last one]
    #[arg(value_name = "STEP")]
    pub step: Option<Step>,
    /// Undo this run and everything done to the table after it; lists that, and asks first
    #[arg(long, value_name = "RUN")]
    pub run: Option<Uuid>,
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
    /// Leave behind indexes, columns and constraints that were added to the live table since the
    /// switchover; otherwise they stop the rollback
    #[arg(long)]
    pub leave_additions: bool,
    /// How long to keep trying to get all locks
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
    /// How the switchover of a run is taken back.
    fn switchover(&self, exclusive: &Exclusive, run: Uuid) -> SwitchoverOptions {
        SwitchoverOptions {
            refresh_after: self.refresh_after,
            keep: self.keep,
            leave_additions: self.leave_additions,
            ..SwitchoverOptions::new(exclusive.pair.table.clone(), run, self.max_wait)
        }
    }

    /// Of the latest run, back to before a step.
    pub(super) fn back_to(step: Step, max_wait: Duration, out: Option<PathBuf>) -> Self {
        RollbackArgs {
            step: Some(step),
            run: None,
            yes: false,
            dry_run: false,
            keep: Keep::All,
            leave_additions: false,
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

/// What would be taken back.
#[derive(Clone, Debug, Serialize)]
pub struct WouldRollBack {
    /// The runs, the latest first.
    pub runs: Vec<Uuid>,
    /// The steps that have left something, the last one first.
    pub steps: Vec<Step>,
    /// What taking back a switchover would meet, where one is.
    #[serde(flatten)]
    pub switchover: Option<Foreseen>,
}

/// Rolls back, reports, and returns the exit code.
///
/// # Errors
/// That of the step that could not be taken back; refused where there is none.
pub fn run(args: &RollbackArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    if args.dry_run {
        let foreseen = foresee(args, context, &watch)?;
        context.print(&foreseen, || {
            let switchover = foreseen.switchover.as_ref().map(render::switchover::foreseen);
            render::migrate::to_roll_back(&foreseen.steps) + &switchover.unwrap_or_default()
        })?;
        let refused = foreseen.switchover.is_some_and(|switchover| switchover.is_refused());
        return Ok(if refused { Kind::Unsafe.exit_code() } else { 0 });
    }
    let done = roll_back(args, context, &watch)?;
    context.print(&done, || render::migrate::rolled_back(&done.undone))?;
    Ok(0)
}

/// Looks at what a rollback would do and meet.
fn foresee(args: &RollbackArgs, context: &Context, watch: &Arc<Watch>) -> Result<WouldRollBack> {
    let exclusive = Exclusive::take(context, watch)?;
    let chosen = choose(args, &exclusive)?;
    let mut would = WouldRollBack { runs: Vec::new(), steps: Vec::new(), switchover: None };
    for what in &chosen {
        let run = what.run();
        would.runs.push(run);
        let steps = what.steps();
        let made = exclusive
            .session(async |session, pair| record::of_run(&**session, &pair.table, run).await)?;
        if steps.contains(&Step::Switchover) && made.is_some_and(|m| m.state != State::Returned) {
            let options = args.switchover(&exclusive, run);
            let foreseen = switchover::foresee(&exclusive.info, &options);
            would.switchover = Some(exclusive.runtime.block_on(foreseen)?);
        }
        would.steps.extend(steps);
    }
    exclusive.release();
    Ok(would)
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
        if what.steps().contains(&Step::Switchover) {
            // Before anything is taken back that stands on it.
            let options = args.switchover(&exclusive, what.run());
            exclusive.session(async |session, pair| {
                switchover::refuse_obstacles(session, pair, &options).await
            })?;
        }
        match what {
            Undo::Switchover(run) => undone.push(by_command(args, &exclusive, watch, run)?),
            Undo::Steps(run, steps) => {
                let switchover = args.switchover(&exclusive, run.run_id);
                let site = Site {
                    exclusive,
                    watch: Arc::clone(watch),
                    progress: context.progress,
                    application: None,
                    max_wait: args.max_wait,
                    switchover,
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
    match render::ask::go_on(&text, args.yes)? {
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

/// Writes the report again: it says now that the run was rolled back.
fn report_again(site: &Site, folder: &Path) {
    let written = site.exclusive.session(async |session, pair| {
        let collected = collect(session, &pair.table).await?;
        render::run::write(folder, &collected)
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
    let step = Step::Switchover;
    let options = args.switchover(exclusive, run);
    let Exclusive { runtime, info, .. } = exclusive;
    let back = runtime.block_on(switchover::roll_back(info, &options, &watch.stop))?;
    let detail = outcome::switchover(&back)?.detail;
    Ok(Undoing { step, name: step.plan().name, detail })
}
