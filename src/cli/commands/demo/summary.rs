//! What a demo measured, for JSON and for people.

use serde::Serialize;
use serde_json::Value;

use super::traffic::TrafficReport;
use crate::cli::commands::generate::Generated;
use crate::migrate::status::Status;

/// Everything that a demo measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The steps, in the order in which they were taken.
    pub steps: Vec<StepDone>,
    /// The whole command, the end of the server included.
    pub seconds: f64,
    /// Where it ran.
    pub environment: DemoEnvironment,
    /// What production held before the load.
    pub production: DemoProduction,
    /// The new release, as it was written.
    pub release: Generated,
    /// The plan's steps, as the ledger has them.
    pub plan: Option<Status>,
    /// What the switchover reported.
    pub switchover: Option<Value>,
    /// What taking it back reported.
    pub rollback: Option<Value>,
    /// What the catalog says otherwise after the rollback than before the plan.
    pub differences_after_rollback: Option<usize>,
    /// What the application noticed.
    pub traffic: Option<TrafficReport>,
    /// The folder of the generated files, where they were kept.
    pub files_kept: Option<String>,
}

/// A step that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct StepDone {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub title: &'static str,
    /// How long it took.
    pub seconds: f64,
    /// What came of it, in a few words.
    pub detail: String,
}

/// What the durations depend on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DemoEnvironment {
    /// sterna's version.
    pub sterna: &'static str,
    /// Whether sterna was compiled with optimisation, as for a release.
    pub release_build: bool,
    /// The server's version, as it says itself.
    pub postgres: String,
    /// Whether commits wait for the disk.
    pub fsync: bool,
    /// The server's own cache.
    pub shared_buffers: String,
    /// Operating system and processor.
    pub platform: String,
    /// Cores that sterna may use.
    pub cores: usize,
}

/// What production holds before the load.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct DemoProduction {
    /// Rows of `species`.
    pub species: u64,
    /// Rows of `cites_trade_records`.
    pub rows: u64,
    /// Rows whose quantity was rounded.
    pub rounded: i64,
    /// Rows whose quantity `numeric(10,2)` cannot hold, which are NULL.
    pub without_quantity: i64,
}
