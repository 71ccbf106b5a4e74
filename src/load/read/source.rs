//! Reads one file into batches of records.
//!
//! Decides about each record as far as reading alone can, and passes on those that become a
//! row or a reject.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use futures::executor::block_on;

use crate::cites::Layout;
use crate::error::{Error, Kind, Result};
use crate::load::account::Reason;
use crate::load::read::batch::{Fate, RecordBatch, Reject};
use crate::load::read::look::FirstLook;
use crate::load::read::map::{Decision, Mapper, OnUnmapped};
use crate::load::read::quotes::Quotes;
use crate::load::read::records::{ByteRecord, Found, READ_BYTES, Records};
use crate::load::read::window::BOM;
use crate::load::write::rejects;
use crate::watch::Counters;

/// A batch ends when it holds this many bytes or fields, however few records.
const MAX_BATCH_BYTES: usize = 8 << 20;
const MAX_BATCH_FIELDS: usize = 2 << 20;
/// The number of records between two updates of the counters and checks of `stop`.
const WATCH_ROWS: u64 = 4096;

/// The reader of one file.
pub(in crate::load) struct Source<'a> {
    pub(in crate::load) name: &'a str,
    pub(in crate::load) member: usize,
    /// The layout found when the load began.
    pub(in crate::load) layout: &'a Layout,
    pub(in crate::load) batch_rows: usize,
    pub(in crate::load) max_record_bytes: usize,
    pub(in crate::load) on_unmapped: OnUnmapped,
    pub(in crate::load) counters: &'a Counters,
    /// Whether to stop; checked every [`WATCH_ROWS`] records of a batch.
    pub(in crate::load) stop: &'a dyn Fn() -> bool,
}

