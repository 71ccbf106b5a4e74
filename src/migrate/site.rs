//! The context in which the steps of a run act.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::additions::Addition;
use super::exclusive::{Exclusive, last_run};
use super::options::WriteReport;
use super::state::Run;
use crate::application::Application;
use crate::error::{Error, Result};
use crate::switchover::SwitchoverOptions;
use crate::watch::Watch;

/// The table and everything else that a step needs.
pub(crate) struct Site {
    pub(crate) exclusive: Exclusive,
    pub(crate) watch: Arc<Watch>,
    /// The login that queries dependents, if the user wants that.
    pub(super) application: Option<Application>,
    /// How long to keep trying to get all locks.
    pub(super) max_wait: Duration,
    /// Options of the switchover and its rollback.
    pub(super) switchover: SwitchoverOptions,
    /// The run.
    pub(super) run: Uuid,
    /// What step 1.3 adds, in this order.
    pub(super) additions: Vec<Addition>,
    /// The folder of the backup.
    pub(super) backup: PathBuf,
    /// The folder of the report.
    pub(super) report: PathBuf,
    /// Writes the report.
    pub(super) write_report: Option<WriteReport>,
}

impl Site {
    /// The run, from the ledger.
    pub(super) fn last_run(&self) -> Result<Run> {
        last_run(&self.exclusive)?
            .ok_or_else(|| Error::database("the run is no longer in the ledger"))
    }
}

/// The default folder for one kind of a run's files, in the working directory.
#[must_use]
pub fn folder(kind: &str, run: Uuid) -> PathBuf {
    let short = run.simple().to_string();
    PathBuf::from(format!("sterna-{kind}-{}", &short[..8]))
}
