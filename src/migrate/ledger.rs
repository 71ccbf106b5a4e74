//! What the ledger says of runs.

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

/// Whether a run is one of the plan, or a step by a command of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunKind {
    /// The plan.
    Migration,
    /// One step.
    Command,
}

/// A run before it acts.
pub struct NewRun<'a> {
    /// Its id.
    pub id: Uuid,
    /// What kind of run.
    pub kind: RunKind,
    /// The table that is to be replaced.
    pub table: &'a Table,
    /// Its OID now.
    pub target: u32,
    /// What was asked for, without secrets.
    pub arguments: &'a Value,
    /// What a resumed run must find unchanged, by topic.
    pub identity: &'a Value,
}

/// Writes a run down.
///
/// # Errors
/// Where the ledger cannot be written.
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

/// What was done to a table and can be taken back as a whole, the latest first: runs of the
/// plan, and switchovers by a command of their own.
///
/// # Errors
/// Where the ledger cannot be read.
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

/// The latest run of the plan on a table; none where there is no ledger either.
///
/// # Errors
/// Where the ledger cannot be read.
pub async fn last(session: &Connection, table: &Table) -> Result<Option<Run>> {
    let there = include_str!("../../sql/migrate/is-there.sql");
    match session.query_opt(there, &[]).await? {
        None => Ok(None),
        Some(row) if !row.get::<_, bool>(0) => {
            Err(Error::refused("this role may not read the ledger in the schema sterna")
                .hint("connect as the role that made it, or as a member of that role"))
        }
        Some(_) => find(session, table, None).await,
    }
}

/// A run of the plan on a table, or the latest one, of a ledger that is there.
///
/// # Errors
/// Where the ledger cannot be read.
pub async fn find(session: &Connection, table: &Table, id: Option<Uuid>) -> Result<Option<Run>> {
    let names = [table.schema.name(), table.name.name()];
    let names: [&dyn Typed; 3] = [&names[0], &names[1], &id];
    let (run, steps) = futures::join!(
        session.query_opt(include_str!("../../sql/migrate/run.sql"), &names),
        session.query(include_str!("../../sql/migrate/steps.sql"), &names),
    );
    let Some(row) = run? else { return Ok(None) };
    Ok(Some(Run {
        run_id: row.get(0),
        state: RunState::parse(row.get(1))?,
        arguments: row.get(2),
        identity: row.get(3),
        deviations: document(&row, 4)?.unwrap_or_default(),
        role: row.get(5),
        version: row.get(6),
        started_at: row.get(7),
        finished_at: row.get(8),
        steps: steps?.iter().map(step_record).collect::<Result<_>>()?,
    }))
}

/// The run of a command that took this step by itself and was killed, where nothing was
/// begun on the table since.
///
/// # Errors
/// Where the ledger cannot be read.
pub async fn killed_command(
    session: &Connection,
    table: &Table,
    step: Step,
) -> Result<Option<Uuid>> {
    let sql = include_str!("../../sql/migrate/killed-command.sql");
    let names = [table.schema.name(), table.name.name()];
    let row = session.query_opt(sql, &[&names[0], &names[1], &step.number()]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Which of the tables beside the live one are a run's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Staging was made since it began.
    pub staging: bool,
    /// The rows in staging are of its loads, and of no others.
    pub rows: bool,
    /// The backup table was made since it began.
    pub backup_table: bool,
}

/// Which of the tables beside the live one a run may take back.
///
/// # Errors
/// Where the ledger cannot be read.
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

/// Records how far a run has come.
///
/// # Errors
/// Where the ledger cannot be written.
pub async fn settle(session: &Connection, run: Uuid, state: RunState) -> Result<()> {
    let sql = include_str!("../../sql/migrate/settle-run.sql");
    session.execute(sql, &[&run, &state.name()]).await?;
    Ok(())
}

/// Records that a run does not go by the plan.
///
/// # Errors
/// Where the ledger cannot be written.
pub async fn deviate(session: &Connection, run: Uuid, what: &str) -> Result<()> {
    session.execute(include_str!("../../sql/migrate/deviate.sql"), &[&run, &what]).await?;
    Ok(())
}

/// Writes a step down before it acts.
///
/// # Errors
/// Where the ledger cannot be written.
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

/// Records what came of a step.
///
/// # Errors
/// Where the ledger cannot be written.
pub async fn end_step(
    session: &Connection,
    run: Uuid,
    step: Step,
    ended: &Ended<'_>,
) -> Result<()> {
    let sql = include_str!("../../sql/migrate/end-step.sql");
    let (state, rows, seconds) = (ended.state.name(), ended.outcome.rows, ended.seconds);
    let (detail, deviations) = (&ended.outcome.detail, Json(&ended.deviations));
    session
        .execute(
            sql,
            &[&run, &step.number(), &state, &rows, &seconds, detail, &ended.error, &deviations],
        )
        .await?;
    Ok(())
}

/// Records that a step is being taken back, or is.
///
/// # Errors
/// Where the ledger cannot be written.
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
