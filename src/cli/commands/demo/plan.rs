//! The plan and its rollback, while an application reads and writes.

use std::sync::Arc;
use std::time::Duration;

use indicatif::HumanCount;
use serde_json::Value;

use super::stage::{NEW_RELEASE, Stage};
use super::traffic::{During, Traffic};
use crate::cli::render::{self, migrate::StepLines};
use crate::error::{Error, Kind, Result};
use crate::load::OnInexact;
use crate::migrate::rollback::{RollbackOptions, roll_back};
use crate::migrate::{Ended, Migration, MigrationOptions, Step, StepListener};
use crate::pg::catalog;
use crate::table::fingerprint::{self, Fingerprint};

/// How long to keep trying to get the locks while readers hold theirs.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Runs the plan on the new release while the application reads and writes.
pub(super) fn run_plan(stage: &mut Stage) -> Result<String> {
    stage.before = Some(fingerprint(stage)?);
    stage.traffic = Some(Traffic::start(&stage.info()));
    let migration = Migration::new(options(stage))?;
    let (info, watch) = (stage.info(), Arc::clone(&stage.watch));
    let lines = StepLines::new(stage.progress, &watch);
    let traffic = stage.traffic.as_mut();
    let migrated = migration.run(&info, &watch, &mut Watching { lines, traffic })?;
    migrated.failure.map_or(Ok(()), Err)?;
    let shown = migrated.status;
    let exchanged = shown.steps.iter().find(|step| step.step == Step::Switchover);
    stage.summary.switchover = exchanged.map(|step| step.detail.clone());
    stage.summary.plan = Some(shown);
    let locked = stage.summary.switchover.as_ref().and_then(|done| done["locked_ms"].as_f64());
    Ok(format!("readers were locked out for {:.0} ms", locked.unwrap_or_default()))
}

/// Rolls the switchover back, and compares the catalog with its state before the plan.
pub(super) fn run_back(stage: &mut Stage) -> Result<String> {
    let options = RollbackOptions {
        step: Some(Step::Switchover),
        max_wait: MAX_WAIT,
        report: Some(stage.results().join("report-after-rollback")),
        write_report: Some(render::run::write_latest),
        ..RollbackOptions::new(stage.table.clone())
    };
    if let Some(traffic) = &mut stage.traffic {
        traffic.begin_long_read();
        traffic.during(During::Rollback);
    }
    let done = roll_back(&stage.info(), &options, |_| Ok(true), &stage.watch)?;
    if let Some(traffic) = &stage.traffic {
        traffic.during(During::Run);
    }
    stage.summary.rollback = Some(Value::Object(done.switchover));
    let (before, after) = (stage.before.take(), fingerprint(stage)?);
    let differences = before.unwrap_or_default().differences(&after);
    if !differences.is_empty() {
        let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
        let what = format!("the catalog differs from before the plan: {}", told.join("; "));
        return Err(Error::new(Kind::Validation, what));
    }
    stage.summary.differences_after_rollback = Some(0);
    let locked = stage.summary.rollback.as_ref().and_then(|done| done["locked_ms"].as_f64());
    Ok(format!(
        "readers were locked out for {:.0} ms; 0 catalog differences from before the plan",
        locked.unwrap_or_default()
    ))
}

/// Stops the application, and collects what it measured.
pub(super) fn end_traffic(stage: &mut Stage) -> Result<String> {
    let Some(traffic) = stage.traffic.take() else { return Ok("it was not running".to_owned()) };
    let report = traffic.end()?;
    let errors = report.readers.errors + report.writers.errors;
    if let Some(error) = &report.first_error {
        let what = format!("{errors} queries of the application failed, first: {error}");
        return Err(Error::new(Kind::Validation, what));
    }
    let detail = format!(
        "{} reads, {} writes, 0 errors, no write lost",
        HumanCount(report.readers.queries),
        HumanCount(report.writers.queries)
    );
    stage.summary.traffic = Some(report);
    Ok(detail)
}

fn options(stage: &Stage) -> MigrationOptions {
    let input = stage.folder.join(NEW_RELEASE).display().to_string();
    let mut options = MigrationOptions::new(stage.table.clone(), vec![input]);
    options.load.on_inexact = OnInexact::Widen;
    options.load.rejects = Some(stage.folder.join("rejects.csv"));
    options.gates.expect_rows = Some(stage.summary.release.rows);
    options.bench_seconds = 2.0;
    options.backup = Some(stage.results().join("backup"));
    options.report = Some(stage.results().join("report"));
    options.write_report = Some(render::run::write_latest);
    options
}

fn fingerprint(stage: &Stage) -> Result<Fingerprint> {
    stage.with_session(async |session| {
        session.batch_execute(include_str!("../../../../sql/catalog/session.sql")).await?;
        let mut oids = Vec::new();
        for suffix in ["", "_staging", "_old", "_backup"] {
            let name = stage.table.with_suffix(suffix)?;
            oids.extend(catalog::relation(session, &name).await?.map(|found| found.oid));
        }
        let (live, siblings) = oids.split_first().ok_or_else(|| Error::database("no table"))?;
        fingerprint::take_beside(session, *live, siblings).await
    })
}

/// Tells the application when the switchover begins and ends.
struct Watching<'a> {
    lines: StepLines,
    traffic: Option<&'a mut Traffic>,
}

impl StepListener for Watching<'_> {
    fn begins(&mut self, step: Step) {
        if step == Step::Switchover
            && let Some(traffic) = &mut self.traffic
        {
            traffic.begin_long_read();
            traffic.during(During::Switchover);
        }
        self.lines.begins(step);
    }

    fn ended(&mut self, step: Step, ended: &Ended<'_>) {
        if step == Step::Switchover
            && let Some(traffic) = &self.traffic
        {
            traffic.during(During::Run);
        }
        self.lines.ended(step, ended);
    }
}
