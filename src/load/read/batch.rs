//! Batches: the unit of work, of transactions and of resuming.
//!
//! A [`RecordBatch`] is what a source hands on: up to `batch_rows` records of one
//! file, in two flat buffers, with the place they came from. An [`EncodedBatch`]
//! adds the rows as binary COPY sends them and keeps the records, because a
//! record may still be rejected by the server.

use bytes::BytesMut;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::load::account::{Account, Reason};

/// A buffer that has become larger is not kept for the next batch.
const KEPT_BYTES: usize = 4 << 20;

/// Where a batch stands in its file (after decompression).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Index of the file among the load's members.
    pub member: usize,
    /// Counts the batches of a file that hold rows, from 0.
    pub number: u32,
    /// Line of the first record, counted from 1.
    pub first_line: u64,
    /// Offset of the first record, in bytes.
    pub byte_offset: u64,
    /// Bytes from the first record to the end of the last.
    pub byte_length: u64,
}

/// What is to become of a record, as far as reading alone can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// To be encoded, with the index of its species where the format has a lookup.
    Row(Option<u32>),
    /// Among the batch's rejects already.
    Rejected,
}

/// A record of a batch: where it stood, and where its bytes are in the buffers.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// Its offset in the file, in bytes.
    pub byte_offset: u64,
    /// What is to become of it.
    pub fate: Fate,
    raw: (u32, u32),
    /// Where the first field begins in `bytes`.
    fields_at: u32,
    /// Where the ends of the fields begin in `ends`, and how many there are.
    ends: (u32, u32),
    /// Bytes between two fields: 1 where they lie in the raw record, with its
    /// commas, 0 where quotes made a copy without them necessary.
    gap: u32,
}

/// A record that was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Index of the record in its batch.
    pub record: u32,
    /// Why.
    pub reason: Reason,
    /// The field concerned, where it is one.
    pub field: Option<usize>,
    /// What the server said, or what else helps to fix it.
    pub message: Option<Box<str>>,
}

/// Records of one file, as a source found them.
#[derive(Debug, Default)]
pub struct RecordBatch {
    /// Where it came from.
    pub location: Location,
    /// Whether it ends its file.
    pub last: bool,
    /// The records that it covers, also those that it does not carry.
    pub account: Account,
    /// The records known to be bad.
    pub rejects: Vec<Reject>,
    records: Vec<RecordRef>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl RecordBatch {
    /// Takes a record over: `raw` as it stood in the file, whether a quote is in it,
    /// `fields` with their quotes resolved, one after the other, and the end of each.
    ///
    /// The caller keeps a batch below 4 GiB; sources end them at a few MiB.
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
        // Without quotes the raw record is its fields and the commas between them.
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

    /// Records carried.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it carries no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes of the records.
    #[must_use]
    pub fn byte_size(&self) -> usize {
        self.bytes.len()
    }

    /// Fields of all records.
    #[must_use]
    pub fn fields(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of memory that it takes, about.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.len() + size_of_val(&self.ends[..]) + size_of_val(&self.records[..])
    }

    /// The record at `index`.
    #[must_use]
    pub fn record(&self, index: usize) -> Record<'_> {
        self.resolve(&self.records[index])
    }

    /// All records carried, in the order of the file.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.records.iter().map(|at| self.resolve(at))
    }

    /// Finds the slices of a record once, not for each of its fields.
    fn resolve<'a>(&'a self, at: &'a RecordRef) -> Record<'a> {
        let ends = &self.ends[at.ends.0 as usize..][..at.ends.1 as usize];
        Record { at, ends, bytes: &self.bytes, text: &self.bytes[at.fields_at as usize..] }
    }

    /// Empties it for reuse; the buffers stay, unless one was unusually large.
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
    /// All bytes of the batch, and those from the first field on.
    bytes: &'a [u8],
    text: &'a [u8],
}

impl<'a> Record<'a> {
    /// Its place and fate.
    #[must_use]
    pub fn at(&self) -> &'a RecordRef {
        self.at
    }

    /// How many fields it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no field; the CSV reader never returns such a record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field at `index`, its quotes resolved. Panics where there is none.
    #[must_use]
    #[inline]
    pub fn field(&self, index: usize) -> &'a [u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        let shift = index * self.at.gap as usize;
        &self.text[shift + start..shift + self.ends[index] as usize]
    }

    /// The record as it stood in the file, without its line end.
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
    /// The rows as binary COPY sends them, without header and trailer.
    pub rows: BytesMut,
    /// For each row where it ends in `rows`, and which record it is.
    pub row_ends: Vec<(u32, u32)>,
    /// Records in whose row a value was rounded, in order.
    pub rounded: Vec<u32>,
    /// Sum of the rows' hashes, modulo 2^64.
    pub checksum: u64,
    /// The columns that are left out of the hashes, in their order.
    pub unhashed: Vec<usize>,
}

