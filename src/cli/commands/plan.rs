//! `sterna plan`: shows every step of the plan before anything runs.

use clap::Args;

use super::Context;
use super::load::ReadChoices;
use crate::cli::render;
use crate::cli::render::plan::{Planned, ShownPlan, ShownStatement};
use crate::error::{Kind, Result};
use crate::inspect::{self, InspectOptions, inspect};
use crate::ledger;
use crate::load::{LoadOptions, MatchOptions, Years};
use crate::migrate::plan::{self, Names, Rows};
use crate::migrate::{Outlook, Step, Total, partition};
use crate::pg::{CatalogText, Connection, Table, catalog, connect_for};
use crate::runtime;
use crate::switchover::{self, Preview};
use crate::table::{backup_table, staging};
use crate::watch::Watch;

/// Show every step with its SQL, locks, validation and rollback; write nothing
#[derive(Args, Clone, Debug)]
pub struct PlanArgs {
    /// CSV files, .csv.gz, .zip, folders or globs; with them, rows, times and space are estimated
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Show how to replace only the partition of these years, in a table partitioned by year
    #[arg(long, value_name = "YEARS")]
    pub year: Option<Years>,
    /// How the files are read.
    #[command(flatten)]
    pub read: ReadChoices,
    /// Show a line for each step, and the locks: two screens
    #[arg(long)]
    pub brief: bool,
}

/// Prints the plan, and returns the exit code.
///
/// # Errors
/// If the table cannot be found, or the files cannot be read.
pub fn run(args: &PlanArgs, context: &Context) -> Result<u8> {
    let context = &context.narrowed(args.year.as_ref(), None)?;
    let table = &context.table;
    let mut names =
        Names::new(table, [staging::SUFFIX, staging::OLD_SUFFIX, backup_table::SUFFIX])?;
    let Found { mut rows, preview, mut outlook, years, partitioning } =
        runtime::blocking()?.block_on(look(args, context))?;
    if let Some(partitioning) = partitioning {
        names = names.partitioned(partitioning);
    }
    if let Some(outlook) = &mut outlook {
        let inspection = InspectOptions {
            read: args.read.options(),
            years,
            ..InspectOptions::new(table.clone(), args.inputs.clone())
        };
        let (files, newest) = counted(context, &inspection)?;
        rows.files = Some(files);
        rows.newest_year = newest;
        outlook.count(files);
        if let Some(on_server) = matched_on_server(context, inspection)? {
            outlook.space = outlook.space.with_matching(on_server);
        }
    }
    let steps = Step::all().map(|step| {
        let plan = step.plan();
        let sql = match step {
            _ if args.brief => Vec::new(),
            Step::Switchover => foreseen(&preview),
            _ => plan.statements.iter().map(|shown| filled(shown, step, &names)).collect(),
        };
        Planned {
            step,
            name: plan.name,
            title: plan.title,
            does: plan.does,
            locks: plan.locks,
            transaction: plan.transaction,
            validated_by: plan.validated_by,
            undone_by: plan.undone_by,
            estimated_rows: rows.of(plan.rows),
            time: outlook.as_ref().map(|outlook| outlook.step(step, rows.of(plan.rows))),
            space: outlook.as_ref().map(|outlook| outlook.space_of(step, rows.of(plan.rows))),
            sql,
        }
    });
    let steps: Vec<_> = steps.collect();
    let peak = outlook.as_ref().map(Outlook::peak);
    let run = steps.iter().filter(|planned| planned.step <= Step::LAST);
    let times = run.filter_map(|planned| Some((planned.step, planned.time.clone()?)));
    let total = outlook.is_some().then(|| Total::of(times));
    let plan = ShownPlan {
        table: table.to_string(),
        outlook,
        peak,
        total,
        validates_keys_ms: preview.validates_keys_ms,
        steps,
    };
    let text = if args.brief { render::plan::brief } else { render::plan::text };
    context.print(&plan, || text(&plan))?;
    Ok(0)
}

/// Estimated numbers of rows.
#[derive(Default)]
struct Estimates {
    live: Option<u64>,
    species: Option<u64>,
    files: Option<u64>,
    newest_year: Option<u64>,
}

