//! Rolls steps back, the last one first: of the latest run, or of every run back to a named one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::additions::Addition;
use super::choose::{Undo, acted, choose, find};
use super::exclusive::{Exclusive, InLedger};
use super::options::WriteReport;
use super::plan::Step;
use super::records::Records;
use super::site::{Site, folder};
use super::state::{Run, RunState, StepRecord, StepState};
use super::{ledger, outcome, partition};
use crate::error::{Error, Result};
use crate::pg::{ConnInfo, Table};
use crate::switchover::record::{self, SwitchoverState};
use crate::switchover::{self, Foreseen, Keep, SwitchoverOptions};
use crate::table::partition::Takes;
use crate::watch::Watch;

/// Options of a rollback.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RollbackOptions {
    /// The table that was replaced.
    pub table: Table,
    /// The earliest step to roll back; none for the last one that has something to roll back.
    pub step: Option<Step>,
    /// The earliest run to roll back; none for the latest run only.
    pub run: Option<Uuid>,
    /// Which writes since the switchover to keep; the others are saved in a table.
    pub keep: Keep,
    /// Leave behind what was added to the live table since the switchover; otherwise additions
    /// stop the rollback.
    pub leave_additions: bool,
    /// How long to keep trying to get all locks.
    pub max_wait: Duration,
    /// Refresh materialized views after the switchover; until then they cannot be read.
    pub refresh_after: bool,
    /// The report folder; none for where the run wrote its own, if it did.
    pub report: Option<PathBuf>,
    /// Writes the report; none leaves it as it is.
    pub write_report: Option<WriteReport>,
}

impl RollbackOptions {
    /// Rolls back the last step of the latest run and keeps all writes since.
    #[must_use]
    pub fn new(table: Table) -> Self {
        RollbackOptions {
            table,
            step: None,
            run: None,
            keep: Keep::All,
            leave_additions: false,
            max_wait: Duration::from_secs(60),
            refresh_after: false,
            report: None,
            write_report: None,
        }
    }

    /// Options to roll back the switchover of a run.
    fn switchover(&self, run: Uuid) -> SwitchoverOptions {
        SwitchoverOptions {
            refresh_after: self.refresh_after,
            keep: self.keep,
            leave_additions: self.leave_additions,
            ..SwitchoverOptions::new(self.table.clone(), run, self.max_wait)
        }
    }
}

/// A step that was rolled back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UndoneStep {
    /// Its number.
    pub step: Step,
    /// Its name.
    pub name: &'static str,
    /// What was done; null if there was nothing to do.
    pub detail: Value,
}

/// What was rolled back.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RolledBack {
    /// The result of the last rollback of a switchover, if there was one.
    #[serde(flatten)]
    pub switchover: Map<String, Value>,
    /// The runs whose steps were rolled back, the latest first.
    pub runs: Vec<Uuid>,
    /// The steps, the last one first.
    pub undone: Vec<UndoneStep>,
}

/// What would be rolled back.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct WouldRollBack {
    /// The runs, the latest first.
    pub runs: Vec<Uuid>,
    /// The steps that have something to roll back, the last one first.
    pub steps: Vec<Step>,
    /// Whether the summary would be recomputed, because it counts rows of the switchover.
    pub recomputes_summary: bool,
    /// What the rollback of a switchover would encounter, if there is one.
    #[serde(flatten)]
    pub switchover: Option<Foreseen>,
}

