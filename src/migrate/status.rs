//! The status of a run: every step, what comes next, what can be rolled back.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::choose::to_undo;
use super::plan::Step;
use super::state::{Run, RunState, StepRecord, StepState, next};
use crate::command_line;

/// The status of a run, as it is shown.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Its id.
    pub run_id: Uuid,
    /// Its state.
    pub state: RunState,
    /// The role that began it.
    pub role: String,
    /// The version of sterna that began it.
    pub version: String,
    /// When it began, in UTC.
    pub started_at: String,
    /// When it ended, in UTC.
    pub finished_at: Option<String>,
    /// Its arguments.
    pub arguments: Value,
    /// Deviations from the plan.
    pub deviations: Vec<String>,
    /// Every step of the plan.
    pub steps: Vec<StepStatus>,
    /// The next step; null if none follows by itself.
    pub next: Option<Step>,
    /// The command to run next: resume, or clean up.
    pub next_command: Option<String>,
    /// The steps that can be rolled back, the last one first.
    pub can_roll_back: Vec<Step>,
    /// The command that rolls back the last of them; null if there is none.
    pub rollback_command: Option<String>,
}

/// A step of the plan and its state.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StepStatus {
    /// Its number.
    pub step: Step,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub title: &'static str,
    /// Its state in the ledger, or `pending`.
    pub state: &'static str,
    /// The number of attempts.
    pub attempts: i32,
    /// Rows that it read or wrote.
    pub rows: Option<i64>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// When its last attempt began, in UTC.
    pub started_at: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Deviations from the plan.
    pub deviations: Vec<String>,
    /// What it reported.
    pub detail: Value,
}

/// The status of a run.
#[must_use]
pub fn of(run: &Run) -> Status {
    let can_roll_back = match run.state {
        RunState::RolledBack => Vec::new(),
        _ => to_undo(run, Some(Step::Backup)).map_or_else(
            |_| Vec::new(),
            |steps| {
                let with_traces = steps.iter().filter(|r| r.step.plan().leaves_traces);
                with_traces.map(|record| record.step).collect()
            },
        ),
    };
    let next = next(run).filter(|_| run.state.is_unfinished());
    let cleaned = run.step(Step::CleanUp).is_some_and(|r| r.state == StepState::Done);
    let next_command = match (run.state, next) {
        (RunState::Finished, _) if !cleaned => {
            Some(command_line::other(&run.arguments, "cleanup --older-than 7d"))
        }
        (_, Some(_)) => Some(command_line::resume(&run.arguments)),
        _ => None,
    };
    let mut deviations = run.deviations.clone();
    // The override of all checks comes before checks that were accepted by name.
    deviations.sort_by_key(|what| !what.contains("--accept-failed-validation"));
    Status {
        run_id: run.run_id,
        state: run.state,
        role: run.role.clone(),
        version: run.version.clone(),
        started_at: run.started_at.clone(),
        finished_at: run.finished_at.clone(),
        arguments: run.arguments.clone(),
        deviations,
        steps: Step::all().map(|step| of_step(step, run.step(step))).collect(),
        next,
        next_command,
        rollback_command: can_roll_back
            .first()
            .map(|_| command_line::roll_back(&run.arguments, None)),
        can_roll_back,
    }
}

/// The state of a step, by what the ledger says about it.
#[must_use]
pub fn of_step(step: Step, record: Option<&StepRecord>) -> StepStatus {
    let plan = step.plan();
    StepStatus {
        step,
        name: plan.name,
        title: plan.title,
        state: record.map_or("pending", |record| record.state.name()),
        attempts: record.map_or(0, |record| record.attempt),
        rows: record.and_then(|record| record.rows),
        seconds: record.and_then(|record| record.seconds),
        started_at: record.map(|record| record.started_at.clone()),
        error: record.and_then(|record| record.error.clone()),
        deviations: record.map(|record| record.deviations.clone()).unwrap_or_default(),
        detail: record.map(|record| record.detail.clone()).unwrap_or_default(),
    }
}
