//! The indexes of a table as text.

use indicatif::HumanBytes;

use super::screen::{self, laid_out, table};
use crate::table::reindex::{IndexState, ReindexReport};

/// A line per index, and the actions taken.
#[must_use]
pub fn text(report: &ReindexReport) -> String {
    let mut table = table(["index", "size", "state"], 1..2);
    for index in &report.indexes {
        let size = HumanBytes(u64::try_from(index.bytes).unwrap_or_default()).to_string();
        table.add_row([index.name.clone(), size, screen::result(state(index))]);
    }
    let mut text = laid_out(table) + "\n\n";
    let named = [
        ("rebuilt", &report.rebuilt),
        ("dropped, left behind by an interrupted rebuild", &report.dropped),
        ("not rebuilt, an exclusion constraint's", &report.skipped),
    ];
    for (what, names) in named.iter().filter(|(_, names)| !names.is_empty()) {
        text.push_str(&format!("{what}: {}\n", names.join(", ")));
    }
    if report.all_valid() {
        let indexes = match report.indexes.len() {
            1 => "the only index".to_owned(),
            count => format!("all {count} indexes"),
        };
        let are = if report.indexes.len() == 1 { "is" } else { "are" };
        let more = if report.rebuilt.is_empty() { "; nothing is left to rebuild" } else { "" };
        text.push_str(&format!("{indexes} of {} {are} valid{more}\n", report.table));
    }
    text
}

fn state(index: &IndexState) -> &'static str {
    match index {
        IndexState { leftover: true, .. } => "left behind by an interrupted rebuild",
        IndexState { valid: true, .. } => "valid",
        _ => "NOT VALID",
    }
}