/// Returns what a rollback would do and encounter. Blocks; do not call it from an
/// asynchronous task.
///
/// # Errors
/// Refused if there is nothing to roll back.
pub fn foresee(
    info: &ConnInfo,
    options: &RollbackOptions,
    watch: &Arc<Watch>,
) -> Result<WouldRollBack> {
    let exclusive = Exclusive::take(info, &options.table, Takes::Shards, watch, 1)?;
    let chosen = choose((options.run, options.step), &exclusive)?;
    let mut would = WouldRollBack {
        runs: Vec::new(),
        steps: Vec::new(),
        recomputes_summary: false,
        switchover: None,
    };
    for what in &chosen {
        let run = what.run();
        would.runs.push(run);
        let steps = what.steps();
        let made = exclusive
            .session(async |session, pair| record::of_run(session, &pair.table, run).await)?;
        if steps.contains(&Step::Switchover)
            && made.is_some_and(|m| m.state != SwitchoverState::Returned)
        {
            let options = options.switchover(run);
            let foreseen = switchover::foresee(&exclusive.info, &options);
            would.switchover = Some(exclusive.runtime.block_on(foreseen)?);
            would.recomputes_summary |= exclusive.session(async |session, pair| {
                partition::is_summarised(session, pair, run).await
            })?;
        }
        would.steps.extend(steps);
    }
    exclusive.release();
    Ok(would)
}

/// Rolls steps back. Blocks; do not call it from an asynchronous task.
///
/// If a run is named, `confirm` gets a description of what will be rolled back and decides.
///
/// # Errors
/// The error of the step that could not be rolled back; refused if there is nothing to roll
/// back, or if `confirm` says no.
pub fn roll_back(
    info: &ConnInfo,
    options: &RollbackOptions,
    confirm: impl FnOnce(&str) -> Result<bool>,
    watch: &Arc<Watch>,
) -> Result<RolledBack> {
    let mut exclusive = Exclusive::take(info, &options.table, Takes::Shards, watch, 1)?;
    let chosen = choose((options.run, options.step), &exclusive)?;
    if options.run.is_some() && !confirm(&described(&chosen))? {
        return Err(Error::refused("nothing was rolled back").hint("confirm, or give --yes"));
    }
    let runs = chosen.iter().map(Undo::run).collect();
    let mut undone = Vec::new();
    for what in chosen {
        let steps = what.steps();
        if steps.contains(&Step::Switchover) && !matches!(what, Undo::Switchover(_)) {
            // Check before any later step is rolled back. The rollback of the switchover checks
            // as well, before it changes anything.
            let options = options.switchover(what.run());
            exclusive
                .session(async |session, pair| {
                    switchover::refuse_obstacles(session, pair, &options).await
                })
                .map_err(|error| exclusive.explain(error))?;
        }
        match what {
            Undo::Switchover(run) => undone.push(by_command(options, &exclusive, watch, run)?),
            Undo::Steps(run, steps) => {
                let site = Site {
                    exclusive,
                    watch: Arc::clone(watch),
                    application: None,
                    max_wait: options.max_wait,
                    switchover: options.switchover(run.run_id),
                    run: run.run_id,
                    additions: Addition::recorded(&run.arguments)?,
                    backup: folder("backup", run.run_id),
                    report: folder("report", run.run_id),
                    write_report: options.write_report,
                };
                undone.extend(of_run(options, &site, &run, &steps)?);
                exclusive = site.exclusive;
            }
        }
    }
    exclusive.release();
    let switchover = undone.iter().rev().find(|undone| undone.step == Step::Switchover);
    let switchover = switchover.and_then(|undone| undone.detail.as_object().cloned());
    Ok(RolledBack { switchover: switchover.unwrap_or_default(), runs, undone })
}

/// What will be rolled back, one line for each run.
fn described(chosen: &[Undo]) -> String {
    let mut text = String::from("this rolls back, in this order:\n");
    for what in chosen {
        text.push_str(&match what {
            Undo::Switchover(run) => format!("  {run}: a switchover by `sterna switchover`\n"),
            Undo::Steps(run, steps) => {
                let acted = steps.iter().filter(|record| record.step.plan().leaves_traces);
                let acted: Vec<_> = acted.map(|record| record.step.to_string()).collect();
                let (id, state) = (run.run_id, run.state.name());
                format!("  {id}, begun {}, {state}: {}\n", run.started_at, acted.join(", "))
            }
        });
    }
    text
}

