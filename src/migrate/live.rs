//! Current activity: sterna's sessions on a table, what blocks them, and how fast rows are
//! loaded.

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
}

/// A session of sterna.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Session {
    /// Its process id on the server.
    pub pid: i32,
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
    let (names, schema, name) = (names.as_slice(), staging.schema.name(), staging.name.name());
    let parameters: (&[&dyn Typed], &[&dyn Typed]) = (&[&names], &[&schema, &name]);
    let (sessions, load) = futures::join!(
        session.query(include_str!("../../sql/migrate/sessions.sql"), parameters.0),
        session.query_opt(include_str!("../../sql/migrate/load-progress.sql"), parameters.1),
    );
    let sessions = sessions?;
    let sessions = sessions.iter().map(|row| Session {
        pid: row.get(0),
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
    Ok(Live { sessions: sessions.collect(), load })
}
