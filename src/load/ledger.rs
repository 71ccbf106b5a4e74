//! Loads in the ledger: their runs, the state of each, and the committed batches.
//!
//! A run goes `loading -> built -> loaded`, or ends as `rejected` or `failed`; emptying
//! staging makes it `discarded`. The ledger row of a batch is written in the same
//! transaction as its rows, so the ledger always agrees with staging.

mod refusals;

use std::sync::Arc;

use futures::{TryStreamExt, pin_mut};
use hashbrown::HashMap;
use serde_json::Value;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::input::hex;
use crate::ledger::document;
use crate::load::identity::with_one_digest;
use crate::load::report::{FileReport, RowsReport};
use crate::load::settle::verify::Proved;
use crate::pg::{Connection, Table};

pub use refusals::{Refusals, RefusedRow, forget, refusals, refuse};

/// The number of files that one statement writes to the ledger.
const FILES_AT_ONCE: usize = 5_000;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadState {
    /// Rows are being written.
    Loading,
    /// All rows are in; indexes may be missing.
    Built,
    /// Complete: staging can be validated and switched over.
    Loaded,
    /// Read to the end, with more rejects than allowed.
    Rejected,
    /// Staging does not hold the rows that were sent.
    Failed,
}

impl LoadState {
    /// The name in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LoadState::Loading => "loading",
            LoadState::Built => "built",
            LoadState::Loaded => "loaded",
            LoadState::Rejected => "rejected",
            LoadState::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        let all = [
            LoadState::Loading,
            LoadState::Built,
            LoadState::Loaded,
            LoadState::Rejected,
            LoadState::Failed,
        ];
        all.into_iter().find(|state| state.name() == name).ok_or_else(|| {
            Error::refused(format!("the ledger has a run in the unknown state {name:?}"))
        })
    }
}

/// A run as stored in the ledger.
#[derive(Clone, Debug)]
pub struct LoadRun {
    /// Its id.
    pub id: Uuid,
    /// Its state.
    pub state: LoadState,
    /// What must be unchanged for a load to resume, by topic; large if there are many files.
    pub identity: Arc<Value>,
    /// The arguments, the synonyms and other facts that validation needs later.
    pub arguments: Value,
    /// The outcome for its records, once all have been read.
    pub report: Option<RowsReport>,
    /// The run whose fixed rejects it loaded.
    pub mends: Option<Uuid>,
}

/// Count and sum of hashes of some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The number of rows.
    pub rows: u64,
    /// The sum of their hashes, modulo 2^64.
    pub checksum: u64,
}

/// A committed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerBatch {
    /// Rows written.
    pub rows: u64,
    /// Sum of their hashes.
    pub checksum: u64,
    /// Records of the batch that the server rejected, each with the reason.
    pub refused: Box<[(u32, String)]>,
    /// The transaction that wrote it, as in `xmin` of its rows.
    pub xid: u32,
    /// Rows of the batch that were deleted together with the row that they referred to.
    pub cascaded: Sum,
}

/// The batches of a run, by file and batch number.
pub type Batches = HashMap<(usize, u32), LedgerBatch>;

/// Reads the runs whose rows a staging table holds, oldest first.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn runs(session: &Connection, staging: u32) -> Result<Vec<LoadRun>> {
    let rows = session.query(include_str!("../../sql/ledger/runs.sql"), &[&staging]).await?;
    rows.iter()
        .map(|row| {
            Ok(LoadRun {
                id: row.get(0),
                state: LoadState::parse(row.get(1))?,
                identity: Arc::new(with_one_digest(row.get(2))),
                report: document(row, 3)?,
                mends: row.get(4),
                arguments: row.get(5),
            })
        })
        .collect()
}

/// A run to be recorded.
pub struct NewLoad<'a> {
    /// The staging table's OID.
    pub staging: u32,
    /// The table that is to be replaced.
    pub target: &'a Table,
    /// What must be unchanged for a load to resume.
    pub identity: &'a Arc<Value>,
    /// The arguments, without secrets.
    pub arguments: &'a Value,
    /// The run whose fixed rejects it loads.
    pub mends: Option<Uuid>,
    /// Path and SHA-256 of every member.
    pub files: &'a [(&'a str, &'a [u8; 32])],
}

