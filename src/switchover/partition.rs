//! The part of an exchange that a partition needs besides: the one is detached from its parent,
//! and the other, which by then has its name, is attached with the same bound.
//!
//! A CHECK on the incoming table implies the bound, so the server need not read its rows under
//! the lock. Indexes that match those of the parent become theirs when it is attached.

use crate::error::Result;
use crate::pg::Session;

/// Statements for a partition; empty for an ordinary table.
#[derive(Clone, Debug, Default)]
pub(super) struct Partition {
    /// Before everything else: detaches the live table.
    pub(super) detach: Vec<String>,
    /// After the renames: attaches the incoming table.
    pub(super) attach: Vec<String>,
    /// Locked before everything else: the partitioned table; all of it, if foreign keys refer to
    /// it.
    pub(super) above: Vec<u32>,
    /// The default partition next to it, and the partitions of that.
    pub(super) defaults: Vec<u32>,
}

impl Partition {
    /// Generates the statements while the live table still has its name.
    pub(super) async fn write(session: &Session, live: u32) -> Result<Self> {
        let sql = include_str!("../../sql/switchover/partition.sql");
        let row = session.query_opt(sql, &[&live]).await?;
        Ok(row.map_or_else(Partition::default, |row| Partition {
            detach: row.get(0),
            attach: row.get(1),
            above: row.get(2),
            defaults: row.get(3),
        }))
    }
}
