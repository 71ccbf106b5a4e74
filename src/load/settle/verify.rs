//! Verification: proves that staging holds exactly the rows that were encoded.
//!
//! Every page is read with binary COPY OUT, on several connections with one snapshot. Each row
//! is hashed as it was when encoded, and the sums are compared per batch: a row's `xmin` is the
//! transaction that wrote it, which the ledger row of its batch also has. The row counts that
//! COPY reported are not used.

use hashbrown::HashMap;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::input::hex;
use crate::load::ledger::{self, Batches, LedgerBatch, LoadRun, Sum};
use crate::load::plan::prepare::describe;
use crate::load::read::batch::row_hash;
use crate::pg::{
    CatalogText, Column, ColumnType, ConnInfo, Connection, Quoted, Snapshot, SqlText, connect_for,
    copy_out, fill,
};
use crate::table::distributed;
use crate::table::staging::Pair;

/// What its sessions are named after.
const PURPOSE: &str = "proof of rows";

/// Offset of the first column after `xmin` in a row: it follows the column count, the length
/// of `xmin`, and `xmin`.
const XMIN_END: usize = 2 + 4 + 4;

/// What a proof has found equal: a digest of the sums of each transaction, and of where staging
/// keeps its rows.
pub(crate) struct Proved(pub(in crate::load) String);

/// A comparison of staging with the ledger.
pub(crate) struct Proof<'a> {
    pub(crate) info: &'a ConnInfo,
    pub(crate) pair: &'a Pair,
    pub(crate) staging_oid: u32,
    /// The columns that were hashed, in order.
    pub(crate) columns: &'a [Column],
    /// The loads whose rows staging holds.
    pub(crate) runs: &'a [Uuid],
    /// The number of connections that read in parallel.
    pub(crate) connections: usize,
}

