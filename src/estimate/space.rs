//! The space that a migration takes on the server, step by step, before it begins.
//!
//! Staging will be as large per row as production is. WAL is a figure of its own: how much of it
//! a server keeps, and for how long, is up to the server.

use serde::Serialize;

use super::size;
use crate::error::Result;
use crate::pg::Connection;

/// Copies of the rows that matching on the server needs beside staging: what they matched, the
/// rows written again, and what the server sorts.
const MATCHING_COPIES: u64 = 3;

/// What the space follows from. All sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// The database.
    database: u64,
    /// The table with its indexes.
    table: u64,
    /// The rows with their primary key, which the backup table holds; 0 if none is made.
    backup_table: u64,
    /// The number of rows of the table, by its statistics.
    rows: Option<u64>,
    /// The rows.
    heap: u64,
    /// The indexes.
    indexes: u64,
    /// Those that are not sorted in memory.
    #[serde(skip)]
    sorted: u64,
    /// The WAL that a server keeps until the next checkpoint, about.
    max_wal_size: u64,
    /// Whether the server keeps WAL for longer, for an archive or a replication slot.
    keeps_wal: bool,
    /// Whether the server matches the rows with production; null if that is not known yet.
    matches_rows: Option<bool>,
}

/// What a step takes on the server, in bytes; null if it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StepSpace {
    /// What it adds to the database, and leaves there.
    pub bytes_added: Option<u64>,
    /// What it frees.
    pub bytes_freed: Option<u64>,
    /// What it needs besides, until it ends, at most.
    pub temporary_bytes: Option<u64>,
    /// The WAL that it writes, at most.
    pub wal_bytes: Option<u64>,
    /// What these are based on, and what is left out.
    pub space_from: String,
}

/// The most that the steps of a migration take at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpacePeak {
    /// The bytes added to the database, without WAL; null if they are not known.
    pub peak_bytes: Option<u64>,
    /// The step in which they are.
    pub peak_step: Option<&'static str>,
    /// The WAL that all steps write, at most.
    pub wal_bytes: Option<u64>,
    /// What of it the server keeps at a time.
    pub wal_kept: String,
    /// What the peak is based on.
    pub peak_from: String,
}

impl Sizes {
    /// Reads the sizes of this database and of a table in it.
    ///
    /// # Errors
    /// If the server cannot be queried.
    pub async fn read(session: &Connection, oid: u32) -> Result<Self> {
        let row = session.query_one(include_str!("../../sql/estimate/sizes.sql"), &[&oid]).await?;
        let bytes = |at: usize| row.get::<_, i64>(at).unsigned_abs();
        let [database, heap, key, indexes, sorted, max_wal_size] = [0, 2, 3, 4, 5, 6].map(bytes);
        let rows: f64 = row.get(1);
        Ok(Sizes {
            database,
            table: heap.saturating_add(indexes),
            backup_table: heap.saturating_add(key),
            rows: (rows >= 0.0).then_some(rows as u64),
            heap,
            indexes,
            sorted,
            max_wal_size,
            keeps_wal: row.get(7),
            matches_rows: None,
        })
    }

    /// The same for a migration that makes no backup table.
    #[must_use]
    pub fn without_backup_table(self) -> Self {
        Sizes { backup_table: 0, ..self }
    }

    /// The same, knowing whether the server matches the rows with production.
    #[must_use]
    pub fn with_matching(self, on_server: bool) -> Self {
        Sizes { matches_rows: Some(on_server), ..self }
    }

    /// Whether the server matches the rows with production; `None` if that is not known yet.
    #[must_use]
    pub fn matches_rows(&self) -> Option<bool> {
        self.matches_rows
    }

