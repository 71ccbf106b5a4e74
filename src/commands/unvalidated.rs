//! The gate before a switchover: a passed validation of the very rows in staging.

use std::sync::atomic::AtomicBool;

use super::validate::failure;
use crate::error::Result;
use crate::load::Years;
use crate::load::ledger::{State, runs};
use crate::pg::{ConnInfo, connect};
use crate::staging::{self, Pair};
use crate::switchover::journal::{self, Toward};
use crate::validate::{self, Carried, ValidateOptions};

/// Refuses rows that no validation speaks of, or not well. Where the last one is of
/// other rows, validates.
///
/// # Errors
/// [`crate::error::Kind::Validation`].
pub(super) async fn refuse(info: &ConnInfo, pair: &Pair, stop: &AtomicBool) -> Result<()> {
    let mut session = connect(info).await?;
    let pair = staging::pair(&mut session, &pair.table).await?;
    // Where there is nothing to validate, the switchover itself says what is missing.
    let Some(found) = staging::find(&session, &pair).await? else { return Ok(()) };
    let loads = runs(&session, found.oid).await?;
    let unfinished = loads.iter().any(|run| run.state != State::Loaded);
    let unloaded = loads.is_empty() && !staging::has_rows(&session, &pair).await?;
    if unfinished || unloaded {
        return Ok(());
    }
    // Production's writes that an earlier try has carried over already.
    let journaled = journal::state(&*session, pair.table_oid, Toward::Staging).await?;
    let carried = match journaled {
        None => Carried::default(),
        Some(state) => Carried {
            added: state.added,
            removed: state.removed,
            writes: journal::carried(&*session, pair.table_oid, Toward::Staging).await?,
        },
    };
    if let Some(last) = validate::last(&session, found.oid).await?
        && last.passed
        // That of one year says nothing of what else is to be replaced.
        && last.years.is_empty()
    {
        match last.is_outdated(&session, &pair.staging, carried).await? {
            None => return Ok(()),
            Some(why) => tracing::info!("staging is validated again: {why}"),
        }
    }
    let years = Some(Years::default());
    let options = ValidateOptions { years, ..ValidateOptions::new(pair.table) };
    let report = validate::validate(info, &options, stop).await?;
    if report.passed { Ok(()) } else { Err(failure(&report)) }
}
