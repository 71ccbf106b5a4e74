//! Requires a rehearsal before a migration of production.

use serde_json::Value;

use super::exclusive::Exclusive;
use super::options::MigrationOptions;
use super::plan::Step;
use crate::error::{Error, Result};
use crate::rehearse::ledger::{Speaks, passed};
use crate::rehearse::production::Production;

/// How the deviation of a run without a rehearsal begins in the ledger.
const UNREHEARSED: &str = "not rehearsed";

/// Refuses to touch production without a passed rehearsal of the same migration by the same
/// version of sterna. Returns the deviation to record if the user skips the rehearsal.
///
/// # Errors
/// Refused, with the reason why the last rehearsal does not count.
pub(super) fn refuse_unrehearsed(
    options: &MigrationOptions,
    exclusive: &Exclusive,
    identity: &Value,
) -> Result<Option<String>> {
    let latest = exclusive.last.migration.as_ref();
    let unfinished = latest.filter(|run| run.state.is_unfinished());
    // After the switchover there is nothing left to rehearse.
    let is_decided = unfinished.is_some_and(|run| {
        run.is_settled(Step::Switchover)
            || run.deviations.iter().any(|what| what.starts_with(UNREHEARSED))
    });
    if !options.production || is_decided {
        return Ok(None);
    }
    let table = &exclusive.pair.table;
    let speaks = exclusive.session(async |session, _| {
        let now = Production::look(session, table).await?.fingerprint.digest();
        passed(session, table, identity, &now).await
    })?;
    let why = match speaks {
        Speaks::For(passed) => {
            tracing::info!("rehearsed at {}: {}", passed.at, passed.rehearsal_id);
            return Ok(None);
        }
        Speaks::Not(why) => why,
    };
    if options.without_rehearsal {
        return Ok(Some(format!("{UNREHEARSED} and --without-rehearsal was given: {why}")));
    }
    let what = format!("{} is production, and no rehearsal covers this migration: {why}", table);
    Err(Error::refused(what).hint(
        "rehearse it first: `sterna rehearse INPUT...` with the same options; or give \
         --without-rehearsal, which is recorded",
    ))
}
