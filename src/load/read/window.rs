//! Keeps the bytes of the current record while a CSV reader parses it.
//!
//! A batch carries every record as written in its file, which the CSV reader does not keep.
//! It reads through a [`Window`], which does.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// The byte order mark that may precede UTF-8 text.
pub(in crate::load) const BOM: &[u8] = "\u{feff}".as_bytes();

/// The error when more bytes than allowed are kept. They stay, and reading can continue.
#[derive(Debug)]
pub(in crate::load) struct Full;

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the record is too long")
    }
}

impl std::error::Error for Full {}

/// Reads a file and keeps its bytes from `keep_from` on. A [`BOM`] at the start is removed, and
/// offsets are counted from after it.
pub(in crate::load) struct Window<'a> {
    inner: &'a mut (dyn Read + Send),
    bytes: Vec<u8>,
    /// The number of bytes that may be kept, plus one read.
    most: usize,
    /// Offset of `bytes[0]`.
    at: u64,
    /// Offset of the first byte that is still needed.
    pub(in crate::load) keep_from: u64,
    /// Length of the BOM, once the start of the file has been read.
    pub(in crate::load) bom: Option<u64>,
    /// A range of offsets that is known to be UTF-8.
    utf8: (u64, u64),
    /// Bytes read, for progress reports.
    bytes_read: &'a AtomicU64,
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let settled = usize::try_from(self.keep_from - self.at).unwrap_or(usize::MAX);
        self.bytes.drain(..settled.min(self.bytes.len()));
        self.at = self.keep_from;
        if self.bytes.len() > self.most {
            return Err(io::Error::other(Full));
        }
        let mut read = self.read_inner(buffer)?;
        if self.bom.is_none() {
            // It may arrive in pieces.
            while (1..BOM.len()).contains(&read) && BOM.starts_with(&buffer[..read]) {
                match self.read_inner(&mut buffer[read..])? {
                    0 => break,
                    more => read += more,
                }
            }
            let bom = if buffer[..read].starts_with(BOM) { BOM.len() } else { 0 };
            self.bom = Some(bom as u64);
            buffer.copy_within(bom..read, 0);
            read -= bom;
            if read == 0 && bom > 0 {
                read = self.read_inner(buffer)?;
            }
        }
        self.bytes.extend_from_slice(&buffer[..read]);
        self.check_utf8();
        Ok(read)
    }
}

impl<'a> Window<'a> {
    /// Creates a window that keeps up to `most` bytes, plus one read.
    pub(in crate::load) fn new(
        inner: &'a mut (dyn Read + Send),
        most: usize,
        bytes_read: &'a AtomicU64,
    ) -> Self {
        let (bytes, utf8) = (Vec::new(), (0, 0));
        Window { inner, bytes, most, at: 0, keep_from: 0, bom: None, utf8, bytes_read }
    }

    fn read_inner(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(read) => {
                    self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
            }
        }
    }

    /// The first bytes in the window, 64 at most.
    pub(in crate::load) fn start(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(64)]
    }

    /// The offset after the last byte read.
    pub(in crate::load) fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    /// Checks all new bytes at once, which is several times faster than record by record. At an
    /// invalid byte, the known range starts over after it; records before it are then checked
    /// one by one.
    fn check_utf8(&mut self) {
        if self.utf8.1 < self.at {
            // The file ended inside a character, and its last record is done.
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
                // An incomplete character, which the next read completes.
                self.utf8 = (from, good_to);
                return;
            };
            self.utf8 = (good_to + bad as u64, good_to + bad as u64);
        }
    }

    /// Whether a whole record is UTF-8.
    pub(in crate::load) fn is_utf8(&self, from: u64, to: u64) -> bool {
        let known = self.utf8.0 <= from && to <= self.utf8.1;
        known || std::str::from_utf8(self.slice(from, to)).is_ok()
    }

    /// The bytes between two offsets; empty if they are not all kept.
    pub(in crate::load) fn slice(&self, from: u64, to: u64) -> &[u8] {
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
            let mut window = Window::new(&mut trickle, 1000, &bytes_read);
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

    #[test]
    fn a_byte_order_mark_is_not_handed_on() {
        for (bytes, bom) in [
            (&b"\xef\xbb\xbfab\xef\xbb\xbf"[..], 3),
            (b"\xef\xbb\xbf", 3),
            (b"\xef\xbb", 0),
            (b"\xef\xbbab", 0),
            (b"ab", 0),
            (b"", 0),
        ] {
            for most in 1..9 {
                let mut trickle = Trickle(bytes, most);
                let bytes_read = AtomicU64::new(0);
                let mut window = Window::new(&mut trickle, 1000, &bytes_read);
                while window.read(&mut [0; 64]).unwrap() > 0 {}
                assert_eq!(window.bom, Some(bom as u64));
                assert_eq!(window.slice(0, window.end()), &bytes[bom..]);
                assert_eq!(bytes_read.into_inner(), bytes.len() as u64);
            }
        }
    }

    #[test]
    fn reading_goes_on_where_more_was_kept_than_may_be() {
        let mut trickle = Trickle(b"0123456789", 4);
        let bytes_read = AtomicU64::new(0);
        let mut window = Window::new(&mut trickle, 3, &bytes_read);
        assert_eq!(window.read(&mut [0; 64]).unwrap(), 4);
        let full = window.read(&mut [0; 64]).unwrap_err();
        assert!(full.get_ref().unwrap().is::<Full>());
        window.keep_from = window.end();
        assert_eq!(window.read(&mut [0; 64]).unwrap(), 4);
        assert_eq!(window.slice(4, 8), b"4567");
    }
}
