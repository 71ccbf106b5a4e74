//! Options of a benchmark.

use std::path::PathBuf;
use std::time::Duration;

use crate::pg::Table;

/// Options of a benchmark.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BenchOptions {
    /// The table whose staging table is measured.
    pub table: Table,
    /// A folder of additional queries, one `.sql` file each.
    pub queries: Option<PathBuf>,
    /// The report of an earlier run, to compare with.
    pub baseline: Option<PathBuf>,
    /// The maximum number of rounds for each query; each round measures both tables.
    pub rounds: usize,
    /// Seconds after which no further round begins, once each query has had the minimum.
    pub seconds: f64,
    /// Time limit of one execution of a query.
    pub time_limit: Duration,
    /// The seed for drawing parameters.
    pub seed: u64,
    /// Allowed slowdown of staging over production.
    pub max_regression: f64,
    /// A difference below this many milliseconds is never a regression, whatever the ratio.
    pub floor_ms: f64,
}

impl BenchOptions {
    /// The defaults of the command line.
    #[must_use]
    pub fn new(table: Table) -> Self {
        BenchOptions {
            table,
            queries: None,
            baseline: None,
            rounds: 200,
            seconds: 15.0,
            time_limit: Duration::from_secs(30),
            seed: 1,
            max_regression: 1.20,
            floor_ms: 0.5,
        }
    }
}
