//! Runs the steps in order and stops at the first that fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::outcome::StepOutcome;
use super::plan::Step;
use super::records::{Ended, Records, StepListener};
use super::state::{Run, StepState};
use crate::command_line;

use crate::error::{Error, Kind, Result};

/// The user's overrides of the plan; each use is recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct Accepted {
    /// Continue after a failed validation.
    pub(super) failed_validation: bool,
    /// Continue even if staging is certainly slower.
    pub(super) regression: bool,
    /// Skip these steps.
    pub(super) skip: Vec<Step>,
}

/// Runs the steps and records them.
pub(super) struct Coordinator<'a> {
    /// Runs one step.
    pub(super) take: Box<dyn Fn(Step) -> Result<StepOutcome> + 'a>,
    /// The user's overrides of the plan.
    pub(super) accepted: Accepted,
    /// Where steps are recorded.
    pub(super) records: &'a mut dyn Records,
    /// Who receives the progress.
    pub(super) listener: &'a mut dyn StepListener,
    /// Set when the run must stop early.
    pub(super) stop: &'a AtomicBool,
}

impl Coordinator<'_> {
    /// Runs the steps from `from` to `to` that `run` has not settled yet.
    ///
    /// # Errors
    /// The error of the step that failed, with what to do next.
    pub(super) fn run(&mut self, run: &Run, from: Step, to: Step) -> Result<()> {
        for step in Step::all().filter(|step| (from..=to).contains(step)) {
            if run.is_settled(step) {
                continue;
            }
            if self.stop.load(Ordering::Relaxed) {
                let resume = command_line::resume(&run.arguments);
                return Err(Error::new(Kind::Interrupted, format!("interrupted before {step}"))
                    .hint(format!("`{resume}` continues there")));
            }
            match self.left_out(step) {
                Some(why) => self.leave_out(step, why)?,
                None => self.take(run, step)?,
            }
        }
        Ok(())
    }

    fn left_out(&self, step: Step) -> Option<String> {
        let skip = &self.accepted.skip;
        if skip.contains(&step) {
            return Some(format!("--skip {}", step.number()));
        }
        let needed = step.needs().filter(|needed| skip.contains(needed))?;
        Some(format!("--skip {}, which it needs", needed.number()))
    }

    fn leave_out(&mut self, step: Step, why: String) -> Result<()> {
        self.records.begin(step)?;
        let outcome = StepOutcome { summary: why.clone(), ..StepOutcome::default() };
        let deviations = vec![format!("{step} was left out: {why}")];
        self.end(step, StepState::Skipped, &outcome, 0.0, None, deviations)
    }

    fn take(&mut self, run: &Run, step: Step) -> Result<()> {
        self.records.begin(step)?;
        self.listener.begins(step);
        let begun = Instant::now();
        let (mut outcome, failed) = match (self.take)(step) {
            Ok(outcome) => (outcome, None),
            Err(error) => (StepOutcome::default(), Some(error)),
        };
        let mut failures = std::mem::take(&mut outcome.failures);
        failures.extend(failed);
        let seconds = begun.elapsed().as_secs_f64();
        let mut deviations: Vec<_> =
            outcome.deviations.iter().map(|what| format!("{step}: {what}")).collect();
        // Only what a gate found can be accepted, not an error that kept a step from acting.
        if step.plan().is_gate {
            failures.retain(|error| match self.accepts(error) {
                Some(flag) => {
                    deviations.push(format!("{step} failed and {flag} was given: {error}"));
                    false
                }
                None => true,
            });
        }
        if failures.is_empty() {
            return self.end(step, StepState::Done, &outcome, seconds, None, deviations);
        }
        let error = failures.swap_remove(0);
        let failed = Some(&error);
        if let Err(unwritten) =
            self.end(step, StepState::Failed, &outcome, seconds, failed, deviations)
        {
            // The user needs to see the failure itself.
            tracing::warn!("the failure could not be recorded in the ledger: {unwritten}");
        }
        Err(explain(run, step, error))
    }

    /// The flag that accepts a failure of a gate, if it was given.
    fn accepts(&self, failure: &Error) -> Option<&'static str> {
        match failure.kind() {
            Kind::Validation if self.accepted.failed_validation => {
                Some("--accept-failed-validation")
            }
            Kind::Regression if self.accepted.regression => Some("--accept-regression"),
            _ => None,
        }
    }

    fn end(
        &mut self,
        step: Step,
        state: StepState,
        outcome: &StepOutcome,
        seconds: f64,
        error: Option<&Error>,
        deviations: Vec<String>,
    ) -> Result<()> {
        let error = error.map(ToString::to_string);
        let ended = Ended { state, outcome, seconds, error, deviations };
        self.listener.ended(step, &ended);
        self.records.end(step, &ended)
    }
}

/// Adds where production stands, and the commands that resume the run or roll it back.
fn explain(run: &Run, step: Step, error: Error) -> Error {
    let back = |to| command_line::roll_back(&run.arguments, to);
    let so_far = match step.is_live() {
        false => "production was not touched".to_owned(),
        true if step == Step::Switchover => {
            let status = command_line::other(&run.arguments, "status");
            format!("see `{status}` for where production stands")
        }
        true => format!(
            "the new table is live; `{}` puts the old one back",
            back(Some(Step::Switchover.plan().name))
        ),
    };
    let resume = command_line::resume(&run.arguments);
    let go_on = match error.kind() {
        // Its own hint says what to fix, and how a single check is accepted.
        Kind::Validation if error.next_step().is_some() => {
            format!("`{resume}` continues here, --accept-failed-validation accepts all")
        }
        Kind::Validation => format!(
            "fix what it names, then `{resume}`, or accept it by its name with --accept-check \
             (--accept-failed-validation accepts all)"
        ),
        Kind::Regression => {
            format!("fix what it names, then `{resume}`, or accept it with --accept-regression")
        }
        _ => format!("`{resume}` continues here"),
    };
    let hint = match error.next_step() {
        Some(hint) => format!("{hint}; {so_far}; {go_on}; `{}` rolls back", back(None)),
        None => format!("{so_far}; {go_on}; `{}` rolls back", back(None)),
    };
    error.context(format!("step {step}")).hint(hint)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
