//! A connection between sterna and the server that breaks where a test says.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::server::shared;

/// What happens to bytes that the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// They arrive.
    On,
    /// That many of them arrive, and the session is cut on both sides.
    Cut(usize),
    /// They arrive, but no answer comes back: the client sees the session end.
    Unanswered,
    /// That many of them arrive; from then on neither side transfers anything, and neither ends.
    Stall(usize),
}

/// Decides what happens to the bytes that a session sends, given how many the line has carried so
/// far.
type Rule = Box<dyn FnMut(&[u8], u64) -> Pass + Send>;

/// Both ends of each session that has stalled, which stay open.
type Stalled = Arc<Mutex<Vec<(UnixStream, UnixStream)>>>;

/// How long bytes are on the line.
#[derive(Clone, Copy)]
struct Speed {
    distance: Duration,
    /// In each direction.
    bytes_per_second: f64,
}

impl Speed {
    /// How many bytes are passed on at a time: on a slow line no more than in 10 ms.
    fn piece(self) -> usize {
        ((self.bytes_per_second / 100.0) as usize).clamp(1, 65536)
    }

    fn time_of(self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second)
    }
}

/// A socket that leads to the server that all tests share.
pub(crate) struct Line {
    folder: TempDir,
    carried: Arc<AtomicU64>,
    round_trips: Arc<AtomicU64>,
    stalled: Stalled,
}

impl Line {
    pub(crate) fn new(rule: impl FnMut(&[u8], u64) -> Pass + Send + 'static) -> Self {
        Line::far(Duration::ZERO, rule)
    }

    /// A line that delays each answer, and carries no more in either direction, per session.
    pub(crate) fn slow(distance: Duration, bytes_per_second: f64) -> Self {
        Line::open(Speed { distance, bytes_per_second }, |_, _| Pass::On)
    }

    /// A line that delays each answer. What the client sends without waiting goes on meanwhile,
    /// so only what it waits for counts as a round trip.
    pub(crate) fn far(
        distance: Duration,
        rule: impl FnMut(&[u8], u64) -> Pass + Send + 'static,
    ) -> Self {
        Line::open(Speed { distance, bytes_per_second: f64::INFINITY }, rule)
    }

    fn open(speed: Speed, rule: impl FnMut(&[u8], u64) -> Pass + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!(".s.PGSQL.{}", shared().port());
        let listener = UnixListener::bind(folder.path().join(&name)).unwrap();
        let server = shared().socket_folder().join(&name);
        let carried = Arc::new(AtomicU64::new(0));
        let round_trips = Arc::new(AtomicU64::new(0));
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(rule)));
        let stalled = Stalled::default();
        let (counted, kept) = (Arc::clone(&carried), Arc::clone(&stalled));
        let trips = Arc::clone(&round_trips);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), UnixStream::connect(&server).unwrap());
                let (rule, carried) = (Arc::clone(&rule), Arc::clone(&counted));
                let (kept, trips) = (Arc::clone(&kept), Arc::clone(&trips));
                std::thread::spawn(move || {
                    relay(client, server, &rule, (&carried, &trips), &kept, speed);
                });
            }
        });
        Line { folder, carried, round_trips, stalled }
    }

    /// The `PGHOST` of a client of this line.
    pub(crate) fn host(&self) -> &Path {
        self.folder.path()
    }

    /// Sessions that have stalled.
    pub(crate) fn stalled(&self) -> usize {
        self.stalled.lock().unwrap().len()
    }

    /// How often a client has sent something after the server had answered.
    pub(crate) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::SeqCst)
    }

    /// Bytes that clients have sent.
    pub(crate) fn carried(&self) -> u64 {
        self.carried.load(Ordering::SeqCst)
    }
}

fn relay(
    mut client: UnixStream,
    mut server: UnixStream,
    rule: &Mutex<Rule>,
    (carried, round_trips): (&AtomicU64, &AtomicU64),
    stalled: &Stalled,
    speed: Speed,
) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (lost, stalls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (is_lost, is_stalled) = (Arc::clone(&lost), Arc::clone(&stalls));
    let answered = Arc::new(AtomicBool::new(true));
    let answers_now = Arc::clone(&answered);
    std::thread::spawn(move || {
        let mut bytes = vec![0; speed.piece()];
        while let Ok(count @ 1..) = answers.read(&mut bytes) {
            // On a slow line, what follows is under way already.
            let follows = speed.bytes_per_second.is_finite() && answers_now.load(Ordering::SeqCst);
            let distance = if follows { Duration::ZERO } else { speed.distance };
            std::thread::sleep(distance + speed.time_of(count));
            answers_now.store(true, Ordering::SeqCst);
            if is_stalled.load(Ordering::SeqCst) {
                return;
            }
            // The server has sent what is lost on the way all the same.
            if is_lost.load(Ordering::SeqCst) {
                let _closed = back.shutdown(Shutdown::Both);
            } else if back.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _closed = back.shutdown(Shutdown::Both);
    });
    let mut bytes = vec![0; speed.piece()];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        std::thread::sleep(speed.time_of(count));
        let sent = &bytes[..count];
        round_trips.fetch_add(u64::from(answered.swap(false, Ordering::SeqCst)), Ordering::SeqCst);
        let pass = {
            let mut rule = rule.lock().unwrap();
            rule(sent, carried.fetch_add(count as u64, Ordering::SeqCst))
        };
        match pass {
            Pass::On if server.write_all(sent).is_ok() => {}
            Pass::On => break,
            Pass::Cut(arrive) => {
                let _gone = server.write_all(&sent[..arrive]);
                break;
            }
            Pass::Stall(arrive) => {
                stalls.store(true, Ordering::SeqCst);
                let _gone = server.write_all(&sent[..arrive]);
                stalled.lock().unwrap().push((client, server));
                return;
            }
            Pass::Unanswered => {
                lost.store(true, Ordering::SeqCst);
                let _gone = server.write_all(sent);
                let _closed = server.shutdown(Shutdown::Write);
                return;
            }
        }
    }
    let _closed = (server.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both));
}

/// Whether the bytes contain this text.
pub(crate) fn has(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
