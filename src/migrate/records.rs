//! Where a run and its rollback are recorded, and who is told.

use super::outcome::StepOutcome;
use super::plan::Step;
use super::state::StepState;
use crate::error::Result;

/// Where the coordinators record what they do.
pub(crate) trait Records {
    /// Before a step acts.
    ///
    /// # Errors
    /// Where it cannot be written, so the step must not act.
    fn begin(&mut self, step: Step) -> Result<()>;

    /// After it.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn end(&mut self, step: Step, ended: &Ended<'_>) -> Result<()>;

    /// Before and after a step is undone.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn mark(&mut self, step: Step, state: StepState) -> Result<()>;

    /// That the run does not go by the plan.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn deviate(&mut self, what: &str) -> Result<()>;
}

/// How a step ended.
#[derive(Debug)]
pub struct Ended<'a> {
    /// In which state.
    pub state: StepState,
    /// Rows, summary and report.
    pub outcome: &'a StepOutcome,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed, where it did.
    pub error: Option<String>,
    /// Where it did not go by the plan.
    pub deviations: Vec<String>,
}

/// Who is told while steps are taken.
pub trait StepListener {
    /// A step begins.
    fn begins(&mut self, step: Step);
    /// A step has ended.
    fn ended(&mut self, step: Step, ended: &Ended<'_>);
}
