//! After a switchover: checks that the application works.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::queries::{Questions, queries};
use super::question::{Question, found};
use super::{Finding, PreflightCheck, PreflightSeverity, endpoint};
use crate::application::Application;
use crate::error::{Error, Result, grouped};
use crate::pg::catalog::{self, Relation};
use crate::pg::{ConnInfo, Connection, Distribution, Ident, Quoted, Table, connect_for, fill};
use crate::switchover;
use crate::switchover::journal::{self, Toward};
use crate::switchover::record::{self, SwitchoverRecord, SwitchoverState};
use crate::trust;

/// The percentage of rolled-back transactions that is not worth reporting.
const USUAL_ROLLBACKS_PERCENT: i64 = 1;

const INDEXES: Question = Question {
    name: "indexes",
    severity: PreflightSeverity::Error,
    sql: include_str!("../../sql/preflight/invalid-indexes.sql"),
    of_table: true,
    good: "all are valid",
    hint: "sterna reindex --invalid",
};

/// Options of the checkpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostOptions {
    /// The login that runs the queries.
    pub application: Application,
    /// A folder of queries instead of the built-in ones.
    pub queries: Option<PathBuf>,
    /// URLs that must answer with status 200.
    pub health_urls: Vec<String>,
    /// Time limit for the answer of a URL.
    pub limit: Duration,
}

impl PostOptions {
    /// The options for the built-in queries, run as `application`.
    #[must_use]
    pub fn new(application: Application) -> Self {
        let limit = Duration::from_secs(5);
        PostOptions { application, queries: None, health_urls: Vec::new(), limit }
    }
}

/// Runs the application's queries and looks at what the server has counted since the
/// switchover of `table`. Writes nothing.
///
/// # Errors
/// If the server cannot be reached, or the table or a query folder is missing.
pub async fn post(info: &ConnInfo, table: &Table, options: &PostOptions) -> Result<PreflightCheck> {
    let begun = Instant::now();
    let queries = queries(options.queries.as_deref())?;
    let mut session = connect_for(info, "check post").await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    let Relation { oid, distribution, whole, .. } = catalog::loadable(&session, table).await?;
    trust::code(&session, &[oid], &[]).await?;
    let has_rows = fill(include_str!("../../sql/table/stage/has-rows.sql"), &[("staging", table)]);
    let has_rows: bool = session.query_one(&has_rows, &[]).await?.get(0);
    let found = options.application.find(info, &session, (table, oid)).await?;
    let mut checks = vec![match &found.asker {
        Ok(asker) => Finding::good(
            "role",
            PreflightSeverity::Info,
            format!("queries are run as {}", asker.who),
        ),
        Err(why) => {
            let what = format!("queries are parsed, not run: {why}");
            let hint = "--application-url says how the application logs in, --as-role as whom";
            Finding::bad("role", PreflightSeverity::Warning, what, hint)
        }
    }];
    let limit = options.limit;
    let questions = Questions { table, schema: &whole.schema, application: &found, has_rows };
    for query in &queries {
        checks.push(questions.ask(&session, query).await?);
    }
    for url in &options.health_urls {
        let url = url.clone();
        let asked = tokio::task::spawn_blocking(move || endpoint::check(&url, limit)).await;
        checks.push(asked.map_err(|e| Error::database("the endpoint's task failed").caused_by(e))?);
    }
    checks.push(INDEXES.ask(&session, oid).await);
    checks.push(sequences(&session, table, oid).await?);
    let last = if crate::ledger::open(&mut session).await? {
        record::last(&session, table).await?
    } else {
        None
    };
    match last {
        Some(last) => since(&session, (oid, &distribution), &last, &mut checks).await?,
        None => {
            let what = "the ledger knows of no switchover of the table";
            checks.push(Finding::bad(
                "switchover",
                PreflightSeverity::Warning,
                what,
                "sterna switchover",
            ));
        }
    }
    Ok(PreflightCheck::new(table.to_string(), checks, begun.elapsed()))
}

async fn sequences(session: &Connection, table: &Table, oid: u32) -> Result<Finding> {
    let sql = include_str!("../../sql/validate/sequences.sql");
    let mut lines = Vec::new();
    for row in session.query(sql, &[&oid]).await? {
        let column = Ident::new(row.get::<_, String>(0))?;
        let sequence = Table::new(row.get::<_, String>(1), row.get::<_, String>(2))?;
        let names: [(&str, &dyn Quoted); 3] =
            [("column", &column), ("table", table), ("sequence", &sequence)];
        let behind = fill(include_str!("../../sql/preflight/sequence-behind.sql"), &names);
        let found = session.query_opt(&behind, &[]).await?;
        lines.extend(found.map(|row| format!("{sequence}: {}", row.get::<_, String>(0))));
    }
    let good = "all are ahead of their columns";
    Ok(found("sequences", PreflightSeverity::Error, &lines, good, "setval each beyond its column"))
}

