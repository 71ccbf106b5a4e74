//! A recomputed summary as text.

use indicatif::HumanCount;

use crate::error::counted;
use crate::table::summary::{SummaryReport, SummaryUndone};

/// The result of a recomputation.
#[must_use]
pub fn recomputed(report: &SummaryReport) -> String {
    let count = |n: i64| HumanCount(u64::try_from(n).unwrap_or_default());
    format!(
        "{} has a row for each of {} species, {} before\n\
         they count {} with a quantity of {}, as the table does; {:.2} s\n\
         `sterna summary --undo` restores the previous rows\n",
        report.summary,
        count(report.species),
        count(report.rows_before),
        counted(report.total_trade_records.unsigned_abs(), "record"),
        report.total_quantity,
        report.seconds,
    )
}

/// The result of an undo.
#[must_use]
pub fn undone(undone: &SummaryUndone) -> String {
    let rows = counted(undone.rows_restored.unsigned_abs(), "row");
    let mut text = format!("restored as before: {rows}\n");
    if undone.rows_without_species > 0 {
        let lost = undone.rows_without_species;
        text.push_str(&format!("of species that no longer exist: {lost} more\n"));
    }
    if undone.rows_kept > 0 {
        let kept = undone.rows_kept;
        text.push_str(&format!("kept because others have written to them since: {kept}\n"));
        for row in &undone.kept {
            text.push_str(&format!("  {row}\n"));
        }
    }
    text
}
