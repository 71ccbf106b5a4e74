//! Commands that do a step of the plan by themselves, and what the ledger is told of them.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Context;
use crate::error::{Error, Kind, Result};
use crate::migrate::exclusive::{Exclusive, InLedger, last_run};
use crate::migrate::ledger::{self, NewRun, RunKind};
use crate::migrate::outcome::value;
use crate::migrate::records::Records;
use crate::migrate::{Ended, Run, RunState, Step, StepOutcome, StepState};
use crate::table::staging::Pair;
use crate::watch::Watch;

/// What a command does as a step of the plan.
pub(super) struct AsStep<'a, T> {
    /// Which step.
    pub(super) step: Step,
    /// What was asked for, without secrets.
    pub(super) arguments: Value,
    /// What the ledger is told of what was done.
    pub(super) told: fn(&T) -> Result<StepOutcome>,
    /// Set where the command is to end early.
    pub(super) watch: &'a Arc<Watch>,
}

/// Does a step of the plan by a command of its own: while no other sterna works on the
/// table, and recorded in the ledger, under the unfinished run of the plan where there is
/// one. `work` is told which run it is part of.
pub(super) fn as_step<T>(
    context: &Context,
    what: &AsStep<'_, T>,
    work: impl FnOnce(&Exclusive, Uuid) -> Result<T>,
) -> Result<T> {
    let exclusive = context.exclusive(what.watch)?;
    let (run, own) = attach(&exclusive, what.step, &what.arguments)?;
    InLedger { exclusive: &exclusive, run, arguments: &what.arguments }.begin(what.step)?;
    let begun = Instant::now();
    let done = work(&exclusive, run).map_err(|error| exclusive.explain(error));
    let seconds = begun.elapsed().as_secs_f64();
    let written = written(&exclusive, what, (run, own), done.as_ref(), seconds);
    exclusive.release();
    match (done, written) {
        (Ok(done), Err(unwritten)) => {
            tracing::warn!("it is done, but the ledger was not told: {unwritten}");
            Ok(done)
        }
        (done, _) => done,
    }
}

/// Records afterwards what was done without the lock.
pub(super) fn was_step<T>(
    context: &Context,
    what: &AsStep<'_, T>,
    done: &T,
    seconds: f64,
) -> Result<()> {
    let exclusive = context.exclusive(what.watch)?;
    let (run, own) = attach(&exclusive, what.step, &what.arguments)?;
    InLedger { exclusive: &exclusive, run, arguments: &what.arguments }.begin(what.step)?;
    let written = written(&exclusive, what, (run, own), Ok(done), seconds);
    exclusive.release();
    written
}

/// Records what came of a command's step, and of its run where that is its own.
fn written<T>(
    exclusive: &Exclusive,
    what: &AsStep<'_, T>,
    (run, own): (Uuid, bool),
    done: Result<&T, &Error>,
    seconds: f64,
) -> Result<()> {
    let told = done.map_or_else(|_| Ok(StepOutcome::default()), what.told)?;
    let error = done.err().or(told.failures.first()).map(ToString::to_string);
    let (state, ended) = match done {
        Err(error) if error.kind() == Kind::Unsafe => (StepState::Refused, RunState::Failed),
        _ if error.is_some() => (StepState::Failed, RunState::Failed),
        _ => (StepState::Done, RunState::Finished),
    };
    let deviations = told.deviations.clone();
    let how = Ended { state, outcome: &told, seconds, error, deviations };
    let mut records = InLedger { exclusive, run, arguments: &what.arguments };
    for deviation in &told.deviations {
        records.deviate(&format!("{}: {deviation}", what.step))?;
    }
    records.end(what.step, &how)?;
    match own {
        true => exclusive.ledger(async |s| ledger::settle(s, run, ended).await),
        false => Ok(()),
    }
}

/// The unfinished run of the plan, or one of the command's own: that of its earlier
/// attempt, where that was killed. Cleaning up belongs to the run that is finished.
fn attach(exclusive: &Exclusive, step: Step, arguments: &Value) -> Result<(Uuid, bool)> {
    let belongs = |run: &Run| match step {
        Step::CleanUp => run.state == RunState::Finished,
        _ => run.state.is_unfinished(),
    };
    if let Some(run) = last_run(exclusive)?.filter(belongs) {
        return Ok((run.run_id, false));
    }
    let table = &exclusive.pair.table;
    let killed =
        exclusive.ledger(async |session| ledger::killed_command(session, table, step).await)?;
    if let Some(run) = killed {
        return Ok((run, true));
    }
    let id = Uuid::new_v4();
    let Pair { table, table_oid, .. } = &exclusive.pair;
    exclusive.ledger(async |session| {
        let (kind, identity) = (RunKind::Command, &Value::Null);
        let run = NewRun { id, kind, table, target: *table_oid, arguments, identity };
        ledger::begin(session, &run).await
    })?;
    Ok((id, true))
}

/// Records that a step of the unfinished run, if it was done, is undone.
pub(super) fn mark_undone(exclusive: &Exclusive, step: Step) -> Result<()> {
    let Some(run) = last_run(exclusive)?.filter(|run| run.state.is_unfinished()) else {
        return Ok(());
    };
    match run.step(step) {
        Some(record) if record.state == StepState::Done => exclusive.ledger(async |session| {
            ledger::mark_step(session, run.run_id, step, StepState::Undone).await
        }),
        _ => Ok(()),
    }
}

/// What is kept nowhere else and of which there is nothing to count.
pub(super) fn plain<T: Serialize>(report: &T) -> Result<StepOutcome> {
    Ok(StepOutcome { detail: value(report)?, ..StepOutcome::default() })
}
