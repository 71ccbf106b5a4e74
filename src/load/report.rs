//! The report of a load: plain values, rendered elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::input::LeftOut;
use crate::load::account::Account;
use crate::load::plan::matching::ColumnUses;
use crate::load::read::map::UnmappedTaxa;

/// The maximum number of unmapped taxa listed.
const UNMAPPED_NAMED: usize = 50;
/// The maximum number of rejected records shown.
const REJECTS_SHOWN: usize = 20;

/// The outcome for all records, once every one has been read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowsReport {
    /// Counts for all files together.
    #[serde(flatten)]
    pub account: Account,
    /// Bytes read, after decompression.
    pub bytes_read: u64,
    /// Bytes of rows sent to the server, without those of an earlier attempt.
    #[serde(default)]
    pub bytes_sent: u64,
    /// Batches with at least one row.
    pub batches: u64,
    /// Seconds from the first byte read to the last batch committed.
    pub load_seconds: f64,
    /// The first of the files with rejected records.
    pub rejects_file: Option<String>,
    /// All files with rejected records, one per format.
    #[serde(default)]
    pub rejects_files: Vec<String>,
    /// The number of rejected records written to them.
    #[serde(default)]
    pub rejects_written: u64,
    /// Sum of the rows' hashes, as 16 hexadecimal digits.
    pub checksum: String,
    /// One entry per file, in reading order.
    pub files: Vec<FileReport>,
    /// The most frequent taxa without a species.
    pub unmapped_taxa: Vec<UnmappedTaxon>,
    /// The number of distinct taxa without a species, up to the limit of names kept in memory.
    pub unmapped_names: u64,
    /// Rejected records by reason.
    pub reject_reasons: BTreeMap<String, u64>,
    /// The first rejected records, in input order.
    #[serde(default)]
    pub first_rejects: Vec<RejectedRecord>,
    /// Sum of the keys of the rejected records, to be compared with that of the fixed rejects
    /// that are loaded later.
    pub rejects_key: String,
    /// Rejects of earlier loads among the records read.
    #[serde(default)]
    pub mends: Vec<Mended>,
    /// Time to send the rows of a batch and commit it, in milliseconds.
    pub batch_ms: BatchLatency,
}

/// The outcome for the records of one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileReport {
    /// The path as given, followed by `/name` for a member of an archive.
    pub path: Arc<str>,
    /// The counts of its records.
    #[serde(flatten)]
    pub account: Account,
}

/// Rejects of an earlier load that this load reads again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// The load that rejected them.
    pub run_id: Uuid,
    /// Their number.
    pub rows: u64,
    /// Sum of their keys, as 16 hexadecimal digits.
    pub key: String,
}

/// A record that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRecord {
    /// Index of its file.
    #[serde(skip)]
    pub(super) member: usize,
    /// Its file.
    pub file: String,
    /// The line where it begins.
    pub line: u64,
    /// The affected column, if the fault lies in one.
    pub column: Option<String>,
    /// The name of the reason.
    pub reason: String,
    /// The affected value, if the fault lies in one; invalid UTF-8 is replaced.
    pub value: Option<String>,
    /// Further details, such as the server's message.
    pub message: Option<String>,
}

/// A taxon without a species.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedTaxon {
    /// The name as written in the files.
    pub taxon: String,
    /// The number of records with it.
    pub rows: u64,
}

/// How long it took to write a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchLatency {
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}

impl RowsReport {
    /// Sets the most frequent unmapped taxa.
    pub fn set_unmapped(&mut self, unmapped: &UnmappedTaxa) {
        let frequent = unmapped.most_frequent(UNMAPPED_NAMED).into_iter();
        self.unmapped_taxa =
            frequent.map(|(taxon, rows)| UnmappedTaxon { taxon: taxon.to_owned(), rows }).collect();
        self.unmapped_names = unmapped.names() as u64;
    }

    /// Keeps a rejected record if it is one of the first.
    pub(super) fn show_reject(&mut self, reject: RejectedRecord) {
        let shown = &mut self.first_rejects;
        let at = shown.partition_point(|r| (r.member, r.line) < (reject.member, reject.line));
        if at < REJECTS_SHOWN {
            shown.insert(at, reject);
            shown.truncate(REJECTS_SHOWN);
        }
    }

    /// Sets the files with rejected records and the number of records written to them.
    pub fn set_rejects_files(&mut self, paths: &[PathBuf], written: u64) {
        self.rejects_files = paths.iter().map(|path| path.display().to_string()).collect();
        self.rejects_file = self.rejects_files.first().cloned();
        self.rejects_written = written;
    }
}

/// The report of a load.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// Its id in the ledger.
    pub run_id: String,
    /// The final state: `loaded`, `rejected` or `failed`.
    pub state: &'static str,
    /// The staging table.
    pub staging: String,
    /// The outcome for the records.
    #[serde(flatten)]
    pub rows: RowsReport,
    /// Files that were found but not read.
    pub left_out: Vec<LeftOut>,
    /// Loaded rows that were deleted again because their species was deleted while the load
    /// ran.
    pub rows_cascaded: u64,
    /// The requested years without a row in staging.
    pub years_without_rows: Vec<i32>,
    /// Seconds for the whole command.
    pub seconds: f64,
    /// Seconds for matching rows with production on the server.
    pub match_seconds: f64,
    /// Rows that match a row of production; null unless the server matched rows in this run.
    pub rows_matched: Option<u64>,
    /// Rows without a match; null in the same case.
    pub rows_new: Option<u64>,
    /// How each column of the target gets its values.
    #[serde(flatten)]
    pub columns: ColumnUses,
    /// Seconds for indexes, foreign keys and statistics.
    pub index_seconds: f64,
    /// Seconds for reading staging back.
    pub verify_seconds: f64,
    /// Rows loaded per second of `load_seconds`.
    pub rows_per_second: f64,
    /// The round trip to the server, measured when the load began, in milliseconds.
    pub round_trip_ms: f64,
    /// Bytes sent per second of `load_seconds`, over all connections together; null if an earlier
    /// attempt sent all rows. The line may carry more.
    pub line_bytes_per_second: Option<f64>,
    /// The maximum number of connections that write rows; 0 if an earlier attempt wrote all.
    pub writers: usize,
    /// The peak memory of this process.
    pub peak_memory_bytes: u64,
    /// Whether staging equals what was read; null if not requested.
    pub verified: Option<bool>,
    /// Whether this run resumed an earlier attempt.
    pub resumed: bool,
}
