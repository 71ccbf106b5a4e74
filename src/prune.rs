//! Removes what old runs have left behind: their backups, their reports, and their rows in the
//! ledger.
//!
//! Nothing that a rollback, a resumed run or a proof may still need is removed: unfinished runs,
//! runs whose old table is still there, and everything later stay, whatever their number. A
//! backup that was taken by its own command stays, too: somebody wanted to have it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::Uid;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::pg::{Connection, Table};
use crate::{backup, history, private};

/// A folder that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its path.
    pub path: String,
    /// Why it stays.
    pub reason: String,
}

/// What was removed; in a dry run, what would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// Whether it was a dry run, which removes nothing.
    pub dry_run: bool,
    /// The start of the oldest run that is kept, in UTC; none if there is nothing to remove.
    pub kept_since: Option<String>,
    /// The number of runs that are kept.
    pub kept: i64,
    /// The number of runs that were removed.
    pub runs: i64,
    /// The number of rows that were removed from the ledger.
    pub ledger_rows: i64,
    /// Folders of backups and reports that were removed.
    pub folders: Vec<String>,
    /// The size of their files, in bytes.
    pub bytes: u64,
    /// Folders that stay.
    pub left: Vec<Left>,
}

/// What to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneOptions {
    /// The number of runs to keep, the latest.
    pub keep: u32,
    /// Forget backups whose folders are missing. Otherwise they stay in the ledger, because they
    /// may be on another machine.
    pub forget_missing: bool,
    /// Only tell what would be removed.
    pub dry_run: bool,
}

impl PruneOptions {
    /// Keeps the latest `keep` runs.
    #[must_use]
    pub fn new(keep: u32) -> Self {
        PruneOptions { keep, forget_missing: false, dry_run: false }
    }
}

/// Removes what runs of the plan on a table have left behind, except for the latest. The caller
/// holds the table's lock.
///
/// # Errors
/// If the ledger cannot be read or written; a file error if a folder cannot be removed.
pub async fn prune(
    session: &mut Connection,
    table: &Table,
    options: PruneOptions,
) -> Result<Pruned> {
    let PruneOptions { keep, forget_missing, dry_run } = options;
    let (schema, name) = (table.schema.name(), table.name.name());
    let sql = include_str!("../sql/prune/kept.sql");
    let found = session.query_opt(sql, &[&schema, &name, &i64::from(keep)]).await?;
    let Some(row) = found else { return Ok(Pruned { dry_run, ..Pruned::default() }) };
    let (since, kept_since, kept): (String, Option<String>, i64) =
        (row.get(0), row.get(1), row.get(2));
    let mut pruned = Pruned { dry_run, kept_since, kept, ..Pruned::default() };
    let sql = include_str!("../sql/prune/folders.sql");
    let (mut gone, mut held) = (Vec::new(), Vec::new());
    // Folders first: as long as the ledger knows them, a prune that was interrupted can be repeated.
    for row in session.query(sql, &[&schema, &name, &since]).await? {
        let (path, run, backup): (String, Uuid, Option<Uuid>) =
            (row.get(0), row.get(1), row.get(2));
        let content = backup.map_or(Content::Report(run), Content::Backup);
        match folder(Path::new(&path), content, dry_run)? {
            Found::Removed(bytes) => {
                pruned.bytes += bytes;
                pruned.folders.push(path);
                gone.extend(backup);
            }
            Found::Missing if backup.is_some() && !forget_missing => {
                let reason = "it is missing here; --forget-missing forgets it".to_owned();
                pruned.left.push(Left { path, reason });
                held.push(run);
            }
            Found::Missing => gone.extend(backup),
            Found::Left(reason) => {
                pruned.left.push(Left { path, reason });
                held.push(run);
            }
        }
    }
    let sql = include_str!("../sql/prune/forget.sql");
    let (target, gone, held) = (table.to_string(), gone.as_slice(), held.as_slice());
    let forgetting = session.transaction().await?;
    let counts =
        forgetting.query_one(sql, &[&schema, &name, &since, &target, &gone, &held]).await?;
    (pruned.runs, pruned.ledger_rows) = (counts.get(0), counts.get(1));
    match dry_run {
        true => forgetting.rollback().await?,
        false => forgetting.commit().await?,
    }
    Ok(pruned)
}

/// What a folder must hold to be removed.
#[derive(Clone, Copy)]
enum Content {
    /// The backup with this id.
    Backup(Uuid),
    /// The report of this run.
    Report(Uuid),
}

enum Found {
    /// Removed, or would be; its files had so many bytes.
    Removed(u64),
    /// It is not there, or holds a later report.
    Missing,
    /// It stays, for this reason.
    Left(String),
}

/// Removes the files that sterna has written to a folder, and the folder, unless it holds others.
fn folder(path: &Path, content: Content, dry_run: bool) -> Result<Found> {
    let failed = |e| Error::file(path, e);
    let there = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        there => there.map_err(failed)?,
    };
    if !there.is_dir() || there.uid() != Uid::effective().as_raw() {
        return Ok(Found::Left("it is not a folder of this user".to_owned()));
    }
    let mut files = Vec::new();
    let mut bytes = 0;
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        bytes += entry.metadata().map_err(failed)?.len();
        files.push(entry.file_name().to_string_lossy().into_owned());
    }
    let ours = match content {
        // An interrupted prune may have left the folder empty.
        _ if files.is_empty() => Vec::new(),
        Content::Backup(id) => match backup::files(path, id) {
            Ok(files) => files,
            Err(error) => return Ok(Found::Left(error.to_string())),
        },
        Content::Report(run) if is_report_of(path, run) => report_files(),
        Content::Report(_) => return Ok(Found::Missing),
    };
    if let Some(other) = files.iter().find(|name| !ours.contains(name)) {
        return Ok(Found::Left(format!("it holds {other}, which sterna did not write")));
    }
    // What tells that the folder is sterna's goes last.
    files.sort_by_key(|name| ours.iter().position(|file| file == name));
    if !dry_run {
        for file in files {
            let file = path.join(file);
            fs::remove_file(&file).map_err(|e| Error::file(&file, e))?;
        }
        fs::remove_dir(path).map_err(failed)?;
    }
    Ok(Found::Removed(bytes))
}

/// The names of the files of a report; the one that tells whose it is comes last.
fn report_files() -> Vec<String> {
    let others = history::FILES.iter().filter(|name| **name != history::JSON);
    others.chain(&[private::MARKER, history::JSON]).map(|&name| name.to_owned()).collect()
}

/// Whether a folder holds the report of this run, and not of another that was written there later.
fn is_report_of(path: &Path, run: Uuid) -> bool {
    let report = fs::read(path.join(history::JSON)).unwrap_or_default();
    let report: Value = serde_json::from_slice(&report).unwrap_or_default();
    report["run"]["run_id"].as_str() == Some(run.to_string().as_str())
}
