//! Compares the table with production: number of rows per species and year.

use std::sync::atomic::AtomicBool;

use tokio_postgres::types::Json;

use super::report::Change;
use super::subject::Subject;
use super::value::{Value, references};
use crate::error::{Error, Result};
use crate::pg::{Connection, interruptible};

/// How many of the largest changes are shown.
const CHANGES_SHOWN: usize = 20;
/// For how many species the rows are shown, those with the largest changes first.
const SPECIES_SHOWN: usize = 500;

/// The numbers of rows of both tables.
#[derive(Default)]
pub(super) struct Comparison {
    pub(super) largest_changes: Vec<Change>,
    pub(super) by_species: Vec<Change>,
    pub(super) by_year: Vec<Change>,
}

/// Compares the tables, and provides the changes to the checks that judge them. A table without
/// species or years, and the live table, is not compared.
pub(super) async fn compare(
    session: &Connection,
    subject: &mut Subject,
    stop: &AtomicBool,
) -> Result<Comparison> {
    let can_be = subject.has_column("year") && subject.known.has("reference");
    if subject.is_live || !can_be {
        return Ok(Comparison::default());
    }
    let template = include_str!("../../sql/validate/comparison.sql");
    let (sql, sent) = subject.known.statement(template);
    let rows = interruptible(session, stop, session.query(&sql, &references(&sent))).await?;
    let (mut changes, mut found) = (Vec::new(), Comparison::default());
    for row in &rows {
        let Json(change): Json<Change> = row.try_get(1)?;
        let differs = change.production != change.checked;
        match row.get(0) {
            "year" => found.by_year.push(change),
            by => {
                if by == "species" && found.by_species.len() < SPECIES_SHOWN {
                    found.by_species.push(change.clone());
                }
                if differs {
                    changes.push(change);
                }
            }
        }
    }
    found.by_year.sort_by_key(|change| change.year);
    found.largest_changes = changes.iter().take(CHANGES_SHOWN).cloned().collect();
    let known = serde_json::to_value(changes);
    let known = known.map_err(|e| Error::database("could not serialize changes").caused_by(e))?;
    subject.known.value("changes", Value::Json(known));
    Ok(found)
}