impl Estimates {
    fn of(&self, rows: Rows) -> Option<u64> {
        match rows {
            Rows::Few => None,
            Rows::Live => self.live,
            Rows::Species => self.species,
            Rows::Files => self.files,
            Rows::TestYear => self.newest_year,
        }
    }
}

fn filled(statement: &plan::Statement, step: Step, names: &Names) -> ShownStatement {
    ShownStatement { file: statement.file, text: statement.sql(step, names) }
}

/// The statements of the switchover, generated from the current catalog.
fn foreseen(preview: &Preview) -> Vec<ShownStatement> {
    let parts = [
        ("ACCESS EXCLUSIVE locks", &preview.locks),
        ("the exchange, in the same transaction", &preview.exchange),
        ("after the commit", &preview.finish),
    ];
    let parts = parts.into_iter().flat_map(|(part, texts)| {
        texts.iter().map(move |text| ShownStatement { file: part, text: text.clone() })
    });
    parts.collect()
}

/// What is known about the table.
struct Found {
    rows: Estimates,
    preview: Preview,
    outlook: Option<Outlook>,
    /// The years of the partition that it is, or all.
    years: Years,
    partitioning: Option<CatalogText>,
}

async fn look(args: &PlanArgs, context: &Context) -> Result<Found> {
    let session = connect_for(&context.conninfo()?, "plan").await?;
    session.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
    let found = catalog::replaceable(&session, &context.table).await?;
    let load = LoadOptions {
        years: args.year.clone().unwrap_or_default(),
        ..LoadOptions::new(context.table.clone(), args.inputs.clone())
    };
    let years = partition::years(&session, found.oid, &load).await?;
    let outlook = match args.inputs.is_empty() {
        true => None,
        false => {
            let has_ledger = has_ledger(&session).await?;
            Some(Outlook::read(&session, (&context.table, found.oid), has_ledger).await?)
        }
    };
    let species = Table::new(found.whole.schema.name(), "species")?;
    let (live, species, preview, partitioning) = futures::join!(
        estimate(&session, &context.table),
        estimate(&session, &species),
        switchover::preview(&session, &context.table),
        partition::partitioning(&session, found.oid),
    );
    let rows = Estimates { live: live?, species: species?, ..Estimates::default() };
    Ok(Found { rows, preview: preview?, outlook, years, partitioning: partitioning? })
}

/// Whether there is a ledger that can be read as it is.
async fn has_ledger(session: &Connection) -> Result<bool> {
    let state = async { ledger::look(session).await?.state(session).await };
    match state.await {
        Ok(state) => Ok(state == ledger::State::Current),
        Err(error) if error.kind() == Kind::Unsafe => {
            tracing::warn!("earlier runs are not taken into account: {error}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn estimate(session: &Connection, table: &Table) -> Result<Option<u64>> {
    let sql = include_str!("../../../sql/migrate/estimate.sql");
    let row = session.query_opt(sql, &[&table.schema.name(), &table.name.name()]).await?;
    let estimate = row.map(|row| row.get::<_, f64>(0)).filter(|rows| *rows >= 0.0);
    Ok(estimate.map(|rows| rows as u64))
}

/// Number of records in the files that map to a species, in total and in the newest year.
fn counted(context: &Context, files: &InspectOptions) -> Result<(u64, Option<u64>)> {
    let found = inspect(&context.conninfo()?, files, &Watch::default())?;
    Ok((found.years.values().sum(), found.years.last_key_value().map(|(_, rows)| *rows)))
}

/// Whether the server would match the rows of the files with production's; `None` if they cannot
/// be matched, or if it takes options that only `sterna migrate` has.
fn matched_on_server(context: &Context, files: InspectOptions) -> Result<Option<bool>> {
    let options = InspectOptions { matching: Some(MatchOptions::default()), ..files };
    match runtime::blocking()?.block_on(inspect::columns(&context.conninfo()?, &options)) {
        Ok(uses) => Ok(Some(uses.matched_on_server)),
        Err(error) if matches!(error.kind(), Kind::Unsafe | Kind::Usage) => Ok(None),
        Err(error) => Err(error),
    }
}
