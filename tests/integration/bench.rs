//! `sterna bench` against a real server.

use std::ffi::OsStr;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::cites::{Installation, generated};
use crate::server::Finished;

mod baseline;
mod queries;
mod verdict;

/// Production and staging with the same rows, both with statistics.
pub(crate) async fn equal(rows: u64) -> Installation {
    let here = Installation::new().await;
    let file = here.file("in.csv", generated(rows, 7));
    here.report(0, &[&file, "--all", "--on-inexact", "widen"]);
    here.db
        .psql(
            "INSERT INTO cites_trade_records SELECT id, species_id, record_id, year, appendix,
                taxon, class, order_name, family, genus, term, least(round(quantity, 2), 1e7),
                unit, importer, exporter, origin, purpose, source, reporter_type, import_permit,
                export_permit, origin_permit FROM cites_trade_records_staging",
        )
        .await;
    // Two statements: VACUUM cannot share a message with another.
    here.db.psql("VACUUM (ANALYZE) cites_trade_records").await;
    here
}

/// Benchmarks that run at the same time would measure each other.
static MEASURING: Mutex<()> = Mutex::new(());

pub(crate) fn run<A: AsRef<OsStr>>(here: &Installation, args: &[A]) -> Finished {
    let mut command = here.db.command(&["bench", "--format", "json"]);
    // Every query gets a few rounds, however little time there is.
    if !args.iter().any(|arg| arg.as_ref() == "--seconds") {
        command.args(["--seconds", "0"]);
    }
    // A test that failed while measuring leaves nothing behind that matters here.
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    Finished::from(command.args(args).current_dir(here.folder.path()).output().unwrap())
}

/// The report of a run that must end with this exit code.
#[track_caller]
pub(crate) fn report<A: AsRef<OsStr>>(here: &Installation, code: i32, args: &[A]) -> Value {
    let finished = run(here, args).expect_code(code);
    serde_json::from_str(&finished.stdout).unwrap()
}

pub(crate) fn query<'a>(report: &'a Value, name: &str) -> &'a Value {
    let queries = report["queries"].as_array().unwrap();
    queries
        .iter()
        .find(|query| query["name"] == name)
        .unwrap_or_else(|| panic!("{name}: {report:#}"))
}