impl Proof<'_> {
    /// Compares the current rows of staging with the batches in the ledger.
    ///
    /// # Errors
    /// [`Kind::Validation`] with the first differences, or those of reading.
    pub(in crate::load) async fn find(&self) -> Result<Proved> {
        let keeper = connect_for(self.info, PURPOSE).await?;
        let (set, only, snapshot) = futures::join!(
            keeper.batch_execute(include_str!("../../../sql/catalog/session.sql")),
            keeper.batch_execute(include_str!("../../../sql/catalog/tables-only.sql")),
            Snapshot::begin(&keeper),
        );
        set?;
        only?;
        let wanted = self.wanted(&keeper).await?;
        let proved = self.proved(&keeper, &wanted).await?;
        self.read_all(&keeper, &snapshot?, wanted).await?;
        keeper.batch_execute("COMMIT").await?;
        keeper.close().await?;
        Ok(proved)
    }

    /// Like [`Proof::find`], in the snapshot that `keeper` has exported, unless an earlier proof
    /// still holds. Returns what to give [`ledger::prove`]; `None` if the rows were not read.
    ///
    /// # Errors
    /// Those of [`Proof::find`].
    pub(crate) async fn find_unless_proved(
        &self,
        keeper: &Connection,
        snapshot: &Snapshot,
    ) -> Result<Option<Proved>> {
        let wanted = self.wanted(keeper).await?;
        let (proved, earlier) =
            futures::join!(self.proved(keeper, &wanted), ledger::proved(keeper, self.runs));
        let (proved, earlier) = (proved?, earlier?);
        let is_same = |digest: &Option<String>| digest.as_ref() == Some(&proved.0);
        if !self.pair.distribution.is_elsewhere()
            && !earlier.is_empty()
            && earlier.iter().all(is_same)
            && self.are_as_many(snapshot, &wanted).await?
        {
            return Ok(None);
        }
        self.read_all(keeper, snapshot, wanted).await?;
        Ok(Some(proved))
    }

    /// Whether each transaction's rows are as many as wanted, counted by the server. A row that
    /// is changed becomes one of another transaction.
    async fn are_as_many(
        &self,
        snapshot: &Snapshot,
        wanted: &HashMap<u32, Wanted>,
    ) -> Result<bool> {
        let count = include_str!("../../../sql/load/count-by-writer.sql");
        let count = fill(count, &[("staging", &self.pair.staging)]);
        let session = open(self.info, snapshot).await?;
        let mut found = HashMap::new();
        for row in session.query(&count, &[]).await? {
            let rows: i64 = row.get(1);
            found.insert(ledger::xid(row.get(0))?, rows.cast_unsigned());
        }
        session.batch_execute("COMMIT").await?;
        session.close().await?;
        let wanted = wanted.iter().filter(|(_, wanted)| wanted.sum.rows > 0);
        let wanted: HashMap<u32, u64> = wanted.map(|(xid, of)| (*xid, of.sum.rows)).collect();
        Ok(found == wanted)
    }

    /// Reads all rows and compares them with what is wanted.
    async fn read_all(
        &self,
        keeper: &Connection,
        snapshot: &Snapshot,
        wanted: HashMap<u32, Wanted>,
    ) -> Result<()> {
        if self.pair.distribution.is_elsewhere() {
            let names: [(&str, &dyn Quoted); 2] =
                [("values", &values_of(self.columns)), ("staging", &self.pair.staging)];
            let found = sums(keeper, &fill(distributed::COPY_OUT, &names), self.columns).await?;
            return compare(self.pair, as_a_whole(wanted), found);
        }
        let pages = include_str!("../../../sql/load/pages.sql");
        let pages: i64 = keeper.query_one(pages, &[&self.staging_oid]).await?.get(0);
        let pages =
            u32::try_from(pages).map_err(|_| Error::database("staging has too many pages"))?;
        let parts = u32::try_from(self.connections.max(1)).unwrap_or(1).min(pages.max(1));
        let ranges = (0..parts).map(|part| {
            let page = |part: u32| (u64::from(pages) * u64::from(part) / u64::from(parts)) as u32;
            // The last part has no upper bound: later pages hold no rows of this snapshot, so
            // the page count need not be exact.
            (page(part), if part + 1 == parts { u32::MAX } else { page(part + 1) })
        });
        let Proof { info, pair, columns, .. } = *self;
        let reads = ranges.map(|range| read(info, pair, columns, snapshot, range));
        let mut found: HashMap<u32, Sum> = HashMap::new();
        for part in futures::future::try_join_all(reads).await? {
            for (xid, sum) in part {
                let all = found.entry(xid).or_default();
                all.rows += sum.rows;
                all.checksum = all.checksum.wrapping_add(sum.checksum);
            }
        }
        compare(self.pair, wanted, found)
    }

    /// What the ledger expects, by transaction.
    async fn wanted(&self, keeper: &Connection) -> Result<HashMap<u32, Wanted>> {
        let mut batches = Vec::new();
        for run in self.runs {
            let (matched_by, known, whole) = futures::join!(
                ledger::matched_by(keeper, *run),
                ledger::batches(keeper, *run),
                ledger::whole(keeper, *run),
            );
            let (matched_by, known) = (matched_by?, known?);
            if let Some(whole) = whole? {
                self.compare_whole(whole, known.values())?;
            }
            batches.push((matched_by, known));
        }
        Ok(wanted(&batches))
    }

    /// What is proved if the rows are as wanted.
    async fn proved(&self, keeper: &Connection, wanted: &HashMap<u32, Wanted>) -> Result<Proved> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.name()).collect();
        let storage = include_str!("../../../sql/load/storage.sql");
        let row = keeper.query_one(storage, &[&self.staging_oid, &names]).await?;
        let mut hash = Sha256::new_with_prefix(row.get::<_, &str>(0));
        let mut all: Vec<_> = wanted.iter().map(|(xid, wanted)| (*xid, wanted.sum)).collect();
        all.sort_unstable_by_key(|(xid, _)| *xid);
        for (xid, Sum { rows, checksum }) in all {
            hash.update(xid.to_be_bytes());
            hash.update(rows.to_be_bytes());
            hash.update(checksum.to_be_bytes());
        }
        Ok(Proved(hex(&hash.finalize())))
    }

    /// Compares the totals recorded when the load ended with the sum of its batches: a batch
    /// may have been lost together with its ledger row.
    fn compare_whole<'b>(
        &self,
        whole: Sum,
        batches: impl Iterator<Item = &'b LedgerBatch>,
    ) -> Result<()> {
        let found = batches.fold(Sum::default(), |sum, batch| Sum {
            rows: sum.rows + batch.rows,
            checksum: sum.checksum.wrapping_add(batch.checksum),
        });
        if found == whole {
            return Ok(());
        }
        Err(different(
            self.pair,
            &format!(
                "its batches in the ledger have {} rows with sum {:016x}, but {} with sum {:016x} \
                 were written",
                found.rows, found.checksum, whole.rows, whole.checksum
            ),
        ))
    }
}

/// The error that staging does not hold the rows that were written.
fn different(pair: &Pair, how: &str) -> Error {
    let what = format!("{} is not what was loaded: {how}", pair.staging);
    Error::new(Kind::Validation, what)
        .hint("find out what else writes to it; then `sterna stage truncate` and load again")
}

/// The columns that a load wrote, in its order, of those that its staging table has now; `None`
/// if one of them is missing or has changed.
pub(crate) fn columns_of(run: &LoadRun, present: &[Column]) -> Option<Vec<Column>> {
    let written = run.identity["target"].as_array()?;
    let find = |wanted: &Value| present.iter().find(|column| *wanted == describe(column).as_str());
    written.iter().map(|wanted| find(wanted).cloned()).collect()
}

/// The SQL expressions for the values of columns as a load writes them.
pub(in crate::load) fn values_of(columns: &[Column]) -> SqlText {
    let unpadded = include_str!("../../../sql/load/unpadded.sql");
    let value = |column: &Column| match column.kind {
        Some(ColumnType::Char(_)) => SqlText::filled(unpadded, &[("column", &column.name)]),
        _ => SqlText::quoted(&column.name),
    };
    SqlText::list(&columns.iter().map(value).collect::<Vec<_>>())
}

