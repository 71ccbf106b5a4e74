//! The result of a benchmark as text.

use indicatif::{HumanBytes, HumanCount};

use super::screen::{self, counted, laid_out, table};
use crate::bench::{BenchReport, DataSize, Latency, QueryReport};

/// The verdict on a query whose interval crosses the limit.
const UNCERTAIN: &str = "uncertain";

/// The whole report: failed queries come first in the table, the verdict comes last.
#[must_use]
pub fn text(report: &BenchReport) -> String {
    let mut parts = vec![queries(report)];
    parts.extend(report.queries.iter().filter(|query| query.plan_changed).map(plans));
    parts.push(around(report));
    parts.join("\n\n") + "\n"
}

fn queries(report: &BenchReport) -> String {
    let header = [
        "query",
        "rounds",
        "production",
        "p95",
        "staging",
        "p95 ms",
        "ratio",
        "99 % interval",
        "verdict",
    ];
    let mut table = table(header, 1..7);
    let mut sorted: Vec<&QueryReport> = report.queries.iter().collect();
    sorted.sort_by_key(|query| !fails(query));
    for query in sorted {
        let ms = |ms: f64| format!("{ms:.2}");
        let production = |ms: fn(&Latency) -> f64| {
            query.production.as_ref().map_or_else(|| "-".into(), |p| format!("{:.2}", ms(p)))
        };
        let ratio = query.ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"));
        let interval = match (query.ratio_low, query.ratio_high) {
            (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
            _ => "-".into(),
        };
        table.add_row([
            query.name.clone(),
            query.staging.count.to_string(),
            production(|latency| latency.p50_ms),
            production(|latency| latency.p95_ms),
            ms(query.staging.p50_ms),
            ms(query.staging.p95_ms),
            ratio,
            interval,
            marked(verdict(query)),
        ]);
    }
    screen::leave_out(&mut table, &[5, 3, 1]);
    laid_out(table)
}

fn fails(query: &QueryReport) -> bool {
    query.regressed
        || query.over_budget
        || query.baseline.as_ref().is_some_and(|earlier| earlier.regressed)
}

fn verdict(query: &QueryReport) -> &'static str {
    match (fails(query), query.certain, query.ratio, query.plan_changed) {
        (true, ..) if query.regressed => "SLOWER",
        (true, ..) if query.over_budget => "OVER BUDGET",
        (true, ..) => "SLOWER than the baseline",
        (false, _, None, _) => "within its budget, or without one",
        (false, false, ..) => UNCERTAIN,
        (false, true, _, true) => "as fast, with a different plan",
        (false, true, _, false) => "as fast",
    }
}

/// A verdict, whose first words are the result.
fn marked(verdict: &str) -> String {
    let word = ["SLOWER", "OVER BUDGET", UNCERTAIN].into_iter().find(|w| verdict.starts_with(w));
    word.map_or_else(
        || verdict.to_owned(),
        |word| format!("{}{}", screen::result(word), &verdict[word.len()..]),
    )
}

/// Both plans of a query, one under the other.
fn plans(query: &QueryReport) -> String {
    let mut text = format!("{}: the plans differ", query.name);
    let plans = [("production", &query.plans.production), ("staging", &query.plans.staging)];
    for (side, plan) in plans {
        let Some(plan) = plan else { continue };
        let (hit, read) = (HumanCount(plan.shared_hit), HumanCount(plan.shared_read));
        text.push_str(&format!("\n  {side}, {hit} pages in the cache and {read} read"));
        for line in &plan.shape {
            text.push_str(&format!("\n    {line}"));
        }
    }
    text
}

fn around(report: &BenchReport) -> String {
    let mut lines = Vec::new();
    let mut line = |label: &str, value: String| lines.push(format!("{label:<11}{value}"));
    for skipped in &report.skipped {
        line("skipped", format!("{}: {}", skipped.name, skipped.reason));
    }
    match &report.production {
        Some(production) => line("production", size(production)),
        None => line("production", "no rows to compare with: only budgets are checked".into()),
    }
    line("staging", size(&report.staging));
    if let Some(more) = distance_ms(report) {
        line(
            "measured",
            format!("on the server; its answers reach this machine {more:.1} ms later"),
        );
    }
    line("server", report.environment.server.clone());
    if let Some(baseline) = &report.baseline {
        let compared = report.queries.iter().filter(|query| query.baseline.is_some()).count();
        let compared = counted(compared as u64, "query");
        line("baseline", format!("{compared} compared, {}", baseline.environment.at));
        for note in baseline.not_compared.iter().chain(&baseline.differences) {
            line("", note.clone());
        }
    }
    let uncertain = report.queries.iter().filter(|query| verdict(query) == UNCERTAIN).count();
    if uncertain > 0 {
        let them = counted(uncertain as u64, "ratio");
        line(UNCERTAIN, format!("{them}; more --seconds would tell"));
    }
    if let Some(why) = report.why_longer() {
        line("time", why);
    }
    for failure in &report.failures {
        line("failure", failure.clone());
    }
    let passed = screen::result("passed");
    let verdict = match (report.passed, report.compared) {
        (false, _) => "staging is slower than allowed".to_owned(),
        (true, true) => format!(
            "{passed}: no query is certainly more than {} times as slow",
            report.max_regression
        ),
        (true, false) => format!("{passed}: no budget is exceeded"),
    };
    line("verdict", format!("{verdict}, after {:.1} s", report.seconds));
    lines.join("\n")
}

/// Median over all queries of the latency that the network adds to the server's time, in ms.
fn distance_ms(report: &BenchReport) -> Option<f64> {
    let more = |query: &QueryReport| Some(query.staging_answer_ms? - query.staging.p50_ms);
    let mut all: Vec<f64> = report.queries.iter().filter_map(more).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).map(|ms| ms.max(0.0))
}

fn size(size: &DataSize) -> String {
    let rows = if size.estimated_rows < 0.0 {
        "an unknown number of rows".into()
    } else {
        format!("about {}", counted(size.estimated_rows as u64, "row"))
    };
    let statistics = if size.columns_with_statistics.is_empty() { ", no statistics" } else { "" };
    format!(
        "{rows} in {}, indexes {}{statistics}",
        HumanBytes(size.table_bytes),
        HumanBytes(size.index_bytes)
    )
}
