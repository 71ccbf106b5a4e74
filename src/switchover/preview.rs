//! A preview of the statements of a switchover, generated from the catalog.

use serde::Serialize;

use super::{Exchange, gate, script};
use crate::error::Result;
use crate::pg::{Connection, Table, catalog};

/// The statements of a switchover.
#[derive(Clone, Debug, Serialize)]
pub struct Preview {
    /// Locks everything that will be changed, against readers and writers.
    pub locks: Vec<String>,
    /// Exchanges the tables, under these locks and in the same transaction.
    pub exchange: Vec<String>,
    /// Runs after the commit.
    pub finish: Vec<String>,
    /// How long it takes to validate foreign keys while others wait, in milliseconds, with the
    /// present rows; `None` if no key is validated then.
    pub validates_keys_ms: Option<f64>,
}

/// Generates the statements of a switchover of `table`, for a staging table that is like it
/// and need not exist yet. Only reads the catalog.
///
/// # Errors
/// Refused if the table cannot be replaced, or a foreign key takes too long to validate; an error if the catalog cannot be read.
pub async fn preview(session: &Connection, table: &Table) -> Result<Preview> {
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    let live = catalog::replaceable(session, table).await?.oid;
    gate::refuse_unsupported(session, table, live).await?;
    let exchange = Exchange::forwards(table.clone(), live, 0);
    let script = script::foresee(session, &exchange).await?;
    let validated = script.references.measure(session).await?;
    Ok(Preview {
        locks: script.locks,
        exchange: script.exchange,
        finish: script.finish,
        validates_keys_ms: (!validated.is_zero()).then_some(validated.as_secs_f64() * 1000.0),
    })
}
