//! The report of an inspection: plain values, rendered elsewhere.

use std::collections::BTreeMap;

use serde::Serialize;

use super::verdict::{PolicyReport, Verdict};
use crate::input::LeftOut;
use crate::load::account::{Account, Reason};
use crate::load::{ColumnUses, OnInexact};

/// The report of an inspection.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct InspectReport {
    /// Whether the files can be loaded, and how.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The table that they are to be loaded into.
    pub target: String,
    /// How each column of the target gets its values.
    #[serde(flatten)]
    pub columns: ColumnUses,
    /// The policy behind `account`: the requested one, or `reject`.
    pub on_inexact: OnInexact,
    /// The outcome for the records under that policy.
    #[serde(flatten)]
    pub account: Account,
    /// The outcome under each policy.
    pub policies: Vec<PolicyReport>,
    /// Bytes read, after decompression.
    pub bytes_read: u64,
    /// Seconds for the whole command.
    pub seconds: f64,
    /// Seconds from the first byte read to the last record examined.
    pub read_seconds: f64,
    /// The peak memory of this process.
    pub peak_memory_bytes: u64,
    /// One entry per file, in reading order.
    pub files: Vec<InspectedFile>,
    /// Files that were found but not read.
    pub left_out: Vec<LeftOut>,
    /// Mapped records by year, all files together.
    pub years: BTreeMap<i32, u64>,
    /// The species that records map to, most records first.
    pub species: Vec<TaxonReport>,
    /// The species in the database that no record maps to.
    pub species_without_rows: Vec<String>,
    /// The number of distinct taxa without a species, up to the limit of names kept in memory.
    pub unmapped_names: u64,
    /// The most frequent taxa without a species.
    pub unmapped_taxa: Vec<UnmappedReport>,
    /// Taxa without a species whose name is close to that of one, most records first.
    pub near_misses: Vec<UnmappedReport>,
    /// Values that do not fit, by column and reason.
    pub misfits: Vec<MisfitReport>,
    /// Codes that are not on the CITES lists. They would be loaded unchanged.
    pub unlisted_codes: Vec<CodeReport>,
    /// Cells with unlisted codes other than those in `unlisted_codes`.
    pub unlisted_codes_unnamed: u64,
}

/// The findings for one file.
#[derive(Clone, Debug, Serialize)]
pub struct InspectedFile {
    /// The path as given, followed by `/name` for a member of an archive.
    pub path: String,
    /// Its format, identified by the header.
    pub layout: String,
    /// The outcome for its records.
    #[serde(flatten)]
    pub account: Account,
    /// Its mapped records by year.
    pub years: BTreeMap<i32, u64>,
}

/// A species that records map to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaxonReport {
    /// Its name in the database.
    pub taxon: String,
    /// The number of records that map to it.
    pub rows: u64,
    /// Their first year.
    pub first_year: Option<i32>,
    /// Their last year.
    pub last_year: Option<i32>,
    /// Other spellings of its name in the files.
    pub spellings: Vec<String>,
}

/// A taxon without a species.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnmappedReport {
    /// The name as written in the files.
    pub taxon: String,
    /// The number of records with it.
    pub rows: u64,
    /// Species with nearly the same name, closest first.
    pub near_misses: Vec<String>,
}

/// Values that do not fit, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MisfitReport {
    /// The column; null if the record as a whole is wrong.
    pub column: Option<String>,
    /// Its SQL type.
    pub sql_type: Option<String>,
    /// Why they do not fit.
    pub reason: Reason,
    /// The number of such values.
    pub values: u64,
    /// The number of them that `round` would accept.
    pub fit_with_round: u64,
    /// The number of them that `widen` would accept.
    pub fit_with_widen: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The value, or what is wrong with the record; truncated if long.
    pub value: String,
}

/// A code that is not on its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CodeReport {
    /// The column.
    pub column: String,
    /// The code as written in the files.
    pub code: String,
    /// The number of mapped records with it.
    pub rows: u64,
    /// The file where it occurs first.
    pub path: String,
    /// The line of that occurrence.
    pub line: u64,
}
