//! A rehearsal from beginning to end: its options and its result.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::ledger::record;
use super::options::{Listener, RehearsalOptions};
use super::report::RehearsalReport;
use super::scratch::Scratch;
use super::stages::{Rehearsing, files, interrupted};
use crate::error::{Error, Kind, Result};
use crate::migrate::{identity, partition};
use crate::pg::ConnInfo;
use crate::runtime;
use crate::watch::Watch;

/// A rehearsal, ready to run: the plan and its rollback, on a copy of production.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    options: RehearsalOptions,
}

/// How a rehearsal ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rehearsed {
    /// Its report.
    pub report: RehearsalReport,
    /// Why it did not pass, if it did not.
    pub failure: Option<Error>,
    scratch: Scratch,
}

impl Rehearsed {
    /// A private folder with the plan's report and rejects; it is removed when this value is
    /// dropped.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        files(&self.scratch)
    }
}

impl Rehearsal {
    /// Creates a rehearsal with these options.
    #[must_use]
    pub fn new(options: RehearsalOptions) -> Self {
        Rehearsal { options }
    }

    /// Runs it, and records it in production's ledger if it passed. Blocks; do not call it
    /// from an asynchronous task.
    ///
    /// # Errors
    /// If it cannot begin, or a pass cannot be recorded in production's ledger;
    /// [`Kind::Interrupted`] if `watch` stops it.
    pub fn run(
        &self,
        info: &ConnInfo,
        watch: &Arc<Watch>,
        listener: &mut dyn Listener,
    ) -> Result<Rehearsed> {
        let begun = Instant::now();
        let with_years = partition::with_years(info, &self.options.migration);
        let migration = runtime::blocking()?.block_on(with_years)?;
        let options = RehearsalOptions { migration, ..self.options.clone() };
        let identity = identity::of(&options.migration, &watch.stop)?;
        let mut rehearsing = Rehearsing::begin(&options, info, watch, listener)?;
        let failure = rehearsing.all().err();
        if failure.as_ref().is_some_and(|error| error.kind() == Kind::Interrupted) {
            return Err(interrupted(&options));
        }
        let table = options.migration.table();
        let mut done = rehearsing.report.clone();
        done.passed = failure.is_none();
        done.failure = failure.as_ref().map(ToString::to_string);
        if done.passed {
            done.recorded = true;
            done.seconds = begun.elapsed().as_secs_f64();
            rehearsing.production_session(async |session| {
                record(session, table, &identity, &done).await
            })?;
        }
        done.seconds = begun.elapsed().as_secs_f64();
        Ok(Rehearsed { report: done, failure, scratch: rehearsing.scratch })
    }
}
