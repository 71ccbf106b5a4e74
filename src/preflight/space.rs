//! Checks that a second table fits: on the server's disks, if they belong to this machine, and
//! within the limit of a hosted server.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use super::limit;
use super::{Finding, PreflightSeverity};
use crate::error::Result;
use crate::estimate::Sizes;
use crate::load::ColumnUses;
use crate::pg::Connection;

const NAME: &str = "disk-space";
const GIB: u64 = 1 << 30;
/// Less than this is never enough: the load writes as much WAL as rows.
const LEAST_FREE: u64 = 10 * GIB;

/// What the operator knows about the space on the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The disks have been checked, where sterna cannot see them, or where less is enough.
    pub(super) checked: bool,
    /// What the database may take, in bytes.
    pub(super) limit: Option<u64>,
}

/// Compares the free space with twice the size of the table, and what the database will take
/// with the limit, if there is one. If disks cannot be seen, the limit decides alone.
pub(super) async fn check(
    session: &Connection,
    oid: u32,
    known: Known,
    uses: &ColumnUses,
) -> Result<Finding> {
    let seen = on_disks(session, oid).await?;
    let Known { checked, limit } = known;
    let mut details = Vec::new();
    let mut hint = None;
    match &seen {
        Seen::Disks { detail, short } => {
            details.push(detail.clone());
            if *short {
                hint = Some("free some space; or, if less is enough, give --disk-space-checked");
            }
        }
        Seen::Nothing(why) => {
            details.push((*why).to_owned());
            if limit.is_none() {
                hint = Some(
                    "give --disk-limit with the size that the server's plan allows, such as 8GB; or \
                     make sure that twice the table with its indexes, and at least 10 GiB, are \
                     free on the server, then give --disk-space-checked",
                );
            }
        }
    }
    if limit.is_some() || matches!(seen, Seen::Nothing(_)) {
        let mut sizes = Sizes::read(session, oid).await?;
        if !uses.columns.is_empty() {
            sizes = sizes.with_matching(uses.matched_on_server);
        }
        details.push(sizes.describe(limit));
        if limit.is_some_and(|limit| !sizes.fit(limit)) {
            hint = Some(limit::HINT);
            details.insert(0, limit::beyond(limit.unwrap_or_default()));
        }
    }
    if checked && (hint.is_some() || matches!(seen, Seen::Nothing(_))) {
        details.push("checked by the operator".to_owned());
    }
    let detail = details.join("; ");
    Ok(match hint.filter(|_| !checked) {
        Some(hint) => Finding::bad(NAME, PreflightSeverity::Error, detail, hint),
        None => Finding::good(NAME, PreflightSeverity::Error, detail),
    })
}

/// What sterna sees of the server's disks.
enum Seen {
    /// The free and the wanted space on each, in words, and whether it is too little.
    Disks { detail: String, short: bool },
    /// Nothing, for this reason.
    Nothing(&'static str),
}

async fn on_disks(session: &Connection, oid: u32) -> Result<Seen> {
    if !session.is_local() {
        return Ok(Seen::Nothing(
            "the server is on another machine, whose disks sterna cannot see",
        ));
    }
    let (mut details, mut short) = (Vec::new(), false);
    for row in session.query(include_str!("../../sql/preflight/space.sql"), &[&oid]).await? {
        let (folder, bytes): (Option<String>, i64) = (row.get(0), row.get(1));
        let Some(folder) = folder.map(PathBuf::from) else {
            return Ok(Seen::Nothing("this role may not know where the server keeps its data"));
        };
        let Some(free) = free_in(&folder) else {
            return Ok(Seen::Nothing("the server's data folder is not on this machine's disks"));
        };
        let wanted = wanted(bytes.unsigned_abs());
        short |= free < wanted;
        let [free, wanted] = [free, wanted].map(|bytes| bytes as f64 / GIB as f64);
        details.push(format!("{}: {free:.1} GiB free, {wanted:.1} wanted", folder.display()));
    }
    Ok(Seen::Disks { detail: details.join("; "), short })
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
