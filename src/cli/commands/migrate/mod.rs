//! `sterna migrate`: the whole plan as one run, which can be resumed and taken back.

mod args;

use std::sync::Arc;

pub use args::{MigrateArgs, MigrationChoices};

use super::Context;
use crate::cli::render;
use crate::error::Result;
use crate::migrate::Migration;
use crate::watch::Watch;

/// Runs the plan, reports, and returns the exit code.
///
/// # Errors
/// That of the step that did not succeed; refused where a run is unfinished, or is not
/// the one that is to be resumed.
pub fn run(args: &MigrateArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let migration = Migration::new(args.options(context)?)?;
    let mut listener = render::migrate::StepLines::new(context.progress, &watch);
    let done = migration.run(&context.conninfo()?, &watch, &mut listener)?;
    context.print(&done.status, || render::migrate::status(&done.status))?;
    done.failure.map_or(Ok(0), Err)
}
