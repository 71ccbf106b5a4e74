//! Species names that are accepted although they differ from the table of species.

use uuid::Uuid;

use super::value::Known;
use crate::cites::Format;
use crate::error::Result;
use crate::load::ledger::LoadRun;
use crate::load::taxa;
use crate::pg::{Connection, Table};

/// Returns the pairs of species and name in the table whose name differs from the table of
/// species, but that the load accepted: in another spelling, or as a synonym that it was
/// given.
pub(super) async fn accepted(
    session: &Connection,
    table: &Table,
    known: &Known,
    runs: &[LoadRun],
    format: &Format,
) -> Result<(Vec<Uuid>, Vec<String>)> {
    let (sql, _) = known.statement(include_str!("../../sql/validate/other-names.sql"));
    let others = session.query(&sql, &[]).await?;
    if others.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut taxa = taxa(session, table, &[format], None).await?;
    for run in runs {
        let given = run.arguments["synonym_names"].as_object();
        for (synonym, species) in given.into_iter().flatten() {
            // If the species is gone, the check must name the rows with this synonym.
            if let Err(why) = taxa.add_synonym(synonym, species.as_str().unwrap_or_default()) {
                tracing::warn!("{why}, which was given to load {} as a synonym", run.id);
            }
        }
    }
    let pairs = others.iter().map(|row| (row.get::<_, Uuid>(0), row.get::<_, String>(1)));
    let is_accepted = |(id, name): &(Uuid, String)| {
        taxa.find(name).is_some_and(|index| taxa.species(index).id == *id)
    };
    Ok(pairs.filter(is_accepted).unzip())
}
