//! What was removed of old migrations, as text.

use indicatif::HumanBytes;

use super::screen::counted;
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
        counted(pruned.runs.unsigned_abs(), "migration"),
        counted(pruned.folders.len() as u64, "folder"),
        HumanBytes(pruned.bytes),
        counted(pruned.ledger_rows.unsigned_abs(), "row"),
        counted(pruned.kept.unsigned_abs(), "migration"),
    ));
    text
}
