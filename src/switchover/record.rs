//! Switchovers in the ledger. The transaction that exchanges the tables writes the row, so the
//! row exists if and only if they were exchanged.

use std::time::Duration;

use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::pg::{Session, Table};
use crate::table::fingerprint::{Difference, Fingerprint};

/// The state of a switchover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SwitchoverState {
    /// The new table is live, the old one is kept.
    Switched,
    /// Rolled back.
    Returned,
    /// The old table was cleaned up.
    Cleaned,
}

/// A recorded switchover.
#[derive(Clone, Debug)]
pub struct SwitchoverRecord {
    /// Its id.
    pub id: Uuid,
    /// The run that it belongs to.
    pub run: Uuid,
    /// OID of the table that was live before.
    pub old: u32,
    /// OID of the table that became live.
    pub new: u32,
    /// Its state.
    pub state: SwitchoverState,
    /// The live table's fingerprint before it.
    pub fingerprint: Fingerprint,
    /// Differences since then that were asked for.
    pub exceptions: Vec<Difference>,
    /// Rows of the new table when it went live.
    pub rows: i64,
    /// Writes that were carried over to the new table.
    pub replayed: i64,
    /// Writes that its rollback carried over to the old table.
    pub carried_back: i64,
    /// Statements to run after the exchange that were not run yet.
    pub to_validate: Vec<String>,
    /// How long ago it was.
    pub age: Duration,
    /// Whether its rollback has left writes behind.
    pub has_left: bool,
}

impl SwitchoverRecord {
    /// Writes that the latest exchange carried over: the switchover, or its rollback.
    pub(super) fn carried(&self) -> i64 {
        match self.state {
            SwitchoverState::Returned => self.carried_back,
            SwitchoverState::Switched | SwitchoverState::Cleaned => self.replayed,
        }
    }
}

/// Returns the latest switchover of a table.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn last(session: &Session, table: &Table) -> Result<Option<SwitchoverRecord>> {
    latest(session, table, None).await
}

/// Returns the latest switchover of a table by a run.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn of_run(
    session: &Session,
    table: &Table,
    run: Uuid,
) -> Result<Option<SwitchoverRecord>> {
    latest(session, table, Some(run)).await
}

async fn latest(
    session: &Session,
    table: &Table,
    run: Option<Uuid>,
) -> Result<Option<SwitchoverRecord>> {
    let sql = include_str!("../../sql/switchover/last.sql");
    let row = session.query_opt(sql, &[&table.schema.name(), &table.name.name(), &run]).await?;
    row.map(|row| {
        let state = match row.get(4) {
            "switched" => SwitchoverState::Switched,
            "returned" => SwitchoverState::Returned,
            "cleaned" => SwitchoverState::Cleaned,
            other => {
                return Err(Error::refused(format!(
                    "the ledger has a switchover in the unknown state {other:?}"
                )));
            }
        };
        let (Json(fingerprint), Json(exceptions)) = (row.get(5), row.get(6));
        Ok(SwitchoverRecord {
            id: row.get(0),
            run: row.get(1),
            old: row.get(2),
            new: row.get(3),
            state,
            fingerprint,
            exceptions,
            rows: row.get(7),
            replayed: row.get(8),
            carried_back: row.get(9),
            to_validate: row.get(10),
            age: Duration::from_secs_f64(row.get::<_, f64>(11).max(0.0)),
            has_left: row.get(12),
        })
    })
    .transpose()
}
