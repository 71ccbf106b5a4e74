//! Compares the table with production: number of rows per species and year, and quantities.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use tokio_postgres::types::Json;

use super::report::{Change, Total};
use super::subject::Subject;
use super::value::{Value, references};
use crate::error::{Error, Result};
use crate::pg::{Connection, Ident, interruptible};

/// How many of the largest changes are shown.
const CHANGES_SHOWN: usize = 20;
/// For how many species the rows are shown, those with the largest changes first.
const SPECIES_SHOWN: usize = 500;

/// The columns whose totals are compared.
const QUANTITIES: [&str; 3] =
    ["quantity", "importer_reported_quantity", "exporter_reported_quantity"];

/// The numbers of rows of both tables.
#[derive(Default)]
pub(super) struct Comparison {
    /// All changes, for the checks that judge them.
    pub(super) changes: Option<Value>,
    pub(super) largest_changes: Vec<Change>,
    pub(super) by_species: Vec<Change>,
    pub(super) by_year: Vec<Change>,
}

/// Compares the tables. A table without species or years, and the live table, is not compared.
pub(super) async fn compare(
    session: &Connection,
    subject: &Subject,
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
    found.changes = Some(Value::Json(known));
    Ok(found)
}

/// Totals the quantities of both tables, once for all checks that compare them. The live table is
/// not compared.
pub(super) async fn total(
    session: &Connection,
    subject: &Subject,
    stop: &AtomicBool,
) -> Result<BTreeMap<String, Value>> {
    let mut totals = BTreeMap::new();
    if subject.is_live || !subject.has_column("year") || !subject.has_column("unit") {
        return Ok(totals);
    }
    for name in QUANTITIES.into_iter().filter(|name| subject.has_column(name)) {
        let mut known = subject.known.clone();
        known.name("column", &Ident::new(name)?);
        let (sql, sent) = known.statement(include_str!("../../sql/validate/quantities.sql"));
        let row = interruptible(session, stop, session.query_one(&sql, &references(&sent))).await?;
        totals.insert(name.to_owned(), Value::Json(row.get(0)));
    }
    Ok(totals)
}

/// The totals by unit, column by column, the unit with the most rows first.
pub(super) fn by_unit(totals: &BTreeMap<String, Value>) -> Vec<Total> {
    let mut found = Vec::new();
    for (column, totals) in totals {
        let Value::Json(totals) = totals else { continue };
        let totals = totals.as_array().into_iter().flatten();
        let mut units: Vec<_> = totals.filter_map(|total| total_of(column, total)).collect();
        units.sort_by_key(|unit| -unit.production_rows.max(unit.checked_rows));
        found.extend(units);
    }
    found
}

/// A total that is infinite is no number in JSON, and is left out.
fn total_of(column: &str, total: &serde_json::Value) -> Option<Total> {
    Some(Total {
        column: column.to_owned(),
        unit: total["unit"].as_str()?.to_owned(),
        production_rows: total["row_count"].as_i64()?,
        checked_rows: total["checked_row_count"].as_i64()?,
        production: total["production"].as_f64()?,
        checked: total["checked"].as_f64()?,
    })
}
