//! The space that a migration takes: how much the copy grew and how much WAL was written,
//! compared with what is free.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use serde::Serialize;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::pg::{ConnInfo, Connection, connect};

/// How often the copy's size is read.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Multiple of the size of what is copied: the copy, its WAL, and the dump, which is smaller.
const OF_COPY: u64 = 3;
/// Multiple of the table's size: staging and the backup table, and as much again for their WAL.
const OF_PLAN: u64 = 4;
/// A new cluster with the least WAL it writes.
const CLUSTER_BYTES: u64 = 256 << 20;

/// The space that the plan took on the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Space {
    /// Size of the database before the plan, in bytes.
    pub database_bytes: u64,
    /// Its largest growth, in bytes.
    pub growth_bytes: u64,
    /// WAL that was written, in bytes. A server keeps it until it is archived and replicated.
    pub wal_bytes: u64,
    /// Bytes that must be free: the sum of both.
    pub needed_bytes: u64,
    /// Free bytes on production's disks, if known.
    pub free_bytes: Option<u64>,
}

/// Follows the size of a database. Needs a runtime that has its own thread.
#[derive(Debug)]
pub struct Growth {
    info: ConnInfo,
    before: (i64, i64),
    largest: Arc<AtomicI64>,
    following: JoinHandle<()>,
}

impl Growth {
    /// Starts following the database.
    ///
    /// # Errors
    /// If the database cannot be queried.
    pub async fn follow(info: &ConnInfo) -> Result<Self> {
        let session = connect(info).await?;
        let before = ask(&session).await?;
        let largest = Arc::new(AtomicI64::new(before.0));
        let seen = Arc::clone(&largest);
        let following = tokio::spawn(async move {
            while let Ok((bytes, _)) = ask(&session).await {
                seen.fetch_max(bytes, Ordering::Relaxed);
                tokio::time::sleep(ASK_EVERY).await;
            }
        });
        Ok(Growth { info: info.clone(), before, largest, following })
    }

    /// Stops and returns the space that was taken. `free_bytes` is what production has.
    ///
    /// # Errors
    /// If the database cannot be queried.
    pub async fn end(self, free_bytes: Option<u64>) -> Result<Space> {
        self.following.abort();
        // The task was aborted on purpose.
        let _aborted = self.following.await;
        let session = connect(&self.info).await?;
        let (_, wal) = ask(&session).await?;
        session.close().await?;
        let (before, largest) = (self.before, self.largest.load(Ordering::Relaxed));
        let [growth_bytes, wal_bytes] =
            [largest - before.0, wal - before.1].map(|bytes| u64::try_from(bytes).unwrap_or(0));
        Ok(Space {
            database_bytes: before.0.unsigned_abs(),
            growth_bytes,
            wal_bytes,
            needed_bytes: growth_bytes + wal_bytes,
            free_bytes,
        })
    }
}

async fn ask(session: &Connection) -> Result<(i64, i64)> {
    let row = session.query_one(include_str!("../../sql/rehearse/size.sql"), &[]).await?;
    Ok((row.get(0), row.get(1)))
}

impl Space {
    /// Refuses if production has less space free than needed.
    ///
    /// # Errors
    /// Refused, naming both figures.
    pub fn judge(&self) -> Result<()> {
        match self.free_bytes {
            Some(free) if free < self.needed_bytes => {
                let what = format!(
                    "too little space on production: {} are needed, {} are free",
                    megabytes(self.needed_bytes),
                    megabytes(free)
                );
                Err(Error::refused(what).hint(
                    "free some space, or archive the WAL often enough; if more is free, give \
                     --free-space, or a larger --disk-limit",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a folder without room for a copy of `whole_bytes` and for the plan on a table of
/// `table_bytes` in it.
///
/// # Errors
/// Refused, naming both figures.
pub fn refuse_too_small(folder: &Path, table_bytes: u64, whole_bytes: u64) -> Result<()> {
    let of_plan = table_bytes.saturating_mul(OF_PLAN);
    let of_copy = whole_bytes.saturating_mul(OF_COPY);
    let needed = of_plan.saturating_add(of_copy).saturating_add(CLUSTER_BYTES);
    let found = statvfs(folder).map_err(|e| Error::file(folder, e.into()))?;
    let free = found.blocks_available() as u64 * found.fragment_size() as u64;
    if free >= needed {
        return Ok(());
    }
    let what = format!(
        "too little space for a copy in {}: {} are needed, {} are free",
        folder.display(),
        megabytes(needed),
        megabytes(free)
    );
    Err(Error::refused(what)
        .hint("set TMPDIR to a folder with more space, or rehearse elsewhere with --into URL"))
}

pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_must_be_free() {
        let space = |free_bytes| Space {
            database_bytes: 0,
            growth_bytes: 30,
            wal_bytes: 12,
            needed_bytes: 42,
            free_bytes,
        };
        assert!(space(Some(42)).judge().is_ok() && space(None).judge().is_ok());
        let refused = space(Some(41)).judge().unwrap_err();
        assert!(refused.to_string().contains("too little space"), "{refused}");
    }

    #[test]
    fn a_table_larger_than_the_disk_has_no_room() {
        let folder = std::env::temp_dir();
        let refused = refuse_too_small(&folder, u64::MAX / 1000, u64::MAX / 1000).unwrap_err();
        assert!(refused.next_step().unwrap().contains("TMPDIR"), "{refused}");
    }
}
