//! Judges the measurements: which queries regress, and why staging fails.

use super::interval::Interval;
use super::latency;
use super::options::BenchOptions;
use super::report::{BenchReport, QueryReport};
use super::trial::{Execution, State, Trial};
use crate::error::Result;

/// The report of a trial.
///
/// # Errors
/// If no histogram can be created.
pub(super) fn query(trial: &Trial, options: &BenchOptions) -> Result<QueryReport> {
    let staging: Vec<Execution> = trial.rounds.iter().map(|round| round.staging).collect();
    let production: Vec<Execution> = trial.rounds.iter().filter_map(|r| r.production).collect();
    let ms = |of: &[Execution]| of.iter().map(|execution| execution.ms).collect::<Vec<_>>();
    let rows = |of: &[Execution]| of.iter().map(|execution| execution.rows).sum();
    let measured = |of: &[Execution]| latency::of(&ms(of), rows(of));
    let ratio = trial.ratio(options.seed);
    let difference = trial.difference_ms(options.seed);
    let timed_out = trial.state == State::StagingTimedOut;
    let limit = options.max_regression;
    let slower = ratio.is_some_and(|ratio| ratio.low > limit)
        && difference.is_some_and(|difference| difference.median > options.floor_ms);
    let median =
        |of: &[Execution]| (!of.is_empty()).then(|| Interval::of_median(&ms(of), options.seed));
    // Production may exceed the budget too, if the data or the machine have outgrown it. Then
    // the budget says nothing about staging.
    let over_budget = trial.query.budget_ms.is_some_and(|budget| {
        median(&staging).is_some_and(|median| median.low > budget)
            && median(&production).is_none_or(|median| median.high <= budget)
    });
    let plans = trial.plans.clone();
    let shape = |plan: &Option<super::QueryPlan>| plan.as_ref().map(|plan| plan.shape.clone());
    let plan_changed = match (shape(&plans.production), shape(&plans.staging)) {
        (Some(production), Some(staging)) => production != staging,
        _ => false,
    };
    Ok(QueryReport {
        name: trial.query.name.clone(),
        meaning: trial.query.meaning.clone(),
        sql: trial.query.sql.clone(),
        budget_ms: trial.query.budget_ms,
        production: (!production.is_empty()).then(|| measured(&production)).transpose()?,
        staging: measured(&staging)?,
        production_answer_ms: trial.answers_ms.production.flatten(),
        staging_answer_ms: trial.answers_ms.staging,
        ratio: ratio.map(|ratio| ratio.median),
        ratio_low: ratio.map(|ratio| ratio.low),
        ratio_high: ratio.map(|ratio| ratio.high),
        difference_ms: difference.map(|difference| difference.median),
        // On a timeout of staging, production did answer in time.
        regressed: slower || (timed_out && !production.is_empty()),
        certain: timed_out || ratio.is_some_and(|r| r.low > limit || r.high < limit),
        timed_out,
        over_budget: over_budget || (timed_out && production.is_empty()),
        plan_changed,
        plans,
        baseline: None,
    })
}

/// Why staging fails, in words.
pub(super) fn failures(report: &BenchReport) -> Vec<String> {
    let mut failures: Vec<String> = without_statistics(report).into_iter().collect();
    for query in &report.queries {
        let name = &query.name;
        if query.timed_out {
            failures.push(format!("{name}: staging was cut off at {:.0} ms", query.staging.max_ms));
        } else if query.regressed {
            failures.push(format!("{name}: {}", slower(query)));
        }
        if let Some(budget) = query.budget_ms.filter(|_| query.over_budget) {
            let p50 = query.staging.p50_ms;
            failures.push(format!("{name}: staging takes {p50:.1} ms, the budget is {budget} ms"));
        }
        if let Some(earlier) = query.baseline.as_ref().filter(|earlier| earlier.regressed) {
            failures.push(format!(
                "{name}: {:.2} times as long as in the baseline ({:.2} to {:.2})",
                earlier.ratio, earlier.ratio_low, earlier.ratio_high
            ));
        }
    }
    failures
}

/// The columns for which the planner has statistics in production but not in staging. The
/// measured queries may be planned well without them by luck, but other queries of the
/// application may not.
fn without_statistics(report: &BenchReport) -> Option<String> {
    let staging = &report.staging.columns_with_statistics;
    let missing: Vec<&str> = match &report.production {
        Some(production) => {
            let known = production.columns_with_statistics.iter();
            known.filter(|column| !staging.contains(column)).map(String::as_str).collect()
        }
        None if staging.is_empty() => vec!["any column"],
        None => Vec::new(),
    };
    let columns = missing.join(", ");
    (!missing.is_empty())
        .then(|| format!("the planner has no statistics of {} for {columns}", report.staging.table))
}

fn slower(query: &QueryReport) -> String {
    let number = Option::unwrap_or_default;
    format!(
        "staging takes {:.2} times as long as production ({:.2} to {:.2}), {:.1} ms more",
        number(query.ratio),
        number(query.ratio_low),
        number(query.ratio_high),
        number(query.difference_ms)
    )
}
