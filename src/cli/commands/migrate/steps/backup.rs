//! 1.1: the table and what its rows need, in files.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{MigrationChoices, Site, end_journal};
use crate::backup::{BackupOptions, Choice, Extent, backup, verify};
use crate::cli::commands::outcome;
use crate::error::{Error, Result};
use crate::migrate::{Outcome, Verbs};

pub(super) struct Backup;

impl Verbs<Site, MigrationChoices> for Backup {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        let out = unused(&site.backup);
        let table = site.exclusive.pair.table.clone();
        let options = BackupOptions { table, out, extent: Extent::Tables, choice: Choice::Auto };
        let work = backup(&site.exclusive.info, &options, &site.watch.stop);
        outcome::backup(&site.exclusive.runtime.block_on(work)?)
    }

    fn validate(&self, site: &Site, _: &MigrationChoices, done: &Outcome) -> Result<()> {
        let path = done.detail["path"].as_str().map_or_else(|| site.backup.clone(), PathBuf::from);
        let found = verify(&path, &site.watch.stop)?;
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

/// A folder that no earlier attempt has used. What that saved may be older than writes to
/// the table since, so it stays and counts for nothing.
fn unused(folder: &Path) -> PathBuf {
    let numbered = (2..).map(|number| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    });
    let mut all = std::iter::once(folder.to_owned()).chain(numbered);
    all.find(|path| !path.join("manifest.json").exists()).unwrap_or_else(|| folder.to_owned())
}
