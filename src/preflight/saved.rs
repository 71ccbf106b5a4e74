//! Whether there is a backup to begin with.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{Finding, PreflightSeverity};
use crate::backup;
use crate::error::{Kind, Result, grouped};
use crate::ledger::State;
use crate::pg::{Connection, Table};

/// An older backup lacks too much of what was written since.
const OLDEST_BACKUP: Duration = Duration::from_secs(24 * 60 * 60);

/// Finds the backup that is named, or else the last one of the ledger, which has to be verified and
/// recent.
pub(super) async fn backed_up(
    session: &Connection,
    table: &Table,
    named: Option<&Path>,
    state: Option<State>,
    stop: &AtomicBool,
) -> Result<Finding> {
    const NAME: &str = "backup";
    let hint = "take one: sterna backup --out DIR";
    if let Some(folder) = named {
        return match backup::verify(folder, stop) {
            Ok(found) => {
                let detail = format!(
                    "{}: {} tables with {} rows, verified now",
                    folder.display(),
                    found.tables,
                    grouped(found.rows)
                );
                Ok(Finding::good(NAME, PreflightSeverity::Error, detail))
            }
            Err(error) if error.kind() == Kind::Interrupted => Err(error),
            Err(error) => Ok(Finding::bad(NAME, PreflightSeverity::Error, error.to_string(), hint)),
        };
    }
    let last = match state {
        Some(State::Current) => backup::last(session, table).await?,
        Some(State::Older(_)) => {
            let what = "not known: the ledger is of an older version";
            let hint = "name one with --backup DIR, or take one: sterna backup --out DIR";
            return Ok(Finding::bad(NAME, PreflightSeverity::Error, what, hint));
        }
        Some(State::Nothing) | None => None,
    };
    let Some(last) = last else {
        let what = "the ledger knows of no backup of the table";
        return Ok(Finding::bad(NAME, PreflightSeverity::Error, what, hint));
    };
    let detail = format!("{} of {}", last.path.display(), last.at);
    if !last.verified {
        let hint = "sterna backup verify DIR";
        return Ok(Finding::bad(
            NAME,
            PreflightSeverity::Error,
            format!("{detail}: not verified"),
            hint,
        ));
    }
    let age =
        last.at.parse::<jiff::Timestamp>().ok().map(|at| at.duration_until(jiff::Timestamp::now()));
    let age = age.and_then(|age| Duration::try_from(age).ok()).unwrap_or_default();
    if age > OLDEST_BACKUP {
        let detail = format!("{detail}: {} hours old", age.as_secs() / 3600);
        return Ok(Finding::bad(NAME, PreflightSeverity::Warning, detail, hint));
    }
    Ok(Finding::good(NAME, PreflightSeverity::Error, format!("{detail}, verified")))
}