/// Records a new run, before it writes rows.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn begin(session: &mut Connection, run: &NewLoad<'_>) -> Result<LoadRun> {
    let id = Uuid::new_v4();
    let transaction = session.transaction().await?;
    let (target, version) = (run.target.to_string(), env!("CARGO_PKG_VERSION"));
    transaction
        .execute(
            include_str!("../../sql/ledger/begin-run.sql"),
            &[&id, &run.staging, &target, &**run.identity, run.arguments, &run.mends, &version],
        )
        .await?;
    let insert = include_str!("../../sql/ledger/insert-files.sql");
    let (most, last) = split_last(run.files);
    for (part, files) in most.chunks(FILES_AT_ONCE).enumerate() {
        let first = (part * FILES_AT_ONCE) as i32;
        let (paths, sha256s) = paths_and_digests(files);
        transaction.execute(insert, &[&id, &first, &paths, &sha256s]).await?;
    }
    let (first, (paths, sha256s)) = (most.len() as i32, paths_and_digests(last));
    transaction.execute_and_commit(insert, &[&id, &first, &paths, &sha256s]).await?;
    let (identity, arguments) = (Arc::clone(run.identity), run.arguments.clone());
    Ok(LoadRun {
        id,
        state: LoadState::Loading,
        identity,
        arguments,
        report: None,
        mends: run.mends,
    })
}

/// Reads the committed batches of a run.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn batches(session: &Connection, run: Uuid) -> Result<Batches> {
    let sql = include_str!("../../sql/ledger/batches.sql");
    // Row by row: a hundred thousand files have at least as many batches.
    let rows = session.query_raw(sql, &[&run]).await?;
    pin_mut!(rows);
    let mut batches = Batches::new();
    while let Some(row) = rows.try_next().await? {
        let refused: Vec<(u32, String)> = document(&row, 4)?.unwrap_or_default();
        let key = (row.get::<_, i32>(0) as usize, row.get::<_, i32>(1) as u32);
        let batch = LedgerBatch {
            rows: row.get::<_, i64>(2).cast_unsigned(),
            checksum: row.get::<_, i64>(3).cast_unsigned(),
            refused: refused.into(),
            xid: xid(row.get(5))?,
            cascaded: Sum {
                rows: row.get::<_, i64>(6).cast_unsigned(),
                checksum: row
                    .get::<_, Vec<i64>>(7)
                    .into_iter()
                    .fold(0, |sum, checksum| sum.wrapping_add(checksum.cast_unsigned())),
            },
        };
        batches.insert(key, batch);
    }
    Ok(batches)
}

/// The number of rows of a committed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRows {
    /// Index of its file, and its number.
    pub key: (u32, u32),
    /// Rows written.
    pub rows: u32,
}

/// Reads the number of rows of each committed batch of a run.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn rows_of_batches(session: &Connection, run: Uuid) -> Result<Vec<BatchRows>> {
    let sql = include_str!("../../sql/ledger/rows-of-batches.sql");
    let rows = session.query_raw(sql, &[&run]).await?;
    let batch = |row: tokio_postgres::Row| BatchRows {
        key: (row.get::<_, i32>(0).cast_unsigned(), row.get::<_, i32>(1).cast_unsigned()),
        rows: row.get::<_, i64>(2) as u32,
    };
    Ok(rows.map_ok(batch).try_collect().await?)
}

/// The count and checksum of all rows of a run, as recorded when the last row was in; `None`
/// before that. Independent of the batches now in the ledger.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn whole(session: &Connection, run: Uuid) -> Result<Option<Sum>> {
    let row = session.query_opt(include_str!("../../sql/ledger/whole.sql"), &[&run]).await?;
    let Some(row) = row else { return Ok(None) };
    let sum = row.get::<_, Option<i64>>(0).zip(row.get::<_, Option<i64>>(1));
    Ok(sum.map(|(rows, checksum)| Sum {
        rows: rows.cast_unsigned(),
        checksum: checksum.cast_unsigned(),
    }))
}