    /// What a step of the plan takes with this number of rows.
    #[must_use]
    pub fn step(&self, number: &str, rows: Option<u64>) -> StepSpace {
        let times = rows.zip(self.rows.filter(|live| *live > 0));
        let times = times.map(|(rows, live)| rows as f64 / live as f64);
        let space = match number {
            "2.1" | "3.2" => times.map(|times| self.load(times)),
            "3.1" => times.map(|times| StepSpace {
                bytes_added: Some(0),
                bytes_freed: self.load(times).bytes_added,
                temporary_bytes: Some(0),
                wal_bytes: Some(0),
                space_from: "what 2.1 has added".into(),
            }),
            "4.1" => Some(self.copy()),
            "5.4" => {
                let freed = Some(self.table.saturating_add(self.backup_table));
                let space_from = "the old table and the backup table, as they are now".into();
                return StepSpace { bytes_freed: freed, space_from, ..StepSpace::nothing() };
            }
            "1.1" => return StepSpace::but("the writes of others from then on, which it records"),
            "4.2" => return StepSpace::but("the writes of others, which it carries over"),
            "5.1" => return StepSpace::default().because("a copy of the summary: not known"),
            "2.2" | "2.3" | "3.3" | "5.2" => {
                let only_reads = "it only reads; what the server sorts on disk is not known";
                let nothing = StepSpace::nothing().because(only_reads);
                return StepSpace { temporary_bytes: None, ..nothing };
            }
            _ => return StepSpace::nothing().because("a few pages, if anything"),
        };
        space.unwrap_or_else(|| match rows {
            None => StepSpace::default().because("not known, for its rows are not known yet"),
            Some(_) => StepSpace::default().because("not known: production has no rows to go by"),
        })
    }

    /// The most that the steps take at a time, with this number of rows in the files.
    #[must_use]
    pub fn peak(&self, rows: Option<u64>) -> SpacePeak {
        let (load, copy) = (self.step("3.2", rows), self.copy());
        let all = [load.bytes_added, load.temporary_bytes, copy.bytes_added, copy.temporary_bytes];
        let peak = match all {
            [Some(added), Some(beside), Some(copied), Some(sorted)] => {
                let [load, copy] =
                    [beside, copied.saturating_add(sorted)].map(|b| added.saturating_add(b));
                Some(if load > copy { (load, "3.2") } else { (copy, "4.1") })
            }
            _ => None,
        };
        let wal = load.wal_bytes.zip(copy.wal_bytes).map(|(load, copy)| load.saturating_add(copy));
        let wal_kept = if self.keeps_wal {
            "all of it, until an archive and every replication slot have it".to_owned()
        } else {
            format!("up to about {} at a time, max_wal_size", size(self.max_wal_size as f64))
        };
        SpacePeak {
            peak_bytes: peak.map(|(bytes, _)| bytes),
            peak_step: peak.map(|(_, step)| step),
            wal_bytes: wal,
            wal_kept,
            peak_from: load.space_from,
        }
    }

    /// A load of so many times the rows of production.
    fn load(&self, times: f64) -> StepSpace {
        let of = |bytes: u64| (bytes as f64 * times) as u64;
        let [heap, indexes, sorted] = [self.heap, self.indexes, self.sorted].map(of);
        let is_matched = self.matches_rows.unwrap_or(true);
        let matching = if is_matched { heap.saturating_mul(MATCHING_COPIES) } else { 0 };
        let mut from = "by production's bytes per row".to_owned();
        match self.matches_rows {
            Some(true) => from.push_str("; the server matches the rows, which takes most of it"),
            Some(false) => {}
            None => from.push_str("; less if the client matches the rows, or nobody"),
        }
        StepSpace {
            bytes_added: Some(heap.saturating_add(indexes)),
            bytes_freed: Some(0),
            // Indexes are built after the rows are matched.
            temporary_bytes: Some(matching.saturating_sub(indexes).max(sorted)),
            // The rows, again after matching, and their pages once more when they are frozen.
            wal_bytes: Some(heap.saturating_mul(2 + u64::from(is_matched)).saturating_add(indexes)),
            space_from: from,
        }
    }

    /// The backup table.
    fn copy(&self) -> StepSpace {
        let key = self.backup_table.saturating_sub(self.heap);
        StepSpace {
            bytes_added: Some(self.backup_table),
            bytes_freed: Some(0),
            // As large as the key, if it does not fit into memory.
            temporary_bytes: Some(key.min(self.sorted)),
            wal_bytes: Some(self.backup_table),
            space_from: match self.backup_table {
                0 => "nothing is copied".into(),
                _ => "production's rows and their primary key".into(),
            },
        }
    }

