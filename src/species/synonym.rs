//! Synonyms that are stored in the ledger.

use uuid::Uuid;

use super::{AddedSpecies, beside, existing, taxa};
use crate::error::{Error, Result};
use crate::pg::{Connection, Quoted, Table, explain_denied, fill};
use crate::trust;

/// A synonym from the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSynonym {
    /// The name that files use.
    pub synonym: String,
    /// The species that it stands for.
    pub scientific_name: String,
}

/// The stored synonyms of a species table; none if there is no ledger, or if this role may
/// not read it, which is logged.
///
/// # Errors
/// If the ledger cannot be read; refused if the ledger cannot be trusted.
pub async fn stored(session: &Connection, species: &Table) -> Result<Vec<StoredSynonym>> {
    let readable = include_str!("../../sql/species/synonyms-readable.sql");
    let (trusted, readable) =
        futures::join!(trust::ledger(session), session.query_opt(readable, &[]));
    trusted?;
    match readable? {
        None => return Ok(Vec::new()),
        Some(row) if !row.get::<_, bool>(0) => {
            tracing::warn!("this role may not read the ledger: its synonyms are not used");
            return Ok(Vec::new());
        }
        Some(_) => {}
    }
    let sql = include_str!("../../sql/species/synonyms.sql");
    let rows = session.query(sql, &[&species.schema.name(), &species.name.name()]).await?;
    let one = |row: &tokio_postgres::Row| StoredSynonym {
        synonym: row.get(0),
        scientific_name: row.get(1),
    };
    Ok(rows.iter().map(one).collect())
}

/// Stores `synonym` as another name of the species `of`.
///
/// The session must be prepared by [`crate::table::staging::pair`].
///
/// # Errors
/// A usage error if `of` is not a species, or the synonym stands for another one.
pub async fn add_synonym(
    session: &mut Connection,
    trade: &Table,
    synonym: &str,
    of: &str,
    run: Uuid,
) -> Result<AddedSpecies> {
    let synonym = synonym.split_whitespace().collect::<Vec<_>>().join(" ");
    if synonym.is_empty() {
        return Err(Error::usage("a synonym is empty"));
    }
    let (species, _) = beside(session, trade).await?;
    let transaction = session.transaction().await?;
    let names: [(&str, &dyn Quoted); 1] = [("species", &species)];
    let lock = fill(include_str!("../../sql/species/lock.sql"), &names);
    transaction.batch_execute(&lock).await.map_err(|e| explain_denied(e.into()))?;
    let mut taxa = taxa(&transaction, &species).await.map_err(explain_denied)?;
    let before = existing(&taxa, &synonym);
    taxa.add_synonym(&synonym, of).map_err(|what| {
        Error::usage(what).hint("`sterna species missing` suggests the names of species")
    })?;
    if let Some(exists) = before {
        return Ok(exists);
    }
    // The spelling of the database, whatever case was typed.
    let scientific_name =
        taxa.find(of).map_or_else(|| of.to_owned(), |i| taxa.species(i).name.clone());
    let insert = include_str!("../../sql/species/insert-synonym.sql");
    let (schema, name) = (species.schema.name(), species.name.name());
    let version = env!("CARGO_PKG_VERSION");
    transaction
        .execute(insert, &[&run, &schema, &name, &synonym, &scientific_name, &version])
        .await?;
    transaction.commit().await?;
    Ok(AddedSpecies::Synonym { run_id: run, synonym, scientific_name })
}
