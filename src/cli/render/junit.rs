//! Results as JUnit XML, which CI systems show as tests.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::visible::readable_markup;
use crate::bench::{BenchReport, QueryReport};
use crate::error::{Error, Kind, Result};

/// A benchmark: one test per query, and one for failures that concern no single query.
///
/// # Errors
/// If the XML cannot be generated.
pub fn bench(report: &BenchReport) -> Result<String> {
    let mut document = Report::new("sterna");
    document.add_test_suite(bench_suite("sterna bench", report));
    text(&document)
}

/// The document as XML.
pub(super) fn text(document: &Report) -> Result<String> {
    let xml = document.to_string();
    let xml = xml.map_err(|e| Error::new(Kind::File, "no JUnit XML").caused_by(e))?;
    Ok(readable_markup(&xml).into_owned())
}

/// The suite of a benchmark.
pub(super) fn bench_suite(name: &str, report: &BenchReport) -> TestSuite {
    let mut suite = TestSuite::new(name);
    let mut general: Vec<&str> = report.failures.iter().map(String::as_str).collect();
    for query in &report.queries {
        // A failure message of a query starts with its name.
        let prefix = format!("{}: ", query.name);
        let (own, others) = general.into_iter().partition(|failure| failure.starts_with(&prefix));
        general = others;
        suite.add_test_case(case(query, &own));
    }
    for skipped in &report.skipped {
        let mut status = TestCaseStatus::skipped();
        status.set_message(skipped.reason.as_str());
        suite.add_test_case(TestCase::new(skipped.name.as_str(), status));
    }
    suite.add_test_case(TestCase::new("statistics", status(&general)));
    suite
}

fn case(query: &QueryReport, failures: &[&str]) -> TestCase {
    let mut case = TestCase::new(query.name.as_str(), status(failures));
    let staging = &query.staging;
    case.set_time(Duration::from_secs_f64(staging.p50_ms / 1000.0));
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "-".into(), |r| format!("{r:.3}"));
    case.set_system_out(format!(
        "ratio {} ({} to {}), staging p50 {:.3} ms, p95 {:.3} ms, {} executions",
        ratio(query.ratio),
        ratio(query.ratio_low),
        ratio(query.ratio_high),
        staging.p50_ms,
        staging.p95_ms,
        staging.count
    ));
    case
}

fn status(failures: &[&str]) -> TestCaseStatus {
    if failures.is_empty() {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("regression").set_message(failures.join("; "));
    status
}
