//! How a run and its rollback are recorded, and who receives the progress.

use super::outcome::StepOutcome;
use super::outlook::Outlook;
use super::plan::Step;
use super::state::StepState;
use crate::error::Result;

/// Records a run and its rollback.
pub(crate) trait Records {
    /// Records a step before it acts.
    ///
    /// # Errors
    /// If it cannot be written; then the step must not act.
    fn begin(&mut self, step: Step) -> Result<()>;

    /// Records how a step ended, and its deviations from the plan.
    ///
    /// # Errors
    /// If it cannot be written.
    fn end(&mut self, step: Step, ended: &Ended<'_>) -> Result<()>;

    /// Records the state of a step before and after it is rolled back.
    ///
    /// # Errors
    /// If it cannot be written.
    fn mark(&mut self, step: Step, state: StepState) -> Result<()>;

    /// Records a deviation from the plan.
    ///
    /// # Errors
    /// If it cannot be written.
    fn deviate(&mut self, what: &str) -> Result<()>;
}

/// How a step ended.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Its state.
    pub state: StepState,
    /// Rows, summary and report.
    pub outcome: &'a StepOutcome,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Deviations from the plan.
    pub deviations: Vec<String>,
}

/// Receives the progress of a run.
pub trait StepListener {
    /// The run begins, with these steps ahead.
    fn expects(&mut self, _outlook: &Outlook, _ahead: &[Step]) {}
    /// A step has shown more about those ahead.
    fn corrects(&mut self, _outlook: &Outlook, _ahead: &[Step]) {}
    /// A step begins.
    fn begins(&mut self, step: Step);
    /// A step has ended.
    fn ended(&mut self, step: Step, ended: &Ended<'_>);
}
