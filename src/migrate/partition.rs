//! The records that a run on a single partition loads: those of the years that its bounds admit.
//!
//! A file's records carry a year, and the load leaves out the years that are not wanted before
//! it parses a record. So a partition by the year alone is replaced from the same files as the
//! whole table. Whether a record belongs to any other partition is known only to the server.

use std::path::Path;

use serde_json::Value;
use uuid::Uuid;

use super::exclusive::Exclusive;
use super::options::MigrationOptions;
use super::outcome::value;
use crate::error::{Error, Result};
use crate::load::{self, LoadOptions, Years};
use crate::pg::{
    CatalogText, ConnInfo, Connection, Ident, Quoted, Session, Table, catalog, connect_for, fill,
};
use crate::table::staging::Pair;
use crate::table::summary::{self, SummaryFound};

/// The years that a partition is asked about. Beyond them, it counts as unbounded.
const FIRST: i32 = 0;
const LAST: i32 = 9999;
/// The length of a list of years that is said.
const MOST_SAID: usize = 60;

/// The years to load into a table: those of the partition that it is, or all if it is none.
///
/// # Errors
/// Refused if it is a partition by something else, or if other years were asked for; a usage error
/// if years were asked for and it is no partition.
pub(crate) async fn years(session: &Session, oid: u32, options: &LoadOptions) -> Result<Years> {
    let LoadOptions { table, years: asked, .. } = options;
    let Some(key) = Key::read(session, oid).await? else {
        return match asked.is_all() {
            true => Ok(Years::default()),
            false => Err(Error::usage(format!(
                "{table} is replaced as a whole: it is not partitioned by year"
            ))
            .hint("leave out --year; --test-year chooses the year to test with")),
        };
    };
    let other_ways = "replace the whole partitioned table, or this partition by `sterna stage \
                      create`, `load`, `validate` and `switchover`";
    let by_year = load::year_columns(options)?;
    let only = |column: &str| by_year.iter().all(|by_year| by_year == column);
    let Some((column, sql_type)) = key.single().filter(|(column, _)| only(column)) else {
        return Err(Error::refused(format!(
            "{table} is a partition by {}, so the year alone does not say which records of the files \
             belong to it",
            key.described()
        ))
        .hint(other_ways));
    };
    let found = key.years(session, (column, sql_type), (FIRST, LAST)).await?;
    let years: Vec<i32> = found.iter().copied().flatten().collect();
    if found.contains(&None) || years.contains(&FIRST) || years.contains(&LAST) || years.is_empty()
    {
        return Err(Error::refused(format!(
            "the bounds of {table} are not a number of years: {}",
            key.condition
        ))
        .hint(other_ways));
    }
    let years = Years::from_iter(years);
    if !asked.is_all() && *asked != years {
        return Err(Error::refused(format!(
            "{table} has {}, all of which are replaced; --year asks for {asked}",
            match years.to_string() {
                all if all.len() <= MOST_SAID => format!("the years {all}"),
                _ => format!("{} years", years.iter().count()),
            }
        ))
        .hint(match years.to_string() {
            all if all.len() <= MOST_SAID => format!("say --year {all}"),
            _ => "name the partition with --partition, without --year".to_owned(),
        }));
    }
    Ok(years)
}

/// The options of a migration with the years that it loads.
///
/// # Errors
/// As [`years`]; if the table is missing, or of a kind that cannot be replaced.
pub(crate) async fn with_years(
    info: &ConnInfo,
    options: &MigrationOptions,
) -> Result<MigrationOptions> {
    let session = connect_for(info, "preparation").await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    let found = catalog::replaceable(&session, options.table()).await?;
    let mut options = options.clone();
    options.load.years = years(&session, found.oid, &options.load).await?;
    session.close().await?;
    Ok(options)
}

/// The partition of a table, of those that are partitioned by the year alone, that admits a year; the
/// table itself if it has no partitions.
///
/// # Errors
/// A usage error if there is none.
pub async fn of_year(
    session: &Session,
    table: &Table,
    year: i32,
    mapping: Option<&Path>,
) -> Result<Table> {
    let formats = load::formats(mapping)?;
    let by_year = formats.year_columns();
    let sql = include_str!("../../sql/table/stage/partitions.sql");
    let rows = session.query(sql, &[&table.schema.name(), &table.name.name()]).await?;
    if rows.is_empty() {
        // It may be the partition itself.
        return Ok(table.clone());
    }
    // All at once, which takes as many round trips as one.
    let admits = rows.iter().map(async |row| {
        let found = Key::read(session, row.get(2)).await?;
        let Some(key) = &found else { return Ok(None) };
        let Some(by) = key.single().filter(|(column, _)| by_year.contains(*column)) else {
            return Ok(None);
        };
        match key.years(session, by, (year, year)).await?.contains(&Some(year)) {
            true => Table::new(row.get::<_, String>(0), row.get::<_, String>(1)).map(Some),
            false => Ok(None),
        }
    });
    let found: Vec<Option<Table>> = futures::future::try_join_all(admits).await?;
    found.into_iter().flatten().next().ok_or_else(|| {
        Error::usage(format!("{table} has no partition for the year {year} alone or with others"))
            .hint(format!(
                "it has {} partitions, see \\d+ in psql; --partition names one of them",
                rows.len()
            ))
    })
}

