//! Verifies that a backup is intact and that it can be restored.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use uuid::Uuid;

use super::folder::{check_sums, sha256};
use super::manifest::{self, Manifest, Method};
use super::restore::Restorer;
use super::{copy, dump, folder};
use crate::error::{Error, Kind, Result};
use crate::pg::embedded::Options;
use crate::pg::{Connection, Embedded, Ident, Table, connect, fill};
use crate::runtime;

/// The database of an embedded server that a backup is restored into.
const SCRATCH: &str = "restored";

/// The result of a successful verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The backup.
    pub backup_id: Uuid,
    /// SHA-256 of its file of checksums.
    pub sha256: String,
    /// The number of tables, each with as many rows as the manifest says.
    pub tables: usize,
    /// The number of rows in all of them.
    pub rows: u64,
    /// Whether it was restored into an embedded server and counted there.
    pub restored: bool,
    /// What was not restored because only a superuser can create it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unrestored: Vec<String>,
}

/// Verifies a backup without a server: the checksums match, it can be read, and it holds
/// every table with as many rows as the manifest says.
///
/// Blocks.
///
/// # Errors
/// [`Kind::Validation`] if it differs from what was taken.
pub fn verify(folder: &Path, stop: &AtomicBool) -> Result<Verified> {
    let named = check_sums(folder, stop)?;
    let manifest = Manifest::read(folder)?;
    let own = match manifest.method {
        Method::PgDump => vec![dump::FILE],
        Method::Copy => vec![copy::TABLES, copy::CONSTRAINTS, copy::RESTORE],
    };
    let of_tables = manifest.tables.iter().filter_map(|table| table.file.as_deref());
    let mut needed = own.into_iter().chain(of_tables).chain([manifest::FILE]);
    if let Some(name) = needed.find(|name| !named.iter().any(|n| n == name)) {
        return Err(failed(folder, format!("{} has no checksum of {name}", folder::SUMS)));
    }
    let list = match manifest.method {
        Method::PgDump => {
            Some((dump::list(folder, &manifest)?, dump::count(folder, &manifest, stop)?))
        }
        Method::Copy => None,
    };
    for saved in manifest.tables.iter().filter(|saved| !saved.partitioned) {
        let table = saved.table()?;
        let rows = match (&list, &saved.file) {
            (Some((list, _)), _) if !dump::lists(list, saved) => {
                return Err(failed(folder, format!("{table} is not in it")));
            }
            (Some((_, counts)), _) => counts.get(&table.to_string()).copied().unwrap_or(0),
            (None, Some(file)) => copy::count(&folder.join(file), stop)?,
            (None, None) => return Err(failed(folder, format!("{table} has no file"))),
        };
        if rows != saved.rows {
            let what = format!("{rows} rows of {table} instead of {}", saved.rows);
            return Err(failed(folder, what));
        }
    }
    Ok(Verified {
        backup_id: manifest.backup_id,
        sha256: sha256(&folder.join(folder::SUMS), stop)?,
        tables: manifest.tables.len(),
        rows: manifest.tables.iter().map(|table| table.rows).sum(),
        restored: false,
        unrestored: Vec::new(),
    })
}

/// Like [`verify`], and also restores columns, rows, constraints and indexes into an embedded
/// server and counts the rows again. Objects that name roles or other functions (grants,
/// policies, triggers, rules, publications) are skipped, since that server has neither. Code
/// of the backup runs there as a role without rights.
///
/// Blocks; must not be called inside an async runtime.
///
/// # Errors
/// As [`verify`]; errors of the restore; if the server's programs are missing.
pub fn restorable(folder: &Path, stop: &AtomicBool) -> Result<Verified> {
    let verified = verify(folder, stop)?;
    let manifest = Manifest::read(folder)?;
    let server = Embedded::start(&Options::default().sandboxed())?;
    let runtime = runtime::blocking()?;
    let unrestored = runtime
        .block_on(restore(&server, folder, &manifest, stop))
        .map_err(|e| e.context("the backup could not be restored into an empty server"))?;
    Ok(Verified { restored: true, unrestored, ..verified })
}

/// Restores everything in a backup with the definitions of the whole database into the empty
/// database of a restorer, and counts the rows there. Returns what could not be restored
/// without a superuser.
///
/// # Errors
/// What `pg_restore` says; [`Kind::Validation`] if rows are missing.
pub async fn restore_whole(
    restorer: &Restorer,
    folder: &Path,
    manifest: &Manifest,
    stop: &AtomicBool,
) -> Result<Vec<String>> {
    let unrestored = restorer.dump(folder, manifest, true, stop).await?;
    let session = connect(restorer.role()).await?;
    count_again(&session, folder, manifest).await?;
    session.close().await?;
    Ok(unrestored)
}

async fn restore(
    server: &Embedded,
    folder: &Path,
    manifest: &Manifest,
    stop: &AtomicBool,
) -> Result<Vec<String>> {
    server.create_database(&Ident::new(SCRATCH)?, None).await?;
    let restorer = Restorer::own(server, SCRATCH).await?;
    restorer.take_database().await?;
    let session = connect(restorer.role()).await?;
    if !manifest.full {
        // A dump of tables creates no schemas.
        for saved in &manifest.tables {
            let schema = saved.table()?.schema;
            let sql =
                fill(include_str!("../../sql/backup/create-schema.sql"), &[("schema", &schema)]);
            session.batch_execute(&sql).await?;
        }
    }
    let unrestored = match manifest.method {
        Method::PgDump => restorer.dump(folder, manifest, false, stop).await?,
        Method::Copy => {
            copy::restore(&session, folder, &manifest.tables).await?;
            Vec::new()
        }
    };
    // In a new session: a statement of the backup may have changed the other one.
    let session = connect(restorer.role()).await?;
    count_again(&session, folder, manifest).await?;
    Ok(unrestored)
}

/// Checks that as many rows were restored as were saved: of a partitioned table in all its
/// partitions, because a hash of an enum differs from database to database.
async fn count_again(session: &Connection, folder: &Path, manifest: &Manifest) -> Result<()> {
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for saved in &manifest.tables {
        let table = saved.table()?;
        let sql = fill(include_str!("../../sql/backup/count.sql"), &[("table", &table)]);
        let root = include_str!("../../sql/backup/root.sql");
        let (schema, name) = (table.schema.name(), table.name.name());
        let (rows, root) =
            (session.query_one(&sql, &[]), session.query_one(root, &[&schema, &name]));
        let (rows, root) = futures::try_join!(rows, root)?;
        let root = Table::new(root.get::<_, String>(0), root.get::<_, String>(1))?.to_string();
        let (restored, taken) = counts.entry(root).or_default();
        *restored += rows.get::<_, i64>(0).unsigned_abs();
        *taken += saved.rows;
    }
    match counts.iter().find(|(_, (restored, taken))| restored != taken) {
        None => Ok(()),
        Some((table, (rows, taken))) => {
            Err(failed(folder, format!("{rows} rows of {table} were restored instead of {taken}")))
        }
    }
}

fn failed(folder: &Path, what: String) -> Error {
    let message = format!("the backup {} is not what was taken: {what}", folder.display());
    Error::new(Kind::Validation, message).hint("take another one: `sterna backup --out DIR`")
}
