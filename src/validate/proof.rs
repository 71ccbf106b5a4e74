//! The proof as a check: staging, read back, equals what its loads read from the files.

use serde_json::{Value, json};
use uuid::Uuid;

use super::check::Severity;
use super::report::CheckReport;
use super::subject::Subject;
use crate::error::{Error, Kind, Result};
use crate::load::{Proof, Proved};
use crate::pg::{ConnInfo, Connection, Snapshot};

pub(super) const NAME: &str = "equal-to-files";
const PURPOSE: &str =
    "the rows, read back, have the checksums of the rows that were read from the files, by batch";

/// Reads the table once, in the snapshot that `keeper` has exported, unless an earlier proof still
/// holds: then the server counts rows. Also returns what was proved by reading, to be recorded.
pub(super) async fn check(
    info: &ConnInfo,
    keeper: &Connection,
    snapshot: &Snapshot,
    subject: &Subject,
) -> Result<(CheckReport, Option<Proved>)> {
    let name = || NAME.to_owned();
    if subject.is_live {
        let why = "others may have written to the live table since";
        return Ok((CheckReport::skipped(name(), Severity::Error, PURPOSE, why.into()), None));
    }
    let runs: Vec<Uuid> = subject.runs.iter().map(|run| run.id).collect();
    let mut proved = None;
    let verdict = match &subject.written {
        None => Err("the columns are not those that a recorded load wrote".to_owned()),
        Some(columns) => {
            let (pair, staging_oid) = (&subject.pair, subject.checked_oid);
            let proof = Proof { info, pair, staging_oid, columns, runs: &runs, connections: 1 };
            let found = async {
                proved = proof.find_unless_proved(keeper, snapshot).await?;
                Ok::<_, Error>(match &proved {
                    Some(_) => "nothing is wrong",
                    None => {
                        "an earlier proof read the rows back, and nothing has written to them since"
                    }
                })
            };
            match found.await {
                Ok(how) => Ok(how),
                Err(error) if error.kind() == Kind::Validation => Err(error.to_string()),
                Err(error) => return Err(error),
            }
        }
    };
    let passed = verdict.is_ok();
    let report = CheckReport {
        name: name(),
        severity: Severity::Error,
        passed,
        expected: json!("equal"),
        observed: Value::from(if passed { "equal" } else { "different" }),
        detail: verdict.map_or_else(|why| why, str::to_owned),
        purpose: PURPOSE.into(),
        fault: None,
        skipped: None,
        rows: Vec::new(),
    };
    Ok((report, proved))
}
