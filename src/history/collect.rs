//! Collects what the ledger says about a run into one value.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::throughput::{self, Written};
use super::verdict::{self, RunOutcome, RunVerdict, readable};
use super::{
    Attempt, Backup, BackupTable, Benchmark, Load, PreviousRun, RunEnvironment, RunReport,
    Switchover, Validation,
};
use crate::error::{Error, Result};
use crate::migrate::status::{self, Status};
use crate::migrate::{RunState, Step, StepState, ledger};
use crate::pg::{Connection, Table};
use crate::table::staging;

/// Collects the report of the latest run on a table, in a session whose `search_path` is
/// empty. Writes nothing.
///
/// # Errors
/// Refused if the ledger knows nothing about the table; errors of the server.
pub async fn collect(session: &Connection, table: &Table) -> Result<RunReport> {
    let nothing = || {
        Error::refused(format!("the ledger has no record of {table}"))
            .hint("`sterna migrate` runs the plan, and writes a report at its end")
    };
    let there = include_str!("../../sql/migrate/is-there.sql");
    session.query_opt(there, &[]).await?.ok_or_else(nothing)?;
    let run = ledger::last(session, table).await?;
    let id = run.as_ref().map(|run| run.run_id);
    let staging = table.with_suffix(staging::SUFFIX)?;
    let reader = Reader { session, table, staging, run: id };
    let mut unreadable = Vec::new();
    let run = run.as_ref().map(status::of);
    let mut report = RunReport {
        outcome: RunOutcome { verdict: RunVerdict::Running, sentence: String::new() },
        table: readable(&table.to_string()),
        collected_at: String::new(),
        attempts: reader.attempts().await?,
        loads: reader.loads(&mut unreadable).await?,
        validations: reader.validations(&mut unreadable).await?,
        benchmarks: reader.benchmarks(&mut unreadable).await?,
        switchovers: reader.switchovers(run.as_ref()).await?,
        backups: reader.backups().await?,
        backup_tables: reader.backup_tables().await?,
        way_back: Vec::new(),
        environment: RunEnvironment::of_this_build(),
        previous: None,
        run,
        unreadable,
    };
    if report.run.is_none() && report.attempts.is_empty() && report.loads.is_empty() {
        return Err(nothing());
    }
    let (row, previous) = futures::join!(
        session.query_one(include_str!("../../sql/history/environment.sql"), &[]),
        reader.previous(),
    );
    let row = row?;
    report.previous = previous?;
    let environment = &mut report.environment;
    environment.server = row.get(0);
    environment.database = row.get(1);
    environment.role = row.get(2);
    environment.settings = row.get(3);
    report.collected_at = row.get(4);
    report.outcome = verdict::of(&report);
    report.way_back = verdict::way_back(&report);
    Ok(report)
}

/// Reads what happened to a table since a run began, or all of it without a run.
struct Reader<'a> {
    session: &'a Connection,
    table: &'a Table,
    staging: Table,
    run: Option<Uuid>,
}

