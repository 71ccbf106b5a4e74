//! `sterna migrate`: the whole plan as one run, which can be resumed and taken back.

mod args;
mod identity;
mod preparation;
mod rehearsed;
mod resumed;
mod site;
mod steps;

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

pub(super) use args::recorded_additions;
pub use args::{MigrateArgs, MigrationChoices};
pub(super) use identity::of as identity_of;
pub(super) use site::{Site, folder};
pub(super) use steps::verbs;

use super::exclusive::{Exclusive, InLedger, last_run};
use super::{Context, unvalidated};
use crate::cli::render;
use crate::error::{Error, Kind, Result};
use crate::migrate::command_line;
use crate::migrate::ledger::{self, NewRun, RunKind};
use crate::migrate::{Coordinator, Records, Run, RunState, Step, StepState, Teller, next, status};
use crate::private;
use crate::switchover::SwitchoverOptions;
use crate::watch::Watch;

/// Runs the plan, reports, and returns the exit code.
///
/// # Errors
/// That of the step that did not succeed; refused where a run is unfinished, or is not
/// the one that is to be resumed.
pub fn run(args: &MigrateArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let mut teller = render::migrate::Lines::new(context.progress);
    let typed = command_line::kept(std::env::args().skip(1));
    let args = &MigrateArgs { typed, ..args.clone() };
    let (taken, shown) = migrate(args, context, &watch, &mut teller)?;
    match shown {
        Ok(shown) => context.print(&shown, || render::migrate::status(&shown))?,
        Err(unwritten) if taken.is_ok() => return Err(unwritten),
        Err(unwritten) => tracing::warn!("the report could not be written: {unwritten}"),
    }
    taken.map(|()| 0)
}

/// Runs the plan. Returns how it ended, and how far it is as the ledger has it.
///
/// # Errors
/// Whatever keeps a run from beginning.
pub(super) fn migrate(
    args: &MigrateArgs,
    context: &Context,
    watch: &Arc<Watch>,
    teller: &mut dyn Teller,
) -> Result<(Result<()>, Result<status::Status>)> {
    let accepted = args.accepted()?;
    preparation::refuse_unsupported(context, args)?;
    // Not after hours of work.
    args.out.as_deref().map_or(Ok(()), private::own_folder)?;
    let identity = identity::of(&args.choices, &context.table, &watch.stop)?;
    if !args.resume && args.from.is_none_or(|from| from <= Step::Load) {
        preparation::refuse_loss(context, &args.choices)?;
    }
    let exclusive = Exclusive::take(context, watch)?;
    let application = preparation::application(args, &exclusive)?;
    let unrehearsed = rehearsed::refuse_unrehearsed(context, &exclusive, args, &identity)?;
    let run = attach(&exclusive, args, &identity)?;
    let args = &resumed::carried_on(args, &run);
    let switchover = SwitchoverOptions {
        refresh_after: args.choices.refresh_after,
        ..SwitchoverOptions::new(context.table.clone(), run.run_id, args.choices.max_wait)
    };
    let site = Site {
        switchover,
        exclusive,
        watch: Arc::clone(watch),
        progress: context.progress,
        application,
        max_wait: args.choices.max_wait,
        run: run.run_id,
        additions: args.choices.additions()?,
        backup: args.backup_out.clone().unwrap_or_else(|| folder("backup", run.run_id)),
        folder: args.out.clone().unwrap_or_else(|| folder("report", run.run_id)),
    };
    let arguments = args.recorded();
    let mut records =
        InLedger { exclusive: &site.exclusive, run: run.run_id, arguments: &arguments };
    if let Some(deviation) = unrehearsed {
        records.deviate(&deviation)?;
    }
    for departure in resumed::departures(args, &run) {
        records.deviate(&departure)?;
    }
    let taken = preparation::begin_journal(&site, &run, args.from).and_then(|()| {
        let (from, to) = (args.from.unwrap_or(Step::Backup), args.to.min(Step::LAST));
        let stop = &watch.stop;
        let (site, options, records) = (&site, &args.choices, &mut records);
        Coordinator { site, options, verbs, accepted: &accepted, records, teller, stop }
            .run(&run, from, to)
    });
    let taken = taken.map_err(|error| site.exclusive.explain(error));
    let shown = end(&site, args, &mut records, &taken, teller);
    if let (Ok(()), Ok(shown)) = (&taken, &shown) {
        unvalidated::warn_of_unused(&args.choices.accept_check, &shown.deviations);
    }
    let Site { exclusive, .. } = site;
    exclusive.release();
    Ok((taken, shown))
}

