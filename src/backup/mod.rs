//! Backups: everything that a migration could destroy, in a folder of files that can be
//! verified and restored without sterna.
//!
//! The same snapshot is counted and dumped, so counts and rows agree whatever is written
//! meanwhile. A backup appears only when it is complete.

mod copy;
mod dump;
mod folder;
mod manifest;
mod program;
mod restore;
mod tables;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::Serialize;
use tokio_postgres::types::Json;
use uuid::Uuid;

pub use dump::extensions;
pub use manifest::{Manifest, Method, SavedTable};
pub use restore::Restorer;
pub use verify::{Verified, restorable, restore_whole, verify};

use crate::error::{Error, Result};
use crate::ledger;
use crate::pg::{ConnInfo, Connection, Snapshot, Table, Typed, connect_for, programs, snapshot};
use crate::table::staging;

/// The names of the files of a backup, the manifest last.
///
/// # Errors
/// If the folder does not hold the backup with this id.
pub(crate) fn files(folder: &Path, id: Uuid) -> Result<Vec<String>> {
    if Manifest::read(folder)?.backup_id != id {
        return Err(Error::bad_file(folder.display(), "holds another backup"));
    }
    let mut names = folder::names(folder)?;
    names.retain(|name| name != manifest::FILE);
    names.extend([folder::SUMS, manifest::FILE].map(str::to_owned));
    Ok(names)
}

/// How to write the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[non_exhaustive]
pub enum Choice {
    /// By pg_dump if there is one that is not older than the server, else as copy.
    #[default]
    Auto,
    /// By pg_dump, in its custom format.
    PgDump,
    /// A binary COPY per table, with SQL for columns, constraints and indexes.
    Copy,
}

/// How much of a database to save.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// The table and what belongs to it.
    #[default]
    Tables,
    /// What a rehearsal needs: the definitions of the whole database, and the rows of the
    /// table (of a partition, those of all partitions), of what belongs or refers to it, and of
    /// what these rows need.
    Rehearsal,
    /// The whole database.
    Full,
}

/// What to save, and where.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackupOptions {
    /// The table to replace; what its rows need is saved with it.
    pub table: Table,
    /// The folder of the backup; it must not exist or must be empty.
    pub out: PathBuf,
    /// How much to save.
    pub extent: Extent,
    /// How to write the rows.
    pub choice: Choice,
}

impl BackupOptions {
    /// The options of a backup of the table and what its rows need, in the folder `out`.
    #[must_use]
    pub fn new(table: Table, out: PathBuf) -> Self {
        BackupOptions { table, out, extent: Extent::Tables, choice: Choice::Auto }
    }
}

/// A backup that was taken and verified.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct BackupReport {
    /// Its folder.
    pub path: String,
    /// SHA-256 of its file of checksums.
    pub sha256: String,
    /// Whether its contents were read back and match the snapshot.
    pub verified: bool,
    /// Its contents.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// The total time, in seconds.
    pub seconds: f64,
}

/// A backup, as recorded in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBackup {
    /// Its id.
    pub backup_id: Uuid,
    /// Its folder, on the machine that took it.
    pub path: PathBuf,
    /// SHA-256 of its file of checksums.
    pub sha256: String,
    /// Its tables with their rows.
    pub tables: Vec<SavedTable>,
    /// Its size in bytes.
    pub bytes: u64,
    /// The result of its last verification.
    pub verified: bool,
    /// The role that took it.
    pub role: String,
    /// The version of sterna.
    pub version: String,
    /// When it was taken, in UTC.
    pub at: String,
}

/// Takes a backup, verifies it and records it in the ledger.
///
/// # Errors
/// A usage error if something exists at its place, or no suitable program is found; if the
/// role may not see every row; [`crate::Kind::Interrupted`] if `stop` was set. In all cases
/// nothing is left that looks like a backup.
pub async fn backup(
    info: &ConnInfo,
    options: &BackupOptions,
    stop: &AtomicBool,
) -> Result<BackupReport> {
    let mut control = connect_for(info, "backup").await?;
    staging::pair(&mut control, &options.table).await?;
    let taken = take(info, options, stop).await?;
    record(&control, &taken).await?;
    control.close().await?;
    Ok(taken)
}

