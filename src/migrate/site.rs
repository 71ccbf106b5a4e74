//! Where the steps of a run act.

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

/// The table and all that a step needs around it.
pub(crate) struct Site {
    pub(crate) exclusive: Exclusive,
    pub(crate) watch: Arc<Watch>,
    /// Who asks dependents, where the user wants that.
    pub(super) application: Option<Application>,
    /// How long to keep trying to get all locks.
    pub(super) max_wait: Duration,
    /// How the tables are exchanged, and exchanged back.
    pub(super) switchover: SwitchoverOptions,
    /// The run.
    pub(super) run: Uuid,
    /// What step 1.3 adds, in its order.
    pub(super) additions: Vec<Addition>,
    /// The folder of the backup.
    pub(super) backup: PathBuf,
    /// The folder of the report.
    pub(super) report: PathBuf,
    /// What writes it.
    pub(super) write_report: Option<WriteReport>,
}

impl Site {
    /// How far the run is.
    pub(super) fn last_run(&self) -> Result<Run> {
        last_run(&self.exclusive)?
            .ok_or_else(|| Error::database("the run is no longer in the ledger"))
    }
}

/// The folder of a run's files of a kind, in the working folder: where the user named none.
#[must_use]
pub fn folder(kind: &str, run: Uuid) -> PathBuf {
    let short = run.simple().to_string();
    PathBuf::from(format!("sterna-{kind}-{}", &short[..8]))
}
