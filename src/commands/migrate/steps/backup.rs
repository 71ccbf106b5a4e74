//! 1.1: the table and what its rows need, in files.

use serde_json::{Value, json};

use super::{MigrationChoices, Site, end_journal};
use crate::backup::{BackupOptions, Choice, Extent, backup, verify};
use crate::commands::outcome;
use crate::error::{Error, Result};
use crate::migrate::{Outcome, Verbs};

pub(super) struct Backup;

impl Verbs<Site, MigrationChoices> for Backup {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        let out = site.backup.clone();
        if out.join("manifest.json").exists() {
            // A backup is there when it is complete; the attempt that took it was killed
            // before it could say so.
            let found = verify(&out, &site.watch.stop)?;
            let summary =
                format!("{} rows in {}, by an earlier attempt", found.rows, out.display());
            let rows = i64::try_from(found.rows).ok();
            let detail = json!({"path": out, "backup_id": found.backup_id});
            return Ok(Outcome { rows, summary, detail, ..Outcome::default() });
        }
        let table = site.exclusive.pair.table.clone();
        let options = BackupOptions { table, out, extent: Extent::Tables, choice: Choice::Auto };
        let work = backup(&site.exclusive.info, &options, &site.watch.stop);
        outcome::backup(&site.exclusive.runtime.block_on(work)?)
    }

    fn validate(&self, site: &Site, _: &MigrationChoices, done: &Outcome) -> Result<()> {
        let found = verify(&site.backup, &site.watch.stop)?;
        match i64::try_from(found.rows).ok() == done.rows {
            true => Ok(()),
            false => Err(Error::new(crate::Kind::Validation, "the backup has other rows")),
        }
    }

    fn undo(&self, site: &Site, _: &Value) -> Result<Option<Value>> {
        end_journal(site)?;
        Ok(None)
    }
}
