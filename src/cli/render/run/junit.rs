//! The report of a run as JUnit XML: a suite for its steps, and one for each validation
//! and benchmark.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::cli::render::junit::{bench_suite, text};
use crate::error::Result;
use crate::history::{Attempt, RunReport};
use crate::migrate::StepState;
use crate::validate::{CheckReport, Severity};

pub(super) fn render(report: &RunReport) -> Result<String> {
    let mut document = Report::new("sterna");
    let mut steps = TestSuite::new("steps");
    steps.add_test_cases(report.attempts.iter().map(attempt));
    document.add_test_suite(steps);
    for validation in &report.validations {
        let name = format!("validation of {} at {}", validation.report.table, validation.at);
        let mut suite = TestSuite::new(name.as_str());
        suite.add_test_cases(validation.report.checks.iter().map(check));
        document.add_test_suite(suite);
    }
    for benchmark in &report.benchmarks {
        let name = format!("benchmark at {}", benchmark.at);
        document.add_test_suite(bench_suite(&name, &benchmark.report));
    }
    text(&document)
}

fn attempt(attempt: &Attempt) -> TestCase {
    let mut status = match attempt.state {
        StepState::Done => TestCaseStatus::success(),
        StepState::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        _ => TestCaseStatus::skipped(),
    };
    match &attempt.error {
        Some(error) => drop(status.set_message(error.as_str())),
        None if attempt.state != StepState::Done => drop(status.set_message(attempt.state.name())),
        None => {}
    }
    let name = format!("{} try {}", attempt.step, attempt.attempt);
    let mut case = TestCase::new(name.as_str(), status);
    case.set_time(Duration::from_secs_f64(attempt.seconds.max(0.0)));
    case
}

/// A warning is not a failure, but its text is kept.
fn check(check: &CheckReport) -> TestCase {
    let status = match (&check.skipped, check.passed, check.severity) {
        (Some(why), ..) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why.as_str());
            status
        }
        (None, false, Severity::Error) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("validation").set_message(check.detail.as_str());
            status
        }
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(check.name.as_str(), status);
    if !check.passed && check.severity == Severity::Warning {
        case.set_system_out(format!("warning: {}", check.detail));
    }
    case
}
