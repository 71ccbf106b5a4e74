//! Loads that run while a test does something to them.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sterna::pg::Connection;

use crate::cites::Installation;
use crate::server::{Finished, TestDb};

pub(crate) fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn finished(child: Child) -> Finished {
    Finished::from(child.wait_with_output().unwrap())
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
}

/// Waits until a query gives this text.
pub(crate) async fn until(db: &TestDb, sql: &str, wanted: &str) {
    for _ in 0..600 {
        if db.psql(sql).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("in vain waited for {wanted} from {sql}");
}

/// Lets a load write some batches and then no further one, until the session ends
/// its transaction.
pub(crate) async fn pause(here: &Installation, args: &[String]) -> (Child, Connection) {
    let child = spawn(here.command(args));
    until(&here.db, "SELECT to_regclass('sterna.load_batch') IS NOT NULL", "t").await;
    until(&here.db, "SELECT count(*) >= 3 FROM sterna.load_batch", "t").await;
    let session = here.db.connect().await;
    session.batch_execute("BEGIN; LOCK TABLE sterna.load_batch IN SHARE MODE").await.unwrap();
    assert_eq!(
        here.db.psql("SELECT state FROM sterna.load_run").await,
        "loading",
        "paused too late"
    );
    (child, session)
}

pub(crate) async fn go_on(session: Connection) {
    session.batch_execute("COMMIT").await.unwrap();
    session.close().await.unwrap();
}
