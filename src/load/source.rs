//! From the bytes of one file to batches of records.
//!
//! csv-async splits the records. It is given a reader that keeps the bytes of the
//! record at hand, so that a batch can carry each record as it stood in the file.
//! Reading blocks: a source runs on a thread of its own, where the futures of the
//! CSV reader are always ready. This is the only file that names csv-async.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use csv_async::{AsyncReader, AsyncReaderBuilder, ByteRecord};
use futures::executor::block_on;
use futures::io::AllowStdIo;

use super::account::Reason;
use super::batch::{Fate, RecordBatch, Reject};
use super::map::{Decision, Mapper, OnUnmapped};
use super::pipeline::Counters;
use super::rejects;
use super::window::{MAX_RECORD_BYTES, TOO_LONG, Window};
use crate::cites::{Formats, Layout};
use crate::error::{Error, Kind, Result};
use crate::input::explain;

/// Bytes that the CSV reader asks for at a time.
const READ_BYTES: usize = 128 * 1024;
/// A batch ends when it holds this many bytes or fields, however few its records are.
const MAX_BATCH_BYTES: usize = 8 << 20;
const MAX_BATCH_FIELDS: usize = 2 << 20;
/// Records after which watchers are told, and the wish to stop is asked for.
const WATCH_ROWS: u64 = 4096;

/// Splits a file into records and remembers where each stood.
struct Records<'a> {
    name: &'a str,
    csv: AsyncReader<AllowStdIo<Window<'a>>>,
    fields: ByteRecord,
    /// Line of the current record, counted from 1.
    line: u64,
    /// Its first byte, the end of its text, and where reading goes on.
    from: u64,
    text_to: u64,
    to: u64,
}

impl<'a> Records<'a> {
    fn new(name: &'a str, inner: &'a mut (dyn Read + Send), bytes_read: &'a AtomicU64) -> Self {
        let window = Window::new(inner, bytes_read);
        let csv = AsyncReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(READ_BYTES)
            .create_reader(AllowStdIo::new(window));
        Records { name, csv, fields: ByteRecord::new(), line: 1, from: 0, text_to: 0, to: 0 }
    }

    /// Reads the next record; `false` at the end of the file.
    async fn advance(&mut self) -> Result<bool> {
        let line = self.csv.position().line();
        let from = self.to;
        self.csv.get_mut().get_mut().keep_from = from;
        match self.csv.read_byte_record(&mut self.fields).await {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => return Err(self.failure(error, line)),
        }
        self.to = self.csv.position().byte();
        let text = self.csv.get_ref().get_ref().slice(from, self.to);
        // The reader leaves the LF of a CR LF, and empty lines, before the next record.
        let is_break = |b: &&u8| matches!(b, b'\n' | b'\r');
        let before = text.iter().take_while(is_break).count();
        let after = text[before..].iter().rev().take_while(is_break).count();
        self.line = line + text[..before].iter().filter(|b| **b == b'\n').count() as u64;
        self.from = from + before as u64;
        self.text_to = self.to - after as u64;
        Ok(true)
    }

    /// The current record as it stands in the file, without its line end.
    fn raw(&self) -> &[u8] {
        self.csv.get_ref().get_ref().slice(self.from, self.text_to)
    }

    fn is_utf8(&self) -> bool {
        self.csv.get_ref().get_ref().is_utf8(self.from, self.text_to)
    }

    fn failure(&self, error: csv_async::Error, line: u64) -> Error {
        let most = self.csv.get_ref().get_ref().most;
        match error.into_kind() {
            csv_async::ErrorKind::Io(e) if e.to_string() == TOO_LONG => Error::bad_file(
                self.name,
                format!("line {line}: a record of more than {most} bytes begins here"),
            )
            .hint("look for a quote that is opened in this line and never closed"),
            csv_async::ErrorKind::Io(e) => explain(self.name, e),
            other => Error::bad_file(self.name, format!("line {line}: {other:?}")),
        }
    }

    /// Reads the header line and finds out which format it is of.
    async fn header(&mut self, formats: &Formats) -> Result<Layout> {
        let found = self.advance().await?;
        let window = self.csv.get_ref().get_ref();
        // No further than the header: a NUL in a record is that record's affair.
        let header_end = usize::try_from(self.to).unwrap_or(usize::MAX);
        let start = window.start();
        let start = &start[..start.len().min(header_end)];
        let bad = |what: &str| Error::bad_file(self.name, what);
        if matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || start.contains(&0) {
            return Err(bad("line 1: the text is UTF-16 or UTF-32, or not text at all")
                .hint("save it as CSV in UTF-8"));
        }
        let mut names = Vec::new();
        for field in self.fields.iter().filter(|_| found) {
            let name = std::str::from_utf8(field)
                .map_err(|_| bad("line 1: the header is not UTF-8").hint("save it in UTF-8"))?;
            names.push(name.trim_start_matches('\u{feff}'));
        }
        formats.layout(&names).map_err(|what| {
            bad(&format!("line {}: {what}", self.line))
                .hint("see data/formats.toml for the known headers, or give --mapping")
        })
    }
}

