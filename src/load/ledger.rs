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
use crate::load::report::RowsReport;
use crate::load::settle::verify::Proved;
use crate::pg::{Connection, Parameter, Table, Volley, first_row};

pub use refusals::{Refusals, RefusedRow, forget, refusals, refuse};

/// The number of files that one statement writes to the ledger.
const FILES_AT_ONCE: usize = 5_000;

/// The SQLSTATE raised if the ledger lacks batches that were committed.
const LOST_BATCHES: &str = "SN021";

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
pub async fn begin(session: &Connection, run: &NewLoad<'_>) -> Result<LoadRun> {
    let id = Uuid::new_v4();
    let mut volley = Volley::default();
    volley.query(
        include_str!("../../sql/ledger/begin-run.sql"),
        vec![
            Box::new(id),
            Box::new(run.staging),
            Box::new(run.target.to_string()),
            Box::new(Value::clone(run.identity)),
            Box::new(run.arguments.clone()),
            Box::new(run.mends),
            Box::new(env!("CARGO_PKG_VERSION").to_owned()),
        ],
    );
    let insert = include_str!("../../sql/ledger/insert-files.sql");
    for (part, files) in run.files.chunks(FILES_AT_ONCE).enumerate() {
        let first = (part * FILES_AT_ONCE) as i32;
        let (paths, sha256s) = paths_and_digests(files);
        let files: Vec<Parameter> =
            vec![Box::new(id), Box::new(first), Box::new(paths), Box::new(sha256s)];
        volley.query(insert, files);
    }
    volley.send(session).await.map_err(|failure| failure.error)?;
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
    let mut volley = Volley::default();
    let (document, checksum) = (Json(report.clone()), checksum.cast_signed());
    let settled = volley.query(
        settle,
        vec![
            Box::new(run),
            Box::new(state.name().to_owned()),
            Box::new(document),
            Box::new(checksum),
        ],
    );
    // The server may have lost some since the last check.
    let (batches, rows) = (report.batches as i64, report.account.rows_loaded as i64);
    let count = include_str!("../../sql/ledger/count-batches.sql");
    volley.query(count, vec![Box::new(run), Box::new(batches), Box::new(rows)]);
    for (part, files) in report.files.chunks(FILES_AT_ONCE).enumerate() {
        let first = (part * FILES_AT_ONCE) as i32;
        let accounts: Vec<_> = files.iter().map(|file| Json(file.account)).collect();
        let update = include_str!("../../sql/ledger/file-accounts.sql");
        volley.query(update, vec![Box::new(run), Box::new(first), Box::new(accounts)]);
    }
    let answers = volley.send(session).await.map_err(|failure| lost_batches(failure.error))?;
    // A run that was discarded has no row that could be settled.
    first_row(&answers, settled).map_err(|_| discarded())?;
    Ok(())
}

/// Turns the error of a condition of [`settle`] into advice; returns any other unchanged.
fn lost_batches(error: tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(said) if said.code().code() == LOST_BATCHES => {
            Error::database(said.message().to_owned())
                .hint("run the same command with --resume, which sends them again")
        }
        _ => error.into(),
    }
}

fn paths_and_digests(files: &[(&str, &[u8; 32])]) -> (Vec<String>, Vec<String>) {
    files.iter().map(|(path, sha256)| ((*path).to_owned(), hex(*sha256))).unzip()
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
