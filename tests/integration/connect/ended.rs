//! Sessions that the server ends: later requests get the reason.

use bytes::Bytes;
use futures::{SinkExt, pin_mut};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sterna::Error;
use sterna::pg::{Connection, Fault, classify};

use super::server::Server;

/// A session over each kind of connection: a socket, plain text and TLS.
async fn sessions(server: &Server) -> [(&'static str, Connection); 3] {
    [
        ("socket", server.ready().await),
        ("plain", super::open(server, "postgres", "localhost", "sslmode=disable").await.unwrap()),
        ("tls", super::open(server, "postgres", "localhost", "sslmode=require").await.unwrap()),
    ]
}

async fn pid(session: &Connection) -> i32 {
    session.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}

async fn until_closed(session: &Connection) {
    for _ in 0..1_000 {
        if session.is_closed() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the end of the session is not noticed");
}

/// Waits until the server waits for its clients: it may still be busy with one that it has
/// answered, and during encryption a crash is not reported.
async fn until_idle(admin: &Connection, sessions: usize) {
    let idle = "SELECT count(*) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND state = 'idle' AND wait_event = 'ClientRead'";
    loop {
        let count: i64 = admin.query_one(idle, &[]).await.unwrap().get(0);
        if count as usize == sessions {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[track_caller]
fn assert_told(error: tokio_postgres::Error, code: &str, what: &str) {
    let error = Error::from(error);
    assert_eq!(error.sqlstate(), Some(code), "{what}: {error}");
    assert_eq!(classify(&error), Fault::Transient, "{what}");
}

#[tokio::test]
async fn an_idle_session() {
    let server = Server::start(true).await;
    let admin = server.ready().await;
    for (way, session) in sessions(&server).await {
        let pid = pid(&session).await;
        admin.execute("SELECT pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
        until_closed(&session).await;
        for _ in 0..2 {
            assert_told(session.batch_execute("SELECT 1").await.unwrap_err(), "57P01", way);
            assert_told(session.query("SELECT 1", &[]).await.unwrap_err(), "57P01", way);
        }
        session.close().await.unwrap();
    }
    let session = server.ready().await;
    session.batch_execute("SET idle_session_timeout = '50ms'").await.unwrap();
    until_closed(&session).await;
    assert_told(session.batch_execute("SELECT 1").await.unwrap_err(), "57P05", "idle for long");
}

#[tokio::test]
async fn in_the_middle_of_a_copy() {
    let server = Server::start(true).await;
    let admin = server.ready().await;
    for (way, session) in sessions(&server).await {
        let pid = pid(&session).await;
        session.batch_execute("CREATE TEMPORARY TABLE t (a text)").await.unwrap();
        let sink = session.copy_in("COPY t FROM STDIN").await.unwrap();
        pin_mut!(sink);
        let line = Bytes::from("x".repeat(65_535) + "\n");
        for _ in 0..10 {
            sink.send(line.clone()).await.unwrap();
        }
        admin.execute("SELECT pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
        // More than the buffers in between hold.
        for _ in 0..500 {
            sink.send(line.clone()).await.unwrap();
        }
        assert_told(sink.finish().await.unwrap_err(), "57P01", way);
        assert_told(session.batch_execute("ROLLBACK").await.unwrap_err(), "57P01", way);
        assert!(session.is_closed(), "{way}");
        session.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_crash_is_told_to_everybody() {
    let server = Server::start(true).await;
    let crashing = server.ready().await;
    let crashes = pid(&crashing).await;
    let sessions = sessions(&server).await;
    until_idle(&crashing, sessions.len()).await;
    kill(Pid::from_raw(crashes), Signal::SIGKILL).unwrap();
    for (way, session) in sessions {
        until_closed(&session).await;
        assert_told(session.batch_execute("SELECT 1").await.unwrap_err(), "57P02", way);
    }
    // The server restarts.
    server.ready().await;
}
