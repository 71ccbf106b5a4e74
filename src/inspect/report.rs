//! What an inspection reports: values only; how they are shown is decided elsewhere.

use std::collections::BTreeMap;

use serde::Serialize;

use super::verdict::{PolicyReport, Verdict};
use crate::input::LeftOut;
use crate::load::account::{Account, Reason};
use crate::load::{ColumnUses, OnInexact};

/// What files hold against a table.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct InspectReport {
    /// Whether they can be loaded, and how.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The table that they are meant for.
    pub target: String,
    /// What becomes of each column of the target.
    #[serde(flatten)]
    pub columns: ColumnUses,
    /// The policy that the account is for: the one asked for, else `reject`.
    pub on_inexact: OnInexact,
    /// What would become of the records under that policy.
    #[serde(flatten)]
    pub account: Account,
    /// What would become of them under each.
    pub policies: Vec<PolicyReport>,
    /// Bytes read, after decompression.
    pub bytes_read: u64,
    /// The whole command.
    pub seconds: f64,
    /// From the first byte read to the last record judged.
    pub read_seconds: f64,
    /// The most memory that this process has used.
    pub peak_memory_bytes: u64,
    /// One per file, in the order of reading.
    pub files: Vec<InspectedFile>,
    /// What was found beside them and not read.
    pub left_out: Vec<LeftOut>,
    /// Mapped records by year, all files together.
    pub years: BTreeMap<i32, u64>,
    /// The species that records map to, most records first.
    pub species: Vec<TaxonReport>,
    /// The species of the database that no record maps to.
    pub species_without_rows: Vec<String>,
    /// Distinct taxa without a species, as far as they were told apart.
    pub unmapped_names: u64,
    /// The most frequent taxa without a species.
    pub unmapped_taxa: Vec<UnmappedReport>,
    /// Taxa without a species whose name is nearly that of one, most records first.
    pub near_misses: Vec<UnmappedReport>,
    /// Values that do not fit, by column and reason.
    pub misfits: Vec<MisfitReport>,
    /// Codes that are not on the lists of CITES. They would be loaded as they are.
    pub unlisted_codes: Vec<CodeReport>,
    /// Cells with unlisted codes beyond those named.
    pub unlisted_codes_unnamed: u64,
}

/// What one file holds.
#[derive(Clone, Debug, Serialize)]
pub struct InspectedFile {
    /// The path as given, and `/name` within an archive.
    pub path: String,
    /// What its header says it is.
    pub layout: String,
    /// What would become of its records.
    #[serde(flatten)]
    pub account: Account,
    /// Its mapped records by year.
    pub years: BTreeMap<i32, u64>,
}

/// A species that records map to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaxonReport {
    /// Its name as the database has it.
    pub taxon: String,
    /// Records that map to it.
    pub rows: u64,
    /// The first year of them.
    pub first_year: Option<i32>,
    /// The last.
    pub last_year: Option<i32>,
    /// How the files write its name, where otherwise.
    pub spellings: Vec<String>,
}

/// A taxon without a species.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnmappedReport {
    /// The name as it stands in the files.
    pub taxon: String,
    /// Records that bear it.
    pub rows: u64,
    /// Species whose names are nearly the same, nearest first.
    pub near_misses: Vec<String>,
}

/// Values that do not fit, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MisfitReport {
    /// The column; null where the record is wrong as a whole.
    pub column: Option<String>,
    /// Its type as SQL writes it.
    pub sql_type: Option<String>,
    /// What is wrong.
    pub reason: Reason,
    /// Such values.
    pub values: u64,
    /// Those that `round` would take.
    pub fit_with_round: u64,
    /// Those that `widen` would take.
    pub fit_with_widen: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The value, or what is wrong with the record; cut where it is long.
    pub value: String,
}

/// A code that is not on its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CodeReport {
    /// The column that it is for.
    pub column: String,
    /// The code as it stands in the files.
    pub code: String,
    /// Mapped records that bear it.
    pub rows: u64,
    /// The file where it stands first.
    pub path: String,
    /// The line there.
    pub line: u64,
}
