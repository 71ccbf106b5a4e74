//! A look at files before they are loaded: what they hold against the target.
//!
//! [`inspect`] reads the same way as a load does, by the same pipeline, and sends
//! the batches to an `examiner` in place of a connection. It encodes under the
//! strict policy and asks for every value that fails whether another policy would
//! take it. `findings` holds what was seen, in bounded memory; `verdict` says what
//! follows from it; `report` is what is handed out.
//!
//! It neither writes to the database nor needs the staging table or the ledger. So
//! it does not see what only the server can refuse: CHECKs, unique and foreign keys.

mod examiner;
mod findings;
mod missing;
mod report;
mod subject;
mod summary;
mod verdict;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

pub use missing::{MissingReport, MissingTaxon, missing};
pub use report::{
    CodeReport, Example, InspectReport, InspectedFile, MisfitReport, TaxonReport, UnmappedReport,
};
pub use verdict::{PolicyReport, Verdict};

use self::examiner::Examiner;
use self::findings::Findings;
use self::subject::Subject;
use crate::error::Result;
use crate::load::{
    ColumnUses, MatchOptions, OnInexact, OnUnmapped, Pipeline, ReadOptions, Reading, Request,
    RowIds, UnmappedTaxa, Years,
};
use crate::pg::{ConnInfo, Table, catalog, connect};
use crate::runtime;
use crate::trust;
use crate::watch::{Phase, Watch};

/// Records per batch at most.
const BATCH_ROWS: usize = 10_000;

/// What is to be inspected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InspectOptions {
    /// The table that the files are meant for.
    pub table: Table,
    /// Files, folders, globs, or `-`.
    pub inputs: Vec<String>,
    /// How they are read.
    pub read: ReadOptions,
    /// The years that would be loaded.
    pub years: Years,
    /// The policy that would be loaded with; `None` finds out which would do.
    pub on_inexact: Option<OnInexact>,
    /// A file of further names of species.
    pub synonyms: Option<PathBuf>,
    /// A file of formats in place of the built-in ones.
    pub mapping: Option<PathBuf>,
    /// How rows would be matched with production's; none where nobody asks.
    pub matching: Option<MatchOptions>,
    /// Threads that read, as many that encode, and as many that judge.
    pub workers: usize,
}

impl InspectOptions {
    /// Those of an inspection of `inputs` that asks for nothing else.
    #[must_use]
    pub fn new(table: Table, inputs: Vec<String>) -> Self {
        InspectOptions {
            table,
            inputs,
            read: ReadOptions::default(),
            years: Years::default(),
            on_inexact: None,
            synonyms: None,
            mapping: None,
            matching: None,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Inspects files against a table.
///
/// Blocks; must not be called inside an async runtime.
///
/// # Errors
/// Where the files cannot be read to their end, or cannot be loaded into the table
/// for a reason that lies in headers and columns rather than in records.
pub fn inspect(info: &ConnInfo, options: &InspectOptions, watch: &Watch) -> Result<InspectReport> {
    let begun = Instant::now();
    let mut report = read(info, options, watch, |subject, findings, unmapped, read_seconds| {
        let report = summary::summarise(subject, findings, unmapped, options);
        InspectReport { read_seconds, ..report }
    })?;
    report.bytes_read = watch.counters.bytes_read.load(Ordering::Relaxed);
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// What becomes of each column of the target, by the headers of the files alone.
///
/// # Errors
/// As [`inspect`]; refused where keys or values of production would be lost.
pub async fn columns(info: &ConnInfo, options: &InspectOptions) -> Result<ColumnUses> {
    let reading = look(info, options).await?;
    Ok(reading.matching().map(|matching| matching.uses.clone()).unwrap_or_default())
}

/// Reads all records and hands on what was found, the names without a species, and how
/// many seconds it took.
fn read<T>(
    info: &ConnInfo,
    options: &InspectOptions,
    watch: &Watch,
    conclude: impl FnOnce(&Subject<'_>, Findings, &UnmappedTaxa, f64) -> T,
) -> Result<T> {
    watch.enter(Phase::Preparing, 0);
    let reading = runtime::blocking()?.block_on(look(info, options))?;
    let subject = Subject::new(&reading)?;
    watch.enter(Phase::Inspecting, reading.inputs.bytes());
    let mut parts = vec![Findings::new(&subject); options.workers];
    let row_ids = RowIds::default();
    let examiners = parts.iter_mut().map(|findings| Examiner::new(&subject, &row_ids, findings));
    let pipeline = Pipeline {
        inputs: &reading.inputs,
        plans: &subject.strict,
        taxa: &reading.taxa,
        row_ids: &row_ids,
        years: &options.years,
        on_unmapped: OnUnmapped::Skip,
        on_inexact: OnInexact::Reject,
        batch_rows: BATCH_ROWS,
        max_record_bytes: options.read.max_record_bytes,
        workers: options.workers,
        sources: options.workers,
        stop: &watch.stop,
        counters: &watch.counters,
    };
    let reading_begun = Instant::now();
    let unmapped = pipeline.run(examiners.collect(), |_| Ok(()))?;
    let read_seconds = reading_begun.elapsed().as_secs_f64();
    let mut findings = Findings::new(&subject);
    parts.into_iter().for_each(|part| findings.merge(part));
    Ok(conclude(&subject, findings, &unmapped, read_seconds))
}

/// Looks at inputs, headers, target and species, in a session that cannot write.
async fn look(info: &ConnInfo, options: &InspectOptions) -> Result<Reading> {
    let session = connect(info).await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    session.batch_execute(include_str!("../../sql/inspect/session.sql")).await?;
    let found = catalog::plain_table(&session, &options.table).await?;
    trust::code(&session, &[found.oid], &[]).await?;
    let request = Request {
        table: &options.table,
        table_oid: found.oid,
        inputs: &options.inputs,
        read: options.read,
        years: &options.years,
        synonyms: options.synonyms.as_deref(),
        mapping: options.mapping.as_deref(),
        matching: options.matching.as_ref(),
    };
    Reading::new(&session, &request).await
}
