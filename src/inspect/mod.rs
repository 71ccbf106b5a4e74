//! Inspects files before they are loaded and compares them with the target table.
//!
//! [`inspect`] reads like a load, through the same pipeline, but sends the batches to an
//! `examiner` instead of a connection. It encodes under the strict policy and checks for
//! every value that fails whether another policy would accept it. `findings` collects
//! results in bounded memory, `verdict` draws the conclusion, and `report` is what callers
//! get.
//!
//! It neither writes to the database nor needs the staging table or the ledger. So it
//! cannot find what only the server rejects: violations of CHECKs, unique and foreign keys.

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
use crate::pg::{ConnInfo, Table, catalog, connect_for};
use crate::runtime;
use crate::trust;
use crate::watch::{Phase, Watch};

/// The maximum number of records per batch.
const BATCH_ROWS: usize = 10_000;

/// Options of an inspection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InspectOptions {
    /// The table that the files are to be loaded into.
    pub table: Table,
    /// Files, folders, globs, or `-`.
    pub inputs: Vec<String>,
    /// How the inputs are read.
    pub read: ReadOptions,
    /// The years that would be loaded.
    pub years: Years,
    /// The policy of the load; `None` finds out which policies would work.
    pub on_inexact: Option<OnInexact>,
    /// A file of synonyms for species names.
    pub synonyms: Option<PathBuf>,
    /// A file of formats that replaces the built-in ones.
    pub mapping: Option<PathBuf>,
    /// How rows would be matched with production; `None` leaves matching out.
    pub matching: Option<MatchOptions>,
    /// The number of threads for each of reading, encoding and examining.
    pub workers: usize,
}

impl InspectOptions {
    /// Returns the default options for inspecting `inputs`.
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
/// If the files cannot be read to their end, or if their headers or the table's columns
/// rule out a load.
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

/// Returns how each column of the target gets its values, judged by the headers alone.
///
/// # Errors
/// Those of [`inspect`]; refused if keys or values of production would be lost.
pub async fn columns(info: &ConnInfo, options: &InspectOptions) -> Result<ColumnUses> {
    let reading = look(info, options).await?;
    Ok(reading.matching().map(|matching| matching.uses.clone()).unwrap_or_default())
}

/// Reads all records and passes the findings, the names without a species, and the seconds
/// it took to `conclude`.
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

/// Reads inputs, headers, target and species, in a session that cannot write.
async fn look(info: &ConnInfo, options: &InspectOptions) -> Result<Reading> {
    let session = connect_for(info, "inspect").await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    session.batch_execute(include_str!("../../sql/inspect/session.sql")).await?;
    let found = catalog::loadable(&session, &options.table).await?;
    trust::code(&session, &[found.oid], &[]).await?;
    let request = Request {
        table: &options.table,
        whole: &found.whole,
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
