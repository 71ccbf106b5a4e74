//! The states of runs and steps, and which step comes next.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::plan::Step;
use crate::error::{Error, Result};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// A step may be running, or sterna was killed.
    Running,
    /// All steps were run, except those that wait for people.
    Finished,
    /// A step failed.
    Failed,
    /// It ended early, on request.
    Stopped,
    /// Everything was rolled back.
    RolledBack,
}

impl RunState {
    /// The name in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Finished => "finished",
            RunState::Failed => "failed",
            RunState::Stopped => "stopped",
            RunState::RolledBack => "rolled_back",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let all = [Self::Running, Self::Finished, Self::Failed, Self::Stopped, Self::RolledBack];
        all.into_iter().find(|state| state.name() == name).ok_or_else(|| unknown(name))
    }

    /// Whether there is something to resume.
    #[must_use]
    pub fn is_unfinished(self) -> bool {
        matches!(self, RunState::Running | RunState::Failed | RunState::Stopped)
    }
}

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepState {
    /// It is running, or was killed.
    Started,
    /// It succeeded, and its result was validated.
    Done,
    /// It failed, and may have acted in part.
    Failed,
    /// The command for this step alone was refused: nothing has changed.
    Refused,
    /// It was skipped.
    Skipped,
    /// It is being rolled back, or its rollback was killed.
    Undoing,
    /// It was rolled back.
    Undone,
}

impl StepState {
    /// The name in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            StepState::Started => "started",
            StepState::Done => "done",
            StepState::Failed => "failed",
            StepState::Refused => "refused",
            StepState::Skipped => "skipped",
            StepState::Undoing => "undoing",
            StepState::Undone => "undone",
        }
    }

    /// Parses the name in the ledger.
    ///
    /// # Errors
    /// Refused if the name is unknown: a newer sterna wrote it.
    pub fn parse(name: &str) -> Result<Self> {
        let all = [
            Self::Started,
            Self::Done,
            Self::Failed,
            Self::Refused,
            Self::Skipped,
            Self::Undoing,
            Self::Undone,
        ];
        all.into_iter().find(|state| state.name() == name).ok_or_else(|| unknown(name))
    }

    /// Whether it may have left something to roll back.
    #[must_use]
    pub fn may_have_acted(self) -> bool {
        !matches!(self, StepState::Refused | StepState::Skipped | StepState::Undone)
    }
}

fn unknown(name: &str) -> Error {
    Error::refused(format!("the ledger has a run or step in the unknown state {name:?}"))
        .hint("a newer sterna wrote it: use that version")
}

/// A run, as recorded in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Its id.
    pub run_id: Uuid,
    /// Its state.
    pub state: RunState,
    /// Its arguments.
    pub arguments: Value,
    /// What must not change before it is resumed, by topic.
    pub identity: Value,
    /// Deviations from the plan.
    pub deviations: Vec<String>,
    /// The role that began it.
    pub role: String,
    /// The version of sterna that began it.
    pub version: String,
    /// When it began, in UTC.
    pub started_at: String,
    /// When it ended, in UTC.
    pub finished_at: Option<String>,
    /// The steps that were begun, in order, each in its last attempt.
    pub steps: Vec<StepRecord>,
}

/// The last attempt at a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepRecord {
    /// Its number.
    pub step: Step,
    /// Its name.
    pub name: &'static str,
    /// Which attempt it is, from 1.
    pub attempt: i32,
    /// Its state.
    pub state: StepState,
    /// Rows that it read or wrote.
    pub rows: Option<i64>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What it reported.
    pub detail: Value,
    /// Why it failed.
    pub error: Option<String>,
    /// Deviations from the plan.
    pub deviations: Vec<String>,
    /// The role that ran it.
    pub role: String,
    /// The version of sterna that ran it.
    pub version: String,
    /// When it began, in UTC.
    pub started_at: String,
    /// When it ended, in UTC.
    pub finished_at: Option<String>,
}

impl Run {
    /// The record of a step; `None` if it was never begun.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&StepRecord> {
        self.steps.iter().find(|record| record.step == step)
    }

    /// The run without the record of a step, as if it had never been begun.
    #[must_use]
    pub fn without(mut self, step: Step) -> Self {
        self.steps.retain(|record| record.step != step);
        self
    }

    /// Whether a step is done or skipped and need not be run again.
    #[must_use]
    pub fn is_settled(&self, step: Step) -> bool {
        let state = self.step(step).map(|record| record.state);
        matches!(state, Some(StepState::Done | StepState::Skipped))
    }
}

/// The next step; `None` if the run is complete.
#[must_use]
pub fn next(run: &Run) -> Option<Step> {
    Step::all().find(|step| *step <= Step::LAST && !run.is_settled(*step))
}

#[cfg(test)]
impl Run {
    /// A run with no steps yet.
    pub(super) fn empty() -> Self {
        Run {
            run_id: Uuid::nil(),
            state: RunState::Running,
            arguments: Value::Null,
            identity: Value::Null,
            deviations: Vec::new(),
            role: String::new(),
            version: String::new(),
            started_at: String::new(),
            finished_at: None,
            steps: Vec::new(),
        }
    }
}
