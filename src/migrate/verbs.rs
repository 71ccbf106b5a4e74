//! What a step can do, and what the coordinators need around it.

use serde_json::Value;

use super::plan::Step;
use super::state::StepState;
use crate::error::{Error, Result};

/// What every step can do. `S` is where it acts, `O` what was asked for.
pub trait Verbs<S, O> {
    /// Acts. It may find anything from nothing to all of it done, by an earlier attempt
    /// that was killed, and goes on from there.
    ///
    /// # Errors
    /// Whatever kept it from being done.
    fn run(&self, site: &S, options: &O) -> Result<Outcome>;

    /// Whether that is what it was to do, by looking again.
    ///
    /// # Errors
    /// [`crate::error::Kind::Validation`] where it is not.
    fn validate(&self, _site: &S, _options: &O, _done: &Outcome) -> Result<()> {
        Ok(())
    }

    /// Takes it back, as far as it got. `detail` is what it reported; null where it was
    /// killed before it could. Says what was done; none where nothing was.
    ///
    /// # Errors
    /// Where that is not possible or not safe.
    fn undo(&self, _site: &S, _detail: &Value) -> Result<Option<Value>> {
        Ok(None)
    }
}

/// What a step came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Rows that it read or wrote.
    pub rows: Option<i64>,
    /// What is said of it in a line.
    pub summary: String,
    /// What it reports, for the ledger.
    pub detail: Value,
    /// What was found that speaks against going on.
    pub failures: Vec<Error>,
    /// What was found and accepted by the user.
    pub deviations: Vec<String>,
}

/// Where the coordinators record what they do.
pub trait Records {
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
    pub outcome: &'a Outcome,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed, where it did.
    pub error: Option<String>,
    /// Where it did not go by the plan.
    pub deviations: Vec<String>,
}

/// Who is told while steps are taken.
pub trait Teller {
    /// A step begins.
    fn begins(&mut self, step: Step);
    /// A step has ended.
    fn ended(&mut self, step: Step, ended: &Ended<'_>);
}
