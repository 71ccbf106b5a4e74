//! Encodes records as rows of PostgreSQL's binary COPY format, without rounding (unless
//! asked), truncating or guessing.
//!
//! A row is a 16-bit count of columns, then for each a 32-bit length (-1 for NULL)
//! and the value's binary form. Rows go into one buffer per batch, by hand: the
//! driver's own writer calls a trait object per value and flushes every 4 KiB.

mod numeric;
mod rows;
mod scalar;

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

pub(crate) use scalar::parse_integer;

use self::numeric::Decimal;
use self::rows::Rows;
use crate::cites::{Layout, Taxa};
use crate::load::account::Reason;
use crate::load::plan::row_id::RowIds;
use crate::load::read::batch::{EncodedBatch, Fate, Record, RecordBatch, Reject, row_hash};
use crate::pg::ColumnType;

/// The start of a binary COPY stream: signature, flags and an empty extension.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The end of a binary COPY stream.
pub const TRAILER: &[u8] = &[0xff, 0xff];

/// What to do with a value that the column cannot hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnInexact {
    /// Reject the record.
    Reject,
    /// Round half away from zero, as PostgreSQL does, and count it.
    Round,
    /// Make the staging column plain `numeric`, which holds every decimal.
    Widen,
}

/// Where the value of a column comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The field at this index.
    Field(usize),
    /// The row id that sterna makes.
    RowId,
    /// The id of the species found.
    Lookup,
    /// NULL: this file's format has no such field.
    Absent,
}

/// A column of the target, as one file format fills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnPlan {
    /// Where the value comes from.
    pub origin: Origin,
    /// The type of the column.
    pub kind: ColumnType,
    /// Whether the column rejects NULL.
    pub not_null: bool,
}

/// How records of one file format become rows.
#[derive(Clone, Debug)]
pub struct RowPlan {
    /// Where the format's fields are in its file.
    pub layout: Layout,
    /// One entry per column of the COPY statement, in its order.
    pub columns: Vec<ColumnPlan>,
    /// The field of the record id and the type of its column, where the format has one.
    pub record_id: Option<(usize, ColumnType)>,
    /// The columns that are left out of the row hashes, in ascending order.
    pub unhashed: Vec<usize>,
}

/// Turns batches of records into batches of rows; one per worker thread.
pub struct Encoder<'a> {
    taxa: &'a Taxa,
    row_ids: &'a RowIds,
    round: bool,
    decimal: Decimal,
    /// The value being encoded.
    value: BytesMut,
}

/// A value that cannot be stored as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Misfit {
    reason: Reason,
    field: Option<usize>,
}

impl<'a> Encoder<'a> {
    /// Creates an encoder, which rounds if `on_inexact` says so.
    #[must_use]
    pub fn new(taxa: &'a Taxa, row_ids: &'a RowIds, on_inexact: OnInexact) -> Self {
        let round = on_inexact == OnInexact::Round;
        let (decimal, value) = (Decimal::default(), BytesMut::new());
        Encoder { taxa, row_ids, round, decimal, value }
    }

    /// Encodes `records` into `out`, which is cleared first and keeps its buffers.
    ///
    /// `member_key` identifies the file, for row ids made from the place of a record.
    pub fn encode(
        &mut self,
        plan: &RowPlan,
        member_key: &[u8],
        records: RecordBatch,
        out: &mut EncodedBatch,
    ) {
        out.begin(records, &plan.unhashed);
        let mut rejects = Vec::new();
        // Most columns are text, where only NUL is invalid: check all of them at once.
        let clean = !out.records.contains(0);
        let mut rows = Rows::new(&mut out.rows);
        for (index, record) in out.records.records().enumerate() {
            let Fate::Row(species) = record.at().fate else {
                continue;
            };
            let start = rows.len();
            match self.encode_row(plan, member_key, (record, clean), species, &mut rows) {
                Ok(rounded) => {
                    if rounded {
                        out.rounded.push(index as u32);
                    }
                    let hash = row_hash(rows.written_since(start), &plan.unhashed);
                    out.checksum = out.checksum.wrapping_add(hash);
                    out.row_ends.push((rows.len() as u32, index as u32));
                }
                Err(Misfit { reason, field }) => {
                    rows.go_back(start);
                    rejects.push(Reject { record: index as u32, reason, field, message: None });
                }
            }
        }
        rows.end();
        out.records.rejects.append(&mut rejects);
        out.records.account.rows_rounded = out.rounded.len() as u64;
        out.records.account.rows_loaded = out.row_ends.len() as u64;
        out.records.account.rows_rejected = out.records.rejects.len() as u64;
    }

