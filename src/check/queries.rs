//! The application's queries, asked as the application: as its role, with what its
//! policies let it see, in a transaction that cannot write.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Finding, Severity};
use crate::error::{Error, Result};
use crate::pg::{Connection, Ident, Quoted, Table, fill};

const HINT: &str = "compare with the answer before the switchover; `sterna rollback` puts the old \
                    table back";

/// The queries that the application is known to ask.
const BUILT_IN: [(&str, &str); 7] = [
    ("species-overview", include_str!("../../sql/app/species-overview.sql")),
    ("latest-trade", include_str!("../../sql/app/latest-trade.sql")),
    ("trade-routes", include_str!("../../sql/app/trade-routes.sql")),
    ("records-by-year", include_str!("../../sql/app/records-by-year.sql")),
    ("species-by-year", include_str!("../../sql/app/species-by-year.sql")),
    ("quantities", include_str!("../../sql/app/quantities.sql")),
    ("species-with-trade", include_str!("../../sql/app/species-with-trade.sql")),
];

/// A query of the application.
pub(super) struct Query {
    name: String,
    /// With `{table}` and `{schema}`.
    sql: String,
}

/// The built-in queries, or those of a folder.
///
/// # Errors
/// Where the folder cannot be read or has none.
pub(super) fn queries(folder: Option<&Path>) -> Result<Vec<Query>> {
    let Some(folder) = folder else {
        let own = BUILT_IN.map(|(name, sql)| Query { name: name.into(), sql: sql.into() });
        return Ok(own.into());
    };
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::file(folder, e))? {
        let path = entry.map_err(|e| Error::file(folder, e))?.path();
        if path.extension().is_some_and(|ending| ending == "sql") {
            let sql = std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            queries.push(Query { name, sql });
        }
    }
    if queries.is_empty() {
        return Err(Error::usage(format!("{} holds no .sql file", folder.display())));
    }
    queries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(queries)
}

/// Who asks, about what.
pub(super) struct Application<'a> {
    pub(super) table: &'a Table,
    /// None is the connected role.
    pub(super) role: Option<&'a Ident>,
    pub(super) limit: Duration,
    /// Whether the table has rows, so that every query has to find some.
    pub(super) has_rows: bool,
}

impl Application<'_> {
    /// Asks a query and counts its rows.
    ///
    /// # Errors
    /// Where the session is lost.
    pub(super) async fn ask(&self, session: &mut Connection, query: &Query) -> Result<Finding> {
        let names: [(&str, &dyn Quoted); 2] =
            [("table", self.table), ("schema", &self.table.schema)];
        let sql = fill(&query.sql, &names);
        let name = format!("query-{}", query.name);
        if let Some(needed) = sql.lines().find_map(|line| line.strip_prefix("-- Needs: "))
            && !resolves(session, needed.trim()).await?
        {
            let detail = format!("not asked: this installation has no {}", needed.trim());
            return Ok(Finding::good(&name, Severity::Info, detail));
        }
        let transaction = session.build_transaction().read_only(true).start().await?;
        let limit = self.limit.as_millis().to_string();
        let begun = Instant::now();
        let asked = async {
            let set = match self.role {
                Some(role) => fill(include_str!("../../sql/check/as-role.sql"), &[("role", role)]),
                None => include_str!("../../sql/check/as-application.sql").to_owned(),
            };
            transaction.query(include_str!("../../sql/check/time-limit.sql"), &[&limit]).await?;
            transaction.batch_execute(&set).await?;
            transaction.query(&sql, &[]).await
        };
        let asked = asked.await;
        let took = begun.elapsed().as_millis();
        drop(transaction);
        Ok(match asked {
            Ok(rows) if rows.is_empty() && self.has_rows => {
                let detail = format!("no rows, though {} has some", self.table);
                Finding::bad(&name, Severity::Error, detail, HINT)
            }
            Ok(rows) => {
                let detail = format!("{} rows in {took} ms", rows.len());
                Finding::good(&name, Severity::Error, detail)
            }
            Err(error) => {
                Finding::bad(&name, Severity::Error, Error::from(error).to_string(), HINT)
            }
        })
    }
}

/// Whether a relation, or a function with its signature, is there.
async fn resolves(session: &Connection, name: &str) -> Result<bool> {
    let (relation, routine) =
        if name.contains('(') { (None, Some(name)) } else { (Some(name), None) };
    let sql = include_str!("../../sql/check/resolves.sql");
    Ok(session.query_one(sql, &[&relation, &routine]).await?.get(0))
}
