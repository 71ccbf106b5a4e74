//! A switchover as text.

use crate::error::{counted, grouped};
use crate::switchover::{Foreseen, SwitchoverReport, Written};

/// The result of a switchover.
#[must_use]
pub fn switched(report: &SwitchoverReport) -> String {
    text(report, "switched over")
}

/// The result of its rollback.
#[must_use]
pub fn returned(report: &SwitchoverReport) -> String {
    text(report, "rolled back")
}

fn text(report: &SwitchoverReport, what: &str) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<12}{value}\n"));
    let count = |n: i64, what: &str| counted(n.unsigned_abs(), what);
    let so_far = if report.resumed { ", by an earlier run" } else { "" };
    line("table", &format!("{} {what}{so_far}: {}", report.table, count(report.rows, "row")));
    if !report.resumed {
        let tries = if report.attempts == 1 { "try" } else { "tries" };
        let locked = format!(
            "{:.0} ms for readers, {:.0} ms more for writers, {} {tries}",
            report.locked_ms, report.writers_waited_ms, report.attempts
        );
        line("locked", &locked);
        if report.keys_ms > 0.0 {
            let keys = format!(
                "{:.0} ms of it to validate foreign keys, as measured before",
                report.keys_ms
            );
            line("", &keys);
        }
    }
    line("carried", &format!("{} made during the run", count(report.replayed_rows, "write")));
    let parity = match report.parity_differences.as_slice() {
        [] => "no differences in the catalog other than requested ones".to_owned(),
        [_] => "1 DIFFERENCE in the catalog".to_owned(),
        differences => format!("{} DIFFERENCES in the catalog", differences.len()),
    };
    line("catalog", &parity);
    for difference in report.parity_differences.iter().chain(&report.exceptions) {
        line("", &difference.to_string());
    }
    line("kept", &report.left_as);
    text
}

/// The obstacles of a rollback, and what would happen to the writes since the switchover.
#[must_use]
pub fn foreseen(foreseen: &Foreseen) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<12}{value}\n"));
    let Written { inserted, updated, deleted, only_in_new, referred } = foreseen.written;
    let [inserted, updated, deleted, new_only, referred_to] =
        [inserted, updated, deleted, only_in_new, referred].map(|n| n.unsigned_abs());
    let written = format!(
        "{} inserted, {} updated, {} deleted since",
        counted(inserted, "row"),
        grouped(updated),
        grouped(deleted)
    );
    line("written", &written);
    if only_in_new > 0 {
        line("", &format!("{} of the updated ones only in the new release", grouped(new_only)));
    }
    if referred > 0 {
        line(
            "",
            &format!("referred to, and kept: {} of the new release", counted(referred_to, "row")),
        );
    }
    let keep = foreseen.keep.name();
    let kept = counted(foreseen.kept_rows.unsigned_abs(), "row");
    let left = grouped(foreseen.left_rows.unsigned_abs());
    line("--keep", &format!("{keep}: {kept} kept, {left} saved in another table"));
    match foreseen.obstacles.as_slice() {
        [] => line("obstacles", "none"),
        obstacles => {
            for obstacle in obstacles {
                let what = format!("{} {}: {}", obstacle.kind, obstacle.object, obstacle.detail);
                line("obstacle", &what);
            }
        }
    }
    text
}
