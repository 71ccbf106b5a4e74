//! The account: every record read ends up in exactly one of four counts.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Counts of records. Loaded, rejected, unmapped and filtered add up to the records read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Records read, without header lines.
    pub rows_read: u64,
    /// Records that became rows of staging.
    pub rows_loaded: u64,
    /// Records that could not be stored as written.
    pub rows_rejected: u64,
    /// Records whose taxon maps to no species.
    pub rows_unmapped: u64,
    /// Records of years that were not requested.
    pub rows_filtered: u64,
    /// Loaded records in which a value was rounded on request.
    pub rows_rounded: u64,
}

impl Account {
    /// Whether the four counts add up to the records read.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.rows_read
            == self.rows_loaded + self.rows_rejected + self.rows_unmapped + self.rows_filtered
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        self.rows_read += other.rows_read;
        self.rows_loaded += other.rows_loaded;
        self.rows_rejected += other.rows_rejected;
        self.rows_unmapped += other.rows_unmapped;
        self.rows_filtered += other.rows_filtered;
        self.rows_rounded += other.rows_rounded;
    }
}

/// Why a record was rejected: a closed list, part of the JSON contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A different number of fields than the header, or misplaced quotes that make the field
    /// boundaries ambiguous.
    FieldCount,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A NUL character, which PostgreSQL's text cannot hold.
    NulByte,
    /// Not a whole number.
    InvalidInteger,
    /// A number or date beyond what the column's type can hold.
    OutOfRange,
    /// Not a number.
    InvalidNumber,
    /// More decimal places, or digits of a fraction of a second, than the column keeps.
    NumericScale,
    /// More digits than the column's type keeps.
    NumericPrecision,
    /// More characters than the column keeps.
    ValueTooLong,
    /// No value for a column that is NOT NULL.
    MissingRequired,
    /// A taxon that maps to no species, if the user asked to reject those.
    UnmappedTaxon,
    /// Rejected by the server: a CHECK, a unique key, a foreign key.
    Constraint,
    /// Not a boolean in a form that PostgreSQL accepts.
    InvalidBoolean,
    /// Not a date of the form 2024-12-31.
    InvalidDate,
    /// Not a time with an offset, of the form 2024-12-31T23:59:59Z.
    InvalidTimestamp,
    /// Not a UUID.
    InvalidUuid,
    /// Longer than the maximum size of a record.
    RecordTooLong,
}

impl Reason {
    /// The name used in JSON and in the reject file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reason::FieldCount => "field_count",
            Reason::InvalidUtf8 => "invalid_utf8",
            Reason::NulByte => "nul_byte",
            Reason::InvalidInteger => "invalid_integer",
            Reason::OutOfRange => "out_of_range",
            Reason::InvalidNumber => "invalid_number",
            Reason::NumericScale => "numeric_scale",
            Reason::NumericPrecision => "numeric_precision",
            Reason::ValueTooLong => "value_too_long",
            Reason::MissingRequired => "missing_required",
            Reason::UnmappedTaxon => "unmapped_taxon",
            Reason::Constraint => "constraint",
            Reason::InvalidBoolean => "invalid_boolean",
            Reason::InvalidDate => "invalid_date",
            Reason::InvalidTimestamp => "invalid_timestamp",
            Reason::InvalidUuid => "invalid_uuid",
            Reason::RecordTooLong => "record_too_long",
        }
    }
}
