//! Connections that are cut without the server noticing, so that it keeps the sessions of a
//! client that is gone, and their locks.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Child;
use std::sync::{Arc, Mutex};

use sterna::pg::Connection;

use crate::cites::{Installation, file_of, good, rows_of};
use crate::server::shared;

use super::process::{finished, go_on, spawn, until};

/// A way to the server's socket that never reports the end of a client.
struct Line {
    folder: tempfile::TempDir,
    /// Both sides of each connection: the client's, and the server's, which stays open.
    ends: Arc<Mutex<Vec<(UnixStream, UnixStream)>>>,
}

impl Line {
    fn lay() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!(".s.PGSQL.{}", shared().port());
        let listener = UnixListener::bind(folder.path().join(&name)).unwrap();
        let server = shared().socket_folder().join(name);
        let ends = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&ends);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), UnixStream::connect(&server).unwrap());
                carry(client.try_clone().unwrap(), server.try_clone().unwrap());
                carry(server.try_clone().unwrap(), client.try_clone().unwrap());
                kept.lock().unwrap().push((client, server));
            }
        });
        Line { folder, ends }
    }

    /// Cuts every connection, only on the client's side.
    fn cut(&self) {
        for (client, _) in &*self.ends.lock().unwrap() {
            client.shutdown(Shutdown::Both).unwrap();
        }
    }

    fn begin(&self, here: &Installation, args: &[String]) -> Child {
        let mut command = here.command(args);
        command.env("PGHOST", self.folder.path());
        spawn(command)
    }
}

/// Carries bytes until one side has ended, without telling the other.
fn carry(mut from: UnixStream, mut to: UnixStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 8_192];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
    });
}

/// sterna's sessions that the server keeps.
const KEPT: &str = "SELECT count(*) > 0 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'sterna%'
        AND pid <> pg_backend_pid()";

/// A load over a line of its own, with two batches begun and waiting; and the session that blocks
/// them.
async fn scenario(text: &str) -> (Installation, Line, Vec<String>, Child, Connection) {
    let here = Installation::new().await;
    let mut args = vec![here.file("in.csv", text)];
    args.extend(["--all", "--batch-size", "500", "--connections", "2"].map(str::to_owned));
    let line = Line::lay();
    let child = line.begin(&here, &args);
    until(&here.db, "SELECT to_regclass('sterna.load_batch') IS NOT NULL", "t").await;
    until(&here.db, "SELECT count(*) >= 3 FROM sterna.load_batch", "t").await;
    let session = here.db.connect().await;
    session.batch_execute("BEGIN; LOCK TABLE sterna.load_batch IN SHARE MODE").await.unwrap();
    let waiting = "SELECT count(*) FROM pg_locks
        WHERE NOT granted AND relation = 'sterna.load_batch'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until(&here.db, waiting, "2").await;
    (here, line, args, child, session)
}

#[tokio::test]
async fn a_load_whose_line_was_cut_is_resumed_at_once() {
    let text = file_of(&good(20_000));
    let (here, _line, mut args, mut child, session) = scenario(&text).await;
    child.kill().unwrap();
    finished(child);
    // The open batches wait for their rows forever.
    go_on(session).await;
    assert_eq!(here.db.psql(KEPT).await, "t");
    args.extend(["--resume", "--verify"].map(str::to_owned));
    let resumed = here.load(&args).expect_code(0);
    assert!(resumed.stderr.contains("was cut off from sterna's process"), "{resumed:?}");
    assert!(here.staging().await == rows_of(&text));
    until(&here.db, KEPT, "f").await;
}

#[tokio::test]
async fn a_load_ends_the_sessions_that_it_was_cut_off_from() {
    let text = file_of(&good(20_000));
    let (here, line, _, child, session) = scenario(&text).await;
    line.cut();
    go_on(session).await;
    let loaded = finished(child).expect_code(0);
    // Both writing sessions, and the one that holds the lock.
    assert_eq!(loaded.stderr.matches("was cut off from sterna's process").count(), 3, "{loaded:?}");
    assert!(here.staging().await == rows_of(&text));
}

#[tokio::test]
async fn a_session_that_may_be_alive_is_named_and_left_alone() {
    let here = Installation::new().await;
    let args = [here.file("in.csv", file_of(&good(5))), "--all".to_owned()];
    here.db.sterna(&["stage", "create"]).expect_code(0);
    let holder = here.db.connect().await;
    let row = holder
        .query_one(
            "SELECT pg_advisory_lock(1937010273, hashtext($1)), pg_backend_pid()",
            &[&"\"public\".\"cites_trade_records_staging\""],
        )
        .await
        .unwrap();
    let pid: i32 = row.get(1);
    let refused = here.load(&args).expect_code(6);
    for said in [
        &format!(": session {pid} of {} (sterna), open since ", shared().user()),
        ", idle for ",
        &format!("SELECT pg_terminate_backend({pid})"),
    ] {
        assert!(refused.stderr.contains(said), "{said}: {refused:?}");
    }
    assert!(!holder.is_closed());
    holder.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    here.load(&args).expect_code(0);
}
