//! `sterna switchover` and `sterna cleanup`.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::step::{AsStep, as_step, plain};
use crate::cli::render;
use crate::command_line;
use crate::error::{Error, Result};
use crate::migrate::exclusive::Exclusive;
use crate::migrate::outcome;
use crate::migrate::unvalidated;
use crate::migrate::{Run, Step, StepOutcome, next};
use crate::switchover::record::{self, SwitchoverState};
use crate::switchover::{self, SwitchoverOptions, SwitchoverReport};
use crate::table::backup_table;
use crate::table::locks::Patience;
use crate::validate::ValidateOptions;
use crate::watch::Watch;

/// Replace the table with staging, in one transaction; nothing but the rows changes
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna switchover
  sterna switchover --max-wait 10m --format json
  sterna rollback switchover      puts the old table back, with all writes since")]
pub struct SwitchoverArgs {
    /// How long to keep trying to get all locks
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
    /// Compute materialized views after the exchange; until then they cannot be read
    #[arg(long)]
    pub refresh_after: bool,
    /// Switch over even if the rows in staging have passed no validation
    #[arg(long)]
    pub accept_failed_validation: bool,
    /// Switch over even if this check fails; recorded as a deviation with its figures
    /// (repeatable)
    #[arg(long, value_name = "NAME")]
    pub accept_check: Vec<String>,
}

/// Drop the old table that a switchover kept, and the backup table
#[derive(Args, Clone, Debug)]
pub struct CleanupArgs {
    /// Only if the switchover is at least this old
    #[arg(long, default_value = "7d", value_name = "DURATION", value_parser = duration)]
    pub older_than: Duration,
    /// How long to keep trying to get all locks
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
}

/// Switches over, prints the result, and returns the exit code.
///
/// # Errors
/// [`crate::error::Kind::Validation`] if the rows in staging have passed no
/// validation; otherwise as [`switchover::switch_over`].
pub fn run(args: &SwitchoverArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let arguments = json!({
        "max_wait_seconds": args.max_wait.as_secs_f64(),
        "refresh_after": args.refresh_after,
        "accept_failed_validation": args.accept_failed_validation,
        "accept_check": args.accept_check,
    });
    let what = AsStep { step: Step::Switchover, arguments, told, watch: &watch };
    let (report, deviations) = as_step(context, &what, |exclusive, run| {
        refuse_out_of_order(exclusive)?;
        let Exclusive { runtime, info, pair, .. } = exclusive;
        let deviations = match args.accept_failed_validation {
            true => vec![ACCEPTED_ALL.to_owned()],
            false => {
                let limits = ValidateOptions::new(pair.table.clone());
                let asked = unvalidated::refuse(info, limits, &args.accept_check, &watch);
                runtime.block_on(asked).map_err(|e| {
                    e.context("the rows in staging have passed no validation; nothing was changed")
                })?
            }
        };
        let (table, max_wait) = (pair.table.clone(), args.max_wait);
        let options = SwitchoverOptions {
            refresh_after: args.refresh_after,
            ..SwitchoverOptions::new(table, run, max_wait)
        };
        let switched = switchover::switch_over(info, &options, &watch.stop);
        Ok((runtime.block_on(switched)?, deviations))
    })?;
    unvalidated::warn_of_unused(&args.accept_check, &deviations);
    context.print(&report, || render::switchover::switched(&report))?;
    Ok(0)
}

/// The deviation that is recorded if validation was not required.
const ACCEPTED_ALL: &str =
    "--accept-failed-validation was given: validation of the rows was not required";

/// The ledger's record of a switchover and of the accepted deviations.
fn told((report, deviations): &(SwitchoverReport, Vec<String>)) -> Result<StepOutcome> {
    Ok(StepOutcome { deviations: deviations.clone(), ..outcome::switchover(report)? })
}

