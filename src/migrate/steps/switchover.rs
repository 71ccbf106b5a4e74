//! Step 4.2: puts staging in the table's place.

use serde_json::Value;

use super::{Definition, MigrationOptions, Site};
use crate::error::{Error, Kind, Result};
use crate::migrate::exclusive::Exclusive;
use crate::migrate::outcome::{self, StepOutcome, value};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::migrate::unvalidated;
use crate::switchover::record::{self, SwitchoverState};
use crate::switchover::{SwitchoverReport, roll_back, switch_over};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Switchover,
        number: "4.2",
        name: "switchover",
        title: "put staging in the table's place",
        does: "Carries over what was written during the run. Then swaps both tables and every \
               name that belongs to them, moves what depends on the table, and compares the \
               catalog with its earlier state. The old table stays, and from then on writes are \
               recorded for it.",
        statements: &[
            sql!("switchover/lock.sql"),
            sql!("journal/carry-over.sql"),
            sql!("switchover/rename/table.sql"),
            sql!("switchover/rename/index.sql"),
            sql!("switchover/record.sql"),
            sql!("switchover/notify.sql"),
        ],
        locks: "ACCESS EXCLUSIVE on the table, staging and what depends on them, in one order, \
                for milliseconds; given up and tried again if it has to wait",
        transaction: "one, sent at once; foreign keys are validated after it",
        validated_by: "before the commit: the catalog is as before, the row count as expected, \
                       no orphans, nothing left that refers to the old table",
        undone_by: "the same swap in reverse, with what was written since",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::Few,
    },
    act,
    validate: None,
    undo: Some(undo),
};

fn act(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    let Exclusive { runtime, info, .. } = &site.exclusive;
    let mut deviations = Vec::new();
    if !args.accept_failed_validation && !args.skip.contains(&Step::Validation) {
        let limits = args.validation();
        let (accepted, watch) = (&args.accept_check, &site.watch);
        deviations = runtime.block_on(unvalidated::refuse(info, limits, accepted, watch))?;
    }
    let options = &site.switchover;
    let report = runtime.block_on(switch_over(info, options, &site.watch.stop))?;
    let differences = report.parity_differences.iter();
    let differences: Vec<_> = differences.map(|d| format!("{} {}", d.kind, d.key)).collect();
    let mut told = StepOutcome { deviations, ..outcome::switchover(&report)? };
    if !differences.is_empty() {
        let what = format!("the catalog differs from before: {}", differences.join(", "));
        told.failures.push(Error::new(Kind::Validation, what));
    }
    Ok(told)
}

fn undo(site: &Site) -> Result<Option<Value>> {
    back(site)?.map(|report| value(&report)).transpose()
}

/// Goes back to the old table, if the run has put the new one in its place, or finishes
/// going back. The switchover is found by the run and not by the step's record, which a
/// killed run has not written. A switchover of another run stays.
fn back(site: &Site) -> Result<Option<SwitchoverReport>> {
    let made = site
        .exclusive
        .session(async |session, pair| record::of_run(session, &pair.table, site.run).await)?;
    match made {
        None => return Ok(None),
        // The swap is done, but the validation of foreign keys after it may not be.
        Some(made) if made.state == SwitchoverState::Returned && made.to_validate.is_empty() => {
            return Ok(None);
        }
        Some(_) => {}
    }
    let Exclusive { runtime, info, .. } = &site.exclusive;
    let options = &site.switchover;
    runtime.block_on(roll_back(info, options, &site.watch.stop)).map(Some)
}