impl Reader<'_> {
    /// Queries by the table's schema and name.
    async fn by_name(&self, sql: &str) -> Result<Vec<Row>> {
        let Table { schema, name } = self.table;
        Ok(self.session.query(sql, &[&schema.name(), &name.name(), &self.run]).await?)
    }

    /// Queries by a table's quoted name.
    async fn of_table(&self, sql: &str, table: &Table) -> Result<Vec<Row>> {
        Ok(self.session.query(sql, &[&table.to_string(), &self.run]).await?)
    }

    async fn attempts(&self) -> Result<Vec<Attempt>> {
        let sql = include_str!("../../sql/history/attempts.sql");
        let Table { schema, name } = self.table;
        let names = [self.table, &self.staging].map(ToString::to_string);
        let rows = self
            .session
            .query(sql, &[&schema.name(), &name.name(), &self.run, &names.as_slice()])
            .await?;
        let attempt = |row: &Row| {
            let step: Step = row.get::<_, &str>(0).parse()?;
            Ok(Attempt {
                step,
                title: step.plan().title,
                locks: step.plan().locks,
                attempt: row.get(1),
                state: StepState::parse(row.get(2))?,
                by_command: row.get(3),
                began_seconds: row.get(4),
                seconds: row.get(5),
                rows: row.get(6),
                error: row.get(7),
                role: row.get(8),
                started_at: row.get(9),
                killed: row.get(10),
            })
        };
        rows.iter().map(attempt).collect()
    }

    async fn previous(&self) -> Result<Option<PreviousRun>> {
        let rows = self.by_name(include_str!("../../sql/history/previous.sql")).await?;
        let previous = |row: &Row| {
            Ok(PreviousRun {
                run_id: row.get(0),
                state: RunState::parse(row.get(1))?,
                started_at: row.get(2),
                folder: row.get(3),
            })
        };
        rows.first().map(previous).transpose()
    }

    async fn loads(&self, unreadable: &mut Vec<String>) -> Result<Vec<Load>> {
        let sql = include_str!("../../sql/history/loads.sql");
        let mut loads = Vec::new();
        for row in self.of_table(sql, self.table).await? {
            let (run_id, started_at): (Uuid, String) = (row.get(0), row.get(4));
            let rows: Option<Value> = row.get(2);
            let batches = include_str!("../../sql/history/batches.sql");
            let batches = self.session.query(batches, &[&run_id]).await?;
            let written = |row: &Row| Written {
                backend: row.get(0),
                began: row.get(1),
                ended: row.get(2),
                rows: row.get(3),
            };
            let batches: Vec<_> = batches.iter().map(written).collect();
            loads.push(Load {
                rows: rows.and_then(|rows| read("load", &started_at, rows, unreadable)),
                run_id,
                state: row.get(1),
                arguments: row.get(3),
                started_at,
                seconds: row.get(5),
                throughput: throughput::of(&batches),
            });
        }
        Ok(loads)
    }

    async fn validations(&self, unreadable: &mut Vec<String>) -> Result<Vec<Validation>> {
        let sql = include_str!("../../sql/history/validations.sql");
        let names = [self.table, &self.staging].map(ToString::to_string);
        let rows = self.session.query(sql, &[&names.as_slice(), &self.run]).await?;
        let validation = |row: &Row| {
            let at: String = row.get(1);
            let report = read("validation", &at, row.get(0), unreadable)?;
            Some(Validation { at, report })
        };
        Ok(rows.iter().filter_map(validation).collect())
    }

    async fn benchmarks(&self, unreadable: &mut Vec<String>) -> Result<Vec<Benchmark>> {
        let sql = include_str!("../../sql/history/benchmarks.sql");
        let rows = self.of_table(sql, &self.staging).await?;
        let benchmark = |row: &Row| {
            let at: String = row.get(1);
            let report = read("benchmark", &at, row.get(0), unreadable)?;
            Some(Benchmark { at, report })
        };
        Ok(rows.iter().filter_map(benchmark).collect())
    }

    async fn switchovers(&self, run: Option<&Status>) -> Result<Vec<Switchover>> {
        let rows = self.by_name(include_str!("../../sql/history/switchovers.sql")).await?;
        let step = run.and_then(|run| run.steps.iter().find(|step| step.step == Step::Switchover));
        let switchover = |row: &Row| {
            let switchover_id: Uuid = row.get(0);
            let told = step.map(|step| &step.detail);
            let told = told.filter(|told| told["run_id"] == switchover_id.to_string());
            let Json(exceptions) = row.get(4);
            Switchover {
                switchover_id,
                state: row.get(1),
                rows: row.get(2),
                replayed_rows: row.get(3),
                exceptions,
                compared: row.get(5),
                attempts: told.and_then(|told| told["attempts"].as_u64()),
                locked_ms: told.and_then(|told| told["locked_ms"].as_f64()),
                role: row.get(6),
                switched_at: row.get(7),
                returned_at: row.get(8),
                cleaned_at: row.get(9),
            }
        };
        Ok(rows.iter().map(switchover).collect())
    }

    async fn backups(&self) -> Result<Vec<Backup>> {
        let sql = include_str!("../../sql/history/backups.sql");
        let rows = self.of_table(sql, self.table).await?;
        let backup = |row: &Row| {
            let Json(tables) = row.get(2);
            Backup {
                path: row.get(0),
                sha256: row.get(1),
                tables,
                bytes: row.get(3),
                verified: row.get(4),
                at: row.get(5),
            }
        };
        Ok(rows.iter().map(backup).collect())
    }

    async fn backup_tables(&self) -> Result<Vec<BackupTable>> {
        let name = self.table.with_suffix(crate::table::backup_table::SUFFIX)?;
        let sql = include_str!("../../sql/history/backup-tables.sql");
        let rows = self.session.query(sql, &[&name.schema.name(), &name.name.name()]).await?;
        let table = |row: &Row| BackupTable { table: row.get(0), rows: row.get(1), at: row.get(2) };
        Ok(rows.iter().map(table).collect())
    }
}

/// Reads a document from the ledger. One that another version wrote in another form is noted
/// in `unreadable`, so that the rest of the report is still usable.
fn read<T: DeserializeOwned>(
    what: &str,
    at: &str,
    document: Value,
    unreadable: &mut Vec<String>,
) -> Option<T> {
    match serde_json::from_value(document) {
        Ok(read) => Some(read),
        Err(error) => {
            unreadable.push(format!("the {what} of {at} has another format: {error}"));
            None
        }
    }
}

impl RunEnvironment {
    /// What is known without the server.
    fn of_this_build() -> Self {
        RunEnvironment {
            sterna: env!("CARGO_PKG_VERSION"),
            release_build: !cfg!(debug_assertions),
            server: String::new(),
            database: String::new(),
            role: String::new(),
            settings: Value::Null,
            client: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            client_cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
