//! Step 5.2: validates the live table and everything around it.

use super::{Definition, MigrationOptions, Site};
use crate::error::{Error, Result};
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::switchover::parity::parity;
use crate::validate::{ValidateOptions, validate};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Comprehensive,
        number: "5.2",
        name: "comprehensive-validation",
        title: "validate the live table and all around it",
        does: "Runs the checks on the live table, tests the summary, views and functions, and \
               compares the catalog with its state before the switchover.",
        statements: &[sql!("checks/summary-records.sql"), sql!("checks/sequence-ahead.sql")],
        locks: "ACCESS SHARE on the table and the objects around it",
        transaction: "one snapshot, READ ONLY, on several sessions",
        validated_by: "a gate: exit code 4 where a check fails",
        undone_by: "nothing: it only reads; to go back, roll back 4.2",
        leaves_traces: false,
        is_gate: true,
        rows: Rows::Live,
    },
    act,
    validate: None,
    undo: None,
};

fn act(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    let table = &site.exclusive.pair.table;
    let parity = site.exclusive.session(async |session, pair| parity(session, pair).await)?;
    let parity = parity.ok_or_else(|| {
        Error::refused(format!("{table} was not put in place by a switchover"))
            .hint("run `sterna switchover` first")
    })?;
    let options = args.validation();
    let ask_dependents = site.application.clone();
    let further = vec![parity];
    let options = ValidateOptions { comprehensive: true, ask_dependents, further, ..options };
    let work = validate(&site.exclusive.info, &options, &site.watch);
    outcome::validation(&site.exclusive.runtime.block_on(work)?, &args.accept_check)
}
