//! Runs the whole plan, from the preparation to the report.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use uuid::Uuid;

use super::coordinator::{Accepted, Coordinator};
use super::correction::Correcting;
use super::exclusive::{Exclusive, InLedger, last_run};
use super::ledger::{self, NewRun, RunKind};
use super::options::MigrationOptions;
use super::outlook::Outlook;
use super::plan::Step;
use super::records::{Records, StepListener};
use super::site::{Site, folder};
use super::state::{Run, RunState, StepState, next};
use super::status::{self, Status};
use super::{identity, preparation, rehearsed, resumed, rollback, unvalidated};
use crate::command_line;
use crate::error::{Error, Kind, Result};
use crate::load::ColumnUses;
use crate::pg::ConnInfo;
use crate::private;
use crate::runtime;
use crate::switchover::SwitchoverOptions;
use crate::table::partition::Takes;
use crate::watch::Watch;

/// A migration, ready to run.
#[derive(Clone, Debug)]
pub struct Migration {
    options: MigrationOptions,
}

/// How a migration ended, from the ledger.
#[derive(Debug)]
#[non_exhaustive]
pub struct Migrated {
    /// Its state: each step with its report, and what can be rolled back.
    pub status: Status,
    /// Why it did not reach the requested end; `None` if it did.
    pub failure: Option<Error>,
}

impl Migration {
    /// Creates a migration with these options.
    ///
    /// # Errors
    /// A usage error if they are invalid.
    pub fn new(options: MigrationOptions) -> Result<Self> {
        options.check()?;
        Ok(Migration { options })
    }

    /// Runs the remaining steps and returns how far they got. A failed step, or a stop by
    /// `watch`, ends the run; it can be resumed or rolled back. Blocks; do not call it from
    /// an asynchronous task.
    ///
    /// # Errors
    /// If the run cannot begin, or its end cannot be recorded.
    pub fn run(
        &self,
        info: &ConnInfo,
        watch: &Arc<Watch>,
        listener: &mut dyn StepListener,
    ) -> Result<Migrated> {
        let runtime = runtime::blocking()?;
        let years = runtime.block_on(preparation::refuse_unsupported(info, &self.options))?;
        let mut options = self.options.clone();
        options.load.years = years;
        let options = &options;
        // Fail now, not after hours of work.
        options.report.as_deref().map_or(Ok(()), private::own_folder)?;
        let identity = identity::of(options, &watch.stop)?;
        let mut uses = None;
        if !options.resume && options.from.is_none_or(|from| from <= Step::Load) {
            let found = runtime.block_on(preparation::refuse_loss(info, options))?;
            runtime.block_on(preparation::refuse_above_limit(info, options, &found))?;
            uses = Some(found);
        }
        let exclusive = Exclusive::take(info, options.table(), Takes::Partitions, watch, 1)?;
        preparation::try_application(options, &exclusive)?;
        let unrehearsed = rehearsed::refuse_unrehearsed(options, &exclusive, &identity)?;
        let run = attach(&exclusive, options, &identity)?;
        let began = resumed::Began::read(&run)?;
        let options = resumed::carried_on(options.clone(), &began);
        let id = run.run_id;
        let site = Site {
            switchover: SwitchoverOptions {
                refresh_after: options.refresh_after,
                ..SwitchoverOptions::new(options.table().clone(), id, options.max_wait)
            },
            exclusive,
            watch: Arc::clone(watch),
            application: options.ask_dependents.clone(),
            max_wait: options.max_wait,
            run: id,
            additions: options.additions.clone(),
            backup: options.backup.clone().unwrap_or_else(|| folder("backup", id)),
            report: options.report.clone().unwrap_or_else(|| folder("report", id)),
            write_report: options.write_report,
        };
        let arguments = options.arguments()?;
        let mut records = InLedger { exclusive: &site.exclusive, run: id, arguments: &arguments };
        let mut deviations: Vec<_> = unrehearsed.into_iter().collect();
        deviations.extend(resumed::departures(&options, &began, &run));
        for deviation in &deviations {
            records.deviate(deviation)?;
        }
        let (from, to) = (options.from.unwrap_or(Step::Backup), options.to.min(Step::LAST));
        let is_skipped = |step: &Step| options.skip.contains(step);
        let is_ahead = |step: &Step| {
            let skipped =
                is_skipped(step) || step.needs().is_some_and(|needed| is_skipped(&needed));
            (from..=to).contains(step) && !run.is_settled(*step) && !skipped
        };
        let outlook = expected(&site, &options, uses.as_ref());
        let ahead = Step::all().filter(is_ahead).collect();
        let listener = &mut Correcting::new(listener, outlook, ahead);
        let taken = preparation::begin_journal(&site, &run, options.from).and_then(|()| {
            let stop = &watch.stop;
            coordinator(&site, &options, &mut records, listener, stop).run(&run, from, to)
        });
        let failure = taken.map_err(|error| site.exclusive.explain(error)).err();
        let ended = end(&site, &options, &mut records, failure.as_ref(), listener);
        if let (None, Ok(status)) = (&failure, &ended) {
            unvalidated::warn_of_unused(&options.accept_check, &status.deviations);
        }
        site.exclusive.release();
        match (failure, ended) {
            (failure, Ok(status)) => Ok(Migrated { status, failure }),
            (None, Err(unwritten)) => Err(unwritten),
            (Some(failure), Err(unwritten)) => {
                tracing::warn!("the report could not be written: {unwritten}");
                Err(failure)
            }
        }
    }
}

