//! What a backup says of itself, in `manifest.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::pg::Table;

/// The manifest's name.
pub(super) const FILE: &str = "manifest.json";
/// The form of manifests that this sterna writes and reads.
pub(super) const FORM: u32 = 1;

/// How the rows were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// `pg_dump`, custom format.
    PgDump,
    /// A binary COPY per table, with SQL for columns, constraints and indexes.
    Copy,
}

/// A table of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its rows in the backup's snapshot.
    pub rows: u64,
    /// The file of its rows, where it has one of its own.
    pub file: Option<String>,
}

impl SavedTable {
    /// The name as SQL writes it.
    ///
    /// # Errors
    /// Where it is no name that PostgreSQL accepts.
    pub fn table(&self) -> Result<Table> {
        Table::new(self.schema.as_str(), self.name.as_str())
    }
}

/// What a backup holds and where it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the manifest.
    pub form: u32,
    /// Its id in the ledger.
    pub backup_id: Uuid,
    /// How the rows were written.
    pub method: Method,
    /// Whether it is of the whole database.
    pub full: bool,
    /// Whether it has the definitions of the whole database, and so can be rehearsed on.
    #[serde(default)]
    pub definitions: bool,
    /// The table that is to be replaced.
    pub target: String,
    /// `user@host:port/database`.
    pub database: String,
    /// When the snapshot was taken, in UTC.
    pub taken_at: String,
    /// The server's version.
    pub server_version: String,
    /// The major version of the program that wrote it: `pg_dump`'s, else the server's.
    pub program_major: u32,
    /// The version of sterna that took it.
    pub sterna_version: String,
    /// Every table with its rows.
    pub tables: Vec<SavedTable>,
    /// Bytes of all files but manifest and checksums.
    pub bytes: u64,
}

impl Manifest {
    /// Reads the manifest of the backup in a folder.
    ///
    /// # Errors
    /// Where there is none, or one that another sterna has written.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|e| Error::bad_file(path.display(), "is no manifest").caused_by(e))?;
        if manifest.form == FORM {
            return Ok(manifest);
        }
        Err(Error::bad_file(path.display(), format!("has the unknown form {}", manifest.form))
            .hint("verify it with the version of sterna that took it"))
    }

    pub(super) fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self);
        json.map(|json| json + "\n").map_err(|e| Error::new(Kind::File, FILE).caused_by(e))
    }
}
