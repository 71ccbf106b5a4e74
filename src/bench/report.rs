//! The report of a benchmark, as plain values. The same document is printed as JSON, stored
//! in the ledger, saved by `--save` and read back as a baseline.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Kind};

/// The report of a benchmark.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BenchReport {
    /// Whether staging passed.
    pub passed: bool,
    /// Why staging failed, in words.
    pub failures: Vec<String>,
    /// Whether production had rows to compare with; otherwise only budgets count.
    pub compared: bool,
    /// The queries that were measured.
    pub queries: Vec<QueryReport>,
    /// The queries that could not be measured here.
    pub skipped: Vec<Skipped>,
    /// The environment in which it was measured.
    pub environment: BenchEnvironment,
    /// The table to replace; none if it has no rows.
    #[serde(rename = "production_table")]
    pub production: Option<DataSize>,
    /// The table to take its place.
    #[serde(rename = "staging_table")]
    pub staging: DataSize,
    /// The seed for drawing parameters.
    pub seed: u64,
    /// The ratio above which a query regresses.
    pub max_regression: f64,
    /// The difference in milliseconds below which no query regresses.
    pub floor_ms: f64,
    /// The comparison with an earlier run, if one was given.
    pub baseline: Option<BaselineReport>,
    /// The total time, in seconds.
    pub seconds: f64,
    /// The seconds that it was to take. None in reports of versions before 0.2.
    #[serde(default)]
    pub seconds_limit: Option<f64>,
    /// Whether it took longer because every query gets the fewest rounds that a verdict needs.
    #[serde(default)]
    pub fewest_rounds_took_longer: bool,
}

impl BenchReport {
    /// Why it took longer than it was to take, in words; none if it did not.
    #[must_use]
    pub fn why_longer(&self) -> Option<String> {
        let limit = self.seconds_limit.filter(|_| self.fewest_rounds_took_longer)?;
        Some(format!(
            "took {:.1} s and not {limit}: a verdict needs at least 8 to 32 rounds for each query",
            self.seconds
        ))
    }

    /// The failures as an error of [`Kind::Regression`]; none if staging passed.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        let first = self.failures.first()?;
        let more = match self.failures.len() - 1 {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Some(
            Error::new(Kind::Regression, format!("staging is slower than allowed: {first}{more}"))
                .hint(
                    "compare indexes, statistics and row width of both tables, and the plans \
                     (`sterna bench --format json`); VACUUM (ANALYZE) staging if it was changed",
                ),
        )
    }
}

/// A query on both tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueryReport {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub meaning: String,
    /// Its text, with placeholders.
    pub sql: String,
    /// The time limit for the median execution, in milliseconds.
    pub budget_ms: Option<f64>,
    /// Production's latencies; none if it has no rows.
    pub production: Option<Latency>,
    /// Staging's latencies.
    pub staging: Latency,
    /// The shortest answer time of production by the client's clock, in milliseconds, which
    /// includes the network. None in reports of versions before 0.2.
    #[serde(default)]
    pub production_answer_ms: Option<f64>,
    /// The same for staging.
    #[serde(default)]
    pub staging_answer_ms: Option<f64>,
    /// Median of staging/production of each round.
    pub ratio: Option<f64>,
    /// Lower bound of the ratio with 99 % confidence.
    pub ratio_low: Option<f64>,
    /// Upper bound of the ratio with 99 % confidence.
    pub ratio_high: Option<f64>,
    /// Median of staging - production of each round, in milliseconds.
    pub difference_ms: Option<f64>,
    /// Whether the ratio is certainly above the limit, by more than the floor.
    pub regressed: bool,
    /// Whether the ratio is certain to be on one side of the limit.
    pub certain: bool,
    /// Whether an execution on staging was cut off because it took too long.
    pub timed_out: bool,
    /// Whether staging certainly needs longer than the budget, and production does not.
    pub over_budget: bool,
    /// Whether the two plans differ in shape.
    pub plan_changed: bool,
    /// The plans for the first parameters.
    pub plans: Plans,
    /// The comparison with an earlier run.
    pub baseline: Option<Comparison>,
}

/// The latencies of a query on one table, by the server's clock: planning and execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// The number of executions.
    pub count: u64,
    /// The median.
    pub p50_ms: f64,
    /// The 95th percentile.
    pub p95_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The maximum.
    pub max_ms: f64,
    /// The number of rows that all executions returned together.
    pub rows: u64,
    /// All latencies: an HdrHistogram of nanoseconds, V2 compressed, in base64.
    pub histogram_ns: String,
}

/// The plans of a query on both tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plans {
    /// Production's; none if it has no rows or the query took too long.
    pub production: Option<QueryPlan>,
    /// Staging's; none if the query took too long.
    pub staging: Option<QueryPlan>,
}

/// A plan and one execution of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryPlan {
    /// Its nodes, one line each, with production's names.
    pub shape: Vec<String>,
    /// Pages found in the server's cache.
    pub shared_hit: u64,
    /// Pages that were not in the cache and had to be read.
    pub shared_read: u64,
    /// The server's output of `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)`.
    pub explain: Value,
}

/// A query that was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why it was not measured.
    pub reason: String,
}

/// The environment of a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchEnvironment {
    /// When, by this machine's clock.
    pub at: String,
    /// sterna's version.
    pub sterna: String,
    /// The server's version.
    pub server: String,
    /// Settings of the server that plans and durations depend on.
    pub settings: Value,
    /// Operating system and architecture of this machine.
    pub client: String,
    /// Processors of this machine.
    pub client_cores: usize,
}

/// The size of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSize {
    /// Its name.
    pub table: String,
    /// Its OID.
    pub oid: u32,
    /// The planner's estimate of the number of rows; negative if it has none.
    pub estimated_rows: f64,
    /// Bytes without indexes.
    pub table_bytes: u64,
    /// Bytes of its indexes.
    pub index_bytes: u64,
    /// Pages of the table without indexes.
    pub pages: u64,
    /// Those of its largest partition, or the same if it has none.
    #[serde(skip)]
    pub(super) pages_of_largest: u64,
    /// The columns for which the planner has statistics.
    pub columns_with_statistics: Vec<String>,
}

/// The comparison of a run with an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BaselineReport {
    /// The environment of the earlier run.
    pub environment: BenchEnvironment,
    /// The differences between the two runs besides the latencies.
    pub differences: Vec<String>,
    /// Queries that only one of the two measured, or that were changed between them.
    pub not_compared: Vec<String>,
}

/// A query now and in an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Median latency on staging, now/then. If both runs measured the same production table,
    /// it is divided by production's own now/then, which is due to the machine and its load.
    pub ratio: f64,
    /// Its lower bound with 99 % confidence.
    pub ratio_low: f64,
    /// Its upper bound with 99 % confidence.
    pub ratio_high: f64,
    /// Production's median now/then, by which the ratio was divided.
    pub production_ratio: Option<f64>,
    /// Whether the ratio is certainly above the limit, by more than the floor.
    pub regressed: bool,
}