/// Settles the run and writes the report, whatever came of it.
fn end(
    site: &Site,
    args: &MigrateArgs,
    records: &mut dyn Records,
    taken: &Result<()>,
    teller: &mut dyn Teller,
) -> Result<status::Status> {
    let run = site.last_run()?;
    let state = match taken {
        Ok(()) if next(&run).is_none() => RunState::Finished,
        Ok(()) => RunState::Stopped,
        Err(error) if error.kind() == Kind::Interrupted => RunState::Stopped,
        Err(_) => RunState::Failed,
    };
    let id = run.run_id;
    site.exclusive.ledger(async |session| ledger::settle(session, id, state).await)?;
    let reported = Coordinator {
        site,
        options: &args.choices,
        verbs,
        accepted: &args.accepted()?,
        records,
        teller,
        // The report is written also where the run was interrupted.
        stop: &std::sync::atomic::AtomicBool::new(false),
    }
    .run(&run.without(Step::Report), Step::Report, Step::Report);
    if let Err(error) = reported {
        tracing::warn!("{error}");
    }
    Ok(status::of(&site.last_run()?))
}

/// Copies of production that a resumed run takes again: those from before something was
/// rolled back, for they lack what was written since. Behind the switchover they are of
/// the table that it has replaced, and stay.
fn outdated(run: &Run) -> Vec<Step> {
    let is = |step, state| run.step(step).is_some_and(|record| record.state == state);
    let was_rolled_back = run.steps.iter().any(|record| record.state == StepState::Undone);
    if !was_rolled_back || is(Step::Switchover, StepState::Done) {
        return Vec::new();
    }
    let copies = [Step::Backup, Step::BackupTable].into_iter();
    copies.filter(|step| is(*step, StepState::Done)).collect()
}

/// A new run, or the one that is to be resumed, with what is to be taken of it.
fn attach(exclusive: &Exclusive, args: &MigrateArgs, identity: &Value) -> Result<Run> {
    let unfinished = last_run(exclusive)?.filter(|run| run.state.is_unfinished());
    if let Some(run) = unfinished {
        if !args.resume {
            let (id, state) = (run.run_id, run.state.name());
            let at = next(&run).map_or_else(String::new, |step| format!(", before {step}"));
            return Err(Error::refused(format!(
                "an earlier migration of {} is {state}{at} ({id})",
                exclusive.pair.table
            ))
            .hint(format!(
                "go on with it by `{}`, or take it back by `{}`; `{}` shows it",
                command_line::resume(&run.arguments),
                command_line::roll_back(&run.arguments, Some(Step::Backup)),
                command_line::other(&run.arguments, "status"),
            )));
        }
        identity::same(&run, identity)?;
        let id = run.run_id;
        exclusive.ledger(async |session| ledger::settle(session, id, RunState::Running).await)?;
        return Ok(outdated(&run).into_iter().fold(run, Run::without));
    }
    if args.resume {
        return Err(Error::refused(format!(
            "no migration of {} is unfinished",
            exclusive.pair.table
        ))
        .hint("begin one by the same command without --resume; `sterna status` shows the last"));
    }
    let (id, arguments) = (Uuid::new_v4(), args.recorded());
    let crate::table::staging::Pair { table, table_oid, .. } = &exclusive.pair;
    exclusive.ledger(async |session| {
        let kind = RunKind::Migration;
        let run = NewRun { id, kind, table, target: *table_oid, arguments: &arguments, identity };
        ledger::begin(session, &run).await?;
        if let Some(from) = args.from {
            ledger::deviate(session, id, &format!("began at {from}: --from")).await?;
        }
        Ok(())
    })?;
    last_run(exclusive)?.ok_or_else(|| Error::database("the run is not in the ledger"))
}
