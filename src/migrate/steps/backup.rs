//! Step 1.1: saves the table and what its rows need to files.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Definition, MigrationOptions, Site, end_journal};
use crate::backup::{BackupOptions, backup, verify};
use crate::error::{Error, Result};
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Backup,
        number: "1.1",
        name: "backup",
        title: "save the table and what its rows need",
        does: "Starts recording writes to the table. Then saves the table, species and \
               summary into a folder with checksums, with pg_dump if it is found, else by binary \
               COPY.",
        statements: &[sql!("journal/begin.sql"), sql!("backup/count.sql")],
        locks: "SHARE ROW EXCLUSIVE on the table for a moment, to begin the journal; then ACCESS \
                SHARE on what is saved",
        transaction: "one snapshot, REPEATABLE READ",
        validated_by: "checksums; the dump can be listed and read; the row counts of all tables \
                       equal those of the snapshot",
        undone_by: "nothing: the files stay; the journal ends",
        leaves_traces: false,
        is_gate: false,
        rows: Rows::Live,
    },
    act,
    validate: Some(validate),
    undo: Some(undo),
};

fn act(site: &Site, _: &MigrationOptions) -> Result<StepOutcome> {
    let out = unused(&site.backup);
    let table = site.exclusive.pair.table.clone();
    let options = BackupOptions::new(table, out);
    let work = backup(&site.exclusive.info, &options, &site.watch.stop);
    outcome::backup(&site.exclusive.runtime.block_on(work)?)
}

fn validate(site: &Site, done: &StepOutcome) -> Result<()> {
    let path = done.detail["path"].as_str().map_or_else(|| site.backup.clone(), PathBuf::from);
    let found = verify(&path, &site.watch.stop)?;
    match i64::try_from(found.rows).ok() == done.rows {
        true => Ok(()),
        false => Err(Error::new(crate::Kind::Validation, "the backup has a wrong row count")),
    }
}

fn undo(site: &Site) -> Result<Option<Value>> {
    end_journal(site)?;
    Ok(None)
}

/// A folder that no earlier attempt has used. An earlier backup may lack later writes to the
/// table, so it is kept but not used.
fn unused(folder: &Path) -> PathBuf {
    let numbered = (2..).map(|number| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    });
    let mut all = std::iter::once(folder.to_owned()).chain(numbered);
    all.find(|path| !path.join("manifest.json").exists()).unwrap_or_else(|| folder.to_owned())
}
