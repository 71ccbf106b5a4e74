//! `sterna switchover`, `sterna rollback` of it, and `sterna cleanup` after it.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde::Serialize;

use super::Context;
use crate::error::{Error, Result};
use crate::load::Watch;
use crate::report;
use crate::switchover::{self, SwitchoverOptions};

/// Put staging in the table's place, in one transaction; nothing changes but the rows
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna switchover
  sterna switchover --max-wait 10m --format json
  sterna rollback switchover      puts the old table back, with all that was written since")]
pub struct SwitchoverArgs {
    /// How long to try for a moment in which all locks can be had
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
}

/// Drop the old table that a switchover has kept
#[derive(Args, Clone, Debug)]
pub struct CleanupArgs {
    /// Only where the switchover was at least so long ago
    #[arg(long, default_value = "7d", value_name = "DURATION", value_parser = duration)]
    pub older_than: Duration,
    /// How long to try for a moment in which all locks can be had
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
}

/// Switches over, reports, and returns the exit code.
///
/// # Errors
/// As [`switchover::switch_over`].
pub fn run(args: &SwitchoverArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let options = SwitchoverOptions { table: context.table.clone(), max_wait: args.max_wait };
    let report = context
        .exclusively(async |info| switchover::switch_over(info, &options, &watch.stop).await)?;
    context.print(&report, || report::switchover::switched(&report))?;
    Ok(0)
}

/// What was cleaned up.
#[derive(Clone, Debug, Serialize)]
struct Cleaned {
    dropped: Vec<String>,
}

/// Drops the old table, reports, and returns the exit code.
///
/// # Errors
/// As [`switchover::cleanup`].
pub fn cleanup(args: &CleanupArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let options = SwitchoverOptions { table: context.table.clone(), max_wait: args.max_wait };
    let dropped = context.exclusively(async |info| {
        switchover::cleanup(info, &options, args.older_than, &watch.stop).await
    })?;
    let dropped: Vec<String> = dropped.iter().map(ToString::to_string).collect();
    let text = || match dropped.as_slice() {
        [] => "nothing to clean up\n".to_owned(),
        tables => format!("dropped {}\n", tables.join(", ")),
    };
    let text = text();
    context.print(&Cleaned { dropped }, || text)?;
    Ok(0)
}

/// `7d`, `60s`, `1h 30m`; a bare number counts seconds.
pub(super) fn duration(text: &str) -> Result<Duration> {
    let bad = |_| Error::usage(format!("{text:?} is not a duration such as 7d, 90m or 60s"));
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    // jiff leaves days out of durations, since some have 23 hours; here one has 24.
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.trim().parse::<u64>().map_err(|e| bad(e.to_string()))?, rest),
        None => (0, text),
    };
    let rest = match rest.trim() {
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
