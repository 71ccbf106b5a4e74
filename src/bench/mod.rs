//! The query benchmark: is staging as fast as production for what the application asks?
//!
//! [`bench()`] runs every query on both tables in turn, with the same parameters, and
//! compares the two executions of each round. A neighbour that takes the processor
//! slows both down, so the ratio of a pair stays what it is while the latencies
//! themselves wander; the median of the ratios forgets the rounds that were hit on one
//! side only. `interval` says how well that median is known, and a query regresses
//! only where the whole interval lies above the limit.
//!
//! It deliberately does not correct for executions that were not made, nor guess what
//! an empty cache would do: both tables are warmed alike and measured warm.

mod baseline;
mod cache;
mod environment;
mod interval;
mod latency;
mod ledger;
mod options;
mod plan;
mod prepare;
mod query;
mod report;
mod rounds;
mod trial;
mod verdict;

use std::sync::atomic::AtomicBool;
use std::time::Instant;

pub use interval::Interval;
pub use ledger::last;
pub use options::BenchOptions;
pub use report::{
    BaselineReport, BenchEnvironment, BenchReport, Comparison, DataSize, Latency, Plans, QueryPlan,
    QueryReport, Skipped,
};

use crate::error::{Error, Result};
use crate::pg::{ConnInfo, Connection, connect};
use crate::table::staging::{self, Pair};

/// One value for the table in production and one for staging; none for a production
/// table without rows, with which nothing can be compared.
#[derive(Clone, Debug)]
struct Sides<T> {
    production: Option<T>,
    staging: T,
}

/// Measures staging against production and records what was found in the ledger.
///
/// Takes no lock of a run: the caller has it.
///
/// # Errors
/// Refused where there is no staging table or it is empty; otherwise an unreadable
/// file, a query that fails, or the server. A regression is no error but a report
/// whose [`BenchReport::failure`] is one.
pub async fn bench(
    info: &ConnInfo,
    options: &BenchOptions,
    stop: &AtomicBool,
) -> Result<BenchReport> {
    let begun = Instant::now();
    let queries = query::all(options.queries.as_deref())?;
    let baseline = options.baseline.as_deref().map(baseline::read).transpose()?;
    let mut control = connect(info).await?;
    let pair = staging::pair(&mut control, &options.table).await?;
    let sizes = sizes(&control, &pair).await?;
    // A session of its own: it is read only, whatever a query tries.
    let session = connect(info).await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    session.batch_execute(include_str!("../../sql/bench/run/session.sql")).await?;
    let environment = environment::read(&session).await?;
    cache::warm(&session, &pair, &sizes, stop).await?;
    let tables = prepare::Tables { pair: &pair, sizes: &sizes };
    let (mut trials, mut skipped) =
        prepare::prepare(&session, queries, &tables, options, stop).await?;
    rounds::limit(&session, options.time_limit).await?;
    rounds::warm(&session, &mut trials, stop).await?;
    skipped.extend(rounds::too_slow(&mut trials, options.time_limit)?);
    plan::explain(&session, &mut trials, &pair, stop).await?;
    rounds::measure(&session, &mut trials, options, begun, stop).await?;
    session.close().await?;

    let queries =
        trials.iter().map(|trial| verdict::query(trial, options)).collect::<Result<_>>()?;
    let mut report = BenchReport {
        passed: true,
        failures: Vec::new(),
        compared: sizes.production.is_some(),
        queries,
        skipped,
        environment,
        production: sizes.production,
        staging: sizes.staging,
        seed: options.seed,
        max_regression: options.max_regression,
        floor_ms: options.floor_ms,
        baseline: None,
        seconds: begun.elapsed().as_secs_f64(),
    };
    if let Some(earlier) = &baseline {
        report.baseline = Some(baseline::compare(&mut report, earlier, options)?);
    }
    report.failures = verdict::failures(&report);
    report.passed = report.failures.is_empty();
    ledger::record(&control, &report).await?;
    control.close().await?;
    Ok(report)
}

/// What the two tables hold.
async fn sizes(session: &Connection, pair: &Pair) -> Result<Sides<DataSize>> {
    let missing = |what| {
        Error::refused(format!("{} {what}", pair.staging))
            .hint("`sterna load INPUT... --all` makes it and fills it")
    };
    let found = staging::find(session, pair).await?.ok_or_else(|| missing("does not exist"))?;
    let staging = environment::size(session, &pair.staging, found.oid).await?;
    let staging = staging.ok_or_else(|| missing("is empty"))?;
    let production = environment::size(session, &pair.table, pair.table_oid).await?;
    Ok(Sides { production, staging })
}
