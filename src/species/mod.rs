//! Adds species that files need and the database lacks, as rows or as synonyms.
//!
//! Additions are recorded in the ledger, so that [`undo`] removes only these, and only while
//! nothing refers to them. Loads and inspections use these synonyms in addition to those of
//! `--synonyms`.

mod add;
mod synonym;
mod undo;

use serde::Serialize;
use uuid::Uuid;

pub use add::{NewSpecies, add};
pub use synonym::{StoredSynonym, add_synonym, stored};
pub use undo::{SpeciesUndone, stands, undo};

use crate::cites::{Species, Taxa};
use crate::error::{Error, Result};
use crate::pg::{Connection, Quoted, Table, Transaction, catalog, fill};
use crate::trust;

/// The name of the species table, which is in the schema of the trade table.
const TABLE: &str = "species";
const ID: &str = "id";
const NAME: &str = "scientific_name";

/// The outcome of an addition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AddedSpecies {
    /// A row was added.
    Species {
        /// The id to undo it by.
        run_id: Uuid,
        /// The id of the new row.
        species_id: Uuid,
        /// Its name.
        scientific_name: String,
        /// The columns that were copied from the relative, or derived from the name.
        derived: Vec<String>,
    },
    /// A synonym was added.
    Synonym {
        /// The id to undo it by.
        run_id: Uuid,
        /// The name that files use.
        synonym: String,
        /// The species that it stands for.
        scientific_name: String,
    },
    /// Nothing was done: the name already stands for a species.
    Exists {
        /// The name to add.
        name: String,
        /// The species that it stands for.
        scientific_name: String,
    },
}

/// The species table beside a trade table, with its OID.
///
/// # Errors
/// If there is no such table, or it lacks a column that sterna needs.
async fn beside(session: &Connection, trade: &Table) -> Result<(Table, u32)> {
    let table = Table::new(trade.schema.name(), TABLE)?;
    let oid = catalog::plain_table(session, &table).await?.oid;
    trust::beside(session, &table, trade).await?;
    let columns = catalog::columns(session, oid).await?;
    match [ID, NAME].iter().find(|name| !columns.iter().any(|c| c.name.name() == **name)) {
        Some(missing) => Err(Error::refused(format!("{table} has no column {missing}"))),
        None => Ok((table, oid)),
    }
}

/// Every name that a record can be mapped to: species, and the ledger's synonyms.
async fn taxa(transaction: &Transaction<'_>, species: &Table) -> Result<Taxa> {
    let names: [(&str, &dyn Quoted); 1] = [("species", species)];
    let sql = fill(include_str!("../../sql/species/names.sql"), &names);
    let rows = transaction.query(&sql, &[]).await?;
    let one = |row: &tokio_postgres::Row| Species { id: row.get(0), name: row.get(1) };
    let mut taxa = Taxa::new(rows.iter().map(one).collect())?;
    let sql = include_str!("../../sql/species/synonyms.sql");
    let (schema, name) = (species.schema.name(), species.name.name());
    for row in transaction.query(sql, &[&schema, &name]).await? {
        // A synonym whose species is gone maps nothing, but must not prevent additions.
        if let Err(what) = taxa.add_synonym(row.get(0), row.get(1)) {
            tracing::warn!("a synonym in the ledger has no effect: {what}");
        }
    }
    Ok(taxa)
}

/// The species that `name` already stands for.
fn existing(taxa: &Taxa, name: &str) -> Option<AddedSpecies> {
    let found = taxa.species(taxa.find(name)?);
    Some(AddedSpecies::Exists { name: name.to_owned(), scientific_name: found.name.clone() })
}
