//! What an exchange came to.

use serde::Serialize;

use super::Exchange;
use super::obstacles::Obstacle;
use super::record::SwitchoverRecord;
use crate::error::Result;
use crate::pg::Table;
use crate::table::fingerprint::Difference;

/// What was done.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SwitchoverReport {
    /// The switchover's id in the ledger.
    pub run_id: String,
    /// The table that was exchanged.
    pub table: String,
    /// Tries for a moment in which all locks could be had.
    pub attempts: u32,
    /// How long readers were kept out.
    pub locked_ms: f64,
    /// How long writers were kept out before that: not at all, since one lock does for both.
    pub writers_waited_ms: f64,
    /// How long writers were kept out.
    pub writers_locked_ms: f64,
    /// Rows of the table now.
    pub rows: i64,
    /// What the catalog says otherwise than before and nobody asked for.
    pub parity_differences: Vec<Difference>,
    /// What it says otherwise because it was asked for.
    pub exceptions: Vec<Difference>,
    /// Writes that were carried over from the table that left.
    pub replayed_rows: i64,
    /// Rows that were written to meanwhile and went along.
    pub kept_rows: i64,
    /// Rows that were written to meanwhile and stayed behind.
    pub left_rows: i64,
    /// The table that has those; none where nothing stayed behind.
    pub left_in: Option<String>,
    /// What is in the way: nothing, since it was done.
    pub obstacles: Vec<Obstacle>,
    /// Foreign keys of other tables that were checked after the exchange.
    pub validated_after: usize,
    /// The name of the table that left.
    pub left_as: String,
    /// Whether an earlier run had exchanged the tables, and this one only finished it.
    pub resumed: bool,
    /// The whole command.
    pub seconds: f64,
}

impl SwitchoverReport {
    /// Says where what stayed behind is, and how many rows.
    pub(super) fn left(&mut self, left: Option<(Table, i64)>) {
        if let Some((table, rows)) = left {
            (self.left_rows, self.left_in) = (rows, Some(table.to_string()));
        }
    }
}

/// What is said of an exchange that an earlier run made.
pub(super) fn report_of(
    exchange: &Exchange,
    record: &SwitchoverRecord,
) -> Result<SwitchoverReport> {
    Ok(SwitchoverReport {
        run_id: record.id.to_string(),
        table: exchange.table.to_string(),
        attempts: 0,
        locked_ms: 0.0,
        writers_waited_ms: 0.0,
        writers_locked_ms: 0.0,
        rows: record.rows,
        parity_differences: Vec::new(),
        exceptions: record.exceptions.clone(),
        replayed_rows: record.carried(),
        kept_rows: record.carried(),
        left_rows: 0,
        left_in: None,
        obstacles: Vec::new(),
        validated_after: 0,
        left_as: exchange.leaving_table()?.to_string(),
        resumed: true,
        seconds: 0.0,
    })
}
