//! Validation: checks that return what is wrong with the rows.
//!
//! Checks are files (in `sql/checks/` and in a folder of the user's own). Checks that judge
//! each row by itself are conditions and share one pass over the table; the others are
//! queries. All run concurrently in one snapshot, in read-only transactions. The ledger stores
//! the findings together with the identity of the rows, so that a switchover can tell whether
//! exactly these rows were validated.

mod check;
mod comparison;
mod dependents;
mod instance;
mod ledger;
mod names;
mod proof;
mod report;
mod run;
mod subject;
mod value;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::try_join_all;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use check::Severity;
pub use ledger::{Carried, StoredValidation, last};
pub use report::{Change, CheckReport, Total, ValidationReport};

use crate::application::Application;
use crate::error::{Error, Result};
use crate::load::{self, Years};
use crate::pg::{ConnInfo, Connection, Snapshot, Table, connect_for};
use crate::table::partition::Takes;
use crate::table::staging;
use crate::watch::{Phase, Watch};
use subject::Subject;

/// Name of the check that compares the catalog with its state before a switchover. The caller
/// runs this check and passes its report in.
pub const CATALOG_PARITY: &str = "catalog-parity";

/// The options of a validation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidateOptions {
    /// The table that is to be replaced, or has been.
    pub table: Table,
    /// The years to compare; `None` for those that were loaded.
    pub years: Option<Years>,
    /// The expected number of rows.
    pub expect_rows: Option<u64>,
    /// Whether to check the live table and what is related to it, instead of staging.
    pub comprehensive: bool,
    /// A folder with the user's own checks.
    pub checks: Option<PathBuf>,
    /// Time limit of each of the user's own checks.
    pub time_limit: Duration,
    /// What is still acceptable.
    pub limits: Limits,
    /// Number of sessions that run checks, in addition to the one for the proof.
    pub connections: usize,
    /// How to query dependents for a row; if `None`, they are only parsed and compiled.
    pub ask_dependents: Option<Application>,
    /// Reports of checks by other modules to include, such as the comparison with the
    /// fingerprint from before a switchover.
    pub further: Vec<CheckReport>,
}

impl ValidateOptions {
    /// A validation of the staging table of `table`, with the defaults of the command line.
    #[must_use]
    pub fn new(table: Table) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        ValidateOptions {
            table,
            years: None,
            expect_rows: None,
            comprehensive: false,
            checks: None,
            time_limit: Duration::from_secs(10 * 60),
            limits: Limits::default(),
            connections: cores.min(4),
            ask_dependents: None,
            further: Vec::new(),
        }
    }
}

/// The limits of what is still acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// The earliest year of a record.
    pub first_year: i32,
    /// The latest year of a record; `None` for the current year.
    pub last_year: Option<i32>,
    /// The percentage of its rows that a species may have lost, in a year or in all years.
    #[serde(rename = "max_shrinkage")]
    pub max_shrinkage_percent: f64,
    /// The percentage by which the total quantity of a unit may have changed.
    #[serde(rename = "max_quantity_change")]
    pub max_quantity_change_percent: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            // The first year of CITES trade data.
            first_year: 1975,
            last_year: None,
            max_shrinkage_percent: 10.0,
            max_quantity_change_percent: 20.0,
        }
    }
}

/// Refuses names that no check has, such as a misspelt one in `--accept-check`.
///
/// # Errors
/// A usage error that names it, or an error about the folder with the user's own checks.
pub fn refuse_unknown_checks(names: &[String], folder: Option<&Path>) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut checks = check::built_in()?;
    if let Some(folder) = folder {
        checks.extend(check::read_folder(folder)?);
    }
    let others = [proof::NAME, dependents::NAME, CATALOG_PARITY];
    let known: Vec<&str> = checks.iter().map(|check| check.name.as_str()).chain(others).collect();
    for name in names {
        let repeated = name.split_once('.').map_or(name.as_str(), |(check, _)| check);
        if !known.contains(&name.as_str()) && !known.contains(&repeated) {
            return Err(Error::usage(format!("there is no check {name}"))
                .hint(format!("the checks are {}", known.join(", "))));
        }
    }
    Ok(())
}

/// What sessions are named after while they run no check.
const CHECKS: &str = "checks";

