//! Runs a single step of the plan as a command, and records it in the ledger.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Context;
use crate::error::{Error, Kind, Result};
use crate::migrate::exclusive::Exclusive;
use crate::migrate::ledger::{self, NewRun, RunKind};
use crate::migrate::outcome::value;
use crate::migrate::{Ended, Run, RunState, Step, StepOutcome, StepState};
use crate::pg::ConnInfo;
use crate::table::partition::Takes;
use crate::table::staging::Pair;
use crate::watch::Watch;

/// A command as a step of the plan.
pub(super) struct AsStep<'a, T> {
    /// The step.
    pub(super) step: Step,
    /// The command's arguments, without secrets.
    pub(super) arguments: Value,
    /// Converts the result to what the ledger records.
    pub(super) told: fn(&T) -> Result<StepOutcome>,
    /// Stops the command early.
    pub(super) watch: &'a Arc<Watch>,
}

/// Runs a step of the plan as a command: under the lock on the table, and recorded in the
/// ledger as part of the unfinished run of the plan, if there is one. `work` gets the id of
/// the run it is part of.
pub(super) fn as_step<T>(
    context: &Context,
    what: &AsStep<'_, T>,
    work: impl FnOnce(&Exclusive, Uuid) -> Result<T>,
) -> Result<T> {
    let exclusive = context.exclusive(takes(what.step), what.watch)?;
    let (run, own) = begin(&exclusive, what.step, &what.arguments)?;
    let begun = Instant::now();
    let done = work(&exclusive, run).map_err(|error| exclusive.explain(error));
    let seconds = begun.elapsed().as_secs_f64();
    let written = written(exclusive, what, (run, own), done.as_ref(), seconds);
    match (done, written) {
        (Ok(done), Err(unwritten)) => {
            tracing::warn!("the step is done, but not recorded in the ledger: {unwritten}");
            Ok(done)
        }
        (done, _) => done,
    }
}

/// The kinds of table that a command of a step takes.
fn takes(step: Step) -> Takes {
    match step {
        Step::Staging
        | Step::TestLoad
        | Step::TestValidation
        | Step::Truncate
        | Step::Load
        | Step::Validation
        | Step::Switchover
        | Step::CleanUp => Takes::Shards,
        Step::Backup | Step::Comprehensive => Takes::Partitions,
        _ => Takes::Tables,
    }
}

/// Records a step after the fact, if it ran without the lock.
pub(super) fn was_step<T>(
    context: &Context,
    info: &ConnInfo,
    what: &AsStep<'_, T>,
    done: &T,
    seconds: f64,
) -> Result<()> {
    let exclusive = Exclusive::take(info, &context.table, takes(what.step), what.watch, 0)?;
    let (run, own) = begin(&exclusive, what.step, &what.arguments)?;
    written(exclusive, what, (run, own), Ok(done), seconds)
}

/// Records the outcome of a command's step, and of its run if the command started that, and
/// releases the lock.
fn written<T>(
    exclusive: Exclusive,
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
    let deviations = told.deviations.iter().map(|d| format!("{}: {d}", what.step)).collect();
    let how = Ended { state, outcome: &told, seconds, error, deviations };
    let ended = own.then_some(ended);
    exclusive
        .release_after(async |session| ledger::end_step(session, run, what.step, &how, ended).await)
}

/// Records that the step begins, in the unfinished run of the plan (false) or in a run of the
/// command's own (true): the run of an earlier attempt that was killed, or a new one. Cleaning
/// up belongs to a finished run.
fn begin(exclusive: &Exclusive, step: Step, arguments: &Value) -> Result<(Uuid, bool)> {
    let belongs = |run: &Run| match step {
        Step::CleanUp => run.state == RunState::Finished,
        _ => run.state.is_unfinished(),
    };
    let Exclusive { pair: Pair { table, table_oid, .. }, last, .. } = exclusive;
    let migration = last.migration.as_ref().filter(|run| belongs(run));
    let killed = last.killed(step).map(|run| (run, true));
    let last = migration.map(|run| (run.run_id, false));
    exclusive.ledger(async |session| {
        if let Some((run, own)) = last.or(killed) {
            ledger::begin_step(session, run, step, arguments).await?;
            return Ok((run, own));
        }
        let (id, kind, identity) = (Uuid::new_v4(), RunKind::Command, &Value::Null);
        let run = NewRun { id, kind, table, target: *table_oid, arguments, identity };
        let (run, step) = futures::join!(
            ledger::begin(session, &run),
            ledger::begin_step(session, id, step, arguments),
        );
        run.and(step)?;
        Ok((id, true))
    })
}

/// Marks those of `steps` that the unfinished run has done as undone.
pub(super) fn mark_undone(exclusive: &Exclusive, steps: &[Step]) -> Result<()> {
    let migration = exclusive.last.migration.as_ref();
    let Some(run) = migration.filter(|run| run.state.is_unfinished()) else { return Ok(()) };
    let is_done = |step: &Step| run.step(*step).is_some_and(|s| s.state == StepState::Done);
    exclusive.ledger(async |session| {
        for step in steps.iter().copied().filter(is_done) {
            ledger::mark_step(session, run.run_id, step, StepState::Undone).await?;
        }
        Ok(())
    })
}

/// The outcome of a step without rows or figures: the report itself as detail.
pub(super) fn plain<T: Serialize>(report: &T) -> Result<StepOutcome> {
    Ok(StepOutcome { detail: value(report)?, ..StepOutcome::default() })
}
