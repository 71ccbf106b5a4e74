//! Step 2.2: validates the test year.

use super::test_load::loaded_year;
use super::{Definition, MigrationOptions, Site};
use crate::error::Result;
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::validate::{ValidateOptions, validate};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::TestValidation,
        number: "2.2",
        name: "test-validation",
        title: "validate that year",
        does: "Runs the checks on staging, and compares that year with production.",
        statements: &[sql!("checks/structure.sql")],
        locks: "ACCESS SHARE on both tables",
        transaction: "one snapshot, READ ONLY, on several sessions",
        validated_by: "a gate: exit code 4 where a check fails",
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
    let options = args.validation();
    let options = ValidateOptions { years: Some(loaded_year(site)?), ..options };
    let work = validate(&site.exclusive.info, &options, &site.watch);
    outcome::validation(&site.exclusive.runtime.block_on(work)?, &args.accept_check)
}
