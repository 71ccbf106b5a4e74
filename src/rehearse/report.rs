//! The report of a rehearsal.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Space;
use crate::backup::Manifest;
use crate::migrate::UndoneStep;
use crate::migrate::status::Status;

/// One check of a rehearsal.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, in words.
    pub detail: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// The report of a rehearsal.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RehearsalReport {
    /// Its id.
    pub rehearsal_id: Uuid,
    /// The verdict: whether every check passed.
    pub passed: bool,
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// The table.
    pub table: String,
    /// `user@host:port/database` of production.
    pub production: String,
    /// Version of production's server.
    pub server_version: String,
    /// Digest of the table's catalog entries on production.
    pub fingerprint: String,
    /// Where the copy was.
    pub place: Option<String>,
    /// The backup that was restored.
    pub backup: Option<Manifest>,
    /// Parts of the backup that only a superuser could restore and that the copy lacks.
    pub unrestored: Vec<String>,
    /// The checks, in order; the last one may have failed.
    pub checks: Vec<Check>,
    /// The plan on the copy, step by step, with the durations to expect.
    pub plan: Option<Status>,
    /// What the switchover reported.
    pub switchover: Option<Value>,
    /// What was rolled back, the last step first.
    pub rollback: Vec<UndoneStep>,
    /// The space that the plan takes.
    pub space: Option<Space>,
    /// Whether the pass was recorded in production's ledger.
    pub recorded: bool,
    /// The folder of the report.
    pub folder: Option<String>,
    /// The total time, in seconds.
    pub seconds: f64,
}

impl RehearsalReport {
    /// How long readers were locked out by the switchover, in milliseconds.
    #[must_use]
    pub fn locked_ms(&self) -> Option<f64> {
        self.switchover.as_ref()?["locked_ms"].as_f64()
    }

    /// The same for its rollback.
    #[must_use]
    pub fn rollback_locked_ms(&self) -> Option<f64> {
        self.rollback.iter().find_map(|undone| undone.detail["locked_ms"].as_f64())
    }
}
