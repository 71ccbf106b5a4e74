//! Backups: what a migration could destroy, in a folder of files that can be verified
//! and restored without sterna.
//!
//! One snapshot is counted and dumped, so counts and rows agree whatever is written
//! meanwhile. A backup is there when it is complete, or not at all.

mod copy;
mod dump;
mod folder;
mod manifest;
mod program;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::Serialize;
use tokio_postgres::types::Json;
use uuid::Uuid;

pub use manifest::{Manifest, Method, SavedTable};
pub use verify::{Verified, restorable, verify};

use crate::error::{Error, Result};
use crate::pg::{
    ConnInfo, Connection, Table, catalog, connect, explain_denied, fill, interruptible, programs,
};
use crate::{ledger, staging};

/// Tables that belong to the trade table, where they exist beside it.
const BESIDE: [&str; 2] = ["species", "species_trade_summary"];

/// How the rows are to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// By pg_dump where there is one that is not older than the server, else as copy.
    #[default]
    Auto,
    /// By pg_dump, in its custom format.
    PgDump,
    /// A binary COPY per table, with SQL for columns, constraints and indexes.
    Copy,
}

/// What is to be saved, and where.
#[derive(Clone, Debug)]
pub struct BackupOptions {
    /// The table that is to be replaced; what its rows need is saved with it.
    pub table: Table,
    /// The folder that the backup is to be; it must not exist, or be empty.
    pub out: PathBuf,
    /// Save the whole database.
    pub full: bool,
    /// How.
    pub choice: Choice,
}

/// A backup that was taken and verified.
#[derive(Clone, Debug, Serialize)]
pub struct BackupReport {
    /// Its folder.
    pub path: String,
    /// SHA-256 of its file of checksums.
    pub sha256: String,
    /// Whether its contents were read back and are what was taken.
    pub verified: bool,
    /// What it holds.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// The whole of it.
    pub seconds: f64,
}

/// A backup as the ledger has it.
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
    /// Its size.
    pub bytes: u64,
    /// What its last verification found.
    pub verified: bool,
    /// Who took it.
    pub role: String,
    /// The version of sterna.
    pub version: String,
    /// When, in UTC.
    pub at: String,
}

