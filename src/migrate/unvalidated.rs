//! The gate before a switchover: exactly the rows in staging must have passed validation.

use crate::error::Result;
use crate::load::Years;
use crate::load::ledger::{LoadState, runs};
use crate::pg::{ConnInfo, connect_for};
use crate::switchover::journal::{self, Toward};
use crate::table::partition::Takes;
use crate::table::staging;
use crate::validate::{self, Carried, ValidateOptions, ValidationReport};
use crate::watch::Watch;

/// Refuses rows that have not passed validation. If the last validation is outdated or did
/// not pass, validates again. Returns the deviations to record for checks that failed and
/// were accepted by name.
///
/// # Errors
/// [`crate::error::Kind::Validation`].
pub(crate) async fn refuse(
    info: &ConnInfo,
    options: ValidateOptions,
    accepted: &[String],
    watch: &Watch,
) -> Result<Vec<String>> {
    let mut session = connect_for(info, "check of an unvalidated table").await?;
    let pair = staging::pair_of(&mut session, &options.table, Takes::Shards).await?;
    // If there is nothing to validate, the switchover itself says what is missing.
    let Some(found) = staging::find(&session, &pair).await? else { return Ok(Vec::new()) };
    let loads = runs(&session, found.oid).await?;
    let unfinished = loads.iter().any(|run| run.state != LoadState::Loaded);
    let unloaded = loads.is_empty() && !staging::has_rows(&session, &pair).await?;
    if unfinished || unloaded {
        return Ok(Vec::new());
    }
    // Writes to production that an earlier attempt has already carried over.
    let journaled = journal::state(&session, pair.table_oid, Toward::Staging).await?;
    let carried = match journaled {
        None => Carried::default(),
        Some(state) => Carried {
            added: state.added,
            removed: state.removed,
            writes: journal::carried(&session, pair.table_oid, Toward::Staging).await?,
        },
    };
    // A validation of some years says nothing about the other rows.
    if let Some(last) = validate::last(&session, found.oid).await?.filter(|l| l.years.is_empty())
        && let Ok(report) = serde_json::from_value::<ValidationReport>(last.report.clone())
        && report.failure(accepted).is_none()
    {
        match last.is_outdated(&session, &pair.staging, carried).await? {
            None => return Ok(report.deviations(accepted)),
            Some(why) => tracing::info!("staging is validated again: {why}"),
        }
    }
    let options = ValidateOptions { years: Some(Years::default()), ..options };
    let report = validate::validate(info, &options, watch).await?;
    report.failure(accepted).map_or_else(|| Ok(report.deviations(accepted)), Err)
}

/// Warns of accepted checks that did not fail: whoever named them expected otherwise.
pub(crate) fn warn_of_unused(accepted: &[String], deviations: &[String]) {
    for name in accepted {
        let flag = format!("--accept-check {name} was given");
        if !deviations.iter().any(|what| what.contains(&flag)) {
            tracing::warn!("--accept-check {name}: no check of this name has failed");
        }
    }
}
