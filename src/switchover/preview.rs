//! What a switchover would do, written from the catalog and not done.

use serde::Serialize;

use super::{Exchange, gate, script};
use crate::error::Result;
use crate::pg::{Connection, Table, catalog};

/// The statements of a switchover.
#[derive(Clone, Debug, Serialize)]
pub struct Preview {
    /// What locks all that will change, against everybody.
    pub locks: Vec<String>,
    /// What exchanges the tables, under these locks and in the same transaction.
    pub exchange: Vec<String>,
    /// What is done after the commit.
    pub finish: Vec<String>,
}

/// Writes the statements of a switchover of `table`, for a staging table that is like
/// it; there need not be one yet. Reads the catalog only.
///
/// # Errors
/// Refused where the table cannot be replaced; where the catalog cannot be read.
pub async fn preview(session: &Connection, table: &Table) -> Result<Preview> {
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    let live = catalog::plain_table(session, table).await?.oid;
    gate::refuse_unsupported(session, table, live).await?;
    let exchange = Exchange::forwards(table.clone(), live, 0);
    let script = script::foresee(session, &exchange).await?;
    Ok(Preview { locks: script.locks, exchange: script.exchange, finish: script.finish })
}
