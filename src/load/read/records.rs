//! Splits the bytes of one file into records and tracks the place of each.
//!
//! csv-async splits the records. It reads through a reader that keeps the bytes of the current
//! record, so that a batch can carry each record exactly as in the file. Reading blocks: it
//! runs on threads of its own, where the futures of the CSV reader are always ready. This is
//! the only file that uses csv-async.

use std::io::Read;
use std::sync::atomic::AtomicU64;

pub(in crate::load) use csv_async::ByteRecord;
use csv_async::{AsyncReader, AsyncReaderBuilder};
use futures::executor::block_on;
use futures::io::AllowStdIo;

use crate::error::{Error, Result};
use crate::input::{Foreign, explain, foreign};
use crate::load::read::quotes::Quotes;
use crate::load::read::window::{Full, Window};

/// The buffer size of the CSV reader.
pub(in crate::load) const READ_BYTES: usize = 128 * 1024;
/// The buffer size for reading only the header and whether a record follows.
const READ_HEADER_BYTES: usize = 8 * 1024;
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
        (read_bytes, max_record_bytes): (usize, usize),
        bytes_read: &'a AtomicU64,
    ) -> Self {
        let window = Window::new(inner, max_record_bytes, bytes_read);
        let csv = AsyncReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // Reading continues after a record that is too long.
            .end_on_io_error(false)
            .buffer_capacity(read_bytes)
            .create_reader(AllowStdIo::new(window));
        let (line, from, text_to, to) = (1, 0, 0, 0);
        let fields = ByteRecord::new();
        Records { name, csv, max_record_bytes, fields, line, from, text_to, to, has_lf: true }
    }

    fn window(&self) -> &Window<'a> {
        self.csv.get_ref().get_ref()
    }

    /// Reads the next record.
    pub(in crate::load) async fn advance(&mut self) -> Result<Found> {
        let line = self.csv.position().line();
        let from = self.to;
        self.csv.get_mut().get_mut().keep_from = from;
        match self.csv.read_byte_record(&mut self.fields).await {
            Ok(true) => {}
            Ok(false) => return Ok(Found::End),
            Err(error) if is_full(&error) => return self.skip(line, from).await,
            Err(error) => return Err(self.failure(error, line)),
        }
        self.to = self.csv.position().byte();
        let text = self.window().slice(from, self.to);
        // The reader leaves the LF of a CR LF, and blank lines, in front of the next record.
        let before = text.iter().take_while(|b| is_break(**b)).count();
        let after = text[before..].iter().rev().take_while(|b| is_break(**b)).count();
        let has_lf = text[text.len() - after..].contains(&b'\n');
        let lines = text[..before].iter().filter(|b| **b == b'\n').count() as u64;
        self.begin(line, (from, before as u64), lines)?;
        self.text_to = self.to - after as u64;
        self.has_lf = has_lf;
        if self.text_to - self.from <= self.max_record_bytes as u64 {
            return Ok(Found::Record);
        }
        let (mut quotes, mut lines) = (Quotes::default(), 0);
        count(self.raw(), &mut quotes, &mut lines);
        self.too_long(quotes, lines)
    }

    /// Sets the start of a record, which follows `breaks` bytes of line breaks with `lines` LFs.
    /// There has to be an LF since the previous record: other programs do not take a CR alone
    /// for a line ending.
    fn begin(&mut self, line: u64, (from, breaks): (u64, u64), lines: u64) -> Result<()> {
        self.line = line + lines;
        self.from = from + breaks;
        if self.has_lf || lines > 0 {
            return Ok(());
        }
        let what = match line {
            1 => "line 1: lines end in CR alone, as on old Macs".to_owned(),
            line => format!("line {line}: a CR without LF, while other lines end in LF"),
        };
        Err(Error::bad_file(self.name, what).hint(
            "replace it with LF (tr '\\r' '\\n' if all lines end so), or put the field in quotes",
        ))
    }

    /// Reads the rest of a record that has exceeded the size limit, and drops it.
    async fn skip(&mut self, line: u64, from: u64) -> Result<Found> {
        let (mut quotes, mut lines) = (Quotes::default(), 0);
        let held = self.window().slice(from, self.window().end());
        let before = held.iter().take_while(|b| is_break(**b)).count();
        let breaks = held[..before].iter().filter(|b| **b == b'\n').count() as u64;
        self.begin(line, (from, before as u64), breaks)?;
        let mut done = self.from;
        loop {
            let end = self.window().end();
            count(self.window().slice(done, end), &mut quotes, &mut lines);
            done = end;
            self.csv.get_mut().get_mut().keep_from = done;
            match self.csv.read_byte_record(&mut self.fields).await {
                Ok(_) => break,
                Err(error) if is_full(&error) => {}
                Err(error) => return Err(self.failure(error, self.line)),
            }
        }
        self.to = self.csv.position().byte();
        let rest = self.window().slice(done, self.to);
        let after = rest.iter().rev().take_while(|b| is_break(**b)).count();
        let (text, end) = rest.split_at(rest.len() - after);
        count(text, &mut quotes, &mut lines);
        let has_lf = end.contains(&b'\n');
        self.text_to = self.to - after as u64;
        self.has_lf = has_lf;
        self.too_long(quotes, lines)
    }

    /// Judges a record that is too long: fails if it spans lines and its quotes are wrong, as it
    /// may then contain other records.
    fn too_long(&self, quotes: Quotes, lines: usize) -> Result<Found> {
        if lines == 0 || quotes.are_closed() {
            return Ok(Found::TooLong(self.text_to - self.from));
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

    fn failure(&self, error: csv_async::Error, line: u64) -> Error {
        match error.into_kind() {
            csv_async::ErrorKind::Io(e) => explain(self.name, e),
            other => Error::bad_file(self.name, format!("line {line}: {other:?}")),
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

/// Continues counting the lines of a record and checking its quotes.
fn count(bytes: &[u8], quotes: &mut Quotes, lines: &mut usize) {
    quotes.read(bytes);
    *lines += bytes.iter().filter(|byte| **byte == b'\n').count();
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
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
