//! `sterna bench`: compares the speed of the application's queries on staging and production.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use serde_json::json;

use super::Context;
use super::step::{AsStep, as_step};
use super::switchover::duration;
use crate::bench::{BenchOptions, bench};
use crate::cli::render;
use crate::error::{Error, Kind, Result};
use crate::migrate::Step;
use crate::migrate::outcome;
use crate::private;
use crate::watch::Watch;

/// Time the application's queries on production and staging, alternating between them
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna bench
  sterna bench --save before.json          the report, with all latencies
  sterna bench --baseline before.json --junit bench.xml
  sterna bench --queries my-queries        a folder of .sql files, in addition to the built-in ones

The exit code is 5 if staging is certainly slower than allowed, and 0 otherwise.")]
pub struct BenchArgs {
    /// Also compare with the report of an earlier run
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Save the report to a file, as a baseline for later runs
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Allowed slowdown of staging over production
    #[arg(long, default_value_t = 1.20, value_name = "RATIO", value_parser = ratio)]
    pub max_regression: f64,
    /// Accept differences of up to this many milliseconds, whatever the ratio
    #[arg(long, default_value_t = 0.5, value_name = "MS", value_parser = not_negative)]
    pub floor_ms: f64,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Folder of additional queries, one .sql file each
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// Maximum number of rounds per query; each round measures both tables
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: u32,
    /// Seconds that it may take; longer, and told, if the fewest rounds that a verdict needs take
    /// longer: 8 to 32 for each query
    #[arg(long, default_value_t = 15.0, value_name = "S", value_parser = not_negative)]
    pub seconds: f64,
    /// Time limit for one execution of a query; the run ends if production exceeds it with a
    /// query of your own
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = duration)]
    pub time_limit: Duration,
    /// Random seed for the parameters of queries
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
}

pub(super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if (1.0..=1000.0).contains(&ratio) { Ok(ratio) } else { Err("not between 1 and 1000".into()) }
}

pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if (0.0..=1e6).contains(&number) { Ok(number) } else { Err("not between 0 and 1000000".into()) }
}

/// Runs the benchmark, prints the result, and returns the exit code.
///
/// # Errors
/// As [`bench()`], and [`Kind::Regression`] if staging is slower than allowed.
pub fn run(args: &BenchArgs, context: &Context) -> Result<u8> {
    let options = BenchOptions {
        queries: args.queries.clone(),
        baseline: args.baseline.clone(),
        rounds: args.rounds as usize,
        seconds: args.seconds,
        time_limit: args.time_limit,
        seed: args.seed,
        max_regression: args.max_regression,
        floor_ms: args.floor_ms,
        ..BenchOptions::new(context.table.clone())
    };
    // Checked now rather than after minutes of measuring.
    args.save.as_deref().map_or(Ok(()), |path| private::check(path, is_baseline))?;
    args.junit.as_deref().map_or(Ok(()), |path| private::check(path, is_junit))?;
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let arguments = json!({
        "rounds": args.rounds, "seconds": args.seconds, "seed": args.seed,
        "time_limit_seconds": args.time_limit.as_secs_f64(),
        "max_regression": args.max_regression, "floor_ms": args.floor_ms,
        "queries": args.queries, "baseline": args.baseline,
    });
    let what = AsStep { step: Step::TestBench, arguments, told: outcome::bench, watch: &watch };
    let found = as_step(context, &what, |exclusive, _| {
        // Holds the lock, so that no other sterna changes either table.
        exclusive.session_alone(async |_, _| bench(&exclusive.info, &options, &watch.stop).await)
    })?;
    // Printed first, so that the result is not lost if a file cannot be written.
    context.print(&found, || render::bench::text(&found))?;
    if let Some(path) = &args.save {
        let json = serde_json::to_string_pretty(&found);
        let json = json.map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))?;
        private::put(path, &(json + "\n"), is_baseline)?;
    }
    if let Some(path) = &args.junit {
        private::put(path, &render::junit::bench(&found)?, is_junit)?;
    }
    found.failure().map_or(Ok(0), Err)
}

/// Whether a file starts like a saved baseline.
fn is_baseline(start: &[u8]) -> bool {
    let start = String::from_utf8_lossy(start);
    start.starts_with('{') && start.contains("\"queries\": [")
}

/// Whether a file starts like the JUnit XML of an earlier benchmark.
fn is_junit(start: &[u8]) -> bool {
    String::from_utf8_lossy(start).contains("<testsuites name=\"sterna\"")
}