/// The layout of a file, from its header alone.
pub(super) fn read_layout(
    name: &str,
    reader: &mut (dyn Read + Send),
    formats: &Formats,
) -> Result<Layout> {
    block_on(Records::new(name, reader, &AtomicU64::new(0)).header(formats))
}

/// Hands every record of a small UTF-8 file to `visit`, with its line; the header first.
pub(super) fn read_small(
    name: &str,
    reader: &mut (dyn Read + Send),
    mut visit: impl FnMut(u64, &[&str]) -> Result<()>,
) -> Result<()> {
    let bytes_read = AtomicU64::new(0);
    let mut records = Records::new(name, reader, &bytes_read);
    block_on(async {
        while records.advance().await? {
            let fields: std::result::Result<Vec<&str>, _> =
                records.fields.iter().map(std::str::from_utf8).collect();
            let fields = fields
                .map_err(|_| Error::bad_file(name, format!("line {}: not UTF-8", records.line)))?;
            visit(records.line, &fields)?;
        }
        Ok(())
    })
}

/// What a source needs to know about its file and the load.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) member: usize,
    pub(super) formats: &'a Formats,
    /// As it was when the load began.
    pub(super) layout: &'a Layout,
    pub(super) batch_rows: usize,
    pub(super) on_unmapped: OnUnmapped,
    pub(super) counters: &'a Counters,
    /// Asked after every batch, and now and then between.
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Source<'_> {
    /// Reads the whole file and hands on its records, batch by batch, until `emit`
    /// breaks off. The last batch ends the file and may hold no record.
    pub(super) fn run(
        &self,
        reader: &mut (dyn Read + Send),
        mapper: &mut Mapper<'_>,
        mut spare: impl FnMut() -> RecordBatch,
        mut emit: impl FnMut(RecordBatch) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut records = Records::new(self.name, reader, &self.counters.bytes_read);
        block_on(async {
            if records.header(self.formats).await? != *self.layout {
                return Err(Error::bad_file(self.name, "changed while it was read"));
            }
            let most = rejects::most_record_bytes(self.layout, MAX_RECORD_BYTES);
            records.csv.get_mut().get_mut().most = most;
            let mut number = 0;
            let mut batch = spare();
            while records.advance().await? {
                if batch.account.rows_read == 0 {
                    batch.location.member = self.member;
                    batch.location.number = number;
                    batch.location.first_line = records.line;
                    batch.location.byte_offset = records.from;
                }
                batch.account.rows_read += 1;
                if batch.account.rows_read.is_multiple_of(WATCH_ROWS) {
                    self.counters.rows_read.fetch_add(WATCH_ROWS, Ordering::Relaxed);
                    if (self.stop)() {
                        return Ok(());
                    }
                }
                self.take(&records, mapper, &mut batch)?;
                let is_large =
                    batch.byte_size() >= MAX_BATCH_BYTES || batch.fields() >= MAX_BATCH_FIELDS;
                if is_large || batch.len() >= self.batch_rows {
                    batch.location.byte_length = records.text_to - batch.location.byte_offset;
                    number += 1;
                    self.count(&batch);
                    if emit(std::mem::replace(&mut batch, spare())).is_break() {
                        return Ok(());
                    }
                }
            }
            batch.location.member = self.member;
            batch.location.number = number;
            batch.location.byte_length = records.text_to.saturating_sub(batch.location.byte_offset);
            batch.last = true;
            self.count(&batch);
            let _ = emit(batch);
            Ok(())
        })
    }

    /// Counts the rest of a batch's records, which was not yet.
    fn count(&self, batch: &RecordBatch) {
        let rest = batch.account.rows_read % WATCH_ROWS;
        self.counters.rows_read.fetch_add(rest, Ordering::Relaxed);
    }

    /// Decides about the current record and, where it is to be kept, takes it over.
    fn take(
        &self,
        records: &Records<'_>,
        mapper: &mut Mapper<'_>,
        batch: &mut RecordBatch,
    ) -> Result<()> {
        let fields = &records.fields;
        let raw = records.raw();
        let quoted = memchr::memchr(b'"', raw).is_some();
        let misquoted = quoted && !well_quoted(raw);
        if misquoted && memchr::memchr(b'\n', raw).is_some() {
            // Other records are in it: as one reject they would not be accounted for.
            let (line, last) =
                (records.line, records.line + raw.iter().filter(|b| **b == b'\n').count() as u64);
            let what = format!(
                "line {line}: a quote that is opened here, or on the way to line {last}, is not closed as it should be"
            );
            return Err(Error::bad_file(self.name, what).hint(
                "double the quotes within the field, or remove the stray one; then load again",
            ));
        }
        let misread = if misquoted {
            Some((Reason::FieldCount, Some("a quote stands where no field begins or ends".into())))
        } else if fields.len() != self.layout.header.len() {
            let (found, wanted) = (fields.len(), self.layout.header.len());
            Some((
                Reason::FieldCount,
                Some(format!("{found} fields; the header has {wanted}").into()),
            ))
        } else {
            None
        };
        if let Some((reason, message)) = misread {
            reject(records, quoted, reason, None, message, batch);
            return Ok(());
        }
        if !records.is_utf8()
            && let Some(field) = self.first_not_utf8(fields)
        {
            reject(records, quoted, Reason::InvalidUtf8, Some(field), None, batch);
            return Ok(());
        }
        if fields[0] == *self.layout.header[0].as_bytes() {
            self.refuse_second_header(records)?;
        }
        let taxon = self.layout.lookup.map(|index| &fields[index]);
        match mapper.decide(taxon, self.layout.year.map(|index| &fields[index])) {
            Decision::Row(species) => keep(records, quoted, Fate::Row(species), batch),
            Decision::Filtered => batch.account.rows_filtered += 1,
            Decision::Unmapped => match self.on_unmapped {
                OnUnmapped::Skip => batch.account.rows_unmapped += 1,
                OnUnmapped::Reject => {
                    reject(records, quoted, Reason::UnmappedTaxon, self.layout.lookup, None, batch);
                }
                OnUnmapped::Fail => {
                    let taxon = String::from_utf8_lossy(taxon.unwrap_or_default());
                    let line = records.line;
                    let what = format!("line {line}: the taxon {taxon:?} maps to no species");
                    return Err(Error::new(Kind::TooManyRejects, format!("{}: {what}", self.name))
                        .hint("add the species, or a synonym with --synonyms, or use --on-unmapped skip"));
                }
            },
            Decision::Reject(reason) => {
                reject(records, quoted, reason, self.layout.year, None, batch);
            }
        }
        Ok(())
    }

    /// The first field that is read and is not UTF-8. What stands in columns that are
    /// ignored does not matter: a mended reject still quotes what was wrong there.
    fn first_not_utf8(&self, fields: &ByteRecord) -> Option<usize> {
        let Layout { columns, record_id, year, lookup, .. } = self.layout;
        let others = [*record_id, *year, *lookup].into_iter().flatten();
        let read = columns.values().copied().chain(others);
        read.filter(|at| std::str::from_utf8(&fields[*at]).is_err()).min()
    }

    fn refuse_second_header(&self, records: &Records<'_>) -> Result<()> {
        let same = records.fields.iter().eq(self.layout.header.iter().map(String::as_bytes));
        if !same {
            return Ok(());
        }
        let what = format!("line {}: the header stands here a second time", records.line);
        Err(Error::bad_file(self.name, what).hint(
            "the file seems to be several joined into one: remove this line, or load the parts",
        ))
    }
}

