//! Takes steps back, the last one first.

use serde::Serialize;
use serde_json::Value;

use super::plan::Step;
use super::state::{Run, StepRecord, StepState};
use super::verbs::{Records, Verbs};
use crate::error::{Error, Result};

/// A step that was taken back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Undoing {
    /// Its number.
    pub step: Step,
    /// Its name.
    pub name: &'static str,
    /// What was done; null where there was nothing to do.
    pub detail: Value,
}

/// The steps that may have left something. A clean-up that was refused, or found no moment,
/// has left everything there.
pub fn acted(run: &Run) -> impl Iterator<Item = &StepRecord> {
    run.steps.iter().filter(|record| {
        record.state.may_have_acted()
            && (record.step != Step::CleanUp || record.state == StepState::Done)
    })
}

/// The steps to take back, the last one first: down to `back_to`, or else down to the
/// last one that has left something.
///
/// # Errors
/// Refused where there is nothing to take back, or what was cleaned up cannot be.
pub fn to_undo(run: &Run, back_to: Option<Step>) -> Result<Vec<&StepRecord>> {
    let mut acted: Vec<&StepRecord> = acted(run).collect();
    acted.sort_by_key(|record| std::cmp::Reverse(record.step));
    let last_trace = acted.iter().find(|record| record.step.plan().leaves_traces);
    let back_to = back_to.or(last_trace.map(|record| record.step)).unwrap_or(Step::Backup);
    acted.retain(|record| record.step >= back_to);
    match acted.first() {
        None => Err(Error::refused(format!("no step from {back_to} on was taken"))
            .hint("`sterna status` shows what can be rolled back")),
        Some(_) if acted.iter().any(|record| record.step == Step::CleanUp) => {
            Err(Error::refused("the old table was cleaned up, so there is nothing to roll back to")
                .hint("the backup of step 1.1 has its rows; see `sterna status`"))
        }
        Some(_) => Ok(acted),
    }
}

/// Takes one step back.
///
/// # Errors
/// That of the step; it stays what it was, and can be taken back again.
pub fn undo<S: 'static, O: 'static>(
    record: &StepRecord,
    site: &S,
    verbs: fn(Step) -> &'static dyn Verbs<S, O>,
    records: &mut dyn Records,
) -> Result<Undoing> {
    let step = record.step;
    records.mark(step, StepState::Undoing)?;
    let done = verbs(step).undo(site, &record.detail);
    let done = done.map_err(|error| error.context(format!("rolling back step {step}")))?;
    records.mark(step, StepState::Undone)?;
    Ok(Undoing { step, name: step.plan().name, detail: done.unwrap_or(Value::Null) })
}
