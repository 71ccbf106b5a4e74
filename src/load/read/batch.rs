//! Batches: the unit of work, of transactions and of resuming.
//!
//! A [`RecordBatch`] is the output of a source: up to `batch_rows` records of one file, in two
//! flat buffers, with their place in the file. An [`EncodedBatch`] adds the rows in binary
//! COPY format and keeps the records, because the server may still reject some of them.

use bytes::BytesMut;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::load::account::{Account, Reason};

/// Larger buffers are not kept for the next batch.
const KEPT_BYTES: usize = 4 << 20;

/// The place of a batch in its file (after decompression).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Index of the file among the load's members.
    pub member: usize,
    /// Number of the batch in its file, counted from 0.
    pub number: u32,
    /// Line of the first record, counted from 1.
    pub first_line: u64,
    /// Offset of the first record, in bytes.
    pub byte_offset: u64,
    /// Bytes from the first record to the end of the last.
    pub byte_length: u64,
}

/// What to do with a record, as far as reading alone can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Encode it; with the index of its species if the format has a lookup.
    Row(Option<u32>),
    /// Nothing: it is already among the batch's rejects.
    Rejected,
}

/// A record of a batch: its place in the file, and its bytes in the buffers.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// Its offset in the file, in bytes.
    pub byte_offset: u64,
    /// What to do with it.
    pub fate: Fate,
    raw: (u32, u32),
    /// Where the first field begins in `bytes`.
    fields_at: u32,
    /// Start of the field ends in `ends`, and their number.
    ends: (u32, u32),
    /// Bytes between two fields: 1 if they are in the raw record, with its commas; 0 if
    /// quotes required a copy without them.
    gap: u32,
}

/// A record that was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Index of the record in its batch.
    pub record: u32,
    /// The reason.
    pub reason: Reason,
    /// The affected field, if the fault lies in one.
    pub field: Option<usize>,
    /// The server's message, or other details that help to fix it.
    pub message: Option<Box<str>>,
}

/// Records of one file, as read by a source.
#[derive(Debug, Default)]
pub struct RecordBatch {
    /// Its place in the file.
    pub location: Location,
    /// Whether it is the last of its file.
    pub last: bool,
    /// Counts of the records that it covers, including those that it does not carry.
    pub account: Account,
    /// The records rejected so far.
    pub rejects: Vec<Reject>,
    records: Vec<RecordRef>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl RecordBatch {
    /// Adds a record: `raw` as in the file, whether it is `quoted`, the unquoted `fields` one
    /// after the other, and the end of each.
    ///
    /// The caller has to keep a batch below 4 GiB; sources end batches at a few MiB.
    pub fn push(
        &mut self,
        (line, byte_offset): (u64, u64),
        raw: &[u8],
        quoted: bool,
        fields: &[u8],
        ends: impl ExactSizeIterator<Item = usize>,
        fate: Fate,
    ) {
        let at = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let raw_at = at(self.bytes.len());
        let ends_at = at(self.ends.len());
        let count = at(ends.len());
        self.bytes.extend_from_slice(raw);
        // Without quotes, the raw record is just the fields with commas in between.
        let plain = !quoted;
        let fields_at = if plain { raw_at } else { at(self.bytes.len()) };
        if !plain {
            self.bytes.extend_from_slice(fields);
        }
        self.ends.extend(ends.map(at));
        self.records.push(RecordRef {
            line,
            byte_offset,
            fate,
            raw: (raw_at, at(raw.len())),
            fields_at,
            ends: (ends_at, count),
            gap: u32::from(plain),
        });
    }

    /// The number of records carried.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it carries no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The number of bytes of all records.
    #[must_use]
    pub fn byte_size(&self) -> usize {
        self.bytes.len()
    }

    /// The number of fields of all records.
    #[must_use]
    pub fn fields(&self) -> usize {
        self.ends.len()
    }

    /// Its approximate memory use, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.len() + size_of_val(&self.ends[..]) + size_of_val(&self.records[..])
    }

    /// Whether a byte is in any of its records.
    pub(in crate::load) fn contains(&self, byte: u8) -> bool {
        memchr::memchr(byte, &self.bytes).is_some()
    }

    /// The record at `index`.
    #[must_use]
    pub fn record(&self, index: usize) -> Record<'_> {
        self.resolve(&self.records[index])
    }

    /// All records carried, in file order.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.records.iter().map(|at| self.resolve(at))
    }

    /// Resolves the slices of a record once, rather than for each of its fields.
    fn resolve<'a>(&'a self, at: &'a RecordRef) -> Record<'a> {
        let ends = &self.ends[at.ends.0 as usize..][..at.ends.1 as usize];
        Record { at, ends, bytes: &self.bytes, text: &self.bytes[at.fields_at as usize..] }
    }

    /// Clears it for reuse; keeps the buffers, unless one is unusually large.
    pub fn clear(&mut self) {
        self.location = Location::default();
        self.last = false;
        self.account = Account::default();
        self.rejects.clear();
        self.records.clear();
        self.bytes.clear();
        self.ends.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.ends.shrink_to(KEPT_BYTES / size_of::<u32>());
    }
}

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    at: &'a RecordRef,
    ends: &'a [u32],
    /// All bytes of the batch; `text` starts at the record's first field.
    bytes: &'a [u8],
    text: &'a [u8],
}

