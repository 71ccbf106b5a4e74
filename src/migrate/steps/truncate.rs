//! Step 3.1: empties staging after the test.

use super::{Definition, MigrationOptions, Site, empty_staging};
use crate::error::{Error, Kind, Result};
use crate::migrate::outcome::StepOutcome;
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::table::staging;

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Truncate,
        number: "3.1",
        name: "truncate",
        title: "empty staging",
        does: "Removes the test year, so that the full load starts with an empty table.",
        statements: &[sql!("table/stage/truncate.sql"), sql!("ledger/discard-runs.sql")],
        locks: "ACCESS EXCLUSIVE on staging",
        transaction: "one",
        validated_by: "staging has no row",
        undone_by: "nothing: what it removed was a test",
        leaves_traces: false,
        is_gate: false,
        rows: Rows::TestYear,
    },
    act,
    validate: Some(validate),
    undo: None,
};

fn act(site: &Site, _: &MigrationOptions) -> Result<StepOutcome> {
    let summary = match empty_staging(site)? {
        true => "the test year was removed",
        false => "it was empty already",
    };
    Ok(StepOutcome { summary: summary.into(), ..StepOutcome::default() })
}

fn validate(site: &Site, _: &StepOutcome) -> Result<()> {
    site.exclusive.session(async |session, pair| {
        let there = staging::find(session, pair).await?.is_some();
        match there && staging::has_rows(session, pair).await? {
            true => Err(Error::new(Kind::Validation, format!("{} holds rows", pair.staging))),
            false => Ok(()),
        }
    })
}
