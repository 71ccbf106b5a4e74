//! Benchmarks in the ledger.

use tokio_postgres::types::Json;

use super::report::BenchReport;
use crate::error::{Error, Kind, Result};
use crate::pg::Connection;

/// Records a benchmark.
///
/// # Errors
/// Errors of the server.
pub(super) async fn record(session: &Connection, report: &BenchReport) -> Result<()> {
    let sql = include_str!("../../sql/ledger/insert-bench.sql");
    let version = env!("CARGO_PKG_VERSION");
    session.execute(sql, &[&report.staging.oid, &report.passed, &Json(report), &version]).await?;
    Ok(())
}

/// The newest benchmark of a staging table; `None` if there was none.
///
/// # Errors
/// Errors of the server; a file error if another version of sterna wrote a report that this
/// one cannot read.
pub async fn last(session: &Connection, staging_oid: u32) -> Result<Option<BenchReport>> {
    let sql = include_str!("../../sql/ledger/last-bench.sql");
    let Some(row) = session.query_opt(sql, &[&staging_oid]).await? else { return Ok(None) };
    let report = serde_json::from_value(row.get::<_, serde_json::Value>(0)).map_err(|e| {
        Error::new(Kind::File, "the ledger has a benchmark in an unknown format")
            .caused_by(e)
            .hint("run `sterna bench` again")
    })?;
    Ok(Some(report))
}
