//! Step 4.3: checks that all indexes are valid.

use super::{Definition, MigrationOptions, Site};
use crate::error::Result;
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::table::reindex::{Rebuild, reindex};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Indexes,
        number: "4.3",
        name: "indexes",
        title: "check that all indexes are valid",
        does: "Rebuilds nothing, since indexes were built after the rows were loaded; `sterna \
               reindex` rebuilds CONCURRENTLY if that is wanted.",
        statements: &[sql!("table/reindex/indexes.sql")],
        locks: "none",
        transaction: "no",
        validated_by: "every index is valid",
        undone_by: "nothing: it only reads",
        leaves_traces: false,
        is_gate: false,
        rows: Rows::Few,
    },
    act,
    validate: None,
    undo: None,
};

fn act(site: &Site, _: &MigrationOptions) -> Result<StepOutcome> {
    let stop = &site.watch.stop;
    let found = site.exclusive.session(async |session, pair| {
        reindex(session, &pair.table, &Rebuild::Nothing, stop).await
    })?;
    outcome::indexes(&found)
}