/// What the steps will take; `None` if that cannot be known.
fn expected(site: &Site, options: &MigrationOptions, uses: Option<&ColumnUses>) -> Option<Outlook> {
    let pair = &site.exclusive.pair;
    let outlook = site
        .exclusive
        .ledger(async |session| Outlook::read(session, (&pair.table, pair.table_oid), true).await);
    match outlook {
        Ok(mut outlook) => {
            outlook.space = options.sizes(outlook.space);
            if let Some(uses) = uses {
                outlook.space = outlook.space.with_matching(uses.matched_on_server);
            }
            Some(outlook)
        }
        Err(error) => {
            // The run itself says what is wrong with the server.
            tracing::warn!("not known how long the run will take: {error}");
            None
        }
    }
}

fn coordinator<'a>(
    site: &'a Site,
    options: &'a MigrationOptions,
    records: &'a mut dyn Records,
    listener: &'a mut dyn StepListener,
    stop: &'a AtomicBool,
) -> Coordinator<'a> {
    let accepted = Accepted {
        failed_validation: options.accept_failed_validation,
        regression: options.accept_regression,
        skip: options.skip.clone(),
    };
    let take = Box::new(|step: Step| step.take(site, options));
    Coordinator { take, accepted, records, listener, stop }
}

/// Records how the run ended and writes the report, whatever the outcome.
fn end(
    site: &Site,
    options: &MigrationOptions,
    records: &mut dyn Records,
    failure: Option<&Error>,
    listener: &mut dyn StepListener,
) -> Result<Status> {
    let run = site.last_run()?;
    let state = match failure {
        None if next(&run).is_none() => RunState::Finished,
        None => RunState::Stopped,
        Some(error) if error.kind() == Kind::Interrupted => RunState::Stopped,
        Some(_) => RunState::Failed,
    };
    let id = run.run_id;
    site.exclusive.ledger(async |session| ledger::settle(session, id, state).await)?;
    // The report is written even if the run was interrupted.
    let reported = coordinator(site, options, records, listener, &AtomicBool::new(false)).run(
        &run.without(Step::Report),
        Step::Report,
        Step::Report,
    );
    if let Err(error) = reported {
        tracing::warn!("{error}");
    }
    Ok(status::of(&site.last_run()?))
}

/// Copies of production that a resumed run makes again. Copies from before a rollback lack
/// what was written since. After the switchover they are copies of the replaced table and
/// stay.
fn outdated(run: &Run) -> Vec<Step> {
    let is = |step, state| run.step(step).is_some_and(|record| record.state == state);
    let was_rolled_back = run.steps.iter().any(|record| record.state == StepState::Undone);
    if !was_rolled_back || is(Step::Switchover, StepState::Done) {
        return Vec::new();
    }
    let copies = [Step::Backup, Step::BackupTable].into_iter();
    copies.filter(|step| is(*step, StepState::Done)).collect()
}

/// Begins a new run, or returns the one to resume, without the steps to run again.
fn attach(exclusive: &Exclusive, options: &MigrationOptions, identity: &Value) -> Result<Run> {
    let latest = exclusive.last.migration.clone();
    if let Some(run) = latest.filter(|run| run.state.is_unfinished()) {
        if !options.resume {
            let state = match run.state {
                RunState::Failed => "has failed",
                RunState::Stopped => "was stopped",
                _ => "is not finished",
            };
            let id = run.run_id;
            let at = next(&run).map_or_else(String::new, |step| format!(", before {step}"));
            return Err(Error::refused(format!(
                "an earlier migration of {} {state}{at} ({id})",
                exclusive.pair.table
            ))
            .hint(format!(
                "resume it with `{}`, or roll it back with `{}`; `{}` shows it",
                command_line::resume(&run.arguments),
                command_line::roll_back(&run.arguments, Some(Step::Backup.number())),
                command_line::other(&run.arguments, "status"),
            )));
        }
        identity::same(&run, identity)?;
        resumed::Began::read(&run)?;
        resumed::refuse_to_drop_writes(exclusive, &run, options)?;
        let (id, step) = (run.run_id, Step::Switchover);
        exclusive.ledger(async |session| ledger::settle(session, id, RunState::Running).await)?;
        let mut run = run;
        if run.step(step).is_some_and(|record| record.state == StepState::Undoing)
            && rollback::stands(exclusive, id)?
        {
            // Its rollback was killed before it changed anything.
            exclusive.ledger(async |session| {
                ledger::mark_step(session, id, step, StepState::Done).await
            })?;
            run = last_run(exclusive)?.unwrap_or(run);
        }
        return Ok(outdated(&run).into_iter().fold(run, Run::without));
    }
    if options.resume {
        return Err(Error::refused(format!(
            "no migration of {} is unfinished",
            exclusive.pair.table
        ))
        .hint("run the same command without --resume to begin one; see `sterna status`"));
    }
    preparation::refuse_rows(exclusive, options)?;
    let (id, arguments) = (Uuid::new_v4(), options.arguments()?);
    let crate::table::staging::Pair { table, table_oid, .. } = &exclusive.pair;
    exclusive.ledger(async |session| {
        let kind = RunKind::Migration;
        let run = NewRun { id, kind, table, target: *table_oid, arguments: &arguments, identity };
        ledger::begin(session, &run).await?;
        if let Some(from) = options.from {
            ledger::deviate(session, id, &format!("began at {from}: --from")).await?;
        }
        Ok(())
    })?;
    last_run(exclusive)?.ok_or_else(|| Error::database("the run is not in the ledger"))
}
