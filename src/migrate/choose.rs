//! Chooses the runs and steps to roll back: those of the latest run only, unless a run is
//! named.

use uuid::Uuid;

use super::exclusive::Exclusive;
use super::ledger::{self, RunKind};
use super::partition;
use super::plan::Step;
use super::state::{Run, RunState, StepRecord, StepState};
use crate::command_line;
use crate::error::{Error, Result};
use crate::switchover::record::{self, SwitchoverState};

/// What to roll back.
pub(super) enum Undo {
    /// Steps of a migration, the last one first.
    Steps(Box<Run>, Vec<StepRecord>),
    /// A switchover by `sterna switchover`, by its run.
    Switchover(Uuid),
}

impl Undo {
    /// Its run.
    pub(super) fn run(&self) -> Uuid {
        match self {
            Undo::Steps(run, _) => run.run_id,
            Undo::Switchover(run) => *run,
        }
    }

    /// The steps that have something to roll back, the last one first.
    pub(super) fn steps(&self) -> Vec<Step> {
        match self {
            Undo::Steps(_, steps) => {
                let steps = steps.iter().map(|record| record.step);
                steps.filter(|step| step.plan().leaves_traces).collect()
            }
            Undo::Switchover(_) => vec![Step::Switchover],
        }
    }
}

/// Chooses the latest run, or with `--run` every run back to that one.
pub(super) fn choose(
    (run, step): (Option<Uuid>, Option<Step>),
    exclusive: &Exclusive,
) -> Result<Vec<Undo>> {
    let table = &exclusive.pair.table;
    let runs = exclusive.ledger(async |session| ledger::runs(session, table).await)?;
    let Some(wanted) = run else {
        let Some(latest) = runs.first() else { return Err(none(exclusive)?) };
        return Ok(vec![of_latest(step, exclusive, *latest)?]);
    };
    let at = runs.iter().position(|(run, _)| *run == wanted).ok_or_else(|| {
        Error::refused(format!(
            "no run {wanted} of {table} is in the ledger, or its old table was cleaned up"
        ))
        .hint("`sterna status` names the latest run")
    })?;
    let mut chosen = Vec::new();
    for (at_run, (id, kind)) in runs.into_iter().take(at + 1).enumerate() {
        let back_to = step.filter(|_| at_run == at).unwrap_or(Step::Backup);
        let made = exclusive
            .session(async |session, pair| record::of_run(session, &pair.table, id).await)?;
        let made = made.map(|made| made.state);
        if made == Some(SwitchoverState::Cleaned) {
            return Err(Error::refused(format!(
                "the table that run {id} replaced is gone: it was cleaned up, or another \
                 switchover came after it"
            ))
            .hint("its backup has the rows; see `sterna report`"));
        }
        match kind {
            RunKind::Command if made == Some(SwitchoverState::Switched) => {
                chosen.push(Undo::Switchover(id))
            }
            RunKind::Command => {}
            RunKind::Migration => {
                let run = find(exclusive, id)?;
                if run.state != RunState::RolledBack && acted(&run).next().is_some() {
                    let steps = to_undo(&run, Some(back_to))?.into_iter().cloned().collect();
                    chosen.push(Undo::Steps(Box::new(run), steps));
                }
            }
        }
    }
    match chosen.last() {
        Some(last) if last.run() == wanted => Ok(chosen),
        _ => Err(Error::refused(format!("run {wanted} is already rolled back"))
            .hint("there is nothing to roll back; see `sterna status`")),
    }
}

/// The refusal if the table has no run.
fn none(exclusive: &Exclusive) -> Result<Error> {
    let table = &exclusive.pair.table;
    let below =
        exclusive.ledger(async |session| partition::last_run_below(session, table).await)?;
    let refused = Error::refused(format!("the ledger has no migration of {table} to roll back"));
    Ok(refused.hint(match below {
        Some(partition) => format!(
            "the last run on one of its partitions was on {partition}: add --partition {} to roll \
             it back",
            command_line::shell_quoted(partition.name.name())
        ),
        None => "`sterna stage drop`, `sterna species undo` and `sterna summary --undo` undo what \
                 was done by hand"
            .to_owned(),
    }))
}

