//! Options of a rehearsal, and the listener for its progress.

use std::path::PathBuf;

use super::report::Check;
use crate::migrate::{MigrationOptions, StepListener};
use crate::pg::ConnInfo;

/// Options of a rehearsal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RehearsalOptions {
    /// Options of the migration; the rehearsal sets its own folders for backup and report.
    pub migration: MigrationOptions,
    /// The backup to restore, of the whole database; none to take one, which is not kept.
    pub backup: Option<PathBuf>,
    /// An empty database to restore into, which is kept; none for an embedded server.
    pub into: Option<ConnInfo>,
    /// Free bytes on production's disks, for when sterna cannot see them.
    pub free_bytes: Option<u64>,
}

impl RehearsalOptions {
    /// A rehearsal on an embedded server, with a new backup.
    #[must_use]
    pub fn new(migration: MigrationOptions) -> Self {
        RehearsalOptions { migration, backup: None, into: None, free_bytes: None }
    }
}

/// Receives the progress of a rehearsal.
pub trait Listener {
    /// A stage begins.
    fn begins(&mut self, title: &str);
    /// A stage has ended.
    fn ended(&mut self, check: &Check);
    /// The listener for the steps of the plan.
    fn steps(&mut self) -> &mut dyn StepListener;
}
