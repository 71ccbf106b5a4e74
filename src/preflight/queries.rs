//! The application's queries, run as the application: in sessions that log in as it, with
//! the rows that policies let it see, in read-only transactions.

use std::path::Path;
use std::time::Instant;

use super::{Finding, PreflightSeverity};
use crate::application::Found;
use crate::error::{Error, Result};
use crate::pg::{Connection, Ident, Quoted, Table, fill};

const HINT: &str = "compare with the answer before the switchover; `sterna rollback` puts the old \
                    table back";

/// The queries that the application is known to run.
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
    /// The text, with the placeholders `{table}` and `{schema}`.
    sql: String,
    is_built_in: bool,
}

/// The built-in queries, or those of a folder.
///
/// # Errors
/// If the folder cannot be read or has none.
pub(super) fn queries(folder: Option<&Path>) -> Result<Vec<Query>> {
    let Some(folder) = folder else {
        let own = BUILT_IN.map(|(name, sql)| Query {
            name: name.into(),
            sql: sql.into(),
            is_built_in: true,
        });
        return Ok(own.into());
    };
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::file(folder, e))? {
        let path = entry.map_err(|e| Error::file(folder, e))?.path();
        if path.extension().is_some_and(|ending| ending == "sql") {
            let sql = std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            queries.push(Query { name, sql, is_built_in: false });
        }
    }
    if queries.is_empty() {
        return Err(Error::usage(format!("{} holds no .sql file", folder.display())));
    }
    queries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(queries)
}

/// What the queries are run on, and by which login.
pub(super) struct Questions<'a> {
    pub(super) table: &'a Table,
    /// The schema of what is beside the table.
    pub(super) schema: &'a Ident,
    pub(super) application: &'a Found,
    /// Whether the table has rows, so that every query must find some.
    pub(super) has_rows: bool,
}

impl Questions<'_> {
    /// Runs a query as the application and counts its rows. If there is no login to run it, a
    /// built-in query is only parsed, and the role is checked for the right to read what the
    /// query needs: nothing is planned or run.
    ///
    /// # Errors
    /// If the session is lost.
    pub(super) async fn ask(&self, session: &Connection, query: &Query) -> Result<Finding> {
        let names: [(&str, &dyn Quoted); 2] = [("table", self.table), ("schema", self.schema)];
        let sql = fill(&query.sql, &names);
        let name = format!("query-{}", query.name);
        let needs = sql.lines().find_map(|line| line.strip_prefix("-- Needs: ")).unwrap_or("");
        let needs: Vec<&str> = needs.split(", ").map(str::trim).filter(|n| !n.is_empty()).collect();
        for needed in &needs {
            if !resolves(session, needed).await? {
                let detail = format!("not run: this installation has no {needed}");
                return Ok(Finding::good(&name, PreflightSeverity::Info, detail));
            }
        }
        let asker = match &self.application.asker {
            Ok(asker) => asker,
            // Parsing a literal in a user's query could run the checks of its type.
            Err(_) if !query.is_built_in => {
                let hint = "--application-url says how the application logs in";
                return Ok(Finding::bad(&name, PreflightSeverity::Warning, "not run", hint));
            }
            Err(_) => return self.parse(session, &name, &sql, &needs).await,
        };
        let begun = Instant::now();
        let asked = asker.ask(&sql).await;
        let took = begun.elapsed().as_millis();
        Ok(match asked {
            Ok(rows) if rows.is_empty() && self.has_rows => {
                let detail = format!("no rows, though {} has some", self.table);
                Finding::bad(&name, PreflightSeverity::Error, detail, HINT)
            }
            Ok(rows) => {
                let detail = format!("{} rows in {took} ms", rows.len());
                Finding::good(&name, PreflightSeverity::Error, detail)
            }
            Err(error) => Finding::bad(&name, PreflightSeverity::Error, error.to_string(), HINT),
        })
    }

    async fn parse(
        &self,
        session: &Connection,
        name: &str,
        sql: &str,
        needs: &[&str],
    ) -> Result<Finding> {
        if let Err(error) = session.prepare(sql).await {
            let error = Error::from(error);
            return Ok(Finding::bad(name, PreflightSeverity::Error, error.to_string(), HINT));
        }
        let Some(role) = &self.application.role else {
            return Ok(Finding::good(name, PreflightSeverity::Error, "parsed, not run"));
        };
        for needed in needs {
            let (relation, routine) = named(needed);
            let sql = include_str!("../../sql/application/may-read.sql");
            let row = session.query_one(sql, &[&role.name(), &relation, &routine]).await?;
            if !row.get::<_, bool>(0) {
                let detail = format!("{role} may not read {needed}");
                return Ok(Finding::bad(name, PreflightSeverity::Error, detail, HINT));
            }
        }
        let detail = format!("parsed, not run; {role} may read what it needs");
        Ok(Finding::good(name, PreflightSeverity::Error, detail))
    }
}

/// Whether a name is a relation, or a function with its signature.
fn named(name: &str) -> (Option<&str>, Option<&str>) {
    if name.contains('(') { (None, Some(name)) } else { (Some(name), None) }
}

/// Whether a relation, or a function with its signature, exists.
async fn resolves(session: &Connection, name: &str) -> Result<bool> {
    let (relation, routine) = named(name);
    let sql = include_str!("../../sql/preflight/resolves.sql");
    Ok(session.query_one(sql, &[&relation, &routine]).await?.get(0))
}
