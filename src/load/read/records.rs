//! Splits the bytes of one file into records and tracks the place of each.
//!
//! csv-async splits the records. It reads through a reader that keeps the bytes of the current
//! record, so that a batch can carry each record exactly as in the file. A record that is a
//! plain line can also be passed over without it. Reading blocks: it runs on threads of its own,
//! where the futures of the CSV reader are always ready. This is the only file that uses
//! csv-async.

use std::io::Read;
use std::sync::atomic::AtomicU64;

pub(in crate::load) use csv_async::ByteRecord;
use csv_async::{AsyncReader, AsyncReaderBuilder};
use futures::executor::block_on;
use futures::io::AllowStdIo;

use crate::error::{Error, Result};
use crate::input::{Foreign, explain, foreign};
use crate::load::read::long::{Long, split_breaks};
use crate::load::read::window::{Full, PlainLine, Window};

/// The number of bytes read at a time.
pub(in crate::load) const READ_BYTES: usize = 128 * 1024;
/// The same for reading only the header and whether a record follows.
const READ_HEADER_BYTES: usize = 8 * 1024;
/// The buffer size of the CSV reader, which gets one line at a time.
const LINE_BYTES: usize = 8 * 1024;
/// The maximum size of a record in a small auxiliary file, such as one of synonyms.
pub(in crate::load) const MAX_SMALL_RECORD_BYTES: usize = 1 << 20;

/// Splits a file into records and tracks the place of the current one.
pub(in crate::load) struct Records<'a> {
    name: &'a str,
    csv: AsyncReader<AllowStdIo<Window<'a>>>,
    max_record_bytes: usize,
    pub(in crate::load) fields: ByteRecord,
    /// Line of the current record, counted from 1.
    pub(in crate::load) line: u64,
    /// The line at `to`.
    next_line: u64,
    /// Its first byte, the end of its text, and where the next record begins.
    from: u64,
    text_to: u64,
    to: u64,
    /// Whether the line ending of the previous record contains an LF; true at the start.
    has_lf: bool,
}

/// The result of reading a record.
pub(in crate::load) enum Found {
    Record,
    /// A record that is too long, whose end was found; with its size in bytes.
    TooLong(u64),
    End,
}

impl<'a> Records<'a> {
    pub(in crate::load) fn new(
        name: &'a str,
        inner: &'a mut (dyn Read + Send),
        sizes: (usize, usize),
        bytes_read: &'a AtomicU64,
    ) -> Self {
        let (_, max_record_bytes) = sizes;
        let window = Window::new(inner, sizes, bytes_read);
        let csv = AsyncReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // Reading continues after a record that is too long.
            .end_on_io_error(false)
            .buffer_capacity(LINE_BYTES)
            .create_reader(AllowStdIo::new(window));
        let fields = ByteRecord::new();
        let (line, next_line, from, text_to, to, has_lf) = (1, 1, 0, 0, 0, true);
        Records { name, csv, max_record_bytes, fields, line, next_line, from, text_to, to, has_lf }
    }

