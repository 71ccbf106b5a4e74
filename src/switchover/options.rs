//! The options of a switchover and of its rollback.

use std::time::Duration;

use uuid::Uuid;

use super::keep::Keep;
use crate::pg::Table;

/// The options of a switchover or its rollback.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SwitchoverOptions {
    /// The table that is replaced.
    pub table: Table,
    /// The run: a switchover is recorded for it, and a rollback undoes only a switchover of
    /// this run.
    pub run: Uuid,
    /// How long to try to get the locks.
    pub max_wait: Duration,
    /// Whether materialized views are computed after the exchange instead of in it.
    pub refresh_after: bool,
    /// For a rollback: which writes are kept.
    pub keep: Keep,
    /// For a rollback: whether indexes, columns and constraints that were added to the live
    /// table since the switchover are left behind.
    pub leave_additions: bool,
}

impl SwitchoverOptions {
    /// The options of a new switchover.
    #[must_use]
    pub fn new(table: Table, run: Uuid, max_wait: Duration) -> Self {
        let (keep, leave_additions) = (Keep::All, false);
        SwitchoverOptions { table, run, max_wait, refresh_after: false, keep, leave_additions }
    }
}
