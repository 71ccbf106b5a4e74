//! What a benchmark is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::pg::Table;

/// What a benchmark is asked to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BenchOptions {
    /// The table whose staging table is measured.
    pub table: Table,
    /// A folder of further queries, one `.sql` file each.
    pub queries: Option<PathBuf>,
    /// The report of an earlier run, to compare with.
    pub baseline: Option<PathBuf>,
    /// Rounds at most for each query; each measures both tables.
    pub rounds: usize,
    /// Seconds after which no further round begins, once each query had a few.
    pub seconds: f64,
    /// How long one execution of a query may take.
    pub time_limit: Duration,
    /// What the parameters are drawn by.
    pub seed: u64,
    /// Allowed slowdown of staging over production.
    pub max_regression: f64,
    /// Milliseconds: a smaller difference is no regression, whatever the ratio is.
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
