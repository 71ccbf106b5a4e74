//! Keeps the bytes of the current record while a CSV reader parses it.
//!
//! A batch carries every record as written in its file, which the CSV reader does not keep.
//! It reads through a [`Window`], which does.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memchr2;

use crate::load::read::blocks::first_line;

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
///
/// A CSV reader gets the bytes up to the next line break only, so that it never holds any of the
/// next record. Records can therefore be passed over without it.
pub(in crate::load) struct Window<'a> {
    inner: &'a mut (dyn Read + Send),
    /// The bytes kept are the first `filled`; the rest is room to read into.
    bytes: Vec<u8>,
    filled: usize,
    /// The number of bytes to read at a time.
    read_bytes: usize,
    /// The number of bytes that may be kept, plus one read.
    most: usize,
    /// Offset of `bytes[0]`.
    at: u64,
    /// Offset of the first byte that is still needed.
    pub(in crate::load) keep_from: u64,
    /// Offset of the first byte that the CSV reader has not been given.
    pub(in crate::load) given: u64,
    /// Length of the BOM, once the start of the file has been read.
    pub(in crate::load) bom: Option<u64>,
    /// A range of offsets that is known to be UTF-8.
    utf8: (u64, u64),
    /// Bytes read, for progress reports.
    bytes_read: &'a AtomicU64,
}

/// A record that is a whole line: the end of its text, and where the next line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) struct PlainLine {
    pub(in crate::load) text_to: u64,
    pub(in crate::load) to: u64,
    /// The number of commas in its text.
    pub(in crate::load) commas: usize,
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest().is_empty() && self.fill()? == 0 {
            return Ok(0);
        }
        let rest = self.rest();
        let rest = &rest[..rest.len().min(buffer.len())];
        let most = memchr2(b'\n', b'\r', rest).map_or(rest.len(), |at| at + 1);
        buffer[..most].copy_from_slice(&rest[..most]);
        self.given += most as u64;
        Ok(most)
    }
}

impl<'a> Window<'a> {
    /// Creates a window that reads `read_bytes` at a time and keeps up to `most`, plus one read.
    pub(in crate::load) fn new(
        inner: &'a mut (dyn Read + Send),
        (read_bytes, most): (usize, usize),
        bytes_read: &'a AtomicU64,
    ) -> Self {
        Window {
            inner,
            bytes: Vec::new(),
            filled: 0,
            read_bytes,
            most,
            at: 0,
            keep_from: 0,
            given: 0,
            bom: None,
            utf8: (0, 0),
            bytes_read,
        }
    }

    /// Drops what is no longer needed and reads more. Returns the number of bytes, 0 at the end
    /// of the file.
    pub(in crate::load) fn fill(&mut self) -> io::Result<usize> {
        let settled = usize::try_from(self.keep_from - self.at).unwrap_or(usize::MAX);
        self.bytes.copy_within(settled..self.filled, 0);
        self.filled -= settled;
        self.at = self.keep_from;
        if self.filled > self.most {
            return Err(io::Error::other(Full));
        }
        let room = self.filled + self.read_bytes;
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        let mut read = self.read_inner(0)?;
        if self.bom.is_none() {
            // It may arrive in pieces.
            while (1..BOM.len()).contains(&read) && BOM.starts_with(&self.bytes[..read]) {
                match self.read_inner(read)? {
                    0 => break,
                    more => read += more,
                }
            }
            let bom = if self.bytes[..read].starts_with(BOM) { BOM.len() } else { 0 };
            self.bom = Some(bom as u64);
            self.bytes.copy_within(bom..read, 0);
            read -= bom;
            if read == 0 && bom > 0 {
                read = self.read_inner(0)?;
            }
        }
        self.filled += read;
        self.check_utf8();
        Ok(read)
    }

    /// Reads `after` bytes behind those that are kept.
    fn read_inner(&mut self, after: usize) -> io::Result<usize> {
        let from = self.filled + after;
        let room = &mut self.bytes[from..self.filled + self.read_bytes];
        loop {
            match self.inner.read(room) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(read) => {
                    self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
            }
        }
    }

    /// Finds the record that begins at `from`, with no line break, if it is a line of UTF-8 of up
    /// to `most` bytes, without quotes and without CRs other than in its CR LF.
    pub(in crate::load) fn plain_line(
        &mut self,
        from: u64,
        most: usize,
    ) -> io::Result<Option<PlainLine>> {
        let mut line = first_line(self.slice(from, self.end()));
        if line.is_none() {
            if self.end() - from > most as u64 || self.fill()? == 0 {
                return Ok(None);
            }
            line = first_line(self.slice(from, self.end()));
        }
        let Some(line) = line else { return Ok(None) };
        let lf = from + line.length as u64;
        let text_to = match line.unusual {
            None => lf,
            Some(at) if at + 1 == line.length && self.slice(lf - 1, lf) == b"\r" => lf - 1,
            Some(_) => return Ok(None),
        };
        let is_plain = text_to - from <= most as u64 && self.is_utf8(from, text_to);
        Ok(is_plain.then_some(PlainLine { text_to, to: lf + 1, commas: line.commas }))
    }

    /// The first bytes in the window, 64 at most.
    pub(in crate::load) fn start(&self) -> &[u8] {
        &self.bytes[..self.filled.min(64)]
    }

    /// The offset after the last byte read.
    pub(in crate::load) fn end(&self) -> u64 {
        self.at + self.filled as u64
    }

    /// The bytes that the CSV reader has not been given.
    pub(in crate::load) fn rest(&self) -> &[u8] {
        self.slice(self.given, self.end())
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
            let Err(error) = std::str::from_utf8(&self.bytes[unknown..self.filled]) else {
                self.utf8 = (from, self.end());
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
        self.bytes[..self.filled].get(index(from)..index(to)).unwrap_or_default()
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
            let mut window = Window::new(&mut trickle, (64, 1000), &bytes_read);
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
                let mut window = Window::new(&mut trickle, (64, 1000), &bytes_read);
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
        let mut window = Window::new(&mut trickle, (64, 3), &bytes_read);
        assert_eq!(window.read(&mut [0; 64]).unwrap(), 4);
        let full = window.read(&mut [0; 64]).unwrap_err();
        assert!(full.get_ref().unwrap().is::<Full>());
        window.keep_from = window.end();
        assert_eq!(window.read(&mut [0; 64]).unwrap(), 4);
        assert_eq!(window.slice(4, 8), b"4567");
    }
}