/// Refuses to run ahead of an unfinished migration that has not reached the switchover.
fn refuse_out_of_order(exclusive: &Exclusive) -> Result<()> {
    let migration = exclusive.last.migration.as_ref();
    let unfinished = migration.filter(|run| run.state.is_unfinished());
    let ahead = unfinished.and_then(|run| next(run).map(|step| (run, step)));
    match ahead.filter(|(_, step)| *step < Step::BackupTable) {
        None => Ok(()),
        Some((run, step)) => Err(Error::refused(format!(
            "a migration of {} is under way, and its next step is {step}",
            exclusive.pair.table
        ))
        .hint(onwards(run))),
    }
}

/// Refuses to clean up after a migration that may still have to be rolled back.
fn refuse_unfinished(exclusive: &Exclusive) -> Result<()> {
    let migration = exclusive.last.migration.as_ref();
    match migration.filter(|run| run.state.is_unfinished()) {
        None => Ok(()),
        Some(run) => Err(Error::refused(format!(
            "the migration {} of {} is not finished, and may need the old table",
            run.run_id, exclusive.pair.table
        ))
        .hint(onwards(run))),
    }
}

/// A hint how to finish or roll back an unfinished run.
fn onwards(run: &Run) -> String {
    let resume = command_line::resume(&run.arguments);
    let back = command_line::roll_back(&run.arguments, Some(Step::Backup.number()));
    format!("finish it with `{resume}`, or roll it back with `{back}`")
}

/// The dropped tables.
#[derive(Clone, Debug, Serialize)]
struct Cleaned {
    dropped: Vec<String>,
}

/// Drops the old table and the backup table, prints them, and returns the exit code.
///
/// # Errors
/// As [`switchover::cleanup`] and [`backup_table::drop`].
pub fn cleanup(args: &CleanupArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let older_than = args.older_than;
    let arguments = json!({"older_than_seconds": older_than.as_secs_f64()});
    let what = AsStep { step: Step::CleanUp, arguments, told: plain, watch: &watch };
    let done = as_step(context, &what, |exclusive, _| {
        refuse_unfinished(exclusive)?;
        exclusive.session(async |session, pair| {
            backup_table::refuse_attached(session, &pair.table).await
        })?;
        let Exclusive { runtime, info, .. } = exclusive;
        let patience = Patience::new(args.max_wait);
        let cleanup = switchover::cleanup(info, &context.table, older_than, patience, &watch.stop);
        let mut dropped = Vec::from_iter(runtime.block_on(cleanup)?);
        dropped.extend(exclusive.session(async |session, pair| {
            // The backup table is kept as long as the old table.
            let last = record::last(session, &pair.table).await?;
            match last.is_some_and(|last| last.state == SwitchoverState::Switched) {
                true => Ok(None),
                false => backup_table::drop(session, &pair.table).await,
            }
        })?);
        Ok(Cleaned { dropped: dropped.iter().map(ToString::to_string).collect() })
    })?;
    context.print(&done, || match done.dropped.as_slice() {
        [] => "nothing to clean up\n".to_owned(),
        tables => format!("dropped {}\n", tables.join(", ")),
    })?;
    Ok(0)
}

/// Parses a duration: `7d`, `60s`, `1h 30m`; a bare number is in seconds.
pub(super) fn duration(text: &str) -> Result<Duration> {
    let bad = |_| Error::usage(format!("{text:?} is not a duration such as 7d, 90m or 60s"));
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    // jiff has no days in durations, since some have 23 hours; here a day has 24.
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.trim().parse::<u64>().map_err(|e| bad(e.to_string()))?, rest),
        None => (0, text),
    };
    let rest = match rest.trim() {
        "" if days == 0 && !text.contains('d') => return Err(bad("it is empty".into())),
        "" => Duration::ZERO,
        rest => {
            let parsed: SignedDuration =
                rest.parse().map_err(|e: jiff::Error| bad(e.to_string()))?;
            parsed.try_into().map_err(|e: jiff::Error| bad(e.to_string()))?
        }
    };
    Ok(Duration::from_secs(days * 24 * 60 * 60) + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [
            ("60s", 60),
            ("7d", 604_800),
            ("90m", 5_400),
            ("1d 2h", 93_600),
            ("5", 5),
            ("0d", 0),
            ("0s", 0),
        ] {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        for bad in ["", "x", "-1d", "-5s", "7 weeks ago", "d"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
