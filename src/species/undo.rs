//! Undoes additions of species and synonyms.

use serde::Serialize;
use uuid::Uuid;

use super::beside;
use crate::error::{Error, Result};
use crate::pg::{Connection, Quoted, Table, Transaction, explain_denied, fill};
use crate::table::staging;
use crate::trust;

/// An addition that was undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpeciesUndone {
    /// The addition.
    pub run_id: Uuid,
    /// The species or synonym.
    pub name: String,
    /// False if somebody else had already removed it.
    pub was_there: bool,
}

/// Undoes an addition: the one of `run`, or else the last.
///
/// # Errors
/// Refused if rows of any table, including staging, or synonyms in the ledger refer to the
/// species, with their number; and if there is no such addition.
pub async fn undo(
    session: &mut Connection,
    trade: &Table,
    run: Option<Uuid>,
) -> Result<SpeciesUndone> {
    let (species, oid) = beside(session, trade).await?;
    let transaction = session.transaction().await?;
    let sql = include_str!("../../sql/species/last-addition.sql");
    let (schema, table) = (species.schema.name(), species.name.name());
    let Some(row) = transaction.query_opt(sql, &[&schema, &table, &run]).await? else {
        return Err(Error::refused("there is no addition to undo"));
    };
    let (run_id, name): (Uuid, String) = (row.get(0), row.get(1));
    let was_there = match row.get::<_, Option<String>>(2) {
        None => {
            let forget = include_str!("../../sql/species/delete-synonym.sql");
            transaction.execute(forget, &[&run_id]).await? > 0
        }
        Some(id) => {
            let deleted = delete(&transaction, &species, oid, &id, &name).await;
            let deleted = deleted.map_err(explain_denied)?;
            let settle = include_str!("../../sql/species/settle-undo.sql");
            transaction.execute(settle, &[&run_id]).await?;
            deleted
        }
    };
    transaction.commit().await?;
    Ok(SpeciesUndone { run_id, name, was_there })
}

/// Whether the addition of a run exists and was not undone.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn stands(session: &Connection, trade: &Table, run: Uuid) -> Result<bool> {
    let (species, _) = beside(session, trade).await?;
    let sql = include_str!("../../sql/species/last-addition.sql");
    let (schema, table) = (species.schema.name(), species.name.name());
    Ok(session.query_opt(sql, &[&schema, &table, &Some(run)]).await?.is_some())
}

async fn delete(
    transaction: &Transaction<'_>,
    species: &Table,
    oid: u32,
    id: &str,
    name: &str,
) -> Result<bool> {
    let names: [(&str, &dyn Quoted); 1] = [("species", species)];
    trust::before_writing(transaction, species, oid).await?;
    let hold = fill(include_str!("../../sql/species/hold.sql"), &names);
    if transaction.query_opt(&hold, &[&id]).await?.is_none() {
        return Ok(false);
    }
    let mut found = Vec::new();
    let places = fill(include_str!("../../sql/species/references.sql"), &names);
    for place in transaction.query(&places, &[&oid, &staging::SUFFIX]).await? {
        let count: i64 = transaction.query_one(place.get::<_, &str>(1), &[&id]).await?.get(0);
        if count > 0 {
            found.push(format!("{count} rows of {}", place.get::<_, &str>(0)));
        }
    }
    let synonyms = include_str!("../../sql/species/synonyms.sql");
    let (schema, table) = (species.schema.name(), species.name.name());
    let kept = transaction.query(synonyms, &[&schema, &table]).await?;
    let count = kept.iter().filter(|row| row.get::<_, &str>(1) == name).count();
    if count > 0 {
        found.push(format!("{count} synonyms of the ledger"));
    }
    if !found.is_empty() {
        return Err(Error::refused(format!(
            "the species {name} stays: {} refer to it",
            found.join(", ")
        ))
        .hint("remove what refers to it first: `sterna rollback`, or `sterna stage truncate`"));
    }
    let sql = fill(include_str!("../../sql/species/delete.sql"), &names);
    Ok(transaction.execute(&sql, &[&id]).await? > 0)
}
