//! The query benchmark: is staging as fast as production for the application's queries?
//!
//! [`bench()`] runs every query on both tables in turn, with the same parameters, and
//! compares the two executions of each round. Other load on the machine slows both down, so
//! the ratio of a pair stays stable while the latencies themselves vary; the median of the
//! ratios ignores rounds in which only one side was hit. `interval` computes the confidence
//! interval of that median, and a query regresses only if the whole interval is above the
//! limit.
//!
//! It deliberately does not correct for executions that were not made, nor estimate the
//! effect of an empty cache: both tables are warmed equally and measured warm.

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
use crate::pg::{ConnInfo, Connection, connect_for};
use crate::table::partition::Takes;
use crate::table::staging::{self, Pair};

/// One value for production and one for staging; none for a production table without rows,
/// since it cannot be compared.
#[derive(Clone, Debug)]
struct Sides<T> {
    production: Option<T>,
    staging: T,
}

/// Measures staging against production and records the result in the ledger.
///
/// Does not take the lock on the table; the caller holds it.
///
/// # Errors
/// Refused if there is no staging table or it is empty; otherwise an unreadable file, a query
/// that fails, or an error of the server. A regression is not an error: the report has it as
/// [`BenchReport::failure`].
pub async fn bench(
    info: &ConnInfo,
    options: &BenchOptions,
    stop: &AtomicBool,
) -> Result<BenchReport> {
    let begun = Instant::now();
    let queries = query::all(options.queries.as_deref())?;
    let baseline = options.baseline.as_deref().map(baseline::read).transpose()?;
    let mut control = connect_for(info, "benchmark").await?;
    let pair = staging::pair_of(&mut control, &options.table, Takes::Partitions).await?;
    let sizes = sizes(&control, &pair).await?;
    // A separate session, which is read-only whatever a query tries.
    let session = connect_for(info, "queries of the benchmark").await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    session.batch_execute(include_str!("../../sql/bench/run/session.sql")).await?;
    cache::warm(&session, &pair, &sizes, stop).await?;
    let tables = prepare::Tables { pair: &pair, sizes: &sizes };
    let (mut trials, mut skipped) =
        prepare::prepare(&session, queries, &tables, options, stop).await?;
    session.batch_execute(include_str!("../../sql/bench/run/as-application.sql")).await?;
    let environment = environment::read(&session).await?;
    rounds::limit(&session, options.time_limit).await?;
    rounds::warm(&session, &mut trials, stop).await?;
    skipped.extend(rounds::too_slow(&mut trials, options.time_limit)?);
    plan::explain(&session, &mut trials, &pair, stop).await?;
    let took_longer = rounds::measure(&session, &mut trials, options, begun, stop).await?;
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
        seconds_limit: Some(options.seconds),
        fewest_rounds_took_longer: took_longer,
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

/// The sizes of the two tables.
async fn sizes(session: &Connection, pair: &Pair) -> Result<Sides<DataSize>> {
    let missing = |what| {
        Error::refused(format!("{} {what}", pair.staging))
            .hint("`sterna load INPUT... --all` creates and fills it")
    };
    let found = staging::find(session, pair).await?.ok_or_else(|| missing("does not exist"))?;
    let staging = environment::size(session, &pair.staging, found.oid).await?;
    let staging = staging.ok_or_else(|| missing("is empty"))?;
    let production = environment::size(session, &pair.table, pair.table_oid).await?;
    Ok(Sides { production, staging })
}
