//! Step 5.1: recomputes the summary per species.

use serde_json::{Value, json};

use super::{Definition, MigrationOptions, Site};
use crate::error::Result;
use crate::migrate::outcome::value;
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::table::summary::{self, SummaryFound};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Summary,
        number: "5.1",
        name: "summary",
        title: "recompute the summary per species",
        does: "Saves a copy of the summary's rows, then recomputes them from the table.",
        statements: &[sql!("table/summary/keep.sql"), sql!("table/summary/recompute.sql")],
        locks: "SHARE ROW EXCLUSIVE on the summary: readers continue",
        transaction: "one, REPEATABLE READ",
        validated_by: "a row for every species; totals of records and quantities equal the table's",
        undone_by: "restoring the saved rows",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::Species,
    },
    act,
    validate: None,
    undo: Some(undo),
};

fn act(site: &Site, _: &MigrationOptions) -> Result<StepOutcome> {
    site.exclusive.session(async |session, pair| {
        match summary::find(session, &pair.whole).await? {
            // Under the run's id: a later attempt keeps the rows that the first one saved.
            SummaryFound::Target(target) => {
                outcome::summary(&summary::recompute(session, &target, site.run).await?)
            }
            SummaryFound::Nothing(reason) => {
                let summary = format!("none to recompute: {reason}");
                let detail = json!({"reason": reason});
                Ok(StepOutcome { summary, detail, ..StepOutcome::default() })
            }
        }
    })
}

fn undo(site: &Site) -> Result<Option<Value>> {
    site.exclusive.session(async |session, pair| {
        let SummaryFound::Target(target) = summary::find(session, &pair.whole).await? else {
            return Ok(None);
        };
        if !summary::stands(session, site.run).await? {
            return Ok(None);
        }
        // The summary of the whole table: runs on its partitions follow each other in any order.
        if pair.whole != pair.table
            && let Some(later) = summary::last(session, &target).await?
            && later != site.run
        {
            summary::forget(session, site.run).await?;
            return Ok(Some(json!({"recomputed_since_by": later})));
        }
        value(&summary::undo(session, &target, site.run).await?).map(Some)
    })
}
