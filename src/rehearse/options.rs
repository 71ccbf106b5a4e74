//! What a rehearsal is asked to do, and who is told while it goes on.

use std::path::PathBuf;

use super::report::Check;
use crate::migrate::{MigrationOptions, StepListener};
use crate::pg::ConnInfo;

/// What a rehearsal is asked to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RehearsalOptions {
    /// How the migration goes; its folders of backup and report are replaced by the rehearsal's own.
    pub migration: MigrationOptions,
    /// The backup to restore, of the whole database; none for one that is taken, and not
    /// kept.
    pub backup: Option<PathBuf>,
    /// An empty database to restore into, which is kept; none for a server of the
    /// rehearsal's own.
    pub into: Option<ConnInfo>,
    /// Free bytes on production's disks, where sterna cannot see them.
    pub free_bytes: Option<u64>,
}

impl RehearsalOptions {
    /// A rehearsal on a server of its own, with a backup of its own.
    #[must_use]
    pub fn new(migration: MigrationOptions) -> Self {
        RehearsalOptions { migration, backup: None, into: None, free_bytes: None }
    }
}

/// Who is told while a rehearsal goes on.
pub trait Listener {
    /// A stage begins.
    fn begins(&mut self, title: &str);
    /// It has ended.
    fn ended(&mut self, check: &Check);
    /// Who is told of the steps of the plan.
    fn steps(&mut self) -> &mut dyn StepListener;
}
