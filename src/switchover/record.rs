//! What the ledger says of switchovers. A row is written by the transaction that
//! exchanges the tables, so it is there exactly when they were exchanged.

use std::time::Duration;

use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::pg::{Session, Table};
use crate::table::fingerprint::{Difference, Fingerprint};

/// How far a switchover has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SwitchoverState {
    /// The new table is live, the old one kept.
    Switched,
    /// Rolled back.
    Returned,
    /// The old table is gone.
    Cleaned,
}

/// A switchover that was made.
#[derive(Clone, Debug)]
pub struct SwitchoverRecord {
    /// Its id.
    pub id: Uuid,
    /// The run that asked for it.
    pub run: Uuid,
    /// The table that was live before.
    pub old: u32,
    /// The table that is live since.
    pub new: u32,
    /// How far it has come.
    pub state: SwitchoverState,
    /// What the catalog said of the table before.
    pub fingerprint: Fingerprint,
    /// What is known to differ since, because it was asked for.
    pub exceptions: Vec<Difference>,
    /// Rows of the new table when it went live.
    pub rows: i64,
    /// Writes that were carried over to it.
    pub replayed: i64,
    /// Writes that its rollback has carried back.
    pub carried_back: i64,
    /// Statements that check foreign keys of other tables and were not run yet.
    pub to_validate: Vec<String>,
    /// How long ago it was.
    pub age: Duration,
}

impl SwitchoverRecord {
    /// Writes that were carried over by the exchange that it tells of last.
    pub(super) fn carried(&self) -> i64 {
        match self.state {
            SwitchoverState::Returned => self.carried_back,
            SwitchoverState::Switched | SwitchoverState::Cleaned => self.replayed,
        }
    }
}

/// The latest switchover of a table.
///
/// # Errors
/// Where the ledger cannot be read.
pub async fn last(session: &Session, table: &Table) -> Result<Option<SwitchoverRecord>> {
    latest(session, table, None).await
}

/// The latest switchover that a run has made of a table.
///
/// # Errors
/// Where the ledger cannot be read.
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
        })
    })
    .transpose()
}
