//! `sterna migrate`: the whole plan as one run, which can be resumed and rolled back.

mod args;

use std::sync::Arc;

pub use args::{MigrateArgs, MigrationChoices};

use super::Context;
use crate::cli::render;
use crate::error::Result;
use crate::migrate::Migration;
use crate::watch::Watch;

/// Runs the plan, prints the result, and returns the exit code.
///
/// # Errors
/// The error of the step that failed; refused if another run is unfinished, or if the run
/// to resume was started with different arguments.
pub fn run(args: &MigrateArgs, context: &Context) -> Result<u8> {
    let context = &args.choices.narrowed(context)?;
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let migration = Migration::new(args.options(context)?)?;
    let mut listener = render::migrate::StepLines::new(context.progress, &watch);
    let done = migration.run(&context.conninfo()?, &watch, &mut listener);
    let done = done.map_err(|error| context.explain(error))?;
    context.print(&done.status, || render::migrate::status(&done.status))?;
    done.failure.map_or(Ok(0), |failure| Err(context.explain(failure)))
}
