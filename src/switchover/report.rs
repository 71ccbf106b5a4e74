//! The report of a switchover or of its rollback.

use serde::Serialize;

use super::Exchange;
use super::obstacle::Obstacle;
use super::record::SwitchoverRecord;
use crate::error::Result;
use crate::pg::Table;
use crate::table::fingerprint::Difference;

/// The report of a switchover or of its rollback.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SwitchoverReport {
    /// The switchover's id in the ledger.
    pub run_id: String,
    /// The table that was exchanged.
    pub table: String,
    /// Number of attempts to get all locks.
    pub attempts: u32,
    /// How long readers were blocked, in milliseconds.
    pub locked_ms: f64,
    /// How long writers were blocked before that: always 0, since one lock serves for both.
    pub writers_waited_ms: f64,
    /// How long writers were blocked, in milliseconds.
    pub writers_locked_ms: f64,
    /// How much of that validating the foreign keys of and to a partitioned table takes, as
    /// measured without locks, in milliseconds.
    pub keys_ms: f64,
    /// Rows of the new live table.
    pub rows: i64,
    /// Differences in the catalog from before that were not asked for.
    pub parity_differences: Vec<Difference>,
    /// Differences that were asked for.
    pub exceptions: Vec<Difference>,
    /// Writes that were carried over from the table that left.
    pub replayed_rows: i64,
    /// Rows written in the meantime that were kept.
    pub kept_rows: i64,
    /// Rows written in the meantime that were not kept.
    pub left_rows: i64,
    /// The table that holds those; `None` if there are none.
    pub left_in: Option<String>,
    /// Obstacles: always empty, since the exchange was made.
    pub obstacles: Vec<Obstacle>,
    /// Number of foreign keys that were validated after the exchange.
    pub validated_after: usize,
    /// The new name of the table that left.
    pub left_as: String,
    /// Whether the tables had been exchanged already, and this command only finished the rest.
    pub resumed: bool,
    /// Duration of the whole command.
    pub seconds: f64,
}

impl SwitchoverReport {
    /// Sets the table with the writes that were not kept, and the number of its rows.
    pub(super) fn left(&mut self, left: Option<(Table, i64)>) {
        if let Some((table, rows)) = left {
            (self.left_rows, self.left_in) = (rows, Some(table.to_string()));
        }
    }
}

/// The report of an exchange that an earlier command made.
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
        keys_ms: 0.0,
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
