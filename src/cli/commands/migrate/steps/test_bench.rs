//! 2.3: whether the application's queries find their way in staging.

use super::{MigrationChoices, Site};
use crate::bench::{BenchOptions, bench};
use crate::cli::commands::outcome;
use crate::error::Result;
use crate::migrate::{Outcome, Verbs};

pub(super) struct TestBench;

impl Verbs<Site, MigrationChoices> for TestBench {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        measure(site, args)
    }
}

/// Times the queries, while nothing is loaded.
pub(super) fn measure(site: &Site, args: &MigrationChoices) -> Result<Outcome> {
    let options = BenchOptions {
        seconds: args.bench_seconds,
        max_regression: args.max_regression,
        queries: args.queries.clone(),
        ..BenchOptions::new(site.exclusive.pair.table.clone())
    };
    let stop = &site.watch.stop;
    let found = site
        .exclusive
        .session_alone(async |_, _| bench(&site.exclusive.info, &options, stop).await)?;
    outcome::bench(&found)
}
