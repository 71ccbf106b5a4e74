//! The table against production: rows per species and year.

use std::sync::atomic::AtomicBool;

use super::report::Change;
use super::subject::Subject;
use super::value::{Value, references};
use crate::error::{Error, Result};
use crate::pg::{Connection, interruptible};

/// The largest changes that are shown.
const CHANGES_SHOWN: usize = 20;

/// Compares, makes the changes known to the checks that judge them, and returns the
/// largest ones. A table without species or years is compared with nothing.
pub(super) async fn compare(
    session: &Connection,
    subject: &mut Subject,
    stop: &AtomicBool,
) -> Result<Vec<Change>> {
    let can_be = ["species_id", "year"].iter().all(|name| subject.has_column(name));
    if subject.is_live || !can_be || !subject.known.has("species") {
        return Ok(Vec::new());
    }
    let template = include_str!("../../sql/validate/comparison.sql");
    let (sql, sent) = subject.known.statement(template);
    let rows = interruptible(session, stop, session.query(&sql, &references(&sent))).await?;
    let changes: Vec<serde_json::Value> = rows.iter().map(|row| row.get(0)).collect();
    let shown = changes.iter().take(CHANGES_SHOWN).cloned();
    let shown = shown.map(serde_json::from_value).collect::<std::result::Result<_, _>>();
    subject.known.value("changes", Value::Json(changes.into()));
    shown.map_err(|e| Error::database("the comparison has an unknown form").caused_by(e))
}