/// Opens a session that sees the snapshot and reads only tables by name.
async fn open(info: &ConnInfo, snapshot: &Snapshot) -> Result<Connection> {
    let session = snapshot.open(info, PURPOSE).await?;
    session.batch_execute(include_str!("../../../sql/catalog/tables-only.sql")).await?;
    Ok(session)
}

async fn read(
    info: &ConnInfo,
    pair: &Pair,
    columns: &[Column],
    snapshot: &Snapshot,
    (from, to): (u32, u32),
) -> Result<HashMap<u32, Sum>> {
    let session = open(info, snapshot).await?;
    let sql = fill(
        include_str!("../../../sql/load/copy-out.sql"),
        &[
            ("values", &values_of(columns)),
            ("staging", &pair.staging),
            ("from", &CatalogText::tid(from)),
            ("to", &CatalogText::tid(to)),
        ],
    );
    let sums = sums(&session, &sql, columns).await?;
    session.batch_execute("COMMIT").await?;
    session.close().await?;
    Ok(sums)
}

/// Counts and sums the rows of a binary COPY OUT by the transaction that wrote them. Each row
/// has `xmin`, followed by the values of `columns`.
pub(in crate::load) async fn sums(
    session: &Connection,
    sql: &str,
    columns: &[Column],
) -> Result<HashMap<u32, Sum>> {
    let mut sums: HashMap<u32, Sum> = HashMap::new();
    let mut row_as_written = Vec::new();
    let count = u16::try_from(columns.len()).unwrap_or(u16::MAX).to_be_bytes();
    copy_out(session, sql, |row| {
        let xid = row.get(XMIN_END - 4..XMIN_END).and_then(|bytes| bytes.try_into().ok());
        let xid =
            xid.map(u32::from_be_bytes).ok_or_else(|| Error::database("a row without xmin"))?;
        row_as_written.clear();
        row_as_written.extend_from_slice(&count);
        row_as_written.extend_from_slice(&row[XMIN_END..]);
        let sum = sums.entry(xid).or_default();
        sum.rows += 1;
        sum.checksum = sum.checksum.wrapping_add(row_hash(&row_as_written, &[]));
        Ok(())
    })
    .await?;
    Ok(sums)
}

/// The expected rows of a transaction.
#[derive(Default)]
struct Wanted {
    sum: Sum,
    /// The file and number of the batch; `None` for the rows of all batches: matching has
    /// rewritten them in one transaction, or they are compared as a whole.
    batch: Option<(usize, u32)>,
}

/// The sums that the ledger expects, by transaction.
fn wanted(runs: &[(Option<u32>, Batches)]) -> HashMap<u32, Wanted> {
    let mut wanted: HashMap<u32, Wanted> = HashMap::new();
    for (matched_by, batches) in runs {
        for (key, batch) in batches {
            let of = wanted.entry(matched_by.unwrap_or(batch.xid)).or_default();
            of.batch = matched_by.is_none().then_some(*key);
            let Sum { rows, checksum } = batch.cascaded;
            // Deleted rows of all batches may be recorded with a single batch.
            of.sum.rows = of.sum.rows.wrapping_add(batch.rows).wrapping_sub(rows);
            of.sum.checksum = of.sum.checksum.wrapping_add(batch.checksum).wrapping_sub(checksum);
        }
    }
    wanted
}

/// The sum of all transactions, for a table whose rows do not tell which of them wrote them.
fn as_a_whole(wanted: HashMap<u32, Wanted>) -> HashMap<u32, Wanted> {
    let all = wanted.into_values().fold(Sum::default(), |all, Wanted { sum, .. }| Sum {
        rows: all.rows.wrapping_add(sum.rows),
        checksum: all.checksum.wrapping_add(sum.checksum),
    });
    HashMap::from_iter([(0, Wanted { sum: all, batch: None })])
}

fn compare(pair: &Pair, wanted: HashMap<u32, Wanted>, mut found: HashMap<u32, Sum>) -> Result<()> {
    let mut differences = Vec::new();
    for (xid, Wanted { sum: wanted, batch }) in wanted {
        let sum = found.remove(&xid).unwrap_or_default();
        if sum != wanted {
            let what = match batch {
                Some((file, number)) => format!("batch {number} of file {}", file + 1),
                None => "all rows".into(),
            };
            differences.push(format!(
                "{what}: {} rows with sum {:016x}, but {} with sum {:016x} were written",
                sum.rows, sum.checksum, wanted.rows, wanted.checksum
            ));
        }
    }
    if !found.is_empty() {
        let rows: u64 = found.values().map(|sum| sum.rows).sum();
        differences.push(format!(
            "{rows} rows that were written by no batch of this load or have been changed since"
        ));
    }
    if differences.is_empty() {
        return Ok(());
    }
    differences.sort();
    let shown = differences.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    let more = differences.len().saturating_sub(5);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Err(different(pair, &(shown + &more)))
}
