//! 4.1: a copy of the live table beside it.

use serde_json::{Value, json};

use super::{MigrationChoices, Site, made};
use crate::cli::commands::outcome;
use crate::error::Result;
use crate::migrate::{Outcome, Verbs};
use crate::table::backup_table;

pub(super) struct BackupTable;

impl Verbs<Site, MigrationChoices> for BackupTable {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        let stop = &site.watch.stop;
        let made = site
            .exclusive
            .session(async |session, pair| backup_table::create(session, pair, stop).await)?;
        outcome::backup_table(&made)
    }

    fn undo(&self, site: &Site, _: &Value) -> Result<Option<Value>> {
        if !made(site)?.backup_table {
            return Ok(None);
        }
        let dropped = site
            .exclusive
            .session(async |session, pair| backup_table::drop(session, &pair.table).await)?;
        Ok(dropped.map(|table| json!({"dropped": table.to_string()})))
    }
}