/// Records the state of a run; with `rows`, also the outcome for its records and the sum of
/// the row hashes.
///
/// # Errors
/// Refused if the run was discarded in the meantime.
pub async fn settle(
    session: &mut Connection,
    run: Uuid,
    state: LoadState,
    rows: Option<(&RowsReport, u64)>,
) -> Result<()> {
    let settle = include_str!("../../sql/ledger/settle-run.sql");
    let Some((report, checksum)) = rows else {
        let (report, checksum) = (None::<Json<RowsReport>>, None::<i64>);
        let settled = session.execute(settle, &[&run, &state.name(), &report, &checksum]).await?;
        return if settled == 0 { Err(discarded()) } else { Ok(()) };
    };
    let transaction = session.transaction().await?;
    let (name, document, checksum) = (state.name(), Json(report), checksum.cast_signed());
    let (settled, counted) = futures::join!(
        transaction.execute(settle, &[&run, &name, &document, &checksum]),
        transaction.query_one(include_str!("../../sql/ledger/count-batches.sql"), &[&run]),
    );
    if settled? == 0 {
        return Err(discarded());
    }
    // The server may have lost batches since the last check.
    let counted = counted?;
    let found = (counted.get::<_, i64>(0), counted.get::<_, i64>(1));
    if found != (report.batches as i64, report.account.rows_loaded as i64) {
        return Err(Error::database("the server has lost batches that it had confirmed")
            .hint("run the same command with --resume, which sends them again"));
    }
    let update = include_str!("../../sql/ledger/file-accounts.sql");
    let accounts =
        |files: &[FileReport]| -> Vec<_> { files.iter().map(|file| Json(file.account)).collect() };
    let (most, last) = split_last(&report.files);
    for (part, files) in most.chunks(FILES_AT_ONCE).enumerate() {
        let first = (part * FILES_AT_ONCE) as i32;
        transaction.execute(update, &[&run, &first, &accounts(files)]).await?;
    }
    let (first, last) = (most.len() as i32, accounts(last));
    transaction.execute_and_commit(update, &[&run, &first, &last]).await?;
    Ok(())
}

/// Splits off what the last statement writes: as many files as fit, or all.
fn split_last<T>(files: &[T]) -> (&[T], &[T]) {
    let whole = files.len().saturating_sub(1) / FILES_AT_ONCE * FILES_AT_ONCE;
    files.split_at(whole)
}

fn paths_and_digests<'a>(files: &[(&'a str, &[u8; 32])]) -> (Vec<&'a str>, Vec<String>) {
    files.iter().map(|(path, sha256)| (*path, hex(*sha256))).unzip()
}

/// Counts the rows of a run that were deleted together with the row that they referred to.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn rows_cascaded(session: &Connection, run: Uuid) -> Result<u64> {
    let sql = include_str!("../../sql/ledger/count-cascaded.sql");
    Ok(session.query_one(sql, &[&run]).await?.get::<_, i64>(0).cast_unsigned())
}

/// Returns what a proof has found equal, for each of these runs.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn proved(session: &Connection, runs: &[Uuid]) -> Result<Vec<Option<String>>> {
    let rows = session.query(include_str!("../../sql/ledger/proved.sql"), &[&runs]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Records what a proof has found equal.
///
/// # Errors
/// If the ledger cannot be written.
pub(crate) async fn prove(session: &Connection, runs: &[Uuid], what: &Proved) -> Result<()> {
    session.execute(include_str!("../../sql/ledger/prove.sql"), &[&runs, &what.0]).await?;
    Ok(())
}

/// The transaction that matched a run's rows with production, as in `xmin` of the rows;
/// `None` if they have not been matched.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn matched_by(session: &Connection, run: Uuid) -> Result<Option<u32>> {
    let row = session.query_one(include_str!("../../sql/ledger/matched.sql"), &[&run]).await?;
    row.get::<_, Option<&str>>(0).map(xid).transpose()
}

/// The lower 32 bits of a transaction id, as in `xmin`; staging is far younger than 2^32
/// transactions.
pub(in crate::load) fn xid(text: &str) -> Result<u32> {
    let number: u64 =
        text.parse().map_err(|_| Error::database(format!("{text:?} is not a transaction id")))?;
    Ok(number as u32)
}

/// The refusal to continue a run whose staging table was emptied.
pub(super) fn discarded() -> Error {
    Error::refused("staging was emptied by another sterna while this load was running")
        .hint("load again")
}
