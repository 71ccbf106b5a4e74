//! Where the steps of a run act.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::application::Application;
use crate::cli::Progress;
use crate::cli::commands::exclusive::{Exclusive, last_run};
use crate::cli::render::progress::Shown;
use crate::error::{Error, Result};
use crate::load::{LoadOptions, Outcome, load};
use crate::migrate::Run;
use crate::switchover::SwitchoverOptions;
use crate::watch::Watch;

/// The table and all that a step needs around it.
pub(in crate::cli::commands) struct Site {
    pub(in crate::cli::commands) exclusive: Exclusive,
    pub(in crate::cli::commands) watch: Arc<Watch>,
    pub(in crate::cli::commands) progress: Progress,
    /// Who asks dependents, where the user wants that.
    pub(in crate::cli::commands) application: Option<Application>,
    /// How long to keep trying to get all locks.
    pub(in crate::cli::commands) max_wait: Duration,
    /// How the tables are exchanged, and exchanged back.
    pub(in crate::cli::commands) switchover: SwitchoverOptions,
    /// The run.
    pub(in crate::cli::commands) run: Uuid,
    /// What step 1.3 adds, in its order.
    pub(in crate::cli::commands) additions: Vec<Addition>,
    /// The folder of the backup.
    pub(in crate::cli::commands) backup: PathBuf,
    /// Of the report.
    pub(in crate::cli::commands) folder: PathBuf,
}

/// Something that is added to the species.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::commands) enum Addition {
    /// A row.
    Species {
        /// Its scientific name.
        name: String,
        /// Its common name.
        common_name: Option<String>,
        /// The species whose ranks it has.
        like: Option<String>,
    },
    /// Another name.
    Synonym {
        /// The name that files use.
        name: String,
        /// The species that it stands for.
        of: String,
    },
}

impl Addition {
    /// The name that files use.
    pub(super) fn name(&self) -> &str {
        match self {
            Addition::Species { name, .. } | Addition::Synonym { name, .. } => name,
        }
    }

    /// What it is known by in the ledger: the same in every attempt.
    pub(super) fn id(&self, run: Uuid) -> Uuid {
        Uuid::new_v5(&run, self.name().as_bytes())
    }
}

impl Site {
    /// How far the run is.
    pub(in crate::cli::commands) fn last_run(&self) -> Result<Run> {
        last_run(&self.exclusive)?
            .ok_or_else(|| Error::database("the run is no longer in the ledger"))
    }

    /// Loads, and shows how far it is.
    pub(super) fn load(&self, options: &LoadOptions) -> Result<Outcome> {
        let shown = Shown::start(self.progress, &self.watch);
        let done = load(&self.exclusive.info, options, &self.watch);
        shown.finish();
        done
    }
}

/// The folder of a run's files of a kind, where the user named none.
pub(in crate::cli::commands) fn folder(kind: &str, run: Uuid) -> PathBuf {
    let short = run.simple().to_string();
    PathBuf::from(format!("sterna-{kind}-{}", &short[..8]))
}
