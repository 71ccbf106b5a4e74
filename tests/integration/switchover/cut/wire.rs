//! A line to the server that breaks after a number of bytes, counted in both directions.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use tempfile::TempDir;

use crate::line::has;
use crate::server::shared;

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// The session that carries the byte, on both sides. Others go on, and can be opened.
    Session,
    /// All sessions, on both sides. Others can be opened.
    Sessions,
    /// All sessions. The server works on whatever has arrived, and its answers are lost.
    Answers,
    /// As `Answers`, and no other session can be opened.
    Line,
}

/// How far an exchange had got when the line broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The server did not have its COMMIT yet.
    Before,
    /// The server had its COMMIT, but the client did not have the answer.
    Unanswered,
    /// The client had the answer.
    After,
}

/// The line.
pub(super) struct Wire {
    folder: TempDir,
    state: Arc<Mutex<State>>,
}

struct State {
    carried: u64,
    breaks: Option<(u64, Break)>,
    is_broken: bool,
    place: Place,
    /// Bytes that had been carried when the latest transaction began that might be the exchange.
    began: u64,
    /// Bytes that had been carried when the server had its COMMIT.
    committed: u64,
    /// Whether the server has, or has answered, the last statement before COMMIT.
    is_near: bool,
    sessions: Vec<Ends>,
}

/// Both ends of a session: the client's and the server's.
type Ends = Arc<(UnixStream, UnixStream)>;

impl Wire {
    /// Breaks after so many bytes; never if there are none given.
    pub(super) fn new(breaks: Option<(u64, Break)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!(".s.PGSQL.{}", shared().port());
        let listener = UnixListener::bind(folder.path().join(&name)).unwrap();
        let server = shared().socket_folder().join(&name);
        let state = Arc::new(Mutex::new(State {
            carried: 0,
            breaks,
            is_broken: false,
            place: Place::Before,
            began: 0,
            committed: 0,
            is_near: false,
            sessions: Vec::new(),
        }));
        let here = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if here.lock().unwrap().is_down() {
                    continue;
                }
                let ends = Arc::new((client, UnixStream::connect(&server).unwrap()));
                here.lock().unwrap().sessions.push(Arc::clone(&ends));
                for to_server in [true, false] {
                    let (ends, here) = (Arc::clone(&ends), Arc::clone(&here));
                    std::thread::spawn(move || carry(&ends, to_server, &here));
                }
            }
        });
        Wire { folder, state }
    }

    /// The `PGHOST` of its clients.
    pub(super) fn host(&self) -> &Path {
        self.folder.path()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Bytes that have been carried.
    pub(super) fn carried(&self) -> u64 {
        self.state().carried
    }

    /// How many of them before the exchange, and how many before its COMMIT.
    pub(super) fn before(&self) -> [u64; 2] {
        let state = self.state();
        [state.began, state.committed]
    }

    /// Where it broke; none if it has not.
    pub(super) fn broke(&self) -> Option<Place> {
        let state = self.state();
        state.is_broken.then_some(state.place)
    }
}

impl State {
    fn is_down(&self) -> bool {
        self.is_broken && matches!(self.breaks, Some((_, Break::Line)))
    }

    /// Counts bytes. Returns how many of them still arrive, and what breaks after them.
    fn count(&mut self, bytes: &[u8], to_server: bool) -> (usize, Option<Break>) {
        let before = self.carried;
        self.carried += bytes.len() as u64;
        let (arrive, breaks) = match self.breaks {
            Some((at, what)) if !self.is_broken && self.carried > at => {
                (usize::try_from(at - before).unwrap(), Some(what))
            }
            _ => (bytes.len(), None),
        };
        if !self.is_broken {
            self.follow(&bytes[..arrive], to_server, before);
        }
        self.is_broken |= breaks.is_some();
        (arrive, breaks)
    }

    /// Follows the exchange, whose last statement before COMMIT is a NOTIFY.
    fn follow(&mut self, bytes: &[u8], to_server: bool, before: u64) {
        if self.place == Place::Before && to_server && has(bytes, b"BEGIN READ WRITE") {
            self.began = before;
        }
        let (last, commit, next): (&[u8], &[u8], _) = match (self.place, to_server) {
            (Place::Before, true) => (b"NOTIFY pgrst", b"COMMIT", Place::Unanswered),
            (Place::Unanswered, false) => (b"NOTIFY\0", b"COMMIT\0", Place::After),
            _ => return,
        };
        self.is_near |= has(bytes, last);
        if self.is_near && has(bytes, commit) {
            if to_server {
                self.committed = before + bytes.len() as u64;
            }
            (self.place, self.is_near) = (next, false);
        }
    }
}

/// Carries what one end sends to the other until one of them ends or the line breaks.
fn carry(ends: &Ends, to_server: bool, state: &Mutex<State>) {
    let (client, server) = &**ends;
    let (mut from, mut to) = if to_server { (client, server) } else { (server, client) };
    let mut bytes = [0; 65536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let (arrive, breaks) = state.lock().unwrap().count(&bytes[..count], to_server);
        // An answer that is lost is read all the same: the server must not be held up.
        let is_gone = to.write_all(&bytes[..arrive]).is_err();
        if let Some(what) = breaks {
            let all = state.lock().unwrap().sessions.clone();
            let cut = if what == Break::Session { vec![Arc::clone(ends)] } else { all };
            cut.iter().for_each(|ends| end(ends, what));
        }
        if is_gone && to_server {
            break;
        }
    }
    let _closed = (client.shutdown(Shutdown::Both), to.shutdown(Shutdown::Write));
}

fn end((client, server): &(UnixStream, UnixStream), what: Break) {
    let servers = match what {
        Break::Session | Break::Sessions => Shutdown::Both,
        Break::Answers | Break::Line => Shutdown::Write,
    };
    let _closed = (client.shutdown(Shutdown::Both), server.shutdown(servers));
}
