//! Prepares the queries that can be measured in this installation.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

use super::Sides;
use super::options::BenchOptions;
use super::query::{Origin, Query, TRADE};
use super::report::{DataSize, Plans, Skipped};
use super::trial::{State, TextValue, Trial};
use crate::error::{Error, Result};
use crate::pg::{Columns, Connection, Ident, Quoted, Table, Typed, catalog, fill, interruptible};
use crate::table::staging::Pair;
use crate::trust;

/// The number of combinations of parameters that a query is measured with.
const DRAWS: i64 = 32;
/// The number of combinations to look for in one table; the other may not have all of them.
const CANDIDATES: i64 = 640;

/// The tables under test.
pub(super) struct Tables<'a> {
    pub(super) pair: &'a Pair,
    pub(super) sizes: &'a Sides<DataSize>,
}

/// Prepares every query on both tables and draws its parameters.
///
/// # Errors
/// If a user's query is wrong, with its file; errors of the server.
pub(super) async fn prepare(
    session: &Connection,
    queries: Vec<Query>,
    tables: &Tables<'_>,
    options: &BenchOptions,
    stop: &AtomicBool,
) -> Result<(Vec<Trial>, Vec<Skipped>)> {
    let (mut trials, mut skipped) = (Vec::new(), Vec::new());
    let mut drawn = BTreeMap::new();
    for query in queries {
        match trial(session, query, tables, &mut drawn, options.seed, stop).await? {
            Ok(trial) => trials.push(trial),
            Err(without) => skipped.push(without),
        }
    }
    Ok((trials, skipped))
}

type Drawn = BTreeMap<String, Vec<Vec<TextValue>>>;

/// The outer error ends the run, the inner one says why the query is skipped.
async fn trial(
    session: &Connection,
    query: Query,
    tables: &Tables<'_>,
    drawn: &mut Drawn,
    seed: u64,
    stop: &AtomicBool,
) -> Result<Result<Trial, Skipped>> {
    let skip = |reason| Ok(Err(Skipped { name: query.name.clone(), reason }));
    let schema = &tables.pair.whole.schema;
    let mut named = Vec::new();
    for name in &query.tables {
        let table = Table { schema: schema.clone(), name: name.clone() };
        if catalog::relation(session, &table).await?.is_none() {
            return skip(format!("there is no {table}"));
        }
        if let Some(whose) = trust::strange_beside(session, &table, &tables.pair.whole).await? {
            return skip(format!("{whose}, and is not read with your rights"));
        }
        named.push((name.name(), table));
    }
    for size in tables.sizes.production.iter().chain([&tables.sizes.staging]) {
        let columns = catalog::columns(session, size.oid).await?;
        let has = |wanted: &Ident| columns.iter().any(|column| column.name == *wanted);
        if let Some(missing) = query.parameters.0.iter().find(|wanted| !has(wanted)) {
            return skip(format!("{} has no column {missing}", size.table));
        }
    }
    let text = |table: &Table| {
        let mut names: Vec<(&str, &dyn Quoted)> = vec![(TRADE, table)];
        names.extend(named.iter().map(|(name, table)| (*name, table as &dyn Quoted)));
        fill(&query.sql, &names)
    };
    let mut prepared = Vec::new();
    let production = tables.sizes.production.as_ref().map(|_| &tables.pair.table);
    for table in production.into_iter().chain([&tables.pair.staging]) {
        let sql = text(table);
        match session.prepare(&sql).await {
            Ok(statement) => {
                check(&query, &statement)?;
                prepared.push((statement, sql));
            }
            // Installations differ in their columns, but a user's query must fit this one.
            Err(error)
                if error.code() == Some(&SqlState::UNDEFINED_COLUMN)
                    && matches!(query.origin, Origin::BuiltIn(_)) =>
            {
                let said = error.as_db_error().map(|e| e.message().to_owned());
                return skip(format!("in {table} {}", said.unwrap_or_default()));
            }
            Err(error) => {
                return Err(Error::from(error).context(&query.origin).hint(
                    "a query is one SELECT; {trade} stands for the table under test, {name} for \
                     another table of its schema, and other names need their schema",
                ));
            }
        }
    }
    let key = query.parameters.to_string();
    if !drawn.contains_key(&key) {
        let draws = draw(session, &query.parameters, tables, seed, stop).await?;
        drawn.insert(key.clone(), draws);
    }
    let draws = drawn.get(&key).cloned().unwrap_or_default();
    if draws.is_empty() {
        return skip(format!("no values of {key} are in both tables"));
    }
    let Some(staging) = prepared.pop() else { return skip("it was not prepared".into()) };
    let statements = Sides { production: prepared.pop(), staging };
    let (rounds, plans) = (Vec::new(), Plans::default());
    let answers_ms = Sides { production: None, staging: None };
    Ok(Ok(Trial { query, statements, draws, rounds, plans, answers_ms, state: State::Open }))
}

/// A query must return rows and take the parameters that its header lists.
fn check(query: &Query, statement: &Statement) -> Result<()> {
    if statement.columns().is_empty() {
        return Err(Error::bad_file(&query.origin, "this is not a query: it returns no columns"));
    }
    let (taken, listed) = (statement.params().len(), query.parameters.0.len());
    if taken == listed {
        return Ok(());
    }
    let what = format!("the query takes {taken} parameters and its header lists {listed}");
    Err(Error::bad_file(&query.origin, what)
        .hint("`-- parameters: species_id, year` gives $1 and $2 values of these columns"))
}

/// Combinations of values that both tables hold; one empty combination for no columns.
async fn draw(
    session: &Connection,
    columns: &Columns,
    tables: &Tables<'_>,
    seed: u64,
    stop: &AtomicBool,
) -> Result<Vec<Vec<TextValue>>> {
    if columns.0.is_empty() {
        return Ok(vec![Vec::new()]);
    }
    let Pair { table, staging, .. } = tables.pair;
    // Values must be in both tables, or one of them would have less work.
    let table = if tables.sizes.production.is_some() { table } else { staging };
    let sql = fill(
        include_str!("../../sql/bench/run/draw.sql"),
        &[("columns", columns), ("trade", table), ("other", staging)],
    );
    let seed = seed.cast_signed();
    let values: [&dyn Typed; 3] = [&seed, &CANDIDATES, &DRAWS];
    let rows = interruptible(session, stop, session.query(&sql, &values)).await?;
    let values = |row: &tokio_postgres::Row| {
        row.get::<_, Vec<String>>(0).into_iter().map(TextValue).collect()
    };
    Ok(rows.iter().map(values).collect())
}
