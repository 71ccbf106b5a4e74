//! What a load reports: values only; how they are shown is decided elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::input::LeftOut;
use crate::load::account::Account;
use crate::load::plan::matching::ColumnUses;
use crate::load::read::map::UnmappedTaxa;

/// How many unmapped taxa are named.
const UNMAPPED_NAMED: usize = 50;
/// How many rejected records are shown.
const REJECTS_SHOWN: usize = 20;

/// What became of the records, once all were read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowsReport {
    /// All files together.
    #[serde(flatten)]
    pub account: Account,
    /// Bytes read, after decompression.
    pub bytes_read: u64,
    /// Batches that hold rows.
    pub batches: u64,
    /// From the first byte read to the last batch committed.
    pub load_seconds: f64,
    /// Where the rejected records are: the first of the files.
    pub rejects_file: Option<String>,
    /// All files of rejected records, one per format.
    #[serde(default)]
    pub rejects_files: Vec<String>,
    /// How many of the rejected records are in them.
    #[serde(default)]
    pub rejects_written: u64,
    /// Sum of the rows' hashes, as 16 hexadecimal digits.
    pub checksum: String,
    /// One per file, in the order of reading.
    pub files: Vec<FileReport>,
    /// The most frequent taxa without a species.
    pub unmapped_taxa: Vec<UnmappedTaxon>,
    /// Distinct taxa without a species, as far as they were told apart.
    pub unmapped_names: u64,
    /// Rejected records by reason.
    pub reject_reasons: BTreeMap<String, u64>,
    /// The first of the rejected records, in the order of the input.
    #[serde(default)]
    pub first_rejects: Vec<RejectedRecord>,
    /// Sum of the keys of the rejected records, to be compared with those that come back
    /// fixed.
    pub rejects_key: String,
    /// Rejects of earlier loads that are among the records.
    #[serde(default)]
    pub mends: Vec<Mended>,
    /// From a batch being encoded to its commit, in milliseconds.
    pub batch_ms: BatchLatency,
}

/// What became of one file's records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileReport {
    /// The path as given, and `/name` within an archive.
    pub path: Arc<str>,
    /// Its records.
    #[serde(flatten)]
    pub account: Account,
}

/// Rejects of an earlier load that have come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// The load that had rejected them.
    pub run_id: Uuid,
    /// How many.
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
    /// The column concerned, where it is one.
    pub column: Option<String>,
    /// Why, by the name of its reason.
    pub reason: String,
    /// The value concerned, where it is one; what is no UTF-8 in it is replaced.
    pub value: Option<String>,
    /// What else is known, such as what the server said.
    pub message: Option<String>,
}

/// A taxon without a species.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedTaxon {
    /// The name as it stands in the files.
    pub taxon: String,
    /// Records that bear it.
    pub rows: u64,
}

/// How long batches took to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchLatency {
    /// Half of the batches took no longer.
    pub p50: f64,
    /// 95 in 100 took no longer.
    pub p95: f64,
    /// 99 in 100 took no longer.
    pub p99: f64,
    /// None took longer.
    pub max: f64,
}

impl RowsReport {
    /// Names the most frequent of the unmapped taxa.
    pub fn set_unmapped(&mut self, unmapped: &UnmappedTaxa) {
        let frequent = unmapped.most_frequent(UNMAPPED_NAMED).into_iter();
        self.unmapped_taxa =
            frequent.map(|(taxon, rows)| UnmappedTaxon { taxon: taxon.to_owned(), rows }).collect();
        self.unmapped_names = unmapped.names() as u64;
    }

    /// Keeps a rejected record where it is one of the first.
    pub(super) fn show_reject(&mut self, reject: RejectedRecord) {
        let shown = &mut self.first_rejects;
        let at = shown.partition_point(|r| (r.member, r.line) < (reject.member, reject.line));
        if at < REJECTS_SHOWN {
            shown.insert(at, reject);
            shown.truncate(REJECTS_SHOWN);
        }
    }

    /// Names the files of the rejected records, and says how many are in them.
    pub fn set_rejects_files(&mut self, paths: &[PathBuf], written: u64) {
        self.rejects_files = paths.iter().map(|path| path.display().to_string()).collect();
        self.rejects_file = self.rejects_files.first().cloned();
        self.rejects_written = written;
    }
}

/// What a load did.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// Its id in the ledger.
    pub run_id: String,
    /// How far it came: `loaded`, `rejected` or `failed`.
    pub state: &'static str,
    /// The table that it wrote.
    pub staging: String,
    /// What became of the records.
    #[serde(flatten)]
    pub rows: RowsReport,
    /// What was found beside the files and not read.
    pub left_out: Vec<LeftOut>,
    /// Of the rows loaded, those that went with their species, which was deleted while
    /// the load ran.
    pub rows_cascaded: u64,
    /// The years that were asked for and of which staging has no row.
    pub years_without_rows: Vec<i32>,
    /// The whole command.
    pub seconds: f64,
    /// Matching rows with production's, where the server does.
    pub match_seconds: f64,
    /// Rows that stand for one of production; null where the server was not asked now.
    pub rows_matched: Option<u64>,
    /// Rows that stand for none.
    pub rows_new: Option<u64>,
    /// What becomes of each column of the target.
    #[serde(flatten)]
    pub columns: ColumnUses,
    /// Indexes, foreign keys and statistics.
    pub index_seconds: f64,
    /// Reading staging back.
    pub verify_seconds: f64,
    /// Rows loaded per second of `load_seconds`.
    pub rows_per_second: f64,
    /// How long the server's answer took when the load began, in milliseconds.
    pub round_trip_ms: f64,
    /// Connections for rows, at most; none where an earlier attempt had written all.
    pub writers: usize,
    /// The most memory that this process has used.
    pub peak_memory_bytes: u64,
    /// Whether staging is what was read; null where nobody asked.
    pub verified: Option<bool>,
    /// Whether an earlier attempt had begun it.
    pub resumed: bool,
}