/// The partition of a table that was worked on last, if one was; there must be a ledger.
///
/// # Errors
/// If the catalog or the ledger cannot be read.
pub async fn last_run_below(session: &Session, table: &Table) -> Result<Option<Table>> {
    let sql = include_str!("../../sql/migrate/run-below.sql");
    let row = session.query_opt(sql, &[&table.schema.name(), &table.name.name()]).await?;
    let named =
        |row: &tokio_postgres::Row| Table::new(row.get::<_, String>(0), row.get::<_, String>(1));
    row.as_ref().map(named).transpose()
}

/// How a table is partitioned, in words of `CREATE TABLE`; `None` if it is not.
///
/// # Errors
/// If the catalog cannot be read.
pub async fn partitioning(session: &Session, oid: u32) -> Result<Option<CatalogText>> {
    let sql = include_str!("../../sql/migrate/partitioned-by.sql");
    let row = session.query_opt(sql, &[&oid]).await?;
    Ok(row.map(|row| CatalogText::from_catalog(row.get::<_, String>(0))))
}

/// Whether the rollback of a run's switchover recomputes the summary: that of a partition, if another
/// run has counted its rows.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) async fn is_summarised(session: &Connection, pair: &Pair, run: Uuid) -> Result<bool> {
    Ok(pair.whole != pair.table && summary::counts_undone(session, &pair.whole, run).await?)
}

/// The report of a switchover that was rolled back, with that of the summary if it had to be
/// recomputed. The rollback is done by then, so what keeps the summary from it is reported and no
/// error.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) fn summarised(exclusive: &Exclusive, run: Uuid, mut report: Value) -> Result<Value> {
    if exclusive.pair.whole == exclusive.pair.table {
        return Ok(report);
    }
    let recomputed = exclusive.session(async |session, pair| {
        if !is_summarised(session, pair, run).await? {
            return Ok(None);
        }
        let done = match summary::find(session, &pair.whole).await {
            Ok(SummaryFound::Target(target)) => summary::follow(session, &target).await,
            Ok(SummaryFound::Nothing(why)) => Err(Error::refused(why)),
            Err(error) => Err(error),
        };
        Ok(Some(done))
    })?;
    match recomputed {
        None => {}
        Some(Ok(recomputed)) => report["summary"] = value(&recomputed)?,
        Some(Err(error)) => {
            tracing::warn!(
                "the summary counts rows that are gone, and could not be recomputed: {error}; \
                 `sterna summary` does it when nothing is in its way any more"
            );
            report["summary_failure"] = Value::from(error.to_string());
        }
    }
    Ok(report)
}

/// By what a partition is one.
struct Key {
    columns: Vec<String>,
    /// Whether an expression, which may call functions of others, is among them.
    by_expression: bool,
    /// The type of the first column, if it is an integer.
    sql_type: Option<String>,
    condition: String,
}

impl Key {
    async fn read(session: &Session, oid: u32) -> Result<Option<Key>> {
        let sql = include_str!("../../sql/migrate/partition-key.sql");
        let row = session.query_opt(sql, &[&oid]).await?;
        Ok(row.map(|row| Key {
            columns: row.get::<_, Option<Vec<String>>>(0).unwrap_or_default(),
            by_expression: row.get(1),
            sql_type: row.get(2),
            condition: row.get(3),
        }))
    }

    fn described(&self) -> String {
        let more = match (&self.columns[..], &self.sql_type) {
            _ if self.by_expression => Some("an expression"),
            ([_], None) => Some("which is no integer"),
            _ => None,
        };
        let all: Vec<_> = self.columns.iter().map(String::as_str).chain(more).collect();
        all.join(", ")
    }

    /// Its column and the column's type, if it is a single one, of integers.
    fn single(&self) -> Option<(&str, &str)> {
        match (&self.columns[..], &self.sql_type) {
            ([column], Some(sql_type)) if !self.by_expression => Some((column, sql_type)),
            _ => None,
        }
    }

    /// Which years from the first to the last the bounds admit; `None` for rows without a year.
    async fn years(
        &self,
        session: &Session,
        (column, sql_type): (&str, &str),
        (first, last): (i32, i32),
    ) -> Result<Vec<Option<i32>>> {
        let (column, condition) =
            (Ident::new(column)?, CatalogText::from_catalog(self.condition.as_str()));
        let sql_type = CatalogText::from_catalog(sql_type);
        let names: [(&str, &dyn Quoted); 3] =
            [("column", &column), ("type", &sql_type), ("condition", &condition)];
        let sql = fill(include_str!("../../sql/migrate/partition-years.sql"), &names);
        let rows = session.query(&sql, &[&first, &last]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
