//! `--partition`, and `--year` of a migration: the partition of a table that is to be replaced.

use std::path::Path;

use crate::error::{Error, Result, did_you_mean};
use crate::migrate;
use crate::pg::{ConnInfo, Table, connect_for};

/// Finds the partition of a year below a table, on any level.
///
/// # Errors
/// If there is none; those of the server.
pub(super) async fn of_year(
    info: &ConnInfo,
    table: &Table,
    year: i32,
    mapping: Option<&Path>,
) -> Result<Table> {
    let session = connect_for(info, "search for a partition").await?;
    session.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
    migrate::partition::of_year(&session, table, year, mapping).await
}

/// Finds the partition of this name below a table, on any level.
///
/// # Errors
/// If there is none, or there are several in different schemas; those of the server.
pub(super) async fn named(info: &ConnInfo, table: &Table, name: &str) -> Result<Table> {
    let session = connect_for(info, "search for a partition").await?;
    session.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
    let sql = include_str!("../../../sql/table/stage/partitions.sql");
    let rows = session.query(sql, &[&table.schema.name(), &table.name.name()]).await?;
    let found: Vec<Table> = rows
        .iter()
        .map(|row| Table::new(row.get::<_, String>(0), row.get::<_, String>(1)))
        .collect::<Result<_>>()?;
    match found.iter().filter(|found| found.name.name() == name).collect::<Vec<_>>()[..] {
        [found] => Ok(found.clone()),
        [] => {
            let names = found.iter().map(|found| found.name.name());
            let hint = did_you_mean(name, names).unwrap_or_else(|| match found.len() {
                0 => "name the partitioned table with --table".to_owned(),
                count => format!("it has {count} partitions; see \\d+ in psql"),
            });
            Err(Error::usage(format!("{table} has no partition {name:?}")).hint(hint))
        }
        _ => Err(Error::usage(format!("{table} has partitions {name:?} in several schemas"))
            .hint("name the one that is meant with --schema and --table")),
    }
}
