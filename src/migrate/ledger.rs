//! Runs and their steps in the ledger.

use serde_json::Value;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::plan::Step;
use super::records::Ended;
use super::state::{Run, RunState, StepRecord, StepState};
use crate::error::{Error, Result};
use crate::ledger::document;
use crate::pg::{Connection, Table, Typed};
use crate::table::{backup_table, staging};

/// Whether a run is a migration or a single step run by its own command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunKind {
    /// The whole plan.
    Migration,
    /// A single step.
    Command,
}

/// A run to record before it acts.
pub struct NewRun<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its kind.
    pub kind: RunKind,
    /// The table to replace.
    pub table: &'a Table,
    /// The table's current OID.
    pub target: u32,
    /// Its arguments, without secrets.
    pub arguments: &'a Value,
    /// What must not change before it is resumed, by topic.
    pub identity: &'a Value,
}

/// Records a new run.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn begin(session: &Connection, run: &NewRun<'_>) -> Result<()> {
    let kind = match run.kind {
        RunKind::Migration => "migration",
        RunKind::Command => "command",
    };
    let (schema, name) = (run.table.schema.name(), run.table.name.name());
    let sql = include_str!("../../sql/migrate/begin-run.sql");
    let version = env!("CARGO_PKG_VERSION");
    session
        .execute(
            sql,
            &[&run.id, &kind, &schema, &name, &run.target, &run.arguments, &run.identity, &version],
        )
        .await?;
    Ok(())
}

/// What was done to a table and can be rolled back as a whole, the latest first: migrations,
/// and switchovers by `sterna switchover`.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn runs(session: &Connection, table: &Table) -> Result<Vec<(Uuid, RunKind)>> {
    let sql = include_str!("../../sql/migrate/runs.sql");
    let names = [table.schema.name(), table.name.name()];
    let rows = session.query(sql, &[&names[0], &names[1]]).await?;
    let kind = |row: &tokio_postgres::Row| match row.get(1) {
        "migration" => RunKind::Migration,
        _ => RunKind::Command,
    };
    Ok(rows.iter().map(|row| (row.get(0), kind(row))).collect())
}

/// The latest migration of a table; `None` if there is none, or no ledger.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn last(session: &Connection, table: &Table) -> Result<Option<Run>> {
    if is_there(session).await? { find(session, table, None).await } else { Ok(None) }
}

/// Whether there is a ledger of runs.
///
/// # Errors
/// If this role may not read it.
pub async fn is_there(session: &Connection) -> Result<bool> {
    let there = include_str!("../../sql/migrate/is-there.sql");
    match session.query_opt(there, &[]).await? {
        None => Ok(false),
        Some(row) if row.get(0) => Ok(true),
        Some(_) => Err(Error::refused("this role may not read the ledger in the schema sterna")
            .hint("connect as the role that made it, or as a member of that role")),
    }
}

/// A migration of a table by its id, or else the latest one, from a ledger that exists.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn find(session: &Connection, table: &Table, id: Option<Uuid>) -> Result<Option<Run>> {
    let names = [table.schema.name(), table.name.name()];
    let names: [&dyn Typed; 3] = [&names[0], &names[1], &id];
    let (run, steps) = futures::join!(
        session.query_opt(include_str!("../../sql/migrate/run.sql"), &names),
        session.query(include_str!("../../sql/migrate/steps.sql"), &names),
    );
    let Some(row) = run? else { return Ok(None) };
    let run_id: Uuid = row.get(0);
    let of_run = |step: &&tokio_postgres::Row| step.get::<_, Uuid>(12) == run_id;
    Ok(Some(Run {
        run_id,
        state: RunState::parse(row.get(1))?,
        arguments: row.get(2),
        identity: row.get(3),
        deviations: document(&row, 4)?.unwrap_or_default(),
        role: row.get(5),
        version: row.get(6),
        started_at: row.get(7),
        finished_at: row.get(8),
        // A run that began between the two queries has steps of its own.
        steps: steps?.iter().filter(of_run).map(step_record).collect::<Result<_>>()?,
    }))
}

/// What single commands have done to a table since its last migration began, step by step, from a
/// ledger that exists.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn commands(session: &Connection, table: &Table) -> Result<Vec<StepRecord>> {
    let names = [table.schema.name(), table.name.name()];
    let sql = include_str!("../../sql/migrate/commands.sql");
    let rows = session.query(sql, &[&names[0], &names[1]]).await?;
    rows.iter().map(step_record).collect()
}

