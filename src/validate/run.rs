//! Runs checks: one pass for all conditions, concurrently with the other checks, all in one
//! snapshot.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Map, Value as Json};
use tokio_postgres::error::SqlState;

use super::check::{Form, body};
use super::instance::{Instance, Ready};
use super::report::CheckReport;
use super::subject::Subject;
use super::value::{Value, references};
use crate::error::{Error, Result, counted};
use crate::pg::{Connection, SqlText, fill, interruptible};
use crate::watch::Watch;

/// SQLSTATE of a cancelled statement: its time limit was exceeded, unless somebody else
/// cancelled it.
const QUERY_CANCELED: &str = "57014";

/// The reports of checks, each with its position, and the number of rows.
#[derive(Default)]
pub(super) struct Found {
    pub(super) reports: Vec<(usize, CheckReport)>,
    pub(super) rows: u64,
}

/// A unit of work for one session.
enum Job<'a> {
    /// All conditions.
    Pass(Vec<(usize, &'a Instance)>),
    One(usize, &'a Instance),
}

impl Job<'_> {
    /// What it is called in `pg_stat_activity` and by whoever shows the progress, if so many checks
    /// precede it.
    fn name(&self, before: usize, of: usize) -> String {
        match self {
            Job::Pass(checks) => format!("checks 1 to {} of {of}: every row", checks.len()),
            Job::One(_, check) => format!("check {} of {of}: {}", before + 1, check.name),
        }
    }
}

/// Runs checks concurrently on `sessions`.
///
/// # Errors
/// If the server refuses to run a check; names the check.
pub(super) async fn run(
    sessions: &[Connection],
    checks: &[Ready],
    subject: &Subject,
    watch: &Watch,
) -> Result<Found> {
    let stop = &watch.stop;
    let numbered = checks.iter().enumerate();
    let ready: Vec<_> = numbered.filter_map(|(at, c)| Some((at, c.as_ref().ok()?))).collect();
    // A user's own check has a time limit, so it does not share the pass.
    let (conditions, others): (Vec<_>, Vec<_>) =
        ready.into_iter().partition(|(_, check)| check.form == Form::Condition && !check.is_own);
    // The longest job comes first, then the checks of the summary, which are listed last; short
    // ones at the end keep all sessions busy.
    let (in_pass, all_checks) = (conditions.len(), conditions.len() + others.len());
    let mut jobs = vec![Job::Pass(conditions)];
    jobs.extend(others.into_iter().rev().map(|(at, check)| Job::One(at, check)));
    let next = AtomicUsize::new(0);
    // What runs, by position; the progress is the last that has begun and has not ended.
    let running = RefCell::new(BTreeMap::new());
    let work = sessions.iter().map(|session| {
        let (jobs, next, running) = (&jobs, &next, &running);
        let set = session.query(include_str!("../../sql/validate/session.sql"), &[]);
        let work = async move {
            let mut found = Found::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(at) else { break };
                let name = job.name((in_pass + at).saturating_sub(1), all_checks);
                session.name(&name);
                watch.tell(&name);
                running.borrow_mut().insert(at, name);
                match job {
                    Job::Pass(checks) => {
                        let (rows, reports) = pass(session, checks, subject, stop).await?;
                        found.rows = rows;
                        found.reports.extend(reports);
                    }
                    Job::One(at, check) => {
                        found.reports.push((*at, one(session, check, subject, stop).await?));
                    }
                }
                running.borrow_mut().remove(&at);
                if let Some((_, name)) = running.borrow().last_key_value() {
                    watch.tell(name);
                }
            }
            session.name(super::CHECKS);
            Ok::<_, Error>(found)
        };
        // Sent together with the first check.
        Box::pin(async move {
            let (set, found) = futures::join!(set, work);
            set?;
            found
        })
    });
    let mut all = Found::default();
    for found in futures::future::try_join_all(work).await? {
        all.rows += found.rows;
        all.reports.extend(found.reports);
    }
    for (at, report) in &mut all.reports {
        if let Ok(check) = &checks[*at]
            && !report.passed
        {
            report.fault = check.fault.clone();
        }
    }
    for (at, check) in checks.iter().enumerate() {
        if let Err(report) = check {
            all.reports.push((at, report.clone()));
        }
    }
    all.reports.sort_by_key(|(at, _)| *at);
    Ok(all)
}

/// Counts the wrong rows of all conditions in one pass, and selects those of conditions with
/// any. Also returns the number of rows.
async fn pass(
    session: &Connection,
    checks: &[(usize, &Instance)],
    subject: &Subject,
    stop: &AtomicBool,
) -> Result<(u64, Vec<(usize, CheckReport)>)> {
    let mut sent = Vec::new();
    let mut counts = Vec::new();
    for (_, check) in checks {
        let condition = check.known.fill(&check.sql, &mut sent);
        let count = body(include_str!("../../sql/validate/count-wrong.sql"));
        counts.push(SqlText::filled(count, &[("condition", &condition)]));
    }
    let sql = fill(
        include_str!("../../sql/validate/count-rows.sql"),
        &[("counts", &SqlText::list(&counts)), ("checked", &subject.checked)],
    );
    let failed = |e: Error| match checks {
        [(_, check)] => e.context(format!("check {}", check.name)),
        _ => e.context("in the pass over all rows"),
    };
    let row = ask(session, &sql, &sent, stop).await.map_err(failed)?;
    let counts: Vec<i64> = row.first().map(|row| row.get(0)).unwrap_or_default();
    let rows = counts.first().map_or(0, |rows| rows.cast_unsigned());
    let mut reports = Vec::new();
    for ((at, check), count) in checks.iter().zip(counts.iter().skip(1)) {
        let rows = match count {
            0 => Vec::new(),
            _ => {
                let select = include_str!("../../sql/validate/select-wrong.sql");
                let select = body(select).replace("{condition}", &check.sql);
                wrong(session, check, &select, stop).await?.1
            }
        };
        let (name, purpose) = (check.name.clone(), &check.purpose);
        let report = CheckReport::wrong(name, check.severity, purpose, *count, rows);
        reports.push((*at, report));
    }
    Ok((rows, reports))
}