    fn window(&self) -> &Window<'a> {
        self.csv.get_ref().get_ref()
    }

    /// Passes over the next record without reading its fields, if it is a plain line and `judge`
    /// returns a value for its text and the number of commas in it. Otherwise the record is still to be read.
    pub(in crate::load) fn pass_over<T>(
        &mut self,
        judge: impl FnOnce(&[u8], usize) -> Option<T>,
    ) -> Result<Option<T>> {
        self.skip_breaks()?;
        if !self.has_lf {
            return Ok(None);
        }
        let (name, window) = (self.name, self.csv.get_mut().get_mut());
        let line = window.plain_line(self.to, self.max_record_bytes);
        let Some(PlainLine { text_to, to, commas }) = line.map_err(|e| explain(name, e))? else {
            return Ok(None);
        };
        let judged = judge(window.slice(self.to, text_to), commas);
        if judged.is_some() {
            window.given = to;
            (self.from, self.text_to, self.to) = (self.to, text_to, to);
            self.line = self.next_line;
            self.next_line += 1;
        }
        Ok(judged)
    }

    /// Reads the next record.
    pub(in crate::load) async fn advance(&mut self) -> Result<Found> {
        self.skip_breaks()?;
        if !self.has_lf && !self.window().rest().is_empty() {
            return Err(self.lone_cr());
        }
        let before = self.csv.position().line();
        let found = self.read().await?;
        self.next_line += self.csv.position().line() - before;
        Ok(found)
    }

    /// Passes over the line breaks in front of the next record: blank lines, and the LF of a
    /// CR LF, of which the CSV reader is given only the CR.
    fn skip_breaks(&mut self) -> Result<()> {
        let window = self.csv.get_mut().get_mut();
        window.keep_from = self.to;
        loop {
            match window.rest().first() {
                Some(b'\n') => {
                    self.next_line += 1;
                    self.has_lf = true;
                }
                Some(b'\r') => {}
                Some(_) => return Ok(()),
                None => match window.fill().map_err(|e| explain(self.name, e))? {
                    0 => return Ok(()),
                    _ => continue,
                },
            }
            self.to += 1;
            (window.keep_from, window.given) = (self.to, self.to);
        }
    }

    /// There has to be an LF between two records: other programs do not take a CR alone for a
    /// line ending.
    fn lone_cr(&self) -> Error {
        let what = match self.next_line {
            1 => "line 1: lines end in CR alone, as on old Macs".to_owned(),
            line => format!("line {line}: a CR without LF, while other lines end in LF"),
        };
        Error::bad_file(self.name, what).hint(
            "replace it with LF (tr '\\r' '\\n' if all lines end so), or put the field in quotes",
        )
    }

    /// Reads the record that begins at `to`. One that exceeds the size limit is dropped piece by
    /// piece until its end is found.
    async fn read(&mut self) -> Result<Found> {
        (self.from, self.line) = (self.to, self.next_line);
        let (mut long, mut done) = (Long::default(), self.from);
        loop {
            match self.csv.read_byte_record(&mut self.fields).await {
                Ok(false) if done == self.from => return Ok(Found::End),
                Ok(_) => break,
                Err(error) if is_full(&error) => {}
                Err(error) => return Err(self.failure(error)),
            }
            let end = self.window().end();
            long.read(self.window().slice(done, end));
            done = end;
            self.csv.get_mut().get_mut().keep_from = done;
        }
        self.to = self.window().given;
        let rest = self.window().slice(done, self.to);
        if done == self.from {
            let (text, breaks) = split_breaks(rest);
            let (bytes, has_lf) = (text.len(), breaks.contains(&b'\n'));
            if bytes <= self.max_record_bytes {
                self.text_to = self.from + bytes as u64;
                self.has_lf = has_lf;
                return Ok(Found::Record);
            }
        }
        long.read(rest);
        self.text_to = self.from + long.bytes;
        self.has_lf = long.lines_after > 0;
        self.too_long(&long)
    }

    /// Judges a record that is too long: fails if it spans lines and its quotes are wrong, as it
    /// may then contain other records.
    fn too_long(&self, long: &Long) -> Result<Found> {
        if long.lines == 0 || long.quotes.are_closed() {
            return Ok(Found::TooLong(long.bytes));
        }
        let (line, most) = (self.line, self.max_record_bytes);
        let what = format!("line {line}: a record of more than {most} bytes begins here");
        Err(Error::bad_file(self.name, what).hint(
            "look for a quote that is opened in this line and never closed; if the record is \
             correct, raise --max-record-bytes",
        ))
    }

    /// The current record as written in the file, without its line ending.
    pub(in crate::load) fn raw(&self) -> &[u8] {
        self.window().slice(self.from, self.text_to)
    }

    /// Its offset in the file.
    pub(in crate::load) fn byte_offset(&self) -> u64 {
        self.from + self.window().bom.unwrap_or(0)
    }

    /// The offset of the end of its text in the file.
    pub(in crate::load) fn end(&self) -> u64 {
        self.text_to + self.window().bom.unwrap_or(0)
    }

    pub(in crate::load) fn is_utf8(&self) -> bool {
        self.window().is_utf8(self.from, self.text_to)
    }

    fn failure(&self, error: csv_async::Error) -> Error {
        match error.into_kind() {
            csv_async::ErrorKind::Io(e) => explain(self.name, e),
            other => Error::bad_file(self.name, format!("line {}: {other:?}", self.line)),
        }
    }

    /// Reads the header line.
    pub(in crate::load) async fn header(&mut self) -> Result<Vec<String>> {
        let found = self.advance().await?;
        let window = self.window();
        // Only the header: a NUL in a record concerns only that record.
        let header_end = usize::try_from(self.to).unwrap_or(usize::MAX);
        let start = window.start();
        let header = &start[..start.len().min(header_end)];
        let bad = |what: String| Error::bad_file(self.name, what);
        if let Some(Foreign { form, hint }) = foreign(start) {
            return Err(bad(format!("is {form}")).hint(hint));
        }
        let nuls = header.iter().filter(|byte| **byte == 0).count();
        if matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || 4 * nuls >= header.len().max(1) {
            return Err(bad("line 1: the text is UTF-16 or UTF-32, or not text at all".into())
                .hint("save it as CSV in UTF-8"));
        }
        match found {
            Found::Record => {}
            Found::TooLong(bytes) => {
                return Err(bad(format!("line {}: the header has {bytes} bytes", self.line))
                    .hint("if that is correct, raise --max-record-bytes"));
            }
            Found::End => {
                let what = match (window.bom, window.end()) {
                    (Some(0) | None, 0) => "is empty",
                    (_, 0) => "holds only a byte order mark",
                    _ => "holds only blank lines",
                };
                return Err(bad(format!("the file {what}; a header line is needed")));
            }
        }
        let mut names = Vec::with_capacity(self.fields.len());
        for (at, field) in self.fields.iter().enumerate() {
            let place = format!("line {}: column {} of the header", self.line, at + 1);
            let name = std::str::from_utf8(field)
                .map_err(|_| bad(format!("{place} is not UTF-8")).hint("save the file in UTF-8"))?;
            if name.contains('\0') {
                return Err(bad(format!("{place} holds a NUL character")).hint("remove it"));
            }
            names.push(name.to_owned());
        }
        Ok(names)
    }
}

