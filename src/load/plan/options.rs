//! What a load is asked to do, validated.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::load::encode::OnInexact;
use crate::load::plan::matching::MatchOptions;
use crate::load::read::map::{OnUnmapped, Years};
use crate::pg::Table;

/// What a load is asked to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The table whose staging table is loaded.
    pub table: Table,
    /// Files, folders, globs, or `-`.
    pub inputs: Vec<String>,
    /// How they are read.
    pub read: ReadOptions,
    /// The years to load.
    pub years: Years,
    /// Records per batch at most; each batch is a transaction.
    pub batch_rows: usize,
    /// Threads that encode.
    pub workers: usize,
    /// Connections that write, build indexes and read back; by default as many as suit the
    /// machine, the server and the distance between them.
    pub connections: Option<usize>,
    /// For how long nothing may come or go before sterna asks whether a line has stalled.
    pub stall_timeout: Duration,
    /// What to do with taxa that map to no species.
    pub on_unmapped: OnUnmapped,
    /// What to do with values that do not fit exactly.
    pub on_inexact: OnInexact,
    /// A file of further names of species.
    pub synonyms: Option<PathBuf>,
    /// A file of formats in place of the built-in ones.
    pub mapping: Option<PathBuf>,
    /// How rows are matched with production's.
    pub matching: MatchOptions,
    /// How many rejects are accepted.
    pub max_rejects: MaxRejects,
    /// Where rejected records go.
    pub rejects: Option<PathBuf>,
    /// Go on with an unfinished load.
    pub resume: bool,
    /// Add to what staging holds: the fixed rejects of the load before.
    pub append: bool,
    /// Read staging back and compare.
    pub verify: bool,
    /// Have the indexes in place while rows are loaded.
    pub keep_indexes: bool,
}

impl LoadOptions {
    /// All years of `inputs`, by the defaults of the command line: a thread per core to
    /// encode.
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
        }
    }

    /// Connections for what the server does by itself: one per core, and four at most.
    #[must_use]
    pub fn server_connections(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.connections.unwrap_or(cores.min(4))
    }

    /// For the ledger: what was asked for, which holds no secret.
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
        })
    }

    /// The options that decide what the rows are: a resumed load must have the same.
    #[must_use]
    pub fn decisive(&self) -> Value {
        let mut decisive = json!({
            "years": self.years,
            "batch_size": self.batch_rows,
            "on_unmapped": self.on_unmapped,
            "on_inexact": self.on_inexact,
            "append": self.append,
        });
        // Only what was asked for: a run that began before this could be asked goes on.
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

/// How inputs are read, by whatever command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Folders with the folders in them.
    pub recursive: bool,
    /// Bytes that a record may have; it is held in memory.
    pub max_record_bytes: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { recursive: false, max_record_bytes: 16 << 20 }
    }
}

/// How many rejects are accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MaxRejects {
    /// A number of records.
    Rows(u64),
    /// A percentage of the records read.
    Percent(f64),
}

impl MaxRejects {
    /// Whether that many rejects among that many records are more than accepted.
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
