//! Step 4.1: copies the live table into a backup table.

use serde_json::{Value, json};

use super::{Definition, MigrationOptions, Site, made};
use crate::error::Result;
use crate::migrate::options::BackupTableChoice;
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::table::backup_table;

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::BackupTable,
        number: "4.1",
        name: "backup-table",
        title: "copy the live table beside it",
        does: "Copies the live table, with its primary key, into one that only its owner can use. \
               Replaces the copy of an earlier run. With --backup-table auto, copies nothing: the \
               switchover keeps the table itself until 5.4.",
        statements: &[
            sql!("table/backup/create.sql"),
            sql!("table/backup/add-primary-key.sql"),
            sql!("table/backup/count.sql"),
        ],
        locks: "ACCESS SHARE on the table",
        transaction: "one, REPEATABLE READ",
        validated_by: "as many rows as the table in the same snapshot",
        undone_by: "dropping the copy, if there is one",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::Live,
    },
    act,
    validate: None,
    undo: Some(undo),
};

fn act(site: &Site, options: &MigrationOptions) -> Result<StepOutcome> {
    if options.backup_table == BackupTableChoice::Auto {
        return outcome::no_backup_table(&site.exclusive.pair.table);
    }
    let stop = &site.watch.stop;
    let made = site
        .exclusive
        .session(async |session, pair| backup_table::create(session, pair, stop).await)?;
    outcome::backup_table(&made)
}

fn undo(site: &Site) -> Result<Option<Value>> {
    if !made(site)?.backup_table {
        return Ok(None);
    }
    let dropped = site
        .exclusive
        .session(async |session, pair| backup_table::drop(session, &pair.table).await)?;
    Ok(dropped.map(|table| json!({"dropped": table.to_string()})))
}
