//! Loads that a test interferes with while they run.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sterna::pg::Connection;

use crate::cites::Installation;
use crate::server::{Finished, PATIENCE, TestDb, text_of};

pub(crate) fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn finished(child: Child) -> Finished {
    Finished::from(child.wait_with_output().unwrap())
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    // It may have ended already.
    let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
}

/// Whether index builds wait on staging. Other sessions may still show a lock that they were just
/// granted as awaited; sessions that wait to extend the table write rows.
pub(crate) const INDEXES_WAIT: &str = "SELECT count(*) > 0 FROM pg_locks
    WHERE NOT granted AND locktype = 'relation'
        AND relation = 'cites_trade_records_staging'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Waits until a query returns this text.
pub(crate) async fn until(db: &TestDb, sql: &str, wanted: &str) {
    until_in(&db.connect().await, sql, wanted).await;
}

/// As [`until`], in this session.
pub(crate) async fn until_in(session: &Connection, sql: &str, wanted: &str) {
    let begun = Instant::now();
    while text_of(session, sql).await.unwrap() != wanted {
        assert!(begun.elapsed() < PATIENCE, "timed out waiting for {wanted} from {sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Lets a load write some batches and then blocks it, until the session ends its transaction.
pub(crate) async fn pause(here: &Installation, args: &[String]) -> (Child, Connection) {
    // Connect before the load begins: it must not finish first.
    let session = here.db.connect().await;
    let child = spawn(here.command(args));
    until_in(&session, "SELECT to_regclass('sterna.load_batch') IS NOT NULL", "t").await;
    until_in(&session, "SELECT count(*) >= 3 FROM sterna.load_batch", "t").await;
    session.batch_execute("BEGIN; LOCK TABLE sterna.load_batch IN SHARE MODE").await.unwrap();
    let state = text_of(&session, "SELECT state FROM sterna.load_run").await.unwrap();
    assert_eq!(state, "loading", "paused too late");
    (child, session)
}

pub(crate) async fn go_on(session: Connection) {
    session.batch_execute("COMMIT").await.unwrap();
    session.close().await.unwrap();
}
