//! The indexes of a table and of its partitions: checks whether all are valid, and rebuilds them without blocking
//! readers or writers.
//!
//! After a switchover nothing is left to rebuild, because the staging table's indexes were
//! built after its rows were loaded. So the usual case only checks.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::pg::{Connection, Quoted, Table, catalog, fill, interruptible};

/// Which indexes to rebuild.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rebuild {
    /// None: only check whether all are valid.
    Nothing,
    /// Those that are not valid, which the server does not use.
    Invalid,
    /// Those with these names.
    Named(Vec<String>),
    /// All of them.
    All,
}

/// The state of an index afterwards, one of the table or of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexState {
    /// Its name, without the schema, which is that of its table.
    pub name: String,
    /// Whether the server uses it and keeps it up to date.
    pub valid: bool,
    /// Whether it was left behind by an interrupted rebuild.
    pub leftover: bool,
    /// Its size in bytes.
    pub bytes: i64,
    #[serde(skip)]
    exclusion: bool,
    /// Whether it consists of the indexes of partitions.
    #[serde(skip)]
    partitioned: bool,
    #[serde(skip)]
    index: Table,
}

/// What was found and what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReindexReport {
    /// The table.
    pub table: String,
    /// Its indexes, by name.
    pub indexes: Vec<IndexState>,
    /// The names of those that were rebuilt.
    pub rebuilt: Vec<String>,
    /// The names of leftovers that were dropped.
    pub dropped: Vec<String>,
    /// Indexes of exclusion constraints, which PostgreSQL cannot rebuild concurrently.
    pub skipped: Vec<String>,
}

impl ReindexReport {
    /// Whether every index is valid.
    #[must_use]
    pub fn all_valid(&self) -> bool {
        self.indexes.iter().all(|index| index.valid)
    }

    /// Fails if an index is not valid.
    ///
    /// # Errors
    /// [`Kind::Validation`], with the names of the indexes.
    pub fn verdict(&self) -> Result<()> {
        let invalid = self.indexes.iter().filter(|index| !index.valid);
        let invalid: Vec<&str> = invalid.map(|index| index.name.as_str()).collect();
        if invalid.is_empty() {
            return Ok(());
        }
        let message = format!("indexes of {} are not valid: {}", self.table, invalid.join(", "));
        Err(Error::new(Kind::Validation, message).hint("`sterna reindex --invalid` fixes them"))
    }
}

/// Checks the indexes of a table and rebuilds those that are asked for. Before a rebuild,
/// drops what an interrupted one has left behind.
///
/// # Errors
/// If a name is not an index of the table, or another session is building one of its indexes;
/// [`Kind::Interrupted`] if `stop` was set, with nothing left behind.
pub async fn reindex(
    session: &Connection,
    table: &Table,
    rebuild: &Rebuild,
    stop: &AtomicBool,
) -> Result<ReindexReport> {
    let oid = catalog::replaceable(session, table).await?.oid;
    let before = indexes(session, oid).await?;
    let mut report = ReindexReport {
        table: table.to_string(),
        indexes: Vec::new(),
        rebuilt: Vec::new(),
        dropped: Vec::new(),
        skipped: Vec::new(),
    };
    let chosen = chosen(&before, rebuild, table)?;
    if *rebuild != Rebuild::Nothing {
        refuse_while_built(session, oid, table).await?;
        report.dropped = drop_leftovers(session, &before).await?;
    }
    for index in chosen {
        if index.exclusion {
            report.skipped.push(index.name.clone());
            continue;
        }
        let names: [(&str, &dyn Quoted); 1] = [("index", &index.index)];
        let sql = fill(include_str!("../../sql/table/reindex/rebuild.sql"), &names);
        tracing::info!(index = index.name, bytes = index.bytes, "rebuilding the index");
        if let Err(error) = interruptible(session, stop, session.batch_execute(&sql)).await {
            // An unfinished index would slow down every later write.
            if let Err(left) = drop_leftovers(session, &indexes(session, oid).await?).await {
                tracing::warn!("could not drop an unfinished index: {left}");
            }
            return Err(error.context(format!("could not rebuild {}", index.index)));
        }
        report.rebuilt.push(index.name.clone());
    }
    report.indexes = indexes(session, oid).await?;
    Ok(report)
}

async fn indexes(session: &Connection, oid: u32) -> Result<Vec<IndexState>> {
    let rows = session.query(include_str!("../../sql/table/reindex/indexes.sql"), &[&oid]).await?;
    let index = |row: &tokio_postgres::Row| {
        let name: String = row.get(1);
        Ok(IndexState {
            index: Table::new(row.get::<_, &str>(0), name.as_str())?,
            name,
            valid: row.get(2),
            leftover: row.get(3),
            exclusion: row.get(4),
            bytes: row.get(5),
            partitioned: row.get(6),
        })
    };
    rows.iter().map(index).collect()
}

fn chosen<'a>(
    indexes: &'a [IndexState],
    rebuild: &Rebuild,
    table: &Table,
) -> Result<Vec<&'a IndexState>> {
    let lasting = || indexes.iter().filter(|index| !index.leftover);
    // Those of partitions are rebuilt one by one.
    let stored = || lasting().filter(|index| !index.partitioned);
    match rebuild {
        Rebuild::Nothing => Ok(Vec::new()),
        Rebuild::Invalid => Ok(stored().filter(|index| !index.valid).collect()),
        Rebuild::All => Ok(stored().collect()),
        Rebuild::Named(names) => {
            let find = |name: &String| {
                lasting().find(|index| index.name == *name).ok_or_else(|| {
                    let known: Vec<&str> = lasting().map(|index| index.name.as_str()).collect();
                    Error::usage(format!("{name:?} is not an index of {table}"))
                        .hint(format!("its indexes are {}", known.join(", ")))
                })
            };
            names.iter().map(find).collect()
        }
    }
}

/// Refuses while another session builds an index, which would look like a leftover.
async fn refuse_while_built(session: &Connection, oid: u32, table: &Table) -> Result<()> {
    let sql = include_str!("../../sql/table/reindex/under-way.sql");
    let Some(row) = session.query(sql, &[&oid]).await?.into_iter().next() else { return Ok(()) };
    let pid: i32 = row.get(0);
    Err(Error::refused(format!("session {pid} is building an index of {table}"))
        .hint("wait until it is done, then run the command again"))
}

async fn drop_leftovers(session: &Connection, indexes: &[IndexState]) -> Result<Vec<String>> {
    let mut dropped = Vec::new();
    for index in indexes.iter().filter(|index| index.leftover) {
        let names: [(&str, &dyn Quoted); 1] = [("index", &index.index)];
        let sql = fill(include_str!("../../sql/table/reindex/drop-leftover.sql"), &names);
        session.batch_execute(&sql).await?;
        dropped.push(index.name.clone());
    }
    Ok(dropped)
}