/// Rolls back steps of a run, and marks the run as rolled back if nothing of it is left.
fn of_run(
    options: &RollbackOptions,
    site: &Site,
    run: &Run,
    steps: &[StepRecord],
) -> Result<Vec<UndoneStep>> {
    let (id, settle) = (run.run_id, ledger::settle);
    let set = |state| site.exclusive.ledger(async |session| settle(session, id, state).await);
    let mut undone = Vec::new();
    let mut records = InLedger { exclusive: &site.exclusive, run: id, arguments: &run.arguments };
    set(RunState::Stopped)?;
    for record in steps {
        let taken_back = undo(record.step, site, &mut records);
        undone.push(taken_back.map_err(|error| site.exclusive.explain(error))?);
    }
    let left = find(&site.exclusive, id)?;
    let stays = acted(&left)
        .any(|record| record.step.plan().leaves_traces || record.state == StepState::Undoing);
    if !stays {
        // The first step's undo ends everything else, such as the journal.
        Step::Backup.undo(site)?;
        set(RunState::RolledBack)?;
    }
    if let Some(folder) = options.report.clone().or_else(|| reported(run)) {
        report_again(site, &folder);
    }
    Ok(undone)
}

/// The folder where the run wrote its report.
fn reported(run: &Run) -> Option<PathBuf> {
    Some(run.step(Step::Report)?.detail["folder"].as_str()?.into())
}

/// Writes the report again, so that it shows the rollback.
fn report_again(site: &Site, folder: &Path) {
    let Some(write) = site.write_report else { return };
    let written =
        site.exclusive.session(async |session, pair| write(session, &pair.table, folder).await);
    if let Err(error) = written {
        tracing::warn!("the report could not be written: {error}");
    }
}

/// Rolls one step back.
///
/// # Errors
/// The error of the step; the rollback can be tried again.
fn undo(step: Step, site: &Site, records: &mut dyn Records) -> Result<UndoneStep> {
    records.mark(step, StepState::Undoing)?;
    let done = step.undo(site);
    if done.is_err() && step == Step::Switchover && stands(&site.exclusive, site.run)? {
        records.mark(step, StepState::Done)?;
    }
    let done = done.and_then(|done| match step {
        Step::Switchover => {
            partition::summarised(&site.exclusive, site.run, done.unwrap_or_default()).map(Some)
        }
        _ => Ok(done),
    });
    let done = done.map_err(|error| error.context(format!("rolling back step {step}")))?;
    records.mark(step, StepState::Undone)?;
    Ok(UndoneStep { step, name: step.plan().name, detail: done.unwrap_or(Value::Null) })
}

/// Whether the table that a run has put in place is the live one, and nothing of that is left to be
/// done: a rollback that was refused or killed has changed nothing then.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) fn stands(exclusive: &Exclusive, run: Uuid) -> Result<bool> {
    exclusive.session(async |session, pair| {
        let made = record::of_run(session, &pair.table, run).await?;
        Ok(made.is_some_and(|made| {
            made.state == SwitchoverState::Switched
                && made.new == pair.table_oid
                && made.to_validate.is_empty()
        }))
    })
}

/// Rolls back a switchover by `sterna switchover`.
fn by_command(
    options: &RollbackOptions,
    exclusive: &Exclusive,
    watch: &Arc<Watch>,
    run: Uuid,
) -> Result<UndoneStep> {
    let step = Step::Switchover;
    let Exclusive { runtime, info, .. } = exclusive;
    let options = options.switchover(run);
    let back = runtime.block_on(switchover::roll_back(info, &options, &watch.stop));
    let back = back.map_err(|error| exclusive.explain(error))?;
    let detail = partition::summarised(exclusive, run, outcome::switchover(&back)?.detail)?;
    Ok(UndoneStep { step, name: step.plan().name, detail })
}
