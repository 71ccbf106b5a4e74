//! Partitions and partitioned tables: which of them can be replaced, and tables of sterna's that have
//! become partitions of others meanwhile. What has been attached to another table is neither emptied nor dropped.

use crate::error::{Error, Result};
use crate::pg::catalog::{self, Relation};
use crate::pg::{Column, Connection, Session, Table, Volley, fill};
use crate::table::pair::Pair;

/// The kinds of table that a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Ordinary and partitioned ones, and partitions.
    Partitions,
    /// The same, and tables that Citus distributes by a hash.
    Shards,
}

impl Takes {
    /// Finds a table that must exist and be of such a kind.
    ///
    /// # Errors
    /// If it is missing or of another kind.
    pub(crate) async fn find(self, session: &Connection, table: &Table) -> Result<Relation> {
        match self {
            Takes::Partitions => catalog::replaceable(session, table).await,
            Takes::Shards => catalog::loadable(session, table).await,
        }
    }
}

/// The query for the statements that give a table the CHECK which a partition's bound implies.
pub(crate) const BOUND: &str = include_str!("../../sql/table/stage/bound.sql");

/// Fails if a table has been attached to another one.
const ATTACHED: &str = include_str!("../../sql/table/attached.sql");

/// Why a table cannot be replaced although it is a partition, or partitioned; nothing if it is
/// neither.
///
/// # Errors
/// If the catalog cannot be read.
pub(crate) async fn unsupported(session: &Session, oid: u32) -> Result<Vec<String>> {
    let (one, whole) = futures::join!(
        session.query(include_str!("../../sql/table/stage/unsupported-partition.sql"), &[&oid]),
        session.query(include_str!("../../sql/table/stage/unsupported-partitioned.sql"), &[&oid]),
    );
    Ok(one?.iter().chain(&whole?).map(|row| row.get(0)).collect())
}

/// Refuses a partition or a partitioned table that cannot be replaced, or a column of which is to
/// be widened.
///
/// # Errors
/// The refusal, with every reason.
pub(crate) async fn refuse_unsupported(
    session: &Session,
    pair: &Pair,
    widened: &[Column],
) -> Result<()> {
    let (oid, partitioned) = (pair.table_oid, pair.partitioned);
    let mut reasons = unsupported(session, oid).await?;
    if !widened.is_empty() {
        let relation = include_str!("../../sql/catalog/relation.sql");
        let (schema, name) = (pair.table.schema.name(), pair.table.name.name());
        let found = session.query_opt(relation, &[&schema, &name]).await?;
        if found.is_some_and(|row| row.get(2)) {
            reasons.push("a column cannot be widened in one partition alone".to_owned());
        } else if partitioned {
            reasons.push("a column of a partitioned table cannot be widened".to_owned());
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("{} cannot be replaced: {}", pair.table, reasons.join("; ")))
        .hint("nothing was loaded; alter or drop what is named, then try again"))
}

/// Refuses a table that has been attached to another one, or another one to it.
///
/// # Errors
/// The refusal, which says what separates them.
pub(crate) async fn refuse_attached(session: &Session, oid: u32) -> Result<()> {
    session.query(ATTACHED, &[&oid]).await.map_err(|error| refusal(error.into()))?;
    Ok(())
}

/// Locks a table that the next statement empties or drops, and adds the condition that it has
/// not been attached to another one.
pub(crate) fn lock_detached(volley: &mut Volley, table: &Table, oid: u32) {
    let lock = include_str!("../../sql/switchover/lock-everybody.sql");
    volley.add(fill(lock, &[("table", table)]));
    volley.query(ATTACHED, vec![Box::new(oid)]);
}

/// Makes the partitioned tables of staging belong to this role, so that no other one can attach a
/// partition with a trigger to them while rows are loaded.
///
/// # Errors
/// If the role may not do so.
pub(crate) async fn claim(session: &Session, pair: &Pair, staging: u32) -> Result<()> {
    if !pair.partitioned {
        return Ok(());
    }
    let rows = session.query(include_str!("../../sql/table/stage/claim.sql"), &[&staging]).await?;
    let statements: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    Ok(session.batch_execute(&statements.join("; ")).await?)
}

/// The refusal for a table that has been attached to another one; any other error as it is.
pub(crate) fn refusal(error: Error) -> Error {
    let db_error = error.postgres().and_then(tokio_postgres::Error::as_db_error);
    let Some(db_error) = db_error.filter(|_| error.sqlstate() == Some("SN022")) else {
        return error;
    };
    let detach = db_error.detail().unwrap_or_default();
    if detach.is_empty() {
        return Error::refused(db_error.message()).hint(
            "nothing was changed; finish with the whole table first: `sterna stage drop` or \
             `sterna cleanup`, with it as --table",
        );
    }
    Error::refused(db_error.message()).hint(format!(
        "nothing was changed; detach it (`{detach}`), or rename it if it is to stay there, or \
         drop it yourself"
    ))
}