/// What the ledger says about a table before a command begins.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The latest migration.
    pub migration: Option<Run>,
    /// The run of a command for one step that was killed, and the number of that step, if nothing
    /// was begun on the table since.
    killed: Option<(Uuid, String)>,
}

impl Latest {
    /// The run of a command for this step alone that was killed, if nothing was begun on the
    /// table since.
    #[must_use]
    pub fn killed(&self, step: Step) -> Option<Uuid> {
        let killed = self.killed.as_ref().filter(|(_, number)| number == step.number());
        killed.map(|(run, _)| *run)
    }
}

/// Reads what is on record about a table, in one round trip.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn latest(session: &Connection, table: &Table) -> Result<Latest> {
    let sql = include_str!("../../sql/migrate/killed-command.sql");
    let names = [table.schema.name(), table.name.name()];
    let names: [&dyn Typed; 2] = [&names[0], &names[1]];
    let (migration, killed) =
        futures::join!(find(session, table, None), session.query_opt(sql, &names));
    let killed = killed?.map(|row| (row.get(0), row.get(1)));
    Ok(Latest { migration: migration?, killed })
}

/// Which of the tables beside the live one belong to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Staging was created since the run began.
    pub staging: bool,
    /// All rows in staging are from loads of the run.
    pub rows: bool,
    /// The backup table was created since the run began.
    pub backup_table: bool,
}

/// Finds which of the tables beside the live one a rollback of the run may drop or empty.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn made_by(session: &Connection, run: Uuid, table: &Table) -> Result<Made> {
    let sql = include_str!("../../sql/migrate/made-by.sql");
    let beside = |suffix| table.with_suffix(suffix);
    let (staging, backup) = (beside(staging::SUFFIX)?, beside(backup_table::SUFFIX)?);
    let names = [staging.schema.name(), staging.name.name(), backup.name.name()];
    let row = session.query_one(sql, &[&run, &names[0], &names[1], &names[2]]).await?;
    Ok(Made { staging: row.get(0), rows: row.get(1), backup_table: row.get(2) })
}

fn step_record(row: &tokio_postgres::Row) -> Result<StepRecord> {
    let step: Step = row.get::<_, &str>(0).parse()?;
    Ok(StepRecord {
        step,
        name: step.plan().name,
        attempt: row.get(1),
        state: StepState::parse(row.get(2))?,
        rows: row.get(3),
        seconds: row.get(4),
        detail: row.get(5),
        error: row.get(6),
        deviations: document(row, 7)?.unwrap_or_default(),
        role: row.get(8),
        version: row.get(9),
        started_at: row.get(10),
        finished_at: row.get(11),
    })
}

/// Records the state of a run.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn settle(session: &Connection, run: Uuid, state: RunState) -> Result<()> {
    let sql = include_str!("../../sql/migrate/settle-run.sql");
    session.execute(sql, &[&run, &state.name()]).await?;
    Ok(())
}

/// Records a deviation of a run from the plan.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn deviate(session: &Connection, run: Uuid, what: &str) -> Result<()> {
    session.execute(include_str!("../../sql/migrate/deviate.sql"), &[&run, &what]).await?;
    Ok(())
}

/// Records a step before it acts.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn begin_step(
    session: &Connection,
    run: Uuid,
    step: Step,
    arguments: &Value,
) -> Result<()> {
    let sql = include_str!("../../sql/migrate/begin-step.sql");
    let version = env!("CARGO_PKG_VERSION");
    session.execute(sql, &[&run, &step.number(), &arguments, &version]).await?;
    Ok(())
}

/// Records the outcome of a step and its deviations from the plan; with `settled`, also that its
/// run has ended.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn end_step(
    session: &Connection,
    run: Uuid,
    step: Step,
    ended: &Ended<'_>,
    settled: Option<RunState>,
) -> Result<()> {
    let sql = include_str!("../../sql/migrate/end-step.sql");
    let (state, rows, seconds) = (ended.state.name(), ended.outcome.rows, ended.seconds);
    let (detail, deviations) = (&ended.outcome.detail, Json(&ended.deviations));
    let settled = settled.map(RunState::name);
    session
        .execute(
            sql,
            &[
                &run,
                &step.number(),
                &state,
                &rows,
                &seconds,
                detail,
                &ended.error,
                &deviations,
                &settled,
            ],
        )
        .await?;
    Ok(())
}

/// Records that a step is being rolled back, or was.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn mark_step(
    session: &Connection,
    run: Uuid,
    step: Step,
    state: StepState,
) -> Result<()> {
    let sql = include_str!("../../sql/migrate/mark-step.sql");
    session.execute(sql, &[&run, &step.number(), &state.name()]).await?;
    Ok(())
}
