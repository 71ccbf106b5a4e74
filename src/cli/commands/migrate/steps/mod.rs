//! The verbs of each step, wired to the library.

mod backup;
mod backup_table;
mod cleanup;
mod comprehensive;
mod indexes;
mod load;
mod report;
mod species;
mod staging;
mod summary;
mod switchover;
mod test_bench;
mod test_load;
mod test_validation;
mod truncate;
mod validation;

use serde_json::{Value, json};

use super::{MigrationChoices, Site};
use crate::error::Result;
use crate::migrate::ledger::{self, Made};
use crate::migrate::{Step, Verbs};
use crate::switchover::journal::{self, Toward};
use crate::table::locks::Patience;

/// What each step can do.
pub(in crate::cli::commands) fn verbs(step: Step) -> &'static dyn Verbs<Site, MigrationChoices> {
    match step {
        Step::Backup => &backup::Backup,
        Step::Staging => &staging::Staging,
        Step::Species => &species::AddSpecies,
        Step::TestLoad => &test_load::TestLoad,
        Step::TestValidation => &test_validation::TestValidation,
        Step::TestBench => &test_bench::TestBench,
        Step::Truncate => &truncate::Truncate,
        Step::Load => &load::Load,
        Step::Validation => &validation::Validation,
        Step::BackupTable => &backup_table::BackupTable,
        Step::Switchover => &switchover::Switchover,
        Step::Indexes => &indexes::Indexes,
        Step::Summary => &summary::Summary,
        Step::Comprehensive => &comprehensive::Comprehensive,
        Step::Report => &report::Report,
        Step::CleanUp => &cleanup::CleanUp,
    }
}

/// Writes to the table are no longer recorded for staging, unless a staging table is
/// left that needs them: one that the run has found and not made.
fn end_journal(site: &Site) -> Result<()> {
    site.exclusive.session(async |session, pair| {
        if crate::table::staging::find(session, pair).await?.is_some() {
            return Ok(());
        }
        let (patience, stop) = (Patience::new(site.max_wait), &site.watch.stop);
        let (table, oid) = (&pair.table, pair.table_oid);
        journal::end(session, table, oid, Toward::Staging, patience, stop).await
    })
}

/// Takes a load back: empties staging of the run's rows. Rows of other loads stay.
fn unload(site: &Site) -> Result<Option<Value>> {
    let made = made(site)?;
    if !made.rows {
        return Ok(None);
    }
    let staging = site.exclusive.pair.staging.to_string();
    Ok(empty_staging(site)?.then(|| json!({"emptied": staging})))
}

/// Which of the tables beside the live one are the run's own.
fn made(site: &Site) -> Result<Made> {
    site.exclusive
        .session(async |session, pair| ledger::made_by(session, site.run, &pair.table).await)
}

/// Empties staging, where there is one with rows. Says whether there was.
fn empty_staging(site: &Site) -> Result<bool> {
    site.exclusive.session_alone(async |session, pair| {
        let Some(found) = crate::table::staging::find(session, pair).await? else {
            return Ok(false);
        };
        let had = crate::table::staging::has_rows(session, pair).await?;
        let (patience, stop) = (Patience::new(site.max_wait), &site.watch.stop);
        crate::table::staging::truncate(session, pair, found.oid, patience, stop).await?;
        Ok(had)
    })
}