fn keep(records: &Records<'_>, quoted: bool, fate: Fate, batch: &mut RecordBatch) {
    let fields = &records.fields;
    let ends = (0..fields.len()).map(|i| fields.range(i).map_or(0, |range| range.end));
    let place = (records.line, records.from);
    batch.push(place, records.raw(), quoted, fields.as_slice(), ends, fate);
}

fn reject(
    records: &Records<'_>,
    quoted: bool,
    reason: Reason,
    field: Option<usize>,
    message: Option<Box<str>>,
    batch: &mut RecordBatch,
) {
    let record = batch.len() as u32;
    keep(records, quoted, Fate::Rejected, batch);
    batch.rejects.push(Reject { record, reason, field, message });
}

/// Whether every quote of a record opens a field, closes one, or is doubled inside
/// of one. (A quote inside of a field that is not quoted is text.)
fn well_quoted(raw: &[u8]) -> bool {
    let mut bytes = raw.iter().peekable();
    loop {
        if bytes.next_if_eq(&&b'"').is_some() {
            loop {
                match bytes.next() {
                    None => return false,
                    Some(b'"') if bytes.next_if_eq(&&b'"').is_none() => break,
                    Some(_) => {}
                }
            }
            match bytes.next() {
                None => return true,
                Some(b',') => continue,
                Some(_) => return false,
            }
        }
        if !bytes.by_ref().any(|b| *b == b',') {
            return true;
        }
    }
}

#[cfg(test)]
mod tests;