    /// What the database needs in all, with as many rows as production and all of the WAL, which
    /// a server keeps until it is archived and replicated.
    fn needed(&self) -> Need {
        let (load, copy) = (self.load(1.0), self.copy());
        let of = |bytes: Option<u64>| bytes.unwrap_or_default();
        let staging = of(load.bytes_added);
        let beside = of(load.temporary_bytes);
        let wal = of(load.wal_bytes).saturating_add(of(copy.wal_bytes));
        let peak = beside.max(of(copy.bytes_added).saturating_add(of(copy.temporary_bytes)));
        Need { beside, wal, total: staging.saturating_add(peak).saturating_add(wal) }
    }

    /// Whether the database and what is added stay within the limit.
    pub(crate) fn fit(&self, limit: u64) -> bool {
        self.database.saturating_add(self.needed().total) <= limit
    }

    /// The figures in words, with the limit if there is one.
    #[must_use]
    pub fn describe(&self, limit: Option<u64>) -> String {
        let shown = |bytes: u64| size(bytes as f64);
        let Sizes { database, table, backup_table, .. } = *self;
        let Need { beside, wal, total } = self.needed();
        let text = format!(
            "the database takes {}, of which the table with its indexes {}; the migration adds up \
             to {} (staging {}, then either {} to match rows and sort or backup table {}, and WAL \
             {}), together {}",
            shown(database),
            shown(table),
            shown(total),
            shown(table),
            shown(beside),
            shown(backup_table),
            shown(wal),
            shown(database.saturating_add(total)),
        );
        match limit {
            Some(limit) => format!("{text}; the limit is {}", shown(limit)),
            None => text,
        }
    }
}

/// What the database needs in all, in bytes.
struct Need {
    beside: u64,
    wal: u64,
    total: u64,
}

impl StepSpace {
    fn nothing() -> Self {
        StepSpace {
            bytes_added: Some(0),
            bytes_freed: Some(0),
            temporary_bytes: Some(0),
            wal_bytes: Some(0),
            space_from: String::new(),
        }
    }

    fn because(self, from: &str) -> Self {
        StepSpace { space_from: from.to_owned(), ..self }
    }

    /// Nothing but what cannot be known.
    fn but(what: &str) -> Self {
        StepSpace::nothing().because(&format!("not counting {what}"))
    }

    /// The space in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let parts = [
            ("adds", self.bytes_added),
            ("frees", self.bytes_freed),
            ("meanwhile up to", self.temporary_bytes),
            ("WAL up to", self.wal_bytes),
        ];
        let parts = parts.into_iter().filter_map(|(what, bytes)| {
            bytes.filter(|bytes| *bytes > 0).map(|bytes| format!("{what} {}", size(bytes as f64)))
        });
        let parts: Vec<_> = parts.collect();
        match parts.is_empty() {
            true => self.space_from.clone(),
            false => format!("{}: {}", parts.join(", "), self.space_from),
        }
    }

    /// Whether it takes or frees anything, as far as is known.
    #[must_use]
    pub fn is_notable(&self) -> bool {
        let all = [self.bytes_added, self.bytes_freed, self.temporary_bytes, self.wal_bytes];
        all.into_iter().flatten().any(|bytes| bytes > 0)
    }
}

impl SpacePeak {
    /// Adds an assumption that it is based on.
    pub(crate) fn assume(&mut self, what: &str) {
        self.peak_from.push_str(&format!("; {what}"));
    }

    /// The peak in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let shown = |bytes: u64| size(bytes as f64);
        let (Some(bytes), Some(step), Some(wal)) =
            (self.peak_bytes, self.peak_step, self.wal_bytes)
        else {
            return self.peak_from.clone();
        };
        format!(
            "up to {} at a time, in step {step}, {}; besides, up to {} of WAL in all, of which the \
             server keeps {}",
            shown(bytes),
            self.peak_from,
            shown(wal),
            self.wal_kept
        )
    }
}

#[cfg(test)]
mod tests;
