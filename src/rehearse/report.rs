//! What a rehearsal hands back.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Space;
use crate::backup::Manifest;
use crate::migrate::UndoneStep;
use crate::migrate::status::Status;

/// Something that a rehearsal had to show.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Whether it did.
    pub passed: bool,
    /// What was found, in words.
    pub detail: String,
    /// How long it took.
    pub seconds: f64,
}

/// A rehearsal from beginning to end.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RehearsalReport {
    /// Its id.
    pub rehearsal_id: Uuid,
    /// The verdict: whether every check passed.
    pub passed: bool,
    /// Why not, where it is so.
    pub failure: Option<String>,
    /// The table.
    pub table: String,
    /// `user@host:port/database` of production.
    pub production: String,
    /// Version of production's server.
    pub server_version: String,
    /// Digest of what its catalog says of the table.
    pub fingerprint: String,
    /// Where the copy was.
    pub place: Option<String>,
    /// The backup that was restored.
    pub backup: Option<Manifest>,
    /// What of it takes a superuser to restore, and is not in the copy.
    pub unrestored: Vec<String>,
    /// What was to be shown, in order; the last one may have failed.
    pub checks: Vec<Check>,
    /// The plan on the copy, step by step, with the durations to expect.
    pub plan: Option<Status>,
    /// What the switchover reported.
    pub switchover: Option<Value>,
    /// What was rolled back, the last step first.
    pub rollback: Vec<UndoneStep>,
    /// The space that it takes.
    pub space: Option<Space>,
    /// Whether production's ledger has been told that it passed.
    pub recorded: bool,
    /// The folder of the report.
    pub folder: Option<String>,
    /// The whole of it.
    pub seconds: f64,
}

impl RehearsalReport {
    /// How long readers were locked out by the switchover, in milliseconds.
    #[must_use]
    pub fn locked_ms(&self) -> Option<f64> {
        self.switchover.as_ref()?["locked_ms"].as_f64()
    }

    /// The same of its rollback.
    #[must_use]
    pub fn rollback_locked_ms(&self) -> Option<f64> {
        self.rollback.iter().find_map(|undone| undone.detail["locked_ms"].as_f64())
    }
}
