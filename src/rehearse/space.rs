//! The space that a migration takes: how much the copy grew, and how much log was
//! written, against what is free.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use serde::Serialize;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::pg::{ConnInfo, Connection, connect};

/// How often the copy's size is asked for.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Times the size of the table: the copy of it, staging, the backup table, and as much
/// again for the log of each; the dump is smaller.
const COPIES: u64 = 7;
/// A new cluster, and what is written of the log at least.
const CLUSTER_BYTES: u64 = 256 << 20;

/// What the plan took on the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Space {
    /// Size of the database before, in bytes.
    pub database_bytes: u64,
    /// By how much it grew at most, in bytes.
    pub growth_bytes: u64,
    /// Log that was written, in bytes. A server keeps it until it is archived and
    /// replicated.
    pub wal_bytes: u64,
    /// What has to be free: both.
    pub needed_bytes: u64,
    /// What is free on production's disks, where that is known.
    pub free_bytes: Option<u64>,
}

/// Follows the size of a database, from a runtime that has a thread of its own.
#[derive(Debug)]
pub struct Growth {
    info: ConnInfo,
    before: (i64, i64),
    largest: Arc<AtomicI64>,
    following: JoinHandle<()>,
}

impl Growth {
    /// Begins.
    ///
    /// # Errors
    /// Where the database cannot be asked.
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

    /// Ends, and says what it was at most. `free_bytes` is what production has.
    ///
    /// # Errors
    /// Where the database cannot be asked.
    pub async fn end(self, free_bytes: Option<u64>) -> Result<Space> {
        self.following.abort();
        // Aborted, as was asked for.
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
    /// Refuses where production has not as much free.
    ///
    /// # Errors
    /// Refused, naming both.
    pub fn judge(&self) -> Result<()> {
        match self.free_bytes {
            Some(free) if free < self.needed_bytes => {
                let what = format!(
                    "too little space on production: {} are needed, {} are free",
                    megabytes(self.needed_bytes),
                    megabytes(free)
                );
                Err(Error::refused(what).hint(
                    "free some, or archive the log often enough; where more is free than that, \
                     say so by --free-space",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses where a folder has no room for a copy of a table of that many bytes and for the
/// plan on it.
///
/// # Errors
/// Refused, naming both.
pub fn refuse_too_small(folder: &Path, table_bytes: u64) -> Result<()> {
    let needed = table_bytes.saturating_mul(COPIES) + CLUSTER_BYTES;
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
        .hint("set TMPDIR to a folder with more space, or rehearse elsewhere by --into URL"))
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
        let refused = refuse_too_small(&folder, u64::MAX / 1000).unwrap_err();
        assert!(refused.next_step().unwrap().contains("TMPDIR"), "{refused}");
    }
}
