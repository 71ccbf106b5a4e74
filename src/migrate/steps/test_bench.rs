//! Step 2.3: times the application's queries on the test year.

use super::{Definition, MigrationOptions, Site};
use crate::bench::bench;
use crate::error::Result;
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::watch::Phase;

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::TestBench,
        number: "2.3",
        name: "test-bench",
        title: "time the application's queries",
        does: "Runs the application's queries on both tables in turn. Staging holds one year \
               only, so this finds only what is badly wrong.",
        statements: &[sql!("bench/species-by-year.sql"), sql!("bench/top-importers.sql")],
        locks: "ACCESS SHARE on both tables",
        transaction: "no, each query by itself, READ ONLY",
        validated_by: "a gate: exit code 5 where staging is certainly slower",
        undone_by: "nothing: it only reads",
        leaves_traces: false,
        is_gate: true,
        rows: Rows::TestYear,
    },
    act,
    validate: None,
    undo: None,
};

fn act(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    measure(site, args)
}

/// Times the queries, while nothing is loaded.
pub(super) fn measure(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    let options = args.bench();
    let stop = &site.watch.stop;
    site.watch.enter(Phase::Timing, 0);
    let found = site
        .exclusive
        .session_alone(async |_, _| bench(&site.exclusive.info, &options, stop).await)?;
    outcome::bench(&found)
}
