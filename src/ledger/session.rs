//! Which client process a session belongs to, and how abandoned sessions are ended.
//!
//! When a connection is cut, the server keeps the session and its locks until it gives up on
//! the connection. So sterna marks every session that could block others with its machine and
//! process, by an advisory lock that nothing waits for. On the same machine sterna can tell
//! for certain that the process is gone, and terminates its sessions. It only describes
//! sessions from other machines, for people to decide.

use std::sync::OnceLock;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::pg::{Connection, Table};

/// The kinds of sterna's advisory locks; the values are their first keys.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lock {
    /// Held by a run, excludes other runs.
    Run = 1_937_010_273,
    /// Held by every session that works on a table.
    Work = 1_937_010_274,
}

/// A session that holds such a lock.
pub(super) struct Holder {
    pub(super) pid: i32,
    /// Whether it is between two statements and outside a transaction.
    pub(super) is_idle: bool,
    /// A description: role, name, client address, since when.
    pub(super) who: String,
    /// Whether it belongs to this process, or that cannot be told.
    pub(super) is_own: bool,
}

/// Returns the other sessions that hold a lock on a table.
///
/// # Errors
/// If the server's views cannot be read.
pub(super) async fn holders(
    session: &Connection,
    lock: Lock,
    table: &Table,
) -> Result<Vec<Holder>> {
    let sql = include_str!("../../sql/ledger/holders.sql");
    let (name, process) = (table.to_string(), Pid::this().as_raw());
    let rows = session.query(sql, &[&(lock as i32), &name, &machine(), &process]).await?;
    let holder = |row: &tokio_postgres::Row| Holder {
        pid: row.get(0),
        is_idle: row.get(1),
        who: row.get(2),
        is_own: row.get(3),
    };
    Ok(rows.iter().map(holder).collect())
}

/// Marks a session as belonging to this process. Returns its backend PID.
///
/// # Errors
/// If the session is lost.
pub async fn mark(session: &Connection) -> Result<i32> {
    let sql = include_str!("../../sql/ledger/mark-session.sql");
    let row = session.query_one(sql, &[&machine(), &Pid::this().as_raw()]).await?;
    Ok(row.get(1))
}

/// Terminates abandoned sessions: those whose process on this machine is gone, and the one
/// that this process has `lost`.
///
/// # Errors
/// If the server's views cannot be read.
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
                 this machine, and was ended"
            ),
            Err(error) => tracing::warn!("could not end session {pid}: {error}"),
        }
    }
    Ok(())
}

/// Identifies this boot of the machine and this PID namespace. Negative, unlike the keys of
/// sterna's other locks. `None` if they cannot be read, so that processes cannot be identified
/// for certain.
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
