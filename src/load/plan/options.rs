//! Options of a load, validated.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::load::encode::OnInexact;
use crate::load::plan::matching::MatchOptions;
use crate::load::read::map::{OnUnmapped, Years};
use crate::pg::Table;

/// Options of a load.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The table whose staging table is loaded.
    pub table: Table,
    /// Files, folders, globs, or `-`.
    pub inputs: Vec<String>,
    /// How the inputs are read.
    pub read: ReadOptions,
    /// The years to load.
    pub years: Years,
    /// The maximum number of records per batch; each batch is a transaction.
    pub batch_rows: usize,
    /// The number of threads that encode.
    pub workers: usize,
    /// The number of connections that write, build indexes and read back; by default chosen
    /// by the machine, the server and the round trip between them.
    pub connections: Option<usize>,
    /// How long a connection may be silent before sterna checks whether it has stalled.
    pub stall_timeout: Duration,
    /// What to do with taxa that map to no species.
    pub on_unmapped: OnUnmapped,
    /// What to do with values that do not fit exactly.
    pub on_inexact: OnInexact,
    /// A file of synonyms for species names.
    pub synonyms: Option<PathBuf>,
    /// A file of formats that replaces the built-in ones.
    pub mapping: Option<PathBuf>,
    /// How rows are matched with production.
    pub matching: MatchOptions,
    /// The accepted number of rejects.
    pub max_rejects: MaxRejects,
    /// The file for rejected records.
    pub rejects: Option<PathBuf>,
    /// Resume an unfinished load.
    pub resume: bool,
    /// Append to the rows in staging, such as the fixed rejects of the previous load.
    pub append: bool,
    /// Read staging back and compare it with what was sent.
    pub verify: bool,
    /// Keep the indexes in place while rows are loaded.
    pub keep_indexes: bool,
    /// The words of the command line to repeat when it is resumed.
    pub typed: Vec<String>,
}

impl LoadOptions {
    /// Returns the defaults of the command line: all years of `inputs`, and one encoding
    /// thread per core.
    #[must_use]
    pub fn new(table: Table, inputs: Vec<String>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        LoadOptions {
            table,
            inputs,
            read: ReadOptions::default(),
            years: Years::default(),
            batch_rows: 10_000,
            workers: cores,
            connections: None,
            stall_timeout: Duration::from_secs(300),
            on_unmapped: OnUnmapped::Skip,
            on_inexact: OnInexact::Reject,
            synonyms: None,
            mapping: None,
            matching: MatchOptions::default(),
            max_rejects: MaxRejects::Rows(0),
            rejects: None,
            resume: false,
            append: false,
            verify: false,
            keep_indexes: false,
            typed: Vec::new(),
        }
    }

    /// The number of connections for work on the server: as requested, or one per core, at
    /// most four.
    #[must_use]
    pub fn server_connections(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.connections.unwrap_or(cores.min(4))
    }

    /// The arguments for the ledger, without secrets.
    #[must_use]
    pub fn arguments(&self) -> Value {
        json!({
            "inputs": self.inputs,
            "recursive": self.read.recursive,
            "max_record_bytes": self.read.max_record_bytes,
            "years": self.years,
            "batch_size": self.batch_rows,
            "workers": self.workers,
            "connections": self.connections,
            "on_unmapped": self.on_unmapped,
            "on_inexact": self.on_inexact,
            "synonyms": self.synonyms,
            "mapping": self.mapping,
            "match": self.matching.by,
            "unfilled": self.matching.unfilled,
            "max_rejects": self.max_rejects.to_string(),
            "append": self.append,
            "verify": self.verify,
            "keep_indexes": self.keep_indexes,
            "typed": self.typed,
        })
    }

    /// The options that determine the rows: a resumed load must have the same.
    #[must_use]
    pub fn decisive(&self) -> Value {
        let mut decisive = json!({
            "years": self.years,
            "batch_size": self.batch_rows,
            "on_unmapped": self.on_unmapped,
            "on_inexact": self.on_inexact,
            "append": self.append,
        });
        // Only non-default values, so that runs from before these options can be resumed.
        if self.keep_indexes {
            decisive["keep_indexes"] = json!(true);
        }
        if self.matching != MatchOptions::default() {
            decisive["match"] = json!(self.matching.by);
            decisive["unfilled"] = json!(self.matching.unfilled);
        }
        let most = self.read.max_record_bytes;
        if most != ReadOptions::default().max_record_bytes {
            decisive["max_record_bytes"] = json!(most);
        }
        decisive
    }
}

/// How inputs are read, in every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Read subfolders too.
    pub recursive: bool,
    /// The maximum size of a record in bytes; a record is held in memory.
    pub max_record_bytes: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { recursive: false, max_record_bytes: 16 << 20 }
    }
}

/// The accepted number of rejects.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MaxRejects {
    /// A number of records.
    Rows(u64),
    /// A percentage of the records read.
    Percent(f64),
}

impl MaxRejects {
    /// Whether `rejected` out of `read` records exceed the limit.
    #[must_use]
    pub fn exceeded(self, rejected: u64, read: u64) -> bool {
        match self {
            MaxRejects::Rows(most) => rejected > most,
            MaxRejects::Percent(most) => rejected as f64 * 100.0 > most * read as f64,
        }
    }
}

impl std::fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MaxRejects::Rows(most) => write!(f, "{most}"),
            MaxRejects::Percent(most) => write!(f, "{most}%"),
        }
    }
}

impl FromStr for MaxRejects {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad =
            || Error::usage(format!("{text:?} is neither a number of records nor a percentage"));
        match text.strip_suffix('%') {
            Some(percent) => {
                let most: f64 = percent.trim().parse().map_err(|_| bad())?;
                if (0.0..=100.0).contains(&most) {
                    Ok(MaxRejects::Percent(most))
                } else {
                    Err(bad())
                }
            }
            None => Ok(MaxRejects::Rows(text.trim().parse().map_err(|_| bad())?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_counts_or_shares() {
        let limit = |text: &str| text.parse::<MaxRejects>().unwrap();
        assert!(limit("0").exceeded(1, 100) && !limit("0").exceeded(0, 100));
        assert!(!limit("5").exceeded(5, 5) && limit("5").exceeded(6, 1000));
        assert!(!limit("12.7%").exceeded(127, 1000) && limit("12.7%").exceeded(128, 1000));
        assert!(!limit("0%").exceeded(0, 0));
        for bad in ["", "-1", "x", "101%", "-1%", "NaN%", "%"] {
            assert!(bad.parse::<MaxRejects>().is_err(), "{bad:?}");
        }
    }
}
