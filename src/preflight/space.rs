//! Checks that a second table fits on the server's disks, if they belong to this machine.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use super::{Finding, PreflightSeverity};
use crate::error::Result;
use crate::pg::Connection;

const NAME: &str = "disk-space";
const GIB: u64 = 1 << 30;
/// Less than this is never enough: the load writes as much WAL as rows.
const LEAST_FREE: u64 = 10 * GIB;

/// Compares the free space with twice the size of the table. With `checked` the operator
/// vouches for it where sterna cannot know, or where less is enough.
pub(super) async fn check(session: &Connection, oid: u32, checked: bool) -> Result<Finding> {
    let unknown = |why: &str| {
        if checked {
            return Finding::good(
                NAME,
                PreflightSeverity::Error,
                format!("{why}; checked by the operator"),
            );
        }
        let hint = "make sure that twice the table with its indexes, and at least 10 GiB, are free \
                    on the server; then give --disk-space-checked";
        Finding::bad(NAME, PreflightSeverity::Error, why, hint)
    };
    if !session.is_local() {
        return Ok(unknown("the server is on another machine, whose disks sterna cannot see"));
    }
    let (mut details, mut short) = (Vec::new(), false);
    for row in session.query(include_str!("../../sql/preflight/space.sql"), &[&oid]).await? {
        let (folder, bytes): (Option<String>, i64) = (row.get(0), row.get(1));
        let Some(folder) = folder.map(PathBuf::from) else {
            return Ok(unknown("this role may not know where the server keeps its data"));
        };
        let Some(free) = free_in(&folder) else {
            return Ok(unknown("the server's data folder is not on this machine's disks"));
        };
        let wanted = wanted(bytes.unsigned_abs());
        short |= free < wanted;
        let [free, wanted] = [free, wanted].map(|bytes| bytes as f64 / GIB as f64);
        details.push(format!("{}: {free:.1} GiB free, {wanted:.1} wanted", folder.display()));
    }
    let detail = details.join("; ");
    Ok(if short && !checked {
        let hint = "free some space; or, if less is enough, give --disk-space-checked";
        Finding::bad(NAME, PreflightSeverity::Error, detail, hint)
    } else {
        Finding::good(NAME, PreflightSeverity::Error, detail)
    })
}

/// The free bytes where a second table would be; `None` if that is not known: the server is
/// on another machine, or does not say where its data is.
///
/// # Errors
/// If the server cannot be queried.
pub async fn free_bytes(session: &Connection, oid: u32) -> Result<Option<u64>> {
    if !session.is_local() {
        return Ok(None);
    }
    let rows = session.query(include_str!("../../sql/preflight/space.sql"), &[&oid]).await?;
    let folders = rows.iter().map(|row| row.get::<_, Option<String>>(0));
    let free = folders.map(|folder| folder.and_then(|folder| free_in(Path::new(&folder))));
    Ok(free.collect::<Option<Vec<u64>>>().and_then(|free| free.into_iter().min()))
}

fn wanted(table: u64) -> u64 {
    table.saturating_mul(2).max(LEAST_FREE)
}

/// The free bytes for an ordinary user on the file system of a folder.
fn free_in(folder: &Path) -> Option<u64> {
    let found = statvfs(folder).ok()?;
    Some(found.blocks_available() as u64 * found.fragment_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_table_is_wanted_and_never_less_than_ten() {
        assert_eq!(wanted(0), 10 * GIB);
        assert_eq!(wanted(7 * GIB), 14 * GIB);
        assert!(free_in(Path::new("/")).is_some());
        assert!(free_in(Path::new("/no/such/folder")).is_none());
    }
}