    /// Appends one row; returns whether a value was rounded. `clean` says that the record has no
    /// NUL. After an error, the caller has to drop what the row has so far.
    fn encode_row(
        &mut self,
        plan: &RowPlan,
        member_key: &[u8],
        (record, clean): (Record<'_>, bool),
        species: Option<u32>,
        rows: &mut Rows<'_>,
    ) -> Result<bool, Misfit> {
        let mut rounded = false;
        rows.begin(plan.columns.len());
        for column in &plan.columns {
            let field = match column.origin {
                Origin::Field(index) => index,
                Origin::RowId => {
                    let record_id = plan
                        .record_id
                        .map(|(field, kind)| self.canonical(kind, record.field(field)));
                    let place = (member_key, record.at().byte_offset);
                    let id = self.row_ids.row_id(record_id.as_deref(), place);
                    rows.put_array(id.as_bytes());
                    continue;
                }
                Origin::Lookup => match species {
                    Some(index) => {
                        rows.put_array(self.taxa.species(index).id.as_bytes());
                        continue;
                    }
                    None => {
                        let field = plan.layout.lookup;
                        return Err(Misfit { reason: Reason::UnmappedTaxon, field });
                    }
                },
                Origin::Absent if column.not_null => {
                    return Err(Misfit { reason: Reason::MissingRequired, field: None });
                }
                Origin::Absent => {
                    rows.put_null();
                    continue;
                }
            };
            let (bytes, length) = record.field_onwards(field);
            if length == 0 {
                if column.not_null {
                    return Err(Misfit { reason: Reason::MissingRequired, field: Some(field) });
                }
                rows.put_null();
            } else if clean && matches!(column.kind, ColumnType::Text) {
                rows.put(bytes, length);
            } else {
                let mut value = std::mem::take(&mut self.value);
                value.clear();
                let put = self.put_value(column.kind, &bytes[..length], &mut value);
                rows.put(&value, value.len());
                self.value = value;
                rounded |= put.map_err(|reason| Misfit { reason, field: Some(field) })?;
            }
        }
        Ok(rounded)
    }

    /// The canonical text of a record id, the same for all spellings of a value: `12` for
    /// `0012`.
    fn canonical<'r>(&mut self, kind: ColumnType, text: &'r [u8]) -> Cow<'r, [u8]> {
        let canonical = match kind {
            ColumnType::Text | ColumnType::Varchar(_) => return Cow::Borrowed(text),
            ColumnType::Char(_) => return Cow::Borrowed(scalar::unpadded(text)),
            ColumnType::SmallInt | ColumnType::Integer | ColumnType::BigInt => {
                parse_integer::<i64>(text).map(|number| number.to_string().into_bytes())
            }
            ColumnType::Uuid => scalar::uuid(text).map(|id| id.to_string().into_bytes()),
            ColumnType::Numeric(_) => self.decimal.parse(text).and_then(|()| self.decimal.plain()),
            _ => {
                let mut value = BytesMut::new();
                self.put_value(kind, text, &mut value).map(|_| value.to_vec())
            }
        };
        // Text that is not a valid value is rejected later, with its own column.
        canonical.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Checks whether a field's text can be stored in a column.
    ///
    /// # Errors
    /// The reason if it cannot.
    pub fn check(&mut self, column: &ColumnPlan, text: &[u8]) -> Result<(), Reason> {
        if text.is_empty() {
            return if column.not_null { Err(Reason::MissingRequired) } else { Ok(()) };
        }
        self.put_value(column.kind, text, &mut BytesMut::new()).map(|_| ())
    }

    /// Appends one value; returns whether it was rounded.
    fn put_value(
        &mut self,
        kind: ColumnType,
        text: &[u8],
        out: &mut BytesMut,
    ) -> Result<bool, Reason> {
        match kind {
            ColumnType::Text => scalar::put_text(text, None, out)?,
            ColumnType::Varchar(limit) => scalar::put_text(text, Some(limit), out)?,
            // Trailing blanks are not part of the value: the server pads it.
            ColumnType::Char(length) => {
                scalar::put_text(scalar::unpadded(text), Some(length), out)?
            }
            ColumnType::Integer => out.put_i32(parse_integer(text)?),
            ColumnType::SmallInt => out.put_i16(parse_integer(text)?),
            ColumnType::BigInt => out.put_i64(parse_integer(text)?),
            ColumnType::Numeric(to) => {
                if let Some(rounded) = numeric::put_amount(text, to, self.round, out) {
                    return Ok(rounded);
                }
                self.decimal.parse(text)?;
                let rounded = match to {
                    Some(to) => self.decimal.fit(to, self.round)?,
                    None => self.decimal.fit_any().map(|()| false)?,
                };
                self.decimal.put(out);
                return Ok(rounded);
            }
            ColumnType::Real => {
                let (value, inexact) = scalar::float::<f32>(text, |v| v.is_finite())?;
                out.put_f32(value);
                return self.accept(inexact, Reason::NumericPrecision);
            }
            ColumnType::Double => {
                let (value, inexact) = scalar::float::<f64>(text, |v| v.is_finite())?;
                out.put_f64(value);
                return self.accept(inexact, Reason::NumericPrecision);
            }
            ColumnType::Boolean => out.put_u8(u8::from(scalar::boolean(text)?)),
            ColumnType::Date => out.put_i32(scalar::date(text)?),
            ColumnType::Timestamptz(digits) => {
                let (micros, inexact) = scalar::timestamptz(text, digits)?;
                out.put_i64(micros);
                return self.accept(inexact, Reason::NumericScale);
            }
            ColumnType::Uuid => out.put_slice(scalar::uuid(text)?.as_bytes()),
        }
        Ok(false)
    }

    fn accept(&self, inexact: bool, reason: Reason) -> Result<bool, Reason> {
        if inexact && !self.round { Err(reason) } else { Ok(inexact) }
    }
}

#[cfg(test)]
mod tests;
