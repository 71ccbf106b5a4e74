//! The coordinator without a database.

use std::sync::atomic::AtomicBool;

use super::*;

#[derive(Default)]
struct Notes(Vec<String>);

impl Records for Notes {
    fn begin(&mut self, step: Step) -> Result<()> {
        self.0.push(format!("begin {}", step.number()));
        Ok(())
    }

    fn end(&mut self, step: Step, ended: &Ended<'_>) -> Result<()> {
        self.0.extend(ended.deviations.iter().map(|what| format!("deviation: {what}")));
        self.0.push(format!("{} {}", ended.state.name(), step.number()));
        Ok(())
    }

    fn mark(&mut self, step: Step, state: StepState) -> Result<()> {
        self.0.push(format!("{} {}", state.name(), step.number()));
        Ok(())
    }

    fn deviate(&mut self, what: &str) -> Result<()> {
        self.0.push(format!("deviation: {what}"));
        Ok(())
    }
}

struct Nobody;

impl StepListener for Nobody {
    fn begins(&mut self, _: Step) {}
    fn ended(&mut self, _: Step, _: &Ended<'_>) {}
}

/// Succeeds, except that the gates find something wrong.
fn gates_fail(step: Step) -> Result<StepOutcome> {
    let kind = match step {
        Step::TestValidation => Some(Kind::Validation),
        Step::TestBench => Some(Kind::Regression),
        _ => None,
    };
    let failures = kind.map(|kind| Error::new(kind, "found wrong")).into_iter().collect();
    Ok(StepOutcome { failures, ..StepOutcome::default() })
}

fn take(accepted: &Accepted, from: Step, to: Step) -> (Vec<String>, Result<()>) {
    let (mut notes, stop) = (Notes::default(), AtomicBool::new(false));
    let done = Coordinator {
        take: Box::new(gates_fail),
        accepted: accepted.clone(),
        records: &mut notes,
        listener: &mut Nobody,
        stop: &stop,
    }
    .run(&Run::empty(), from, to);
    (notes.0, done)
}

#[test]
fn a_gate_stops_the_run_before_anything_else_begins() {
    let (notes, done) = take(&Accepted::default(), Step::TestLoad, Step::Switchover);
    assert_eq!(notes, ["begin 2.1", "done 2.1", "begin 2.2", "failed 2.2"]);
    let error = done.unwrap_err();
    assert_eq!(error.kind(), Kind::Validation);
    let hint = error.next_step().unwrap();
    assert!(hint.contains("production was not touched"), "{hint}");
    assert!(hint.contains("--accept-failed-validation"), "{hint}");
    assert!(hint.contains("`sterna migrate --resume`"), "{hint}");
}

#[test]
fn a_gate_that_is_overridden_is_a_deviation() {
    let accepted = Accepted { failed_validation: true, ..Accepted::default() };
    let (notes, done) = take(&accepted, Step::TestValidation, Step::Truncate);
    assert_eq!(done.unwrap_err().kind(), Kind::Regression);
    assert_eq!(
        notes,
        [
            "begin 2.2",
            "deviation: 2.2 test-validation failed and --accept-failed-validation was given: found wrong",
            "done 2.2",
            "begin 2.3",
            "failed 2.3",
        ]
    );
    let accepted = Accepted { skip: vec![Step::TestLoad], ..Accepted::default() };
    let (notes, done) = take(&accepted, Step::TestLoad, Step::Truncate);
    done.unwrap();
    let skipped: Vec<_> = notes.iter().filter(|note| note.starts_with("skipped")).collect();
    assert_eq!(skipped, ["skipped 2.1", "skipped 2.2", "skipped 2.3"]);
}
