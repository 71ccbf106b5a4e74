//! The outcome of a step, and what the ledger of runs keeps of each report: the number of
//! rows, a summary line, and the report itself if it is stored nowhere else.

use serde::Serialize;
use serde_json::{Value, json};

use crate::backup::BackupReport;
use crate::bench::BenchReport;
use crate::error::{Error, Kind, Result, counted, grouped};
use crate::load;
use crate::load::report::LoadReport;
use crate::pg::Table;
use crate::switchover::SwitchoverReport;
use crate::table::backup_table::BackupTableReport;
use crate::table::reindex::ReindexReport;
use crate::table::staging;
use crate::table::summary::SummaryReport;
use crate::validate::{Severity, ValidationReport};

/// The outcome of a step.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StepOutcome {
    /// Rows that it read or wrote.
    pub rows: Option<i64>,
    /// A summary in one line.
    pub summary: String,
    /// Its report, for the ledger.
    pub detail: Value,
    /// Findings that stop the run.
    pub failures: Vec<Error>,
    /// Findings that the user accepted.
    pub deviations: Vec<String>,
}

/// A report as JSON, for the ledger.
pub(crate) fn value(report: &impl Serialize) -> Result<Value> {
    serde_json::to_value(report).map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))
}

fn rows(number: i64) -> String {
    counted(number.unsigned_abs(), "row")
}

