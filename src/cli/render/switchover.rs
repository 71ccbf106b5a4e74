//! A switchover, for people.

use indicatif::HumanCount;

use crate::switchover::{Foreseen, SwitchoverReport, Written};

/// What a switchover did.
#[must_use]
pub fn switched(report: &SwitchoverReport) -> String {
    text(report, "switched over")
}

/// What taking one back did.
#[must_use]
pub fn returned(report: &SwitchoverReport) -> String {
    text(report, "rolled back")
}

fn text(report: &SwitchoverReport, what: &str) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<12}{value}\n"));
    let count = |n: i64| HumanCount(n.unsigned_abs()).to_string();
    let so_far = if report.resumed { ", by an earlier run" } else { "" };
    line("table", &format!("{} {what}{so_far}: {} rows", report.table, count(report.rows)));
    if !report.resumed {
        let tries = if report.attempts == 1 { "try" } else { "tries" };
        let locked = format!(
            "{:.0} ms for readers, {:.0} ms more for writers, {} {tries}",
            report.locked_ms, report.writers_waited_ms, report.attempts
        );
        line("locked", &locked);
    }
    line("carried", &format!("{} writes made during the run", count(report.replayed_rows)));
    let parity = match report.parity_differences.as_slice() {
        [] => "nothing differs in the catalog but what was asked for".to_owned(),
        differences => format!("{} DIFFERENCES in the catalog", differences.len()),
    };
    line("catalog", &parity);
    for difference in report.parity_differences.iter().chain(&report.exceptions) {
        line("", &difference.to_string());
    }
    line("kept", &report.left_as);
    text
}

/// What a rollback would meet, and what would become of what was written since.
#[must_use]
pub fn foreseen(foreseen: &Foreseen) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<12}{value}\n"));
    let Written { inserted, updated, deleted, only_in_new, referred } = foreseen.written;
    let written = format!("{inserted} rows inserted, {updated} updated, {deleted} deleted since");
    line("written", &written);
    if only_in_new > 0 {
        line("", &format!("{only_in_new} of the updated ones are rows of the new release only"));
    }
    if referred > 0 {
        line("", &format!("{referred} rows of the new release are referred to, and go along"));
    }
    let keep = foreseen.keep.name();
    let (kept, left) = (foreseen.kept_rows, foreseen.left_rows);
    line("--keep", &format!("{keep}: {kept} rows go along, {left} are saved beside the table"));
    match foreseen.obstacles.as_slice() {
        [] => line("in the way", "nothing"),
        obstacles => {
            for obstacle in obstacles {
                let what = format!("{} {}: {}", obstacle.kind, obstacle.object, obstacle.detail);
                line("in the way", &what);
            }
        }
    }
    text
}