/// Checks the switchover itself and the server's counters since.
async fn since(
    session: &Connection,
    (oid, distribution): (u32, &Distribution),
    last: &SwitchoverRecord,
    checks: &mut Vec<Finding>,
) -> Result<()> {
    let hint = "run `sterna switchover` again: it checks what is left to check";
    let good = "those of other tables were checked after the switchover";
    checks.push(found("foreign-keys", PreflightSeverity::Error, &last.to_validate, good, hint));
    if last.state == SwitchoverState::Switched {
        let live = last.new == oid;
        checks.push(if live {
            let state = journal::state(session, oid, Toward::Old).await?;
            match state {
                _ if distribution.is_elsewhere()
                    && switchover::has_way_back(session, oid).await? =>
                {
                    let detail = "possible; the writes since are those that differ from a copy";
                    Finding::good("rollback", PreflightSeverity::Warning, detail)
                }
                Some(state) if state.armed => {
                    let detail = format!(
                        "`sterna rollback` is possible: it would carry {} writes back",
                        state.waiting
                    );
                    Finding::good("rollback", PreflightSeverity::Warning, detail)
                }
                _ => Finding::bad(
                    "rollback",
                    PreflightSeverity::Warning,
                    "writes since the switchover are not recorded",
                    "a rollback would lose them and is refused; only a backup brings them back",
                ),
            }
        } else {
            Finding::bad(
                "switchover",
                PreflightSeverity::Error,
                "the live table is not the one that the switchover put there",
                "another session has replaced it; see sterna status",
            )
        });
        let sql = include_str!("../../sql/preflight/listeners.sql");
        let listeners: i64 = session.query_one(sql, &[]).await?.get(0);
        let told = "the switchover has told the API to reload its schema";
        checks.push(if listeners > 0 {
            Finding::good("api-notified", PreflightSeverity::Info, format!("{told}; it listens"))
        } else {
            let hint = "if you run PostgREST, check that it has: --health-url";
            Finding::bad(
                "api-notified",
                PreflightSeverity::Info,
                format!("{told}; nobody listens"),
                hint,
            )
        });
    }
    let sql = include_str!("../../sql/preflight/activity.sql");
    let row = session.query_opt(sql, &[&last.id]).await?;
    let Some(row) = row else {
        let what = "the server's counters were reset since the switchover";
        checks.push(Finding::bad(
            "activity",
            PreflightSeverity::Info,
            what,
            "look at the server's log",
        ));
        return Ok(());
    };
    let [deadlocks, failed, rollbacks, commits, rollbacks_before, commits_before] =
        [0, 1, 2, 3, 4, 5].map(|column| row.get::<_, i64>(column));
    let ended = |name, count: i64, what: &str| {
        let lines = if count > 0 { vec![format!("{count} {what}")] } else { Vec::new() };
        let hint = "the server's log says which";
        found(name, PreflightSeverity::Warning, &lines, "none since the switchover", hint)
    };
    checks.push(ended("deadlocks", deadlocks, "since the switchover"));
    let mut sessions =
        ended("sessions-failed", failed, "sessions ended by an error or were terminated");
    // Aborted sessions are counted as well, including sterna's own.
    sessions.severity = PreflightSeverity::Info;
    checks.push(sessions);
    let count = |number: i64| grouped(number.unsigned_abs());
    let detail = format!(
        "the application's transactions that were rolled back: {} of {} since the switchover, {} of \
         {} before it",
        count(rollbacks),
        count(rollbacks + commits),
        count(rollbacks_before),
        count(rollbacks_before + commits_before)
    );
    checks.push(if more_often((rollbacks, commits), (rollbacks_before, commits_before)) {
        let hint = "the application's or the server's log says why they failed";
        Finding::bad("rollbacks", PreflightSeverity::Warning, detail, hint)
    } else {
        Finding::good("rollbacks", PreflightSeverity::Warning, detail)
    });
    Ok(())
}

/// Whether transactions are rolled back more than twice as often as before, and often enough
/// to report. Each pair is (rolled back, committed).
fn more_often(now: (i64, i64), before: (i64, i64)) -> bool {
    let share = |(back, done): (i64, i64)| back as f64 / (back + done).max(1) as f64;
    share(now) * 100.0 > USUAL_ROLLBACKS_PERCENT as f64 && share(now) > 2.0 * share(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollbacks_are_compared_with_those_before() {
        assert!(more_often((50, 50), (1, 99)));
        assert!(!more_often((50, 50), (40, 60)));
        assert!(!more_often((0, 0), (0, 0)));
        assert!(!more_often((1, 999), (0, 1000)), "too few to speak of");
    }
}
