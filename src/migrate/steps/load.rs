//! Step 3.2: loads all years.

use serde_json::Value;

use super::{Definition, MigrationOptions, Site, unload};
use crate::error::Result;
use crate::load::{LoadOptions, load};
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Load,
        number: "3.2",
        name: "load",
        title: "load all years",
        does: "Loads the files into staging, reads it back and compares it, then builds indexes \
               and statistics, and checks that every referenced row exists.",
        statements: &[
            sql!("load/copy-in.sql"),
            sql!("table/stage/add-unique-index.sql"),
            sql!("table/stage/add-index.sql"),
            sql!("load/foreign-keys.sql"),
            sql!("table/stage/vacuum.sql"),
        ],
        locks: "staging only; ACCESS SHARE on the tables that foreign keys refer to",
        transaction: "one for each batch, with its row in the ledger; one for each index",
        validated_by: "every record accounted for; sums over the rows equal those of the files",
        undone_by: "emptying staging",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::Files,
    },
    act,
    validate: None,
    undo: Some(undo),
};

fn act(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    let options = LoadOptions { resume: true, verify: true, ..args.load.clone() };
    let done = load(&site.exclusive.info, &options, &site.watch)?;
    outcome::load(&done)
}

fn undo(site: &Site) -> Result<Option<Value>> {
    unload(site)
}
