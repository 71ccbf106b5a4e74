//! Step 5.4: the clean-up. It is not part of the run: it waits until people trust the new table.

use super::{Definition, MigrationOptions, Site};
use crate::error::{Error, Result};
use crate::migrate::outcome::StepOutcome;
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::CleanUp,
        number: "5.4",
        name: "cleanup",
        title: "drop the old table and the backup table",
        does: "Not part of the run: `sterna cleanup --older-than 7d`, once the new table has \
               proved itself.",
        statements: &[sql!("switchover/drop-table.sql"), sql!("table/backup/drop.sql")],
        locks: "ACCESS EXCLUSIVE for a moment, on the old table, and on the live one to end its \
                journal",
        transaction: "one",
        validated_by: "RESTRICT: nothing else is dropped with them",
        undone_by: "nothing: the backup of 1.1 remains",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::Few,
    },
    act,
    validate: None,
    undo: None,
};

fn act(_: &Site, _: &MigrationOptions) -> Result<StepOutcome> {
    Err(Error::refused("a run does not clean up after itself")
        .hint("`sterna cleanup --older-than 7d`, once the new table has proved itself"))
}
