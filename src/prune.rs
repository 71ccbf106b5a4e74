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

/// Removes what runs of the plan on a table have left behind, except for the latest `keep`.
/// The caller holds the table's lock.
///
/// # Errors
/// If the ledger cannot be read or written; a file error if a folder cannot be removed.
pub async fn prune(
    session: &mut Connection,
    table: &Table,
    keep: u32,
    dry_run: bool,
) -> Result<Pruned> {
    let (schema, name) = (table.schema.name(), table.name.name());
    let sql = include_str!("../sql/prune/kept.sql");
    let found = session.query_opt(sql, &[&schema, &name, &i64::from(keep)]).await?;
    let Some(row) = found else { return Ok(Pruned { dry_run, ..Pruned::default() }) };
    let (since, kept_since, kept): (String, Option<String>, i64) =
        (row.get(0), row.get(1), row.get(2));
    let mut pruned = Pruned { dry_run, kept_since, kept, ..Pruned::default() };
    let sql = include_str!("../sql/prune/folders.sql");
    let mut gone = Vec::new();
    // Folders first: as long as the ledger knows them, a prune that was interrupted can be repeated.
    for row in session.query(sql, &[&schema, &name, &since]).await? {
        let (path, backup): (String, Option<Uuid>) = (row.get(0), row.get(1));
        match folder(Path::new(&path), backup, dry_run)? {
            Found::Removed(bytes) => {
                pruned.bytes += bytes;
                pruned.folders.push(path);
                gone.extend(backup);
            }
            Found::Gone => gone.extend(backup),
            Found::Left(reason) => pruned.left.push(Left { path, reason }),
        }
    }
    let sql = include_str!("../sql/prune/forget.sql");
    let (target, gone) = (table.to_string(), gone.as_slice());
    let forgetting = session.transaction().await?;
    let counts = forgetting.query_one(sql, &[&schema, &name, &since, &target, &gone]).await?;
    (pruned.runs, pruned.ledger_rows) = (counts.get(0), counts.get(1));
    match dry_run {
        true => forgetting.rollback().await?,
        false => forgetting.commit().await?,
    }
    Ok(pruned)
}

enum Found {
    /// Removed, or would be; its files had so many bytes.
    Removed(u64),
    /// It was removed before.
    Gone,
    /// It stays, for this reason.
    Left(String),
}

/// Removes the files that sterna has written to a folder, and the folder, unless it holds others.
fn folder(path: &Path, backup: Option<Uuid>, dry_run: bool) -> Result<Found> {
    let failed = |e| Error::file(path, e);
    let there = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let here = path.parent().is_some_and(|parent| parent.is_dir());
            return Ok(match here && path.is_absolute() {
                true => Found::Gone,
                false => Found::Left("it is not on this machine, or not in this folder".to_owned()),
            });
        }
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
    let ours = match backup {
        // An interrupted prune may have left the folder empty.
        _ if files.is_empty() => Vec::new(),
        Some(id) => match backup::files(path, id) {
            Ok(files) => files,
            Err(error) => return Ok(Found::Left(error.to_string())),
        },
        None => history::FILES.iter().chain([&private::MARKER]).map(|&f| f.to_owned()).collect(),
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