/// Takes a backup, verifies it and writes it down in the ledger.
///
/// # Errors
/// A usage error where something is at its place; where no program is fit, or the role
/// may not see every row; [`crate::Kind::Interrupted`] where `stop` was set. Then
/// nothing is left that looks like a backup.
pub async fn backup(
    info: &ConnInfo,
    options: &BackupOptions,
    stop: &AtomicBool,
) -> Result<BackupReport> {
    let begun = Instant::now();
    let mut draft = folder::Draft::new(&options.out)?;
    let mut control = connect(info).await?;
    staging::pair(&mut control, &options.table).await?;
    let session = connect(info).await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    session.batch_execute(include_str!("../../sql/load/begin-snapshot.sql")).await?;
    let moment = session.query_one(include_str!("../../sql/backup/moment.sql"), &[]).await?;
    let (taken_at, server_version, server_major): (String, String, i32) =
        (moment.get(0), moment.get(1), moment.get(2));
    let server_major = u32::try_from(server_major).unwrap_or_default();
    let program = program(options, server_major)?;
    let mut tables = tables(&session, options).await?;
    for (saved, _) in &mut tables {
        let table = saved.table()?;
        let sql = fill(include_str!("../../sql/backup/count.sql"), &[("table", &table)]);
        let counted = interruptible(&session, stop, session.query_one(&sql, &[])).await;
        let row = counted
            .map_err(|e| explain_denied(e.context(format!("could not read all of {table}"))))?;
        saved.rows = u64::try_from(row.get::<_, i64>(0)).unwrap_or_default();
    }
    let program_major = program.as_ref().map_or(server_major, |(_, major)| *major);
    let method = match &program {
        Some((program, _)) => {
            let share = include_str!("../../sql/load/share-snapshot.sql");
            let snapshot: String = session.query_one(share, &[]).await?.get(0);
            let chosen = (!options.full).then_some(tables.as_slice());
            dump::write(info, &session, &mut draft, program, &snapshot, chosen, stop).await?;
            Method::PgDump
        }
        None => {
            copy::write(&session, &mut draft, &mut tables, stop).await?;
            Method::Copy
        }
    };
    session.batch_execute("COMMIT").await?;
    let manifest = Manifest {
        form: manifest::FORM,
        backup_id: Uuid::new_v4(),
        method,
        full: options.full,
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
    record(&control, &manifest, &place, &sha256).await?;
    Ok(BackupReport {
        path: place.display().to_string(),
        sha256,
        verified: true,
        manifest,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// The pg_dump to use; none where rows are to be copied.
fn program(options: &BackupOptions, server_major: u32) -> Result<Option<(PathBuf, u32)>> {
    if options.choice == Choice::Copy && options.full {
        return Err(Error::usage("only pg_dump can save a whole database")
            .hint("leave out --method copy, or --full"));
    }
    let found = match options.choice {
        Choice::Copy => return Ok(None),
        Choice::Auto | Choice::PgDump => programs::client("pg_dump", server_major),
    };
    if found.is_some() || (options.choice == Choice::Auto && !options.full) {
        if found.is_none() {
            tracing::warn!("no pg_dump of version {server_major} or newer: the rows are copied");
        }
        return Ok(found);
    }
    Err(Error::usage(format!("there is no pg_dump of version {server_major} or newer"))
        .hint("install postgresql-client, or set STERNA_PG_BIN to its folder"))
}

/// The tables to save, with their OIDs; their rows are not counted yet.
async fn tables(session: &Connection, options: &BackupOptions) -> Result<Vec<(SavedTable, u32)>> {
    let rows = if options.full {
        session.query(include_str!("../../sql/backup/all-tables.sql"), &[]).await?
    } else {
        let mut oids = vec![catalog::plain_table(session, &options.table).await?.oid];
        for name in BESIDE {
            let table = Table::new(options.table.schema.name(), name)?;
            oids.extend(catalog::relation(session, &table).await?.map(|found| found.oid));
        }
        session.query(include_str!("../../sql/backup/tables.sql"), &[&oids]).await?
    };
    let saved = |row: &tokio_postgres::Row| {
        let (schema, name) = (row.get(0), row.get(1));
        (SavedTable { schema, name, rows: 0, file: None }, row.get(2))
    };
    Ok(rows.iter().map(saved).collect())
}

async fn record(
    session: &Connection,
    manifest: &Manifest,
    place: &Path,
    sha256: &str,
) -> Result<()> {
    let path = place.display().to_string();
    let bytes = i64::try_from(manifest.bytes).unwrap_or(i64::MAX);
    let (id, target, tables) = (&manifest.backup_id, &manifest.target, Json(&manifest.tables));
    let version = &manifest.sterna_version;
    let sql = include_str!("../../sql/backup/record.sql");
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [id, target, &path, &sha256, &tables, &bytes, &true, version];
    session.execute(sql, &values).await?;
    Ok(())
}

/// Writes down what a verification found; false where this database's ledger does not
/// know the backup.
///
/// # Errors
/// Where the ledger cannot be written.
pub async fn mark_verified(session: &mut Connection, verified: &Verified) -> Result<bool> {
    ledger::ensure(session).await?;
    let sql = include_str!("../../sql/backup/mark-verified.sql");
    let changed = session.execute(sql, &[&verified.backup_id, &verified.sha256, &true]).await?;
    Ok(changed > 0)
}

/// The last backup that was taken of a table.
///
/// # Errors
/// Where the ledger cannot be read.
pub async fn last(session: &Connection, table: &Table) -> Result<Option<StoredBackup>> {
    let sql = include_str!("../../sql/backup/last.sql");
    let row = session.query_opt(sql, &[&table.to_string()]).await?;
    Ok(row.map(|row| StoredBackup {
        backup_id: row.get(0),
        path: PathBuf::from(row.get::<_, String>(1)),
        sha256: row.get(2),
        tables: row.get::<_, Json<Vec<SavedTable>>>(3).0,
        bytes: u64::try_from(row.get::<_, i64>(4)).unwrap_or_default(),
        verified: row.get(5),
        role: row.get(6),
        version: row.get(7),
        at: row.get(8),
    }))
}
