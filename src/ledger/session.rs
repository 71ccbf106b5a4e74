//! Whose sessions the server keeps, and the end of those whose client is gone.
//!
//! Where a line was cut, the server keeps a session for as long as the line may yet come
//! back, and its locks with it. So sessions that would be in the way are marked, by a lock
//! that is never waited for, with the machine and the process that they belong to. On that
//! machine sterna sees for certain that the process is gone, and ends its sessions. Of
//! sessions from elsewhere it says what it sees, and people decide.

use std::sync::OnceLock;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::pg::{Connection, Table};

/// The kinds of sterna's locks, as the server has them: the first key of each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lock {
    /// Of a run, which excludes others.
    Run = 1_937_010_273,
    /// Of each session that is at work on a table.
    Work = 1_937_010_274,
}

/// A session that holds one.
pub(super) struct Holder {
    pub(super) pid: i32,
    /// Whether it is between two statements, and in no transaction.
    pub(super) is_idle: bool,
    /// Who it is and since when, in words.
    pub(super) who: String,
}

/// The other sessions that hold a lock on a table.
///
/// # Errors
/// Where the server's views cannot be read.
pub(super) async fn holders(
    session: &Connection,
    lock: Lock,
    table: &Table,
) -> Result<Vec<Holder>> {
    let sql = include_str!("../../sql/ledger/holders.sql");
    let rows = session.query(sql, &[&(lock as i32), &table.to_string()]).await?;
    let holder = |row: &tokio_postgres::Row| Holder {
        pid: row.get(0),
        is_idle: row.get(1),
        who: row.get(2),
    };
    Ok(rows.iter().map(holder).collect())
}

/// Marks a session as this process's. Returns what the server calls it.
///
/// # Errors
/// Where the session is lost.
pub async fn mark(session: &Connection) -> Result<i32> {
    let sql = include_str!("../../sql/ledger/mark-session.sql");
    let row = session.query_one(sql, &[&machine(), &Pid::this().as_raw()]).await?;
    Ok(row.get(1))
}

/// Ends the sessions that nobody will use again: those of processes on this machine that
/// are gone, and the one that this process has `lost`.
///
/// # Errors
/// Where the server's views cannot be read.
pub async fn end_abandoned(session: &Connection, lost: Option<i32>) -> Result<()> {
    let Some(machine) = machine() else { return Ok(()) };
    let sql = include_str!("../../sql/ledger/marked-sessions.sql");
    for row in session.query(sql, &[&machine]).await? {
        let (pid, process, since): (i32, i32, &str) = (row.get(0), row.get(1), row.get(2));
        let is_own = process == Pid::this().as_raw();
        let is_gone = || kill(Pid::from_raw(process), None) == Err(Errno::ESRCH);
        if !(if is_own { lost == Some(pid) } else { is_gone() }) {
            continue;
        }
        let end = include_str!("../../sql/ledger/end-session.sql");
        match session.query(end, &[&machine, &process, &pid]).await {
            Ok(_) => tracing::warn!(
                "session {pid}, open since {since}, was cut off from sterna's process {process} on \
                 this machine, and is ended"
            ),
            Err(error) => tracing::warn!("session {pid} cannot be ended: {error}"),
        }
    }
    Ok(())
}

/// Stands for this machine since it was started, and for the processes that are seen from
/// here; negative, which the keys of sterna's other locks are not. None where processes
/// cannot be told apart for certain.
fn machine() -> Option<i32> {
    static MACHINE: OnceLock<Option<i32>> = OnceLock::new();
    *MACHINE.get_or_init(|| {
        let boot = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        let digest = Sha256::new()
            .chain_update(boot)
            .chain_update(namespace.as_os_str().as_encoded_bytes())
            .finalize();
        let [a, b, c, d, ..] = <[u8; 32]>::from(digest);
        Some(i32::from_be_bytes([a, b, c, d]) | i32::MIN)
    })
}
