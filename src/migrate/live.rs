//! Current activity: sterna's sessions on a table, what blocks them, how fast rows are loaded,
//! and which table is live.

use serde::Serialize;

use crate::error::Result;
use crate::pg::{Connection, Table, Typed};

/// Current activity.
#[derive(Clone, Debug, Serialize)]
pub struct Live {
    /// Sessions that work on the table or its staging table.
    pub sessions: Vec<Session>,
    /// The load that is writing rows; null if there is none.
    pub load: Option<LoadProgress>,
    /// Which table is live.
    pub live: LiveTable,
}

/// Which table has the name of the table to replace: the one from before the run, or the one that
/// the run has put in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LiveTable {
    /// `old` or `new`; null if neither, since somebody else has put a table in its place.
    pub table: Option<&'static str>,
    /// Since when, in UTC; null if the run has exchanged nothing.
    pub since: Option<String>,
    /// The old table, if the new one is live and the old one is still there.
    pub old_table: Option<String>,
}

/// A session of sterna.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Session {
    /// Its process id on the server.
    pub pid: i32,
    /// What it is for: its `application_name` without the connection's own, which precedes it.
    pub purpose: Option<String>,
    /// The purpose of its statement; null if the role may not see it.
    pub doing: Option<String>,
    /// What it waits for, as the server names it.
    pub waits_for: Option<String>,
    /// Its state, as the server names it; null if the role may not see it.
    pub state: Option<String>,
    /// Seconds in that state.
    pub seconds: Option<f64>,
    /// Sessions that hold the lock it waits for.
    pub blocked_by: Vec<String>,
    /// How far it has got if it builds an index: the server's phase, and the part of it.
    pub progress: Option<String>,
}

/// Progress of a load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadProgress {
    /// Rows of committed batches.
    pub rows: i64,
    /// Bytes that those rows were read from.
    pub bytes: i64,
    /// Seconds since it began.
    pub seconds: f64,
    /// The average over that time.
    pub rows_per_second: f64,
    /// How many of its files have been begun.
    pub files_begun: i64,
    /// How many files it reads.
    pub files: i64,
}

/// Reads the activity from the server and the ledger, which must exist.
///
/// # Errors
/// If the ledger or the server's views cannot be read.
pub async fn live(session: &Connection, table: &Table, staging: &Table) -> Result<Live> {
    let names = [table.to_string(), staging.to_string()];
    let (names, schema) = (names.as_slice(), table.schema.name());
    let tables = [table.name.name(), staging.name.name()];
    let tables = tables.as_slice();
    let (of_sessions, live): (&[&dyn Typed], &[&dyn Typed]) =
        (&[&names, &schema, &tables], &[&schema, &table.name.name()]);
    let of_load: &[&dyn Typed] = &[&schema, &staging.name.name()];
    let (sessions, load, live) = futures::join!(
        session.query(include_str!("../../sql/migrate/sessions.sql"), of_sessions),
        session.query_opt(include_str!("../../sql/migrate/load-progress.sql"), of_load),
        session.query_opt(include_str!("../../sql/migrate/live-table.sql"), live),
    );
    let sessions = sessions?;
    let sessions = sessions.iter().map(|row| Session {
        pid: row.get(0),
        purpose: row.get(7),
        doing: row.get(1),
        waits_for: row.get(2),
        state: row.get(3),
        seconds: row.get(4),
        blocked_by: row.get(5),
        progress: row.get(6),
    });
    let load = load?.map(|row| {
        let (rows, seconds): (i64, f64) = (row.get(0), row.get(2));
        let rows_per_second = if seconds > 0.0 { rows as f64 / seconds } else { 0.0 };
        LoadProgress {
            rows,
            bytes: row.get(1),
            seconds,
            rows_per_second,
            files_begun: row.get(3),
            files: row.get(4),
        }
    });
    let live = live_table(live?.as_ref())?;
    Ok(Live { sessions: sessions.collect(), load, live })
}

/// Which table is live, by the latest switchover, if there was one.
fn live_table(row: Option<&tokio_postgres::Row>) -> Result<LiveTable> {
    // Until the run exchanges them, its old table is what is live, whoever put it there.
    let old = LiveTable { table: Some("old"), since: None, old_table: None };
    let Some(row) = row.filter(|row| row.get(2)) else { return Ok(old) };
    let (table, since): (Option<&str>, Option<String>) = (row.get(0), row.get(1));
    let (schema, name): (Option<&str>, Option<&str>) = (row.get(3), row.get(4));
    let old_table = match (schema, name) {
        (Some(schema), Some(name)) => Some(Table::new(schema, name)?.to_string()),
        _ => None,
    };
    Ok(match table {
        Some("new") => LiveTable { table: Some("new"), since, old_table },
        Some(_) => LiveTable { since, ..old },
        None => LiveTable { table: None, ..old },
    })
}
