//! The description of a backup, in `manifest.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::pg::Table;

/// The manifest's file name.
pub(super) const FILE: &str = "manifest.json";
/// The version of the manifest format that this sterna writes and reads.
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
    /// Whether it is partitioned: its rows are those of its partitions, which are tables of the
    /// backup themselves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partitioned: bool,
    /// The number of rows that it has itself in the backup's snapshot.
    pub rows: u64,
    /// The file of its rows, if it has its own.
    pub file: Option<String>,
}

impl SavedTable {
    /// The table by its qualified name.
    ///
    /// # Errors
    /// If PostgreSQL does not accept the name.
    pub fn table(&self) -> Result<Table> {
        Table::new(self.schema.as_str(), self.name.as_str())
    }
}

/// The contents of a backup and where it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the manifest format.
    pub form: u32,
    /// Its id in the ledger.
    pub backup_id: Uuid,
    /// How the rows were written.
    pub method: Method,
    /// Whether it holds the whole database.
    pub full: bool,
    /// Whether it has the definitions of the whole database, as a rehearsal needs.
    #[serde(default)]
    pub definitions: bool,
    /// The table to replace.
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
    /// Every table with its number of rows.
    pub tables: Vec<SavedTable>,
    /// Bytes of all files except manifest and checksums.
    pub bytes: u64,
}

impl Manifest {
    /// Reads the manifest of the backup in a folder.
    ///
    /// # Errors
    /// If there is none, or one in the format of another version of sterna.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|e| Error::bad_file(path.display(), "is not a manifest").caused_by(e))?;
        if manifest.form == FORM {
            return Ok(manifest);
        }
        Err(Error::bad_file(path.display(), format!("has the unknown format {}", manifest.form))
            .hint("verify it with the version of sterna that took it"))
    }

    pub(super) fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self);
        json.map(|json| json + "\n").map_err(|e| Error::new(Kind::File, FILE).caused_by(e))
    }
}