fn signed(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(crate) fn backup(report: &BackupReport) -> Result<StepOutcome> {
    let rows = report.manifest.tables.iter().map(|table| table.rows).sum();
    let tables = counted(report.manifest.tables.len() as u64, "table");
    let summary = format!("{} of {tables} in {}", counted(rows, "row"), report.path);
    Ok(StepOutcome {
        rows: Some(signed(rows)),
        summary,
        detail: value(report)?,
        ..StepOutcome::default()
    })
}

pub(crate) fn loaded(report: &LoadReport) -> Result<StepOutcome> {
    let account = report.rows.account;
    let mut summary = format!("{} loaded", counted(account.rows_loaded, "row"));
    for (rows, what) in [
        (account.rows_rejected, "rejected"),
        (account.rows_unmapped, "without a species"),
        (account.rows_filtered, "of other years"),
    ] {
        if rows > 0 {
            summary.push_str(&format!(", {} {what}", grouped(rows)));
        }
    }
    if !report.left_out.is_empty() {
        let files = counted(report.left_out.len() as u64, "file");
        summary.push_str(&format!(", {files} left out"));
    }
    if !report.years_without_rows.is_empty() {
        let years = report.years_without_rows.iter().map(ToString::to_string);
        summary.push_str(&format!(", none of {}", years.collect::<Vec<_>>().join(", ")));
    }
    let rows = Some(signed(account.rows_loaded));
    // The ledger of loads has the outcome of each file; there may be many.
    let mut kept = report.clone();
    kept.rows.files = Vec::new();
    Ok(StepOutcome { rows, summary, detail: value(&kept)?, ..StepOutcome::default() })
}

pub(crate) fn load(done: &load::Loaded) -> Result<StepOutcome> {
    let failures = done.failure.iter().map(|e| Error::new(e.kind(), e.to_string())).collect();
    Ok(StepOutcome { failures, ..loaded(&done.report)? })
}

pub(crate) fn validation(report: &ValidationReport, accepted: &[String]) -> Result<StepOutcome> {
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let checks = report.checks.len();
    let mut summary = format!(
        "{}, {}, {}",
        counted(checks as u64, "check"),
        counted(errors as u64, "error"),
        counted(warnings as u64, "warning")
    );
    let named: Vec<_> = report.failed().iter().map(|check| check.name.as_str()).collect();
    if !named.is_empty() {
        summary.push_str(&format!(": {}", named.join(", ")));
    }
    let failed: Vec<Value> = report
        .failed()
        .iter()
        .map(
            |check| json!({"name": check.name, "severity": check.severity, "detail": check.detail}),
        )
        .collect();
    // The whole report is in the ledger's validations.
    let detail = json!({
        "id": report.id, "passed": report.passed, "table": report.table, "rows": report.rows,
        "checks": checks, "failed": failed, "seconds": report.seconds,
    });
    let failures = report.failure(accepted).into_iter().collect();
    let (rows, deviations) = (Some(signed(report.rows)), report.deviations(accepted));
    Ok(StepOutcome { rows, summary, detail, failures, deviations })
}

pub(crate) fn bench(report: &BenchReport) -> Result<StepOutcome> {
    let worst = report.queries.iter().filter_map(|query| query.ratio).fold(0.0, f64::max);
    let queries = counted(report.queries.len() as u64, "query");
    let mut summary = match report.compared {
        true => format!("{queries}, the slowest at {worst:.2} times production's time"),
        false => format!("{queries}; production has no rows to compare with"),
    };
    if let Some(why) = report.why_longer() {
        summary = format!("{summary}; {why}");
    }
    let ratios = report.queries.iter().map(|query| {
        json!({
            "name": query.name, "ratio": query.ratio, "ratio_low": query.ratio_low,
            "ratio_high": query.ratio_high, "regressed": query.regressed,
            "production_p50_ms": query.production.as_ref().map(|latency| latency.p50_ms),
            "staging_p50_ms": query.staging.p50_ms,
        })
    });
    // The whole report is in the ledger's benchmarks.
    let detail = json!({
        "passed": report.passed, "failures": report.failures,
        "queries": ratios.collect::<Vec<_>>(), "seconds": report.seconds,
    });
    let failures = report.failure().into_iter().collect();
    Ok(StepOutcome { summary, detail, failures, ..StepOutcome::default() })
}

pub(crate) fn backup_table(report: &BackupTableReport) -> Result<StepOutcome> {
    let summary = format!("{} in {}", rows(report.rows), report.backup_table);
    Ok(StepOutcome {
        rows: Some(report.rows),
        summary,
        detail: value(report)?,
        ..StepOutcome::default()
    })
}

/// The outcome of step 4.1 if the switchover alone keeps the table.
pub(crate) fn no_backup_table(table: &Table) -> Result<StepOutcome> {
    let kept = table.with_suffix(staging::OLD_SUFFIX)?;
    Ok(StepOutcome {
        summary: format!("nothing copied: the switchover keeps the table itself as {kept}"),
        detail: json!({"backup_table": null, "kept_by_switchover": kept.to_string()}),
        ..StepOutcome::default()
    })
}

pub(crate) fn switchover(report: &SwitchoverReport) -> Result<StepOutcome> {
    let summary = match report.resumed {
        true => "an earlier attempt had switched over".to_owned(),
        false => format!(
            "locked for {:.0} ms at try {}, {} carried over",
            report.locked_ms,
            report.attempts,
            counted(report.replayed_rows.unsigned_abs(), "write")
        ),
    };
    Ok(StepOutcome {
        rows: Some(report.rows),
        summary,
        detail: value(report)?,
        ..StepOutcome::default()
    })
}

pub(crate) fn indexes(report: &ReindexReport) -> Result<StepOutcome> {
    let valid = report.indexes.iter().filter(|index| index.valid).count();
    let indexes = counted(report.indexes.len() as u64, "index");
    let summary = format!("{valid} of {indexes} valid");
    let failures = report.verdict().err().into_iter().collect();
    Ok(StepOutcome { summary, detail: value(report)?, failures, ..StepOutcome::default() })
}

pub(crate) fn summary(report: &SummaryReport) -> Result<StepOutcome> {
    let records = counted(report.total_trade_records.unsigned_abs(), "record");
    let species = counted(report.species.unsigned_abs(), "species");
    let summary = format!("{species}, {records}");
    Ok(StepOutcome {
        rows: Some(report.species),
        summary,
        detail: value(report)?,
        ..StepOutcome::default()
    })
}
