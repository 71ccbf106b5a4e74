//! How long the stages of a pipeline wait: the slowest stage is the one that waits least.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time that all threads of a stage have waited.
#[derive(Debug, Default)]
pub(super) struct Waits {
    input_us: AtomicU64,
    room_us: AtomicU64,
}

impl Waits {
    /// Waits for something to work on.
    pub(super) fn for_input<T>(&self, wait: impl FnOnce() -> T) -> T {
        timed(&self.input_us, wait)
    }

    /// Waits until the next stage takes what is done.
    pub(super) fn for_room<T>(&self, wait: impl FnOnce() -> T) -> T {
        timed(&self.room_us, wait)
    }

    /// Logs the times of a stage with that many threads.
    pub(super) fn log(&self, stage: &'static str, threads: usize) {
        let seconds = |us: &AtomicU64| {
            let waited = Duration::from_micros(us.load(Ordering::Relaxed));
            format!("{:.2}", waited.as_secs_f64() / threads as f64)
        };
        tracing::info!(
            threads,
            input_seconds = %seconds(&self.input_us),
            room_seconds = %seconds(&self.room_us),
            "{stage} waited on average"
        );
    }
}

fn timed<T>(sum: &AtomicU64, wait: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = wait();
    let waited = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    sum.fetch_add(waited, Ordering::Relaxed);
    done
}

/// A file whose reading counts as waiting for input; decompression is a part of it.
pub(super) struct Timed<'a> {
    pub(super) reader: &'a mut (dyn Read + Send),
    pub(super) waits: &'a Waits,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.waits.for_input(|| self.reader.read(buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_input_and_for_room_are_told_apart() {
        let waits = Waits::default();
        let pause = || std::thread::sleep(Duration::from_millis(2));
        waits.for_room(pause);
        assert_eq!(waits.input_us.load(Ordering::Relaxed), 0);
        assert!(waits.room_us.load(Ordering::Relaxed) >= 2_000);
        let (mut bytes, mut buffer) = (&b"abc"[..], [0; 2]);
        let mut file = Timed { reader: &mut bytes, waits: &waits };
        assert_eq!(file.read(&mut buffer).unwrap(), 2);
        waits.for_input(pause);
        assert!(waits.input_us.load(Ordering::Relaxed) >= 2_000);
    }
}
