//! The staging table: production's structure, nobody else's rights, no indexes yet.

use crate::error::{Error, Result};
use crate::ledger;
use crate::pg::catalog::Relation;
use crate::pg::{self, Column, Connection, Ident, Table, catalog, fill};

/// What a staging table's name ends in.
pub const SUFFIX: &str = "_staging";

/// A table and its staging table.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The table that is to be replaced.
    pub table: Table,
    /// Its OID.
    pub table_oid: u32,
    /// The table that rows are loaded into.
    pub staging: Table,
}

/// Prepares a session and finds the table; refuses names that would be cut.
///
/// # Errors
/// Where the table is missing or of a kind that is not supported.
pub async fn pair(session: &mut Connection, table: &Table) -> Result<Pair> {
    session.batch_execute(include_str!("../sql/catalog/session.sql")).await?;
    let staging = table.with_suffix(SUFFIX)?;
    let found = catalog::plain_table(session, table).await?;
    ledger::ensure(session).await?;
    Ok(Pair { table: table.clone(), table_oid: found.oid, staging })
}

/// Finds the staging table, if there is one.
///
/// # Errors
/// Refused where a table of that name is not sterna's own.
pub async fn find(session: &Connection, pair: &Pair) -> Result<Option<Relation>> {
    let Some(found) = catalog::relation(session, &pair.staging).await? else { return Ok(None) };
    let sql = include_str!("../sql/stage/registered.sql");
    if session.query_one(sql, &[&found.oid]).await?.get(0) {
        return Ok(Some(found));
    }
    Err(Error::refused(format!("{} exists and was not made by sterna", pair.staging))
        .hint("rename or drop it; sterna makes its staging table itself"))
}

/// Creates the staging table and returns its OID. Nobody but the owner has rights
/// on it from the moment it exists; `widened` columns become plain `numeric`.
///
/// # Errors
/// Where the role may not create it.
pub async fn create(session: &mut Connection, pair: &Pair, widened: &[Column]) -> Result<u32> {
    let transaction = session.transaction().await?;
    let names: [(&str, &dyn pg::Quoted); 2] = [("staging", &pair.staging), ("table", &pair.table)];
    transaction.batch_execute(&fill(include_str!("../sql/stage/create.sql"), &names)).await?;
    for column in widened {
        let names: [(&str, &dyn pg::Quoted); 2] =
            [("staging", &pair.staging), ("column", &column.name)];
        transaction.batch_execute(&fill(include_str!("../sql/stage/widen.sql"), &names)).await?;
    }
    let relation = include_str!("../sql/catalog/relation.sql");
    let (schema, name) = (pair.staging.schema.name(), pair.staging.name.name());
    let oid: u32 = transaction.query_one(relation, &[&schema, &name]).await?.get(0);
    for row in transaction.query(include_str!("../sql/stage/grantees.sql"), &[&oid]).await? {
        let sql = match row.get::<_, Option<String>>(0) {
            Some(grantee) => fill(
                include_str!("../sql/stage/revoke.sql"),
                &[("staging", &pair.staging), ("grantee", &Ident::new(grantee)?)],
            ),
            None => {
                fill(include_str!("../sql/stage/revoke-public.sql"), &[("staging", &pair.staging)])
            }
        };
        transaction.batch_execute(&sql).await?;
    }
    let register = include_str!("../sql/stage/register.sql");
    transaction.execute(register, &[&oid, &schema, &name]).await?;
    transaction.commit().await?;
    Ok(oid)
}

/// Whether staging holds rows.
///
/// # Errors
/// Where it cannot be read.
pub async fn has_rows(session: &Connection, pair: &Pair) -> Result<bool> {
    let sql = fill(include_str!("../sql/stage/has-rows.sql"), &[("staging", &pair.staging)]);
    Ok(session.query_one(&sql, &[]).await?.get(0))
}

/// Empties staging and lets go of the loads that filled it.
///
/// # Errors
/// Where the table is locked or was not made by sterna.
pub async fn truncate(session: &mut Connection, pair: &Pair, oid: u32) -> Result<()> {
    let transaction = session.transaction().await?;
    transaction.execute(include_str!("../sql/ledger/discard-runs.sql"), &[&oid]).await?;
    let sql = fill(include_str!("../sql/stage/truncate.sql"), &[("staging", &pair.staging)]);
    transaction.batch_execute(&sql).await?;
    Ok(transaction.commit().await?)
}

/// Drops staging and lets go of the loads that filled it.
///
/// # Errors
/// Where something depends on the table.
pub async fn drop(session: &mut Connection, pair: &Pair, oid: u32) -> Result<()> {
    let transaction = session.transaction().await?;
    transaction.execute(include_str!("../sql/ledger/discard-runs.sql"), &[&oid]).await?;
    let sql = fill(include_str!("../sql/stage/drop.sql"), &[("staging", &pair.staging)]);
    transaction.batch_execute(&sql).await?;
    transaction.execute(include_str!("../sql/stage/unregister.sql"), &[&oid]).await?;
    Ok(transaction.commit().await?)
}
