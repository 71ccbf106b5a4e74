//! The bytes of the record at hand, kept while a CSV reader takes them apart.
//!
//! A batch carries every record as it stood in its file, which the CSV reader does
//! not keep. It reads through a [`Window`], which does.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// A longer record is refused: most likely a quote was opened and never closed.
pub(super) const MAX_RECORD_BYTES: usize = 1 << 20;
/// Marks the error of a record that is too long, among those of reading.
pub(super) const TOO_LONG: &str = "record too long";

/// Reads a file's bytes and keeps those from `keep_from` on.
pub(super) struct Window<'a> {
    inner: &'a mut (dyn Read + Send),
    bytes: Vec<u8>,
    /// Offset in the file of `bytes[0]`.
    at: u64,
    /// Offset of the first byte that is still needed.
    pub(super) keep_from: u64,
    /// Bytes that a record may have.
    pub(super) most: usize,
    /// A stretch of the file that is known to be UTF-8: from one offset to another.
    utf8: (u64, u64),
    /// Bytes read, for whoever watches.
    bytes_read: &'a AtomicU64,
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let settled = usize::try_from(self.keep_from - self.at).unwrap_or(usize::MAX);
        self.bytes.drain(..settled.min(self.bytes.len()));
        self.at = self.keep_from;
        if self.bytes.len() > self.most {
            return Err(io::Error::other(TOO_LONG));
        }
        let read = loop {
            match self.inner.read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.bytes.extend_from_slice(&buffer[..read]);
        self.check_utf8();
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<'a> Window<'a> {
    pub(super) fn new(inner: &'a mut (dyn Read + Send), bytes_read: &'a AtomicU64) -> Self {
        let most = MAX_RECORD_BYTES;
        Window { inner, bytes: Vec::new(), at: 0, keep_from: 0, most, utf8: (0, 0), bytes_read }
    }

    /// The first bytes that it holds.
    pub(super) fn start(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(64)]
    }

    /// Checks what was read, in one go: that is several times faster than record by
    /// record. Where a byte is wrong the stretch begins anew behind it; what stands
    /// before it is then not known to be right, and is looked at again by itself.
    fn check_utf8(&mut self) {
        if self.utf8.1 < self.at {
            // The file ended within a character, and its last record is settled.
            self.utf8 = (self.at, self.at);
        }
        loop {
            let (from, to) = self.utf8;
            let unknown = usize::try_from(to - self.at).unwrap_or(usize::MAX);
            let Err(error) = std::str::from_utf8(&self.bytes[unknown..]) else {
                self.utf8 = (from, self.at + self.bytes.len() as u64);
                return;
            };
            let good_to = to + error.valid_up_to() as u64;
            let Some(bad) = error.error_len() else {
                // A character that the next read completes.
                self.utf8 = (from, good_to);
                return;
            };
            self.utf8 = (good_to + bad as u64, good_to + bad as u64);
        }
    }

    /// Whether a whole record is UTF-8.
    pub(super) fn is_utf8(&self, from: u64, to: u64) -> bool {
        let known = self.utf8.0 <= from && to <= self.utf8.1;
        known || std::str::from_utf8(self.slice(from, to)).is_ok()
    }

    /// The bytes between two offsets, as far as they are kept.
    pub(super) fn slice(&self, from: u64, to: u64) -> &[u8] {
        let index = |offset: u64| usize::try_from(offset - self.at).unwrap_or(usize::MAX);
        self.bytes.get(index(from)..index(to)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn records_are_judged_one_by_one_however_they_are_read() {
        let bytes = b"plain\n\xc3\xa9t\xc3\xa9\nbad \xff\n\xe2\x82\nfine \xe2\x82\xac\n\xf0\x9f\x90\xa7\n\xc3";
        for most in 1..=bytes.len() {
            let mut trickle = Trickle(bytes, most);
            let bytes_read = AtomicU64::new(0);
            let mut window = Window::new(&mut trickle, &bytes_read);
            let mut read = 0;
            let mut judged = Vec::new();
            let mut from = 0;
            for line in bytes.split_inclusive(|b| *b == b'\n') {
                let to = from + line.len();
                window.keep_from = from as u64;
                while read < to {
                    read += window.read(&mut [0; 64]).unwrap();
                }
                assert_eq!(window.slice(from as u64, to as u64), line);
                judged.push(window.is_utf8(from as u64, to as u64));
                from = to;
            }
            assert_eq!(judged, [true, true, false, false, true, true, false], "{most} at a time");
            window.keep_from = from as u64;
            assert_eq!(window.read(&mut [0; 64]).unwrap(), 0);
            assert_eq!(bytes_read.into_inner(), bytes.len() as u64);
        }
    }
}