/// Validates, and stores the report in the ledger.
///
/// # Errors
/// If a check cannot be run. A check that fails is no error, but part of the report.
pub async fn validate(
    info: &ConnInfo,
    options: &ValidateOptions,
    watch: &Watch,
) -> Result<ValidationReport> {
    let begun = Instant::now();
    let stop = &watch.stop;
    watch.enter(Phase::Validating, 0);
    let mut checks = check::built_in()?;
    if let Some(folder) = &options.checks {
        checks.extend(check::read_folder(folder)?);
    }
    let mut keeper = connect_for(info, "validation").await?;
    let takes = if options.comprehensive { Takes::Partitions } else { Takes::Shards };
    let pair = staging::pair_of(&mut keeper, &options.table, takes).await?;
    let snapshot = Snapshot::begin(&keeper).await?;
    let mut subject = Subject::read(&keeper, pair, options).boxed_local().await?;
    let opened = (0..options.connections.max(1)).map(|_| snapshot.open(info, CHECKS));
    let sessions = try_join_all(opened).await?;
    watch.tell("comparing with production");
    let (compared, totals) = futures::try_join!(
        comparison::compare(&keeper, &subject, stop).boxed_local(),
        comparison::total(&sessions[0], &subject, stop).boxed_local(),
    )?;
    subject.totals = totals;
    if let Some(changes) = compared.changes {
        subject.known.value("changes", changes);
    }
    let asker = match &options.ask_dependents {
        Some(application) => {
            let table = (&subject.pair.table, subject.pair.table_oid);
            Some(application.asker(info, &keeper, table).await?)
        }
        None => None,
    };
    let mut ready = Vec::new();
    for check in &checks {
        ready.extend(instance::prepare(check, &subject)?);
    }
    let (found, (proof, proved), identity) = futures::try_join!(
        run::run(&sessions, &ready, &subject, watch).boxed_local(),
        proof::check(info, &keeper, &snapshot, &subject).boxed_local(),
        ledger::identity(&keeper, &subject).boxed_local(),
    )?;
    let mut reports: Vec<CheckReport> = found.reports.into_iter().map(|(_, found)| found).collect();
    reports.push(proof);
    if subject.is_live {
        reports.push(dependents::check(&sessions[0], &subject, asker.as_ref(), stop).await?);
    }
    reports.extend(options.further.iter().cloned());
    name_files(&keeper, &subject, &mut reports).await?;
    keeper.batch_execute("COMMIT").await?;
    if let Some(proved) = proved {
        let runs: Vec<Uuid> = subject.runs.iter().map(|run| run.id).collect();
        load::ledger::prove(&keeper, &runs, &proved).await?;
    }
    let id = Uuid::new_v4();
    let report = ValidationReport {
        id: id.to_string(),
        passed: reports.iter().all(|check| check.passed || check.severity == Severity::Warning),
        table: subject.checked.to_string(),
        rows: found.rows,
        years: subject.years.iter().collect(),
        comprehensive: subject.is_live,
        checks: reports,
        largest_changes: compared.largest_changes,
        by_species: compared.by_species,
        by_year: compared.by_year,
        by_unit: comparison::by_unit(&subject.totals),
        seconds: begun.elapsed().as_secs_f64(),
    };
    ledger::store(&keeper, id, &subject, &report, &identity).await?;
    let ended = sessions.into_iter().map(async |session| {
        session.batch_execute("COMMIT").await?;
        session.close().await
    });
    let (ended, closed) = futures::join!(try_join_all(ended), keeper.close());
    if let Err(error) = ended.and(closed) {
        tracing::debug!("a session was lost after the validation: {error}");
    }
    Ok(report)
}

/// Adds to each wrong row the file that it comes from, by the transaction that wrote it.
async fn name_files(
    session: &Connection,
    subject: &Subject,
    reports: &mut [CheckReport],
) -> Result<()> {
    let rows = || reports.iter().flat_map(|report| &report.rows);
    if !rows().any(|row| row.contains_key("xmin")) {
        return Ok(());
    }
    if subject.pair.distribution.is_elsewhere() {
        // It is that of a transaction on a worker.
        for row in reports.iter_mut().flat_map(|report| &mut report.rows) {
            row.shift_remove("xmin");
        }
        return Ok(());
    }
    let sql = include_str!("../../sql/validate/batches.sql");
    let batches = session.query(sql, &[&subject.checked_oid]).await?;
    let batches: HashMap<String, (String, i64)> =
        batches.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    for row in reports.iter_mut().flat_map(|report| &mut report.rows) {
        place(row, &batches);
    }
    Ok(())
}

fn place(row: &mut Map<String, Value>, batches: &HashMap<String, (String, i64)>) {
    let Some(writer) = row.shift_remove("xmin") else { return };
    match writer.as_str().and_then(|writer| batches.get(writer)) {
        Some((file, line)) => {
            row.insert("file".into(), json!(file));
            row.insert("batch_from_line".into(), json!(line));
        }
        // No load wrote this version of the row.
        None => {
            row.insert("file".into(), Value::Null);
        }
    }
}
