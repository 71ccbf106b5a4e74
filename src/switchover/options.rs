//! What is asked for of a switchover, and of its rollback.

use std::time::Duration;

use uuid::Uuid;

use super::keep::Keep;
use crate::pg::Table;

/// What is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SwitchoverOptions {
    /// The table that is replaced.
    pub table: Table,
    /// The run that asks: the one that a switchover is recorded for, and the only one whose
    /// switchover is taken back.
    pub run: Uuid,
    /// How long to try for a moment.
    pub max_wait: Duration,
    /// Whether materialized views are computed after the exchange, and not in it.
    pub refresh_after: bool,
    /// Of a rollback: which writes go along.
    pub keep: Keep,
    /// Of a rollback: whether indexes, columns and constraints that the live table was given
    /// since the switchover are left behind.
    pub leave_additions: bool,
}

impl SwitchoverOptions {
    /// Those of a new switchover.
    #[must_use]
    pub fn new(table: Table, run: Uuid, max_wait: Duration) -> Self {
        let (keep, leave_additions) = (Keep::All, false);
        SwitchoverOptions { table, run, max_wait, refresh_after: false, keep, leave_additions }
    }
}