impl<'a> Record<'a> {
    /// Its place and fate.
    #[must_use]
    pub fn at(&self) -> &'a RecordRef {
        self.at
    }

    /// The number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no fields, as with a record that is too long to be held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field at `index`, unquoted. Panics if there is no such field.
    #[must_use]
    #[inline]
    pub fn field(&self, index: usize) -> &'a [u8] {
        let (bytes, length) = self.field_onwards(index);
        &bytes[..length]
    }

    /// The bytes from the start of the field at `index` on, and the field's length.
    #[inline]
    pub(in crate::load) fn field_onwards(&self, index: usize) -> (&'a [u8], usize) {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        let length = self.ends[index] as usize - start;
        (&self.text[index * self.at.gap as usize + start..], length)
    }

    /// The record as written in the file, without its line ending.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        &self.bytes[self.at.raw.0 as usize..][..self.at.raw.1 as usize]
    }
}

/// A batch ready for the server.
#[derive(Debug, Default)]
pub struct EncodedBatch {
    /// The records that it was made from.
    pub records: RecordBatch,
    /// The rows in binary COPY format, without header and trailer.
    pub rows: BytesMut,
    /// The end of each row in `rows`, and the index of its record.
    pub row_ends: Vec<(u32, u32)>,
    /// Records in which a value was rounded, in order.
    pub rounded: Vec<u32>,
    /// Sum of the rows' hashes, modulo 2^64.
    pub checksum: u64,
    /// The columns left out of the hashes, in ascending order.
    pub unhashed: Vec<usize>,
}

impl EncodedBatch {
    /// Resets it to encode `records`; keeps the buffers, unless one is unusually large. The rows
    /// stay, to be written over.
    pub(in crate::load) fn begin(&mut self, records: RecordBatch, unhashed: &[usize]) {
        self.records = records;
        if self.rows.capacity() > KEPT_BYTES {
            self.rows = BytesMut::new();
        }
        self.row_ends.clear();
        self.rounded.clear();
        self.checksum = 0;
        self.unhashed.clear();
        self.unhashed.extend_from_slice(unhashed);
    }

    /// The bytes of the rows from `from` up to but not including `to`.
    #[must_use]
    pub fn rows_between(&self, from: usize, to: usize) -> &[u8] {
        let end = |index: usize| if index == 0 { 0 } else { self.row_ends[index - 1].0 as usize };
        &self.rows[end(from)..end(to)]
    }

    /// Removes the rows of records that the server refuses, and adds these records to the
    /// rejects. Records without a row are ignored.
    pub fn take_out(&mut self, refused: &[(u32, String)]) {
        if refused.is_empty() {
            return;
        }
        let mut refused: Vec<&(u32, String)> = refused.iter().collect();
        refused.sort_by_key(|(record, _)| *record);
        let mut kept = BytesMut::with_capacity(self.rows.len());
        let mut kept_ends = Vec::with_capacity(self.row_ends.len());
        for index in 0..self.row_ends.len() {
            let record = self.row_ends[index].1;
            let row = self.rows_between(index, index + 1);
            let Ok(at) = refused.binary_search_by_key(&record, |(r, _)| *r) else {
                kept.extend_from_slice(row);
                kept_ends.push((kept.len() as u32, record));
                continue;
            };
            let message = &refused[at].1;
            self.checksum = self.checksum.wrapping_sub(row_hash(row, &self.unhashed));
            if self.rounded.binary_search(&record).is_ok() {
                self.records.account.rows_rounded -= 1;
            }
            let message = Some(message.as_str().into());
            let reason = Reason::Constraint;
            self.records.rejects.push(Reject { record, reason, field: None, message });
            self.records.account.rows_loaded -= 1;
            self.records.account.rows_rejected += 1;
        }
        self.rows = kept;
        self.row_ends = kept_ends;
    }
}

/// The 64-bit hash of a row in binary COPY format, to be summed. The columns in `unhashed`,
/// in ascending order, are left out as if the row did not have them.
#[must_use]
pub fn row_hash(row: &[u8], unhashed: &[usize]) -> u64 {
    if unhashed.is_empty() {
        return xxh3_64(row);
    }
    let (count, mut rest) = row.split_at(2);
    let mut hash = Xxh3::new();
    let hashed = usize::from(u16::from_be_bytes([count[0], count[1]])) - unhashed.len();
    hash.update(&(hashed as u16).to_be_bytes());
    let mut column = 0;
    for left_out in unhashed {
        let from = rest;
        (column..*left_out).for_each(|_| rest = after_value(rest));
        hash.update(&from[..from.len() - rest.len()]);
        rest = after_value(rest);
        column = left_out + 1;
    }
    hash.update(rest);
    hash.digest()
}

/// The rest of a row after its first value.
fn after_value(rest: &[u8]) -> &[u8] {
    let Some(length) = rest.first_chunk::<4>() else { return &[] };
    let bytes = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
    &rest[4 + bytes..]
}

#[cfg(test)]
mod tests;