/// Chooses from the latest run. Earlier runs are never touched, even if nothing of the
/// latest one is left.
fn of_latest(
    step: Option<Step>,
    exclusive: &Exclusive,
    (id, kind): (Uuid, RunKind),
) -> Result<Undo> {
    if kind == RunKind::Command {
        return match step {
            None | Some(Step::Switchover) => Ok(Undo::Switchover(id)),
            Some(step) => Err(Error::refused(format!(
                "switchover {id} was run by `sterna switchover`, which has no step {step}"
            ))
            .hint("`sterna rollback switchover` rolls it back")),
        };
    }
    let run = find(exclusive, id)?;
    if run.state == RunState::RolledBack {
        let error = Error::refused("the last migration is already rolled back");
        return Err(error.hint(further_back(exclusive, &run)?));
    }
    match to_undo(&run, step) {
        Ok(steps) => {
            let steps = steps.into_iter().cloned().collect();
            Ok(Undo::Steps(Box::new(run), steps))
        }
        // Killed before its first step.
        Err(_) if run.steps.is_empty() => Ok(Undo::Steps(Box::new(run), Vec::new())),
        Err(error) => Err(error),
    }
}

pub(super) fn find(exclusive: &Exclusive, id: Uuid) -> Result<Run> {
    let table = &exclusive.pair.table;
    let found = exclusive.ledger(async |session| ledger::find(session, table, Some(id)).await)?;
    found.ok_or_else(|| Error::database("the run is no longer in the ledger"))
}

/// How to roll back an earlier run, if its new table is the live one.
fn further_back(exclusive: &Exclusive, run: &Run) -> Result<String> {
    let last = exclusive
        .session(async |session, pair| record::last(session, &pair.table).await)?
        .filter(|last| last.state == SwitchoverState::Switched && last.run != run.run_id);
    Ok(match last {
        None => "there is nothing to roll back; see `sterna status`".to_owned(),
        Some(last) => {
            let back = format!("rollback --run {}", last.run);
            let back = command_line::other(&run.arguments, &back);
            format!("the run before it still stands; `{back}` rolls it back")
        }
    })
}

/// The steps that may have changed something. A clean-up that was refused, or that never
/// got its locks, has removed nothing.
pub(super) fn acted(run: &Run) -> impl Iterator<Item = &StepRecord> {
    run.steps.iter().filter(|record| {
        record.state.may_have_acted()
            && (record.step != Step::CleanUp || record.state == StepState::Done)
    })
}

/// The steps to roll back, the last one first: down to `back_to`, or else down to the
/// last one that has something to roll back.
///
/// # Errors
/// Refused if there is nothing to roll back, or if the old table was cleaned up.
pub(super) fn to_undo(run: &Run, back_to: Option<Step>) -> Result<Vec<&StepRecord>> {
    let mut acted: Vec<&StepRecord> = acted(run).collect();
    acted.sort_by_key(|record| std::cmp::Reverse(record.step));
    let last_trace = acted.iter().find(|record| record.step.plan().leaves_traces);
    let back_to = back_to.or(last_trace.map(|record| record.step)).unwrap_or(Step::Backup);
    acted.retain(|record| record.step >= back_to);
    match acted.first() {
        None => Err(Error::refused(format!("no step from {back_to} on was run"))
            .hint("`sterna status` shows what can be rolled back")),
        Some(_) if acted.iter().any(|record| record.step == Step::CleanUp) => {
            Err(Error::refused("the old table was cleaned up, so there is nothing to roll back to")
                .hint("the backup of step 1.1 has its rows; see `sterna status`"))
        }
        Some(_) => Ok(acted),
    }
}
