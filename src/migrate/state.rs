//! How far runs and steps have come, and what follows from it.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::plan::Step;
use crate::error::{Error, Result};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// A step may be acting, or its client was killed.
    Running,
    /// All steps were taken but those that wait for people.
    Finished,
    /// A step did not succeed.
    Failed,
    /// It ended early, on request.
    Stopped,
    /// Everything was taken back.
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

    pub(super) fn parse(name: &str) -> Result<Self> {
        let all = [Self::Running, Self::Finished, Self::Failed, Self::Stopped, Self::RolledBack];
        all.into_iter().find(|state| state.name() == name).ok_or_else(|| unknown(name))
    }

    /// Whether there is something to resume.
    #[must_use]
    pub fn is_unfinished(self) -> bool {
        matches!(self, RunState::Running | RunState::Failed | RunState::Stopped)
    }
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepState {
    /// It is acting, or was killed while it did.
    Started,
    /// It has done what it was to do, and that was validated.
    Done,
    /// It did not succeed, and may have acted in part.
    Failed,
    /// A command of its own refused to take it: the step is what it was before.
    Refused,
    /// It was left out.
    Skipped,
    /// It is being taken back, or its rollback was killed.
    Undoing,
    /// It was taken back.
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

    /// By its name in the ledger.
    ///
    /// # Errors
    /// Refused where a newer sterna has written it.
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

    /// Whether it may have left something that can be taken back.
    #[must_use]
    pub fn may_have_acted(self) -> bool {
        !matches!(self, StepState::Refused | StepState::Skipped | StepState::Undone)
    }
}

fn unknown(name: &str) -> Error {
    Error::refused(format!("the ledger has a run or step in the unknown state {name:?}"))
        .hint("a newer sterna has written it: use that one")
}

/// A run as the ledger has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Its id.
    pub run_id: Uuid,
    /// How far it has come.
    pub state: RunState,
    /// What was asked for.
    pub arguments: Value,
    /// What a resumed run must find unchanged, by topic.
    pub identity: Value,
    /// Where it did not go by the plan.
    pub deviations: Vec<String>,
    /// Who began it.
    pub role: String,
    /// The version of sterna that began it.
    pub version: String,
    /// When, in UTC.
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
    /// How far it has come.
    pub state: StepState,
    /// Rows that it read or wrote.
    pub rows: Option<i64>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What it reported.
    pub detail: Value,
    /// Why it failed.
    pub error: Option<String>,
    /// Where it did not go by the plan.
    pub deviations: Vec<String>,
    /// Who took it.
    pub role: String,
    /// The version of sterna that took it.
    pub version: String,
    /// When, in UTC.
    pub started_at: String,
    /// When it ended, in UTC.
    pub finished_at: Option<String>,
}

impl Run {
    /// What is known of a step; none where it was never begun.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&StepRecord> {
        self.steps.iter().find(|record| record.step == step)
    }

    /// As if a step had never been begun.
    #[must_use]
    pub fn without(mut self, step: Step) -> Self {
        self.steps.retain(|record| record.step != step);
        self
    }

    /// Whether a step needs not to be taken again.
    #[must_use]
    pub fn is_settled(&self, step: Step) -> bool {
        let state = self.step(step).map(|record| record.state);
        matches!(state, Some(StepState::Done | StepState::Skipped))
    }
}

/// The step that comes next; none where a run has come to its end.
#[must_use]
pub fn next(run: &Run) -> Option<Step> {
    Step::all().find(|step| *step <= Step::LAST && !run.is_settled(*step))
}

#[cfg(test)]
impl Run {
    /// A run of which nothing is done.
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
