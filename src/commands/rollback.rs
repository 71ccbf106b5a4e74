//! `sterna rollback`: the way back.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::Context;
use super::switchover::duration;
use crate::error::Result;
use crate::load::Watch;
use crate::report;
use crate::switchover::{self, SwitchoverOptions};

/// Put the old table back in its place, with all that was written since
#[derive(Args, Clone, Debug)]
pub struct RollbackArgs {
    /// The step to go back to before [default: the last one]
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// How long to try for a moment in which all locks can be had
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
}

/// Rolls back, reports, and returns the exit code.
///
/// # Errors
/// As [`switchover::roll_back`].
pub fn run(args: &RollbackArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let options = SwitchoverOptions { table: context.table.clone(), max_wait: args.max_wait };
    let report = context
        .exclusively(async |info| switchover::roll_back(info, &options, &watch.stop).await)?;
    context.print(&report, || report::switchover::returned(&report))?;
    Ok(0)
}