impl EncodedBatch {
    /// Takes records over to make rows of them; the buffers stay, unless one was unusually
    /// large.
    pub(in crate::load) fn begin(&mut self, records: RecordBatch, unhashed: &[usize]) {
        self.records = records;
        self.rows.clear();
        if self.rows.capacity() > KEPT_BYTES {
            self.rows = BytesMut::new();
        }
        self.row_ends.clear();
        self.rounded.clear();
        self.checksum = 0;
        self.unhashed.clear();
        self.unhashed.extend_from_slice(unhashed);
    }

    /// The bytes of the rows from `from` up to, not including, `to`.
    #[must_use]
    pub fn rows_between(&self, from: usize, to: usize) -> &[u8] {
        let end = |index: usize| if index == 0 { 0 } else { self.row_ends[index - 1].0 as usize };
        &self.rows[end(from)..end(to)]
    }

    /// Takes the rows of some records out, as the server refuses them, and adds
    /// them to the rejects. Records without a row here are passed over.
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

/// The hash of a row as binary COPY sends it: 64 bits, to be summed. Columns can be left
/// out, as if the row had never had them; they are given in their order.
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

/// What follows the first value of a row.
fn after_value(rest: &[u8]) -> &[u8] {
    let Some(length) = rest.first_chunk::<4>() else { return &[] };
    let bytes = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
    &rest[4 + bytes..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_found_with_and_without_quotes() {
        let mut batch = RecordBatch::default();
        let ends = [1, 1, 4].into_iter();
        batch.push((2, 10), b"a,,ccc", false, b"accc", ends, Fate::Row(None));
        let ends = [3, 4].into_iter();
        batch.push((3, 17), b"\"a,\"\"\",b", true, b"a,\"b", ends, Fate::Row(Some(7)));
        let first = batch.record(0);
        assert_eq!(
            (first.field(0), first.field(1), first.field(2)),
            (&b"a"[..], &b""[..], &b"ccc"[..])
        );
        let second = batch.record(1);
        assert_eq!((second.field(0), second.field(1)), (&b"a,\""[..], &b"b"[..]));
        assert_eq!(second.raw(), b"\"a,\"\"\",b");
        assert_eq!(second.at().fate, Fate::Row(Some(7)));
    }

    #[test]
    fn columns_are_left_out_of_the_hash_as_if_they_were_not_there() {
        let row = |values: &[Option<&[u8]>]| {
            let mut row = (values.len() as u16).to_be_bytes().to_vec();
            for value in values {
                row.extend(value.map_or(-1, |v| v.len() as i32).to_be_bytes());
                row.extend(value.unwrap_or_default());
            }
            row
        };
        let values: [Option<&[u8]>; 3] = [Some(b"ab"), None, Some(b"c")];
        for left_out in [&[0][..], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]] {
            let kept = (0..values.len()).filter(|at| !left_out.contains(at));
            let fewer: Vec<_> = kept.map(|at| values[at]).collect();
            assert_eq!(row_hash(&row(&values), left_out), row_hash(&row(&fewer), &[]));
        }
    }

    proptest! {
        #[test]
        fn every_field_comes_back(rows in prop::collection::vec(
            prop::collection::vec("[a-z,\"\n]{0,6}", 1..6), 1..20)) {
            let mut batch = RecordBatch::default();
            for row in &rows {
                let quote = |f: &String| if f.contains([',', '"', '\n']) {
                    format!("\"{}\"", f.replace('"', "\"\""))
                } else { f.clone() };
                let raw = row.iter().map(quote).collect::<Vec<_>>().join(",");
                let quoted = raw.contains('"');
                let ends: Vec<usize> = row.iter().scan(0, |sum, f| { *sum += f.len(); Some(*sum) }).collect();
                batch.push((1, 0), raw.as_bytes(), quoted, row.concat().as_bytes(), ends.into_iter(), Fate::Row(None));
            }
            for (record, row) in batch.records().zip(&rows) {
                prop_assert_eq!(record.len(), row.len());
                for (i, field) in row.iter().enumerate() {
                    prop_assert_eq!(record.field(i), field.as_bytes());
                }
            }
        }
    }
}