/// Takes a backup and verifies it without writing anything to the database, for files that
/// will not be kept.
///
/// # Errors
/// As [`backup`].
pub async fn take(
    info: &ConnInfo,
    options: &BackupOptions,
    stop: &AtomicBool,
) -> Result<BackupReport> {
    let begun = Instant::now();
    let mut draft = folder::Draft::new(&options.out)?;
    let session = connect_for(info, "snapshot of the backup").await?;
    let moment = include_str!("../../sql/backup/moment.sql");
    let (set, only, snapshot, moment) = futures::join!(
        session.batch_execute(include_str!("../../sql/catalog/session.sql")),
        session.batch_execute(include_str!("../../sql/catalog/tables-only.sql")),
        snapshot::begin(&session),
        session.query_one(moment, &[]),
    );
    set?;
    only?;
    snapshot?;
    let moment = moment?;
    let (taken_at, server_version, server_major): (String, String, i32) =
        (moment.get(0), moment.get(1), moment.get(2));
    let server_major = u32::try_from(server_major).unwrap_or_default();
    let program = program(options, server_major)?;
    let (mut tables, left_out) = tables::chosen(&session, options).await?;
    tables::count(&session, &mut tables, stop).await?;
    let program_major = program.as_ref().map_or(server_major, |(_, major)| *major);
    let method = match &program {
        Some((program, _)) => {
            // pg_dump needs a connection of its own.
            info.close_kept().await;
            let snapshot = Snapshot::share(&session).await?;
            let chosen = dump::selection(options.extent, &tables, &left_out)?;
            dump::write(info, &session, &mut draft, program, snapshot.name(), &chosen, stop)
                .await?;
            Method::PgDump
        }
        None => {
            copy::write(&session, &mut draft, &mut tables, stop).await?;
            Method::Copy
        }
    };
    session.batch_execute("COMMIT").await?;
    session.close().await?;
    let manifest = Manifest {
        form: manifest::FORM,
        backup_id: Uuid::new_v4(),
        method,
        full: options.extent == Extent::Full,
        definitions: options.extent != Extent::Tables,
        target: options.table.to_string(),
        database: info.display(),
        taken_at,
        server_version,
        program_major,
        sterna_version: env!("CARGO_PKG_VERSION").into(),
        tables: tables.into_iter().map(|(saved, _)| saved).collect(),
        bytes: draft.bytes()?,
    };
    draft.write(manifest::FILE, &manifest.to_json()?)?;
    draft.seal(stop)?;
    let Verified { sha256, .. } = verify(draft.path(), stop)?;
    let place = draft.place().to_owned();
    draft.publish()?;
    Ok(BackupReport {
        path: place.display().to_string(),
        sha256,
        verified: true,
        manifest,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// The pg_dump to use; `None` if rows are to be copied.
fn program(options: &BackupOptions, server_major: u32) -> Result<Option<(PathBuf, u32)>> {
    let tables_only = options.extent == Extent::Tables;
    if options.choice == Choice::Copy && !tables_only {
        return Err(Error::usage("only pg_dump can save a whole database")
            .hint("omit --method copy, or --full"));
    }
    let found = match options.choice {
        Choice::Copy => return Ok(None),
        Choice::Auto | Choice::PgDump => programs::client("pg_dump", server_major),
    };
    if found.is_some() || (options.choice == Choice::Auto && tables_only) {
        if found.is_none() {
            tracing::warn!(
                "no pg_dump of version {server_major} or newer: the rows are copied, without \
                 storage parameters, replica identity, extended statistics, publications, rights on \
                 serial sequences, and comments on indexes and constraints; for a dump, {}",
                programs::client_hint(server_major)
            );
        }
        return Ok(found);
    }
    Err(Error::usage(format!("there is no pg_dump of version {server_major} or newer"))
        .hint(programs::client_hint(server_major)))
}

async fn record(session: &Connection, taken: &BackupReport) -> Result<()> {
    let BackupReport { path, sha256, manifest, .. } = taken;
    let bytes = i64::try_from(manifest.bytes).unwrap_or(i64::MAX);
    let (id, target, tables) = (&manifest.backup_id, &manifest.target, Json(&manifest.tables));
    let version = &manifest.sterna_version;
    let sql = include_str!("../../sql/backup/record.sql");
    let values: [&dyn Typed; 8] = [id, target, path, sha256, &tables, &bytes, &true, version];
    session.execute(sql, &values).await?;
    Ok(())
}

/// Records a successful verification; returns false if this database's ledger does not know
/// the backup.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn mark_verified(session: &mut Connection, verified: &Verified) -> Result<bool> {
    ledger::ensure(session).await?;
    let sql = include_str!("../../sql/backup/mark-verified.sql");
    let changed = session.execute(sql, &[&verified.backup_id, &verified.sha256, &true]).await?;
    Ok(changed > 0)
}

/// The last backup of a table.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn last(session: &Connection, table: &Table) -> Result<Option<StoredBackup>> {
    let sql = include_str!("../../sql/backup/last.sql");
    let Some(row) = session.query_opt(sql, &[&table.to_string()]).await? else { return Ok(None) };
    Ok(Some(StoredBackup {
        backup_id: row.get(0),
        path: PathBuf::from(row.get::<_, String>(1)),
        sha256: row.get(2),
        tables: ledger::document(&row, 3)?.unwrap_or_default(),
        bytes: u64::try_from(row.get::<_, i64>(4)).unwrap_or_default(),
        verified: row.get(5),
        role: row.get(6),
        version: row.get(7),
        at: row.get(8),
    }))
}