impl Source<'_> {
    /// Reads the whole file and passes its records to `emit`, batch by batch, until that breaks
    /// off. The last batch of a file may hold no record.
    pub(in crate::load) fn run(
        &self,
        reader: &mut (dyn Read + Send),
        mapper: &mut Mapper<'_>,
        spare: impl FnMut() -> RecordBatch,
        emit: impl FnMut(RecordBatch) -> ControlFlow<()>,
    ) -> Result<()> {
        let look = FirstLook::new(self.layout, mapper, self.on_unmapped);
        self.read(reader, look, mapper, spare, emit)
    }

    /// The same with or without a first look, which makes no other difference than in speed.
    fn read(
        &self,
        reader: &mut (dyn Read + Send),
        look: Option<FirstLook<'_>>,
        mapper: &mut Mapper<'_>,
        mut spare: impl FnMut() -> RecordBatch,
        mut emit: impl FnMut(RecordBatch) -> ControlFlow<()>,
    ) -> Result<()> {
        let most = rejects::most_record_bytes(self.layout, self.max_record_bytes);
        let sizes = (READ_BYTES, most);
        let mut records = Records::new(self.name, reader, sizes, &self.counters.bytes_read);
        block_on(async {
            if records.header().await? != self.layout.header {
                return Err(Error::bad_file(self.name, "changed while it was being read"));
            }
            let mut number = 0;
            let mut batch = spare();
            // Files are sorted: what follows a record that is kept is mostly kept, too.
            let mut was_kept = false;
            loop {
                let left_out = match &look {
                    Some(look) if !was_kept => {
                        records.pass_over(|text, commas| look.leave_out(text, commas, mapper))?
                    }
                    _ => None,
                };
                let found = match left_out {
                    Some(_) => Found::Record,
                    None => records.advance().await?,
                };
                if matches!(found, Found::End) {
                    break;
                }
                if batch.account.rows_read == 0 {
                    batch.location.member = self.member;
                    batch.location.number = number;
                    batch.location.first_line = records.line;
                    batch.location.byte_offset = records.byte_offset();
                }
                batch.account.rows_read += 1;
                if batch.account.rows_read.is_multiple_of(WATCH_ROWS) {
                    self.counters.rows_read.fetch_add(WATCH_ROWS, Ordering::Relaxed);
                    if (self.stop)() {
                        return Ok(());
                    }
                }
                let kept = batch.len();
                match (found, left_out) {
                    (_, Some(Decision::Filtered)) => batch.account.rows_filtered += 1,
                    (_, Some(_)) => batch.account.rows_unmapped += 1,
                    (Found::TooLong(bytes), None) => self.leave(&records, bytes, &mut batch),
                    (_, None) => self.take(&records, mapper, &mut batch)?,
                }
                was_kept = batch.len() > kept;
                let is_large =
                    batch.byte_size() >= MAX_BATCH_BYTES || batch.fields() >= MAX_BATCH_FIELDS;
                if is_large || batch.len() >= self.batch_rows {
                    batch.location.byte_length = records.end() - batch.location.byte_offset;
                    number += 1;
                    self.count(&batch);
                    if emit(std::mem::replace(&mut batch, spare())).is_break() {
                        return Ok(());
                    }
                }
            }
            batch.location.member = self.member;
            batch.location.number = number;
            batch.location.byte_length = records.end().saturating_sub(batch.location.byte_offset);
            batch.last = true;
            self.count(&batch);
            let _ = emit(batch);
            Ok(())
        })
    }

    /// Counts the records of a batch that have not been counted yet.
    fn count(&self, batch: &RecordBatch) {
        let rest = batch.account.rows_read % WATCH_ROWS;
        self.counters.rows_read.fetch_add(rest, Ordering::Relaxed);
    }

    /// Rejects a record that is too long.
    fn leave(&self, records: &Records<'_>, bytes: u64, batch: &mut RecordBatch) {
        let most = self.max_record_bytes;
        let message = format!("a record of {bytes} bytes; --max-record-bytes is {most}").into();
        let (reason, record) = (Reason::RecordTooLong, batch.len() as u32);
        let place = (records.line, records.byte_offset());
        batch.push(place, b"", false, b"", std::iter::empty(), Fate::Rejected);
        batch.rejects.push(Reject { record, reason, field: None, message: Some(message) });
    }

    /// Decides about the current record, and adds it to the batch if it is kept.
    fn take(
        &self,
        records: &Records<'_>,
        mapper: &mut Mapper<'_>,
        batch: &mut RecordBatch,
    ) -> Result<()> {
        let fields = &records.fields;
        let raw = records.raw();
        if fields[0] == *self.layout.header[0].as_bytes() || raw.starts_with(BOM) {
            self.refuse_second_header(records)?;
        }
        let quoted = memchr::memchr(b'"', raw).is_some();
        let misquoted = quoted && !Quotes::in_text(raw).are_closed();
        if misquoted && memchr::memchr(b'\n', raw).is_some() {
            // It may contain other records, which one reject would not account for.
            let (line, last) =
                (records.line, records.line + raw.iter().filter(|b| **b == b'\n').count() as u64);
            let what = format!(
                "line {line}: a quote opened here or up to line {last} is not closed correctly"
            );
            return Err(Error::bad_file(self.name, what).hint(
                "double the quotes within the field, or remove the stray one; then load again",
            ));
        }
        let misread = if misquoted {
            Some((Reason::FieldCount, Some("a quote is not at the start or end of a field".into())))
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

    /// The first field in use that is not UTF-8. Ignored columns do not matter: a fixed reject
    /// still quotes the invalid value there.
    fn first_not_utf8(&self, fields: &ByteRecord) -> Option<usize> {
        let Layout { columns, record_id, year, lookup, .. } = self.layout;
        let others = [*record_id, *year, *lookup].into_iter().flatten();
        let read = columns.values().copied().chain(others);
        read.filter(|at| std::str::from_utf8(&fields[*at]).is_err()).min()
    }

    /// Refuses files that were joined into one. In a file with one column, the column name may
    /// be a value, so this is checked only if a byte order mark precedes it.
    fn refuse_second_header(&self, records: &Records<'_>) -> Result<()> {
        let header = &self.layout.header;
        let is_header = match records.raw().strip_prefix(BOM) {
            // After a byte order mark, the CSV reader takes quotes as part of the field.
            Some(raw) => {
                let unquoted = raw.iter().filter(|byte| **byte != b'"');
                unquoted.eq(header.join(",").replace('"', "").as_bytes())
            }
            None => {
                header.len() > 1 && records.fields.iter().eq(header.iter().map(String::as_bytes))
            }
        };
        if !is_header {
            return Ok(());
        }
        let what = format!("line {}: the header appears a second time", records.line);
        Err(Error::bad_file(self.name, what)
            .hint("several files seem to be joined into one: remove this line, or load the parts"))
    }
}

fn keep(records: &Records<'_>, quoted: bool, fate: Fate, batch: &mut RecordBatch) {
    let fields = &records.fields;
    let ends = (0..fields.len()).map(|i| fields.range(i).map_or(0, |range| range.end));
    let place = (records.line, records.byte_offset());
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

#[cfg(test)]
mod tests;