/// Runs a check by itself. A data error, such as a JSON value that is not the expected list,
/// counts as a finding: the check fails, and the others continue. So does a user's own check
/// that takes too long.
async fn one(
    session: &Connection,
    check: &Instance,
    subject: &Subject,
    stop: &AtomicBool,
) -> Result<CheckReport> {
    let (limit, own) = (subject.time_limit.as_millis().to_string(), check.is_own);
    let limited = async {
        let sql = include_str!("../../sql/application/time-limit.sql");
        if own { session.query(sql, &[&limit]).await.map(drop) } else { Ok(()) }
    };
    // Sent together, so that a check costs only one round trip.
    let (saved, limited, asked) = futures::join!(
        session.batch_execute("SAVEPOINT before"),
        limited,
        answer(session, check, subject, stop),
    );
    saved?;
    limited?;
    let stumbled = |error: &Error| {
        let state = error.sqlstate().unwrap_or_default();
        state.starts_with("22") || (check.is_own && state == QUERY_CANCELED)
    };
    match asked {
        Err(error) if stumbled(&error) => {
            session.batch_execute("ROLLBACK TO SAVEPOINT before").await?;
            let row = Map::from_iter([("answer".to_owned(), Json::String(error.to_string()))]);
            let (name, purpose) = (check.name.clone(), &check.purpose);
            Ok(CheckReport::wrong(name, check.severity, purpose, 1, vec![row]))
        }
        Err(error) if subject.pair.distribution.is_elsewhere() && is_unsupported(&error) => {
            session.batch_execute("ROLLBACK TO SAVEPOINT before").await?;
            let why = format!("Citus cannot run it on shards: {error}");
            let (name, purpose) = (check.name.clone(), &check.purpose);
            Ok(CheckReport::skipped(name, check.severity, purpose, why))
        }
        Ok(report) => {
            // Resets what a user's check may have set, before the next one.
            if own {
                session.batch_execute("ROLLBACK TO SAVEPOINT before").await?;
            }
            Ok(report)
        }
        Err(error) => Err(error),
    }
}

/// Whether Citus, or the server, cannot run a statement at all.
fn is_unsupported(error: &Error) -> bool {
    error.sqlstate() == Some(SqlState::FEATURE_NOT_SUPPORTED.code())
}

async fn answer(
    session: &Connection,
    check: &Instance,
    subject: &Subject,
    stop: &AtomicBool,
) -> Result<CheckReport> {
    let (name, purpose) = (check.name.clone(), &check.purpose);
    if check.form == Form::Condition {
        let (_, mut reports) = pass(session, &[(0, check)], subject, stop).await?;
        return Ok(reports.swap_remove(0).1);
    }
    if check.form != Form::Figures {
        let (count, rows) = wrong(session, check, &check.sql, stop).await?;
        return Ok(CheckReport::wrong(name, check.severity, purpose, count, rows));
    }
    let template = include_str!("../../sql/validate/figures.sql").replace("{query}", &check.sql);
    let (sql, sent) = check.known.statement(&template);
    let failed = |e: Error| e.context(format!("check {name}"));
    let rows = ask(session, &sql, &sent, stop).await.map_err(failed)?;
    let [row] = rows.as_slice() else {
        return Err(Error::usage(format!(
            "check {name}: {} instead of one",
            counted(rows.len() as u64, "row")
        ))
        .hint("a check of the form figures returns one row, with expected and observed"));
    };
    let (figures, passed): (Json, bool) = (row.get(0), row.get(1));
    let (expected, observed) = (figures["expected"].clone(), figures["observed"].clone());
    let detail = match passed {
        true => "as expected".to_owned(),
        false => format!("expected {expected}, found {observed}"),
    };
    Ok(CheckReport {
        name,
        severity: check.severity,
        passed,
        expected,
        observed,
        detail,
        purpose: purpose.clone(),
        fault: None,
        skipped: None,
        rows: Vec::new(),
    })
}

/// Returns how many rows a query returns, and the first of them.
async fn wrong(
    session: &Connection,
    check: &Instance,
    query: &str,
    stop: &AtomicBool,
) -> Result<(i64, Vec<Map<String, Json>>)> {
    let template = include_str!("../../sql/validate/wrong-rows.sql").replace("{query}", query);
    let (sql, sent) = check.known.statement(&template);
    let failed = |e: Error| e.context(format!("check {}", check.name));
    let found = ask(session, &sql, &sent, stop).await.map_err(failed)?;
    let count = found.first().map_or(0, |row| row.get(0));
    let rows = found.iter().filter_map(|row| match row.get(1) {
        Json::Object(row) => Some(row),
        _ => None,
    });
    Ok((count, rows.collect()))
}

async fn ask(
    session: &Connection,
    sql: &str,
    sent: &[Value],
    stop: &AtomicBool,
) -> Result<Vec<tokio_postgres::Row>> {
    let values = references(sent);
    interruptible(session, stop, session.query(sql, &values)).await
}
