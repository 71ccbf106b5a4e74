//! A socket that leads to the server and interferes with the exchange of tables: at any statement
//! from the first lock to COMMIT, counted from 1, and at the BEGIN before them, which is number 0
//! and can only fail.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::server::{TestDb, shared};

/// What happens to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The server gets it.
    Pass,
    /// The server gets one that fails instead.
    Fail,
    /// The connection ends before the server gets it.
    Cut,
    /// The server gets it, but the client gets no more answers.
    Mute,
}

/// Decides about each statement of an exchange by its number and text.
type Judge = Arc<Mutex<dyn FnMut(usize, &str) -> Verdict + Send>>;

/// The socket.
pub(crate) struct Relay {
    folder: tempfile::TempDir,
}

impl Relay {
    /// Asks `judge` about each statement before the server gets it.
    pub(crate) fn start(judge: impl FnMut(usize, &str) -> Verdict + Send + 'static) -> Self {
        let name = format!(".s.PGSQL.{}", shared().port());
        Relay::before(&shared().socket_folder().join(name), "DO $do$ BEGIN ", judge)
    }

    /// As [`Relay::start`], for the server with this socket, whose exchange takes its first lock by
    /// a statement with this text.
    pub(crate) fn before(
        server: &Path,
        first: &'static str,
        judge: impl FnMut(usize, &str) -> Verdict + Send + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(server.file_name().unwrap())).unwrap();
        let server = server.to_owned();
        let judge: Judge = Arc::new(Mutex::new(judge));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), UnixStream::connect(&server).unwrap());
                let judge = Arc::clone(&judge);
                // Either end may be gone at any time.
                std::thread::spawn(move || relay(client, server, (first, &judge)).ok());
            }
        });
        Relay { folder }
    }

    /// The `PGHOST` of its clients.
    pub(crate) fn host(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs this until the server has received the COMMIT of an exchange, then kills it.
pub(crate) async fn kill_behind_the_exchange(db: &TestDb, mut command: Command) {
    let (committing, is_committing) = mpsc::channel();
    let relay = Relay::start(move |_, text| {
        if text != "COMMIT" {
            return Verdict::Pass;
        }
        committing.send(()).unwrap();
        Verdict::Mute
    });
    command.env("PGHOST", relay.host()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = command.spawn().unwrap();
    is_committing.recv_timeout(Duration::from_secs(60)).unwrap();
    // A server that cannot answer its client would end the transaction.
    let at_work = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'";
    for turn in 0.. {
        if db.psql(at_work).await == "0" {
            break;
        }
        assert!(turn < 400, "it does not commit");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

fn relay(
    mut client: UnixStream,
    mut server: UnixStream,
    (first, judge): (&str, &Judge),
) -> io::Result<()> {
    let is_mute = Arc::new(AtomicBool::new(false));
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    let mute = Arc::clone(&is_mute);
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok(count @ 1..) = answers.read(&mut bytes) {
            if !mute.load(Ordering::SeqCst) && back.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        if !mute.load(Ordering::SeqCst) {
            let _closed = back.shutdown(Shutdown::Both);
        }
    });
    // The first message has no type byte.
    let begin = message(&mut client, 0)?;
    server.write_all(&begin)?;
    let mut number = None;
    let passed = loop {
        let Ok(mut message) = message(&mut client, 1) else { break Ok(()) };
        let text = statement(&message).unwrap_or_default().to_owned();
        if text.contains(first) {
            number = Some(0);
        }
        if text == "BEGIN READ WRITE" && judge.lock().unwrap()(0, &text) == Verdict::Fail {
            message = instead(&message);
        }
        if let Some(number) = number.as_mut().filter(|_| !text.is_empty()) {
            *number += 1;
            match judge.lock().unwrap()(*number, &text) {
                Verdict::Pass => {}
                Verdict::Fail => message = instead(&message),
                Verdict::Cut => break Ok(()),
                Verdict::Mute => is_mute.store(true, Ordering::SeqCst),
            }
        }
        if text == "COMMIT" {
            number = None;
        }
        if let Err(error) = server.write_all(&message) {
            break Err(error);
        }
    };
    let _closed = server.shutdown(Shutdown::Both);
    passed
}

/// Reads a message whose length follows `kind` bytes.
fn message(from: &mut UnixStream, kind: usize) -> io::Result<Vec<u8>> {
    let mut message = vec![0; kind + 4];
    from.read_exact(&mut message)?;
    let length = u32::from_be_bytes(message[kind..].try_into().unwrap()) as usize;
    message.resize(kind + length, 0);
    from.read_exact(&mut message[kind + 4..])?;
    Ok(message)
}

/// The statement in a message, or the name of one that the server already has.
fn statement(message: &[u8]) -> Option<&str> {
    let mut parts = message[5..].split(|byte| *byte == 0);
    let text = match message[0] {
        b'Q' => parts.next(),
        // After the name of the prepared statement, or of the portal.
        b'P' | b'B' => parts.nth(1),
        _ => None,
    };
    text.and_then(|text| std::str::from_utf8(text).ok())
}

/// A message of the same type with a statement that no server knows.
fn instead(message: &[u8]) -> Vec<u8> {
    let body: &[u8] = match message[0] {
        b'Q' => b"struck\0",
        b'P' => b"\0struck\0\0\0",
        _ => b"\0struck\0\0\0\0\0\0\0",
    };
    let length = (body.len() as u32 + 4).to_be_bytes();
    [&message[..1], &length, body].concat()
}
