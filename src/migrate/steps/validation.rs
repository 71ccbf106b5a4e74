//! Step 3.3: validates all years and times the application's queries again.

use serde_json::json;

use super::test_bench::measure;
use super::{Definition, MigrationOptions, Site};
use crate::error::Result;
use crate::load::Years;
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::validate::{ValidateOptions, validate};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Validation,
        number: "3.3",
        name: "validation",
        title: "validate all of it",
        does: "Runs all checks on staging, compares every species and year with production, and \
               times the application's queries again; not with --skip 2.3.",
        statements: &[sql!("checks/rows-expected.sql"), sql!("checks/load-account.sql")],
        locks: "ACCESS SHARE on both tables",
        transaction: "one snapshot, READ ONLY, on several sessions",
        validated_by: "a gate: exit code 4 where a check fails, 5 where staging is certainly slower",
        undone_by: "nothing: it only reads",
        leaves_traces: false,
        is_gate: true,
        rows: Rows::Files,
    },
    act,
    validate: None,
    undo: None,
};

fn act(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    let options = args.validation();
    let years = Some(Years::default());
    let options = ValidateOptions { years, expect_rows: args.gates.expect_rows, ..options };
    let work = validate(&site.exclusive.info, &options, &site.watch);
    let mut found =
        outcome::validation(&site.exclusive.runtime.block_on(work)?, &args.accept_check)?;
    if !(found.failures.is_empty() || args.accept_failed_validation) {
        return Ok(found);
    }
    // Queries that take too long for one year take longer for all of them.
    if args.skip.contains(&Step::TestBench) {
        found.summary.push_str("; queries were not timed");
        found.deviations.push("the queries were not timed: --skip 2.3".into());
        return Ok(found);
    }
    let measured = measure(site, args)?;
    found.summary = format!("{}; {}", found.summary, measured.summary);
    found.detail = json!({"validation": found.detail, "bench": measured.detail});
    found.failures.extend(measured.failures);
    Ok(found)
}