fn is_full(error: &csv_async::Error) -> bool {
    match error.kind() {
        csv_async::ErrorKind::Io(e) => e.get_ref().is_some_and(|e| e.is::<Full>()),
        _ => false,
    }
}

/// The header of a file.
pub(in crate::load) struct Header {
    pub(in crate::load) names: Vec<String>,
    /// Its line, counted from 1.
    pub(in crate::load) line: u64,
    /// Whether a record follows.
    pub(in crate::load) has_records: bool,
}

/// Reads the header of a file, and only as much more as shows whether a record follows.
pub(in crate::load) fn read_header(
    name: &str,
    reader: &mut (dyn Read + Send),
    max_record_bytes: usize,
) -> Result<Header> {
    let bytes_read = AtomicU64::new(0);
    let sizes = (READ_HEADER_BYTES, max_record_bytes);
    let mut records = Records::new(name, reader, sizes, &bytes_read);
    block_on(async {
        let names = records.header().await?;
        let line = records.line;
        // Errors in a record are reported when it is loaded.
        let has_records = !matches!(records.advance().await, Ok(Found::End));
        Ok(Header { names, line, has_records })
    })
}

/// Passes every record of a small UTF-8 file to `visit` with its line, starting with the header.
pub(in crate::load) fn read_small(
    name: &str,
    reader: &mut (dyn Read + Send),
    mut visit: impl FnMut(u64, &[&str]) -> Result<()>,
) -> Result<()> {
    let bytes_read = AtomicU64::new(0);
    let sizes = (READ_BYTES, MAX_SMALL_RECORD_BYTES);
    let mut records = Records::new(name, reader, sizes, &bytes_read);
    block_on(async {
        loop {
            match records.advance().await? {
                Found::End => return Ok(()),
                Found::Record => {}
                Found::TooLong(bytes) => {
                    let what = format!("line {}: a record of {bytes} bytes", records.line);
                    return Err(Error::bad_file(name, what));
                }
            }
            let fields: std::result::Result<Vec<&str>, _> =
                records.fields.iter().map(std::str::from_utf8).collect();
            let fields = fields
                .map_err(|_| Error::bad_file(name, format!("line {}: not UTF-8", records.line)))?;
            visit(records.line, &fields)?;
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::load::read::long::{is_break, line_feeds};

    /// A record: its line, its offset and its fields.
    type Read = (u64, usize, Vec<Vec<u8>>);

    /// Reads records with csv-async alone.
    fn expected(bytes: &[u8]) -> Vec<Read> {
        let mut csv = AsyncReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .create_reader(AllowStdIo::new(bytes));
        let (mut found, mut fields) = (Vec::new(), ByteRecord::new());
        block_on(async {
            loop {
                let (line, from) = (csv.position().line(), csv.position().byte() as usize);
                if !csv.read_byte_record(&mut fields).await.unwrap() {
                    return;
                }
                let breaks = bytes[from..].iter().take_while(|b| is_break(**b)).count();
                let lines = line_feeds(&bytes[from..from + breaks]);
                let values = fields.iter().map(<[u8]>::to_vec).collect();
                found.push((line + lines, from + breaks, values));
            }
        });
        found
    }

    proptest! {
        #[test]
        fn csv_async_reads_the_same_line_by_line(
            bytes in prop::collection::vec(prop::sample::select(b"a,,\"\"\n\n\r\0\xff\xef".to_vec()), 0..80),
            read_bytes in 1usize..90,
        ) {
            let (bytes_read, mut input) = (AtomicU64::new(0), &bytes[..]);
            let mut records = Records::new("f.csv", &mut input, (read_bytes, 1000), &bytes_read);
            let mut found: Vec<Read> = Vec::new();
            let end = block_on(async {
                loop {
                    match records.advance().await {
                        Ok(Found::Record) => {}
                        end => return end,
                    }
                    let values = records.fields.iter().map(<[u8]>::to_vec).collect();
                    found.push((records.line, records.byte_offset() as usize, values));
                }
            });
            let expected = expected(&bytes);
            // A CR without LF ends reading.
            let is_whole = matches!(end, Ok(Found::End));
            prop_assert!(!is_whole || found.len() == expected.len());
            prop_assert_eq!(&found[..], &expected[..found.len()]);
        }
    }
}
