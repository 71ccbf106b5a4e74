//! The proof: staging, read back, is exactly the rows that were encoded.
//!
//! Every page is read with binary COPY OUT, on several connections over one
//! snapshot. Each row is hashed as it was when it was encoded, and the sums are
//! compared per batch: a row bears the transaction that wrote it, and so does the
//! batch's ledger row. What COPY reported does not enter into it.

use hashbrown::HashMap;
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::load::ledger::{self, Batches, LedgerBatch, LoadRun, Sum};
use crate::load::plan::prepare::describe;
use crate::load::read::batch::row_hash;
use crate::pg::{
    CatalogText, Column, ColumnType, ConnInfo, Connection, Snapshot, SqlText, connect, copy_out,
    fill,
};
use crate::table::staging::Pair;

/// Bytes of a row in front of the first column after `xmin`: the count of columns,
/// the length of `xmin`, and `xmin`.
const XMIN_END: usize = 2 + 4 + 4;

/// What is compared with what.
pub(crate) struct Proof<'a> {
    pub(crate) info: &'a ConnInfo,
    pub(crate) pair: &'a Pair,
    pub(crate) staging_oid: u32,
    /// The columns that were hashed, in their order.
    pub(crate) columns: &'a [Column],
    /// The loads whose rows staging holds.
    pub(crate) runs: &'a [Uuid],
    /// How many read side by side.
    pub(crate) connections: usize,
}

impl Proof<'_> {
    /// Compares staging, as it is now, with the ledger's batches.
    ///
    /// # Errors
    /// [`Kind::Validation`] with the first differences, or those of reading.
    pub(in crate::load) async fn find(&self) -> Result<()> {
        let keeper = connect(self.info).await?;
        keeper.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
        keeper.batch_execute(include_str!("../../../sql/catalog/tables-only.sql")).await?;
        let snapshot = Snapshot::begin(&keeper).await?;
        self.find_in(&keeper, &snapshot).await?;
        Ok(keeper.batch_execute("COMMIT").await?)
    }

    /// As [`Proof::find`], in the snapshot that `keeper` has exported.
    ///
    /// # Errors
    /// As [`Proof::find`].
    pub(crate) async fn find_in(&self, keeper: &Connection, snapshot: &Snapshot) -> Result<()> {
        let mut batches = Vec::new();
        for run in self.runs {
            let matched_by = ledger::matched_by(keeper, *run).await?;
            let known = ledger::batches(keeper, *run).await?;
            if let Some(whole) = ledger::whole(keeper, *run).await? {
                self.compare_whole(whole, known.values())?;
            }
            batches.push((matched_by, known));
        }
        let pages = include_str!("../../../sql/load/pages.sql");
        let pages: i64 = keeper.query_one(pages, &[&self.staging_oid]).await?.get(0);
        let pages =
            u32::try_from(pages).map_err(|_| Error::database("staging has too many pages"))?;
        let parts = u32::try_from(self.connections.max(1)).unwrap_or(1).min(pages.max(1));
        let ranges = (0..parts).map(|part| {
            let page = |part: u32| (u64::from(pages) * u64::from(part) / u64::from(parts)) as u32;
            // The last part is open: pages cannot be added to this snapshot, but need not be
            // counted either.
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
        compare(self.pair, &batches, found)
    }

    /// A batch may be lost, and its ledger row as well: then the batches are no longer the
    /// whole that the load had come to.
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
                "its batches in the ledger have {} rows with sum {:016x}, where {} with sum {:016x} \
                 were written",
                found.rows, found.checksum, whole.rows, whole.checksum
            ),
        ))
    }
}

/// Staging holds other rows than those that were written.
fn different(pair: &Pair, how: &str) -> Error {
    let what = format!("{} is not what was loaded: {how}", pair.staging);
    Error::new(Kind::Validation, what).hint(
        "empty it with `sterna stage truncate` and load again; find out who else writes to it",
    )
}

/// The columns that a load wrote, in their order in `present`, those of its staging
/// table; `None` where they are not what they were.
pub(crate) fn columns_of(run: &LoadRun, present: &[Column]) -> Option<Vec<Column>> {
    let written = run.identity["target"].as_array()?;
    let was_written = |column: &&Column| written.iter().any(|w| *w == describe(column).as_str());
    let columns: Vec<_> = present.iter().filter(was_written).cloned().collect();
    (columns.len() == written.len()).then_some(columns)
}

/// The values of columns as a load writes them.
pub(in crate::load) fn values_of(columns: &[Column]) -> SqlText {
    let unpadded = include_str!("../../../sql/load/unpadded.sql");
    let value = |column: &Column| match column.kind {
        Some(ColumnType::Char(_)) => SqlText::filled(unpadded, &[("column", &column.name)]),
        _ => SqlText::quoted(&column.name),
    };
    SqlText::list(&columns.iter().map(value).collect::<Vec<_>>())
}

async fn read(
    info: &ConnInfo,
    pair: &Pair,
    columns: &[Column],
    snapshot: &Snapshot,
    (from, to): (u32, u32),
) -> Result<HashMap<u32, Sum>> {
    let session = snapshot.open(info).await?;
    session.batch_execute(include_str!("../../../sql/catalog/tables-only.sql")).await?;
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
    Ok(sums)
}

/// Sums, by the transaction that wrote them, of the rows that a binary COPY hands out:
/// `xmin` and then the values of `columns`.
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

/// What the rows of a transaction have to be.
#[derive(Default)]
struct Wanted {
    sum: Sum,
    /// The file and the number of the batch; none where the rows were written again when
    /// they were matched, all of them at once.
    batch: Option<(usize, u32)>,
}

/// The sums that the ledger expects, by the transaction that the rows bear.
fn wanted(runs: &[(Option<u32>, Batches)]) -> HashMap<u32, Wanted> {
    let mut wanted: HashMap<u32, Wanted> = HashMap::new();
    for (matched_by, batches) in runs {
        for (key, batch) in batches {
            let of = wanted.entry(matched_by.unwrap_or(batch.xid)).or_default();
            of.batch = matched_by.is_none().then_some(*key);
            let Sum { rows, checksum } = batch.cascaded;
            // What has gone may be on one batch's account for all of them.
            of.sum.rows = of.sum.rows.wrapping_add(batch.rows).wrapping_sub(rows);
            of.sum.checksum = of.sum.checksum.wrapping_add(batch.checksum).wrapping_sub(checksum);
        }
    }
    wanted
}

fn compare(
    pair: &Pair,
    runs: &[(Option<u32>, Batches)],
    mut found: HashMap<u32, Sum>,
) -> Result<()> {
    let mut differences = Vec::new();
    for (xid, Wanted { sum: wanted, batch }) in wanted(runs) {
        let sum = found.remove(&xid).unwrap_or_default();
        if sum != wanted {
            let what = match batch {
                Some((file, number)) => format!("batch {number} of file {}", file + 1),
                None => "all that was matched with production".into(),
            };
            differences.push(format!(
                "{what}: {} rows with sum {:016x}, where {} with sum {:016x} were written",
                sum.rows, sum.checksum, wanted.rows, wanted.checksum
            ));
        }
    }
    if !found.is_empty() {
        let rows: u64 = found.values().map(|sum| sum.rows).sum();
        differences.push(format!(
            "{rows} rows that no batch of this load wrote, or that were changed since"
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
