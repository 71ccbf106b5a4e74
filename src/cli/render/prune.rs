//! What was removed of old migrations, as text.

use indicatif::{HumanBytes, HumanCount};

use crate::prune::Pruned;

/// A line per folder, and what was removed in all.
#[must_use]
pub fn text(pruned: &Pruned) -> String {
    let Some(since) = &pruned.kept_since else {
        return "nothing to remove: there are no more migrations than that\n".to_owned();
    };
    let removed = if pruned.dry_run { "would remove" } else { "removed" };
    let mut text = String::new();
    for folder in &pruned.folders {
        text.push_str(&format!("{removed} {folder}\n"));
    }
    for left in &pruned.left {
        text.push_str(&format!("left {}: {}\n", left.path, left.reason));
    }
    text.push_str(&format!(
        "{removed} {}, {} ({}) and {} of the ledger\nkept {} since {since}\n",
        count(pruned.runs, "migration"),
        count(pruned.folders.len() as i64, "folder"),
        HumanBytes(pruned.bytes),
        count(pruned.ledger_rows, "row"),
        count(pruned.kept, "migration"),
    ));
    text
}

fn count(number: i64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", HumanCount(number.unsigned_abs()))
}
