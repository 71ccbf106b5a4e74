//! The result of a load as text.

use indicatif::{HumanBytes, HumanCount};

use super::screen::{self, counted, laid_out, table};
use crate::estimate;
use crate::input::LeftOut;
use crate::load::account::Account;
use crate::load::report::{LoadReport, RowsReport};

/// Up to this many files, all are listed; else only those that stand out, [`OUTSTANDING`] at most.
const FEW_FILES: usize = 6;
const OUTSTANDING: usize = 20;
/// Maximum number of skipped inputs listed.
const LEFT_OUT_LISTED: usize = 20;
/// Maximum number of unmapped taxa listed.
const TAXA_LISTED: usize = 10;

/// The result of a load; with `all_files`, every file is listed.
#[must_use]
pub fn load(report: &LoadReport, all_files: bool) -> String {
    let rows = &report.rows;
    let mut text = files(rows, all_files);
    text.push('\n');
    let mut line = |label: &str, value: String| text.push_str(&format!("{label:<11}{value}\n"));
    let resumed = if report.resumed { ", resumed" } else { "" };
    line("run", format!("{} into {} ({}{resumed})", report.run_id, report.staging, report.state));
    line("read", format!("{} in {}", HumanBytes(rows.bytes_read), counted(rows.batches, "batch")));
    line("time", format!("{:.2} s{}", report.seconds, phases(report)));
    if let (Some(matched), Some(new)) = (report.rows_matched, report.rows_new) {
        let (matched, new) = (counted(matched, "row"), HumanCount(new));
        line("matched", format!("{matched} in production, {new} new"));
    }
    for unfilled in report.columns.unfilled() {
        line("columns", unfilled);
    }
    line("rate", format!("{} rows/s", HumanCount(report.rows_per_second as u64)));
    line("distance", distance(report));
    let batch = &rows.batch_ms;
    line(
        "batches",
        format!(
            "p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms to write",
            batch.p50, batch.p95, batch.max
        ),
    );
    line("memory", format!("{} at most", HumanBytes(report.peak_memory_bytes)));
    let verdict = match report.verified {
        Some(true) => "staging was read back and matches the files".to_owned(),
        Some(false) => {
            format!("{}: staging does not match the files", screen::result("FAILED"))
        }
        None => "not requested (--verify)".to_owned(),
    };
    line("proof", format!("{verdict}; checksum {}", rows.checksum));
    if rows.account.rows_rounded > 0 {
        line("rounded", format!("{}, as requested", counted(rows.account.rows_rounded, "row")));
    }
    if report.rows_cascaded > 0 {
        let gone = counted(report.rows_cascaded, "row");
        line("cascaded", format!("{gone} deleted with their species during the load"));
    }
    if !report.years_without_rows.is_empty() {
        let years = report.years_without_rows.iter().map(ToString::to_string);
        line("no rows of", years.collect::<Vec<_>>().join(", "));
    }
    for left_out in left_out(&report.left_out) {
        line("left out", left_out);
    }
    if let Some(path) = &rows.rejects_file {
        let reasons = rows.reject_reasons.iter();
        let reasons: Vec<_> = reasons.map(|(r, n)| format!("{r} {}", HumanCount(*n))).collect();
        line("rejects", format!("{path}: {}", reasons.join(", ")));
    }
    if rows.account.rows_unmapped > 0 {
        let named = rows.unmapped_taxa.iter().take(TAXA_LISTED);
        let named: Vec<_> = named.map(|t| format!("{} {}", t.taxon, HumanCount(t.rows))).collect();
        let names = counted(rows.unmapped_names, "taxon");
        line("unmapped", format!("{names}, most often {}", named.join(", ")));
    }
    text
}

/// How long each phase took, if it took place.
fn phases(report: &LoadReport) -> String {
    let phases = [
        ("rows", report.rows.load_seconds),
        ("proof", report.verify_seconds),
        ("match", report.match_seconds),
        ("indexes", report.index_seconds),
    ];
    let took = phases.iter().filter(|(_, seconds)| *seconds > 0.0);
    let took: Vec<_> = took.map(|(phase, seconds)| format!("{phase} {seconds:.2} s")).collect();
    if took.is_empty() { String::new() } else { format!(": {}", took.join(", ")) }
}

/// The round trip, and what was sent how fast.
fn distance(report: &LoadReport) -> String {
    let writers = match report.writers {
        0 => String::new(),
        1 => "; one connection for rows".to_owned(),
        writers => format!("; {writers} connections for rows"),
    };
    let sent = report.line_bytes_per_second.map_or_else(String::new, |rate| {
        let bytes = estimate::size(report.rows.bytes_sent as f64);
        format!(", {bytes} sent at {}", estimate::mbit(rate))
    });
    format!("round trip to the server {}{writers}{sent}", estimate::ms(report.round_trip_ms))
}

/// Inputs that were found but not read, one line each.
pub(super) fn left_out(left_out: &[LeftOut]) -> Vec<String> {
    let named = left_out.iter().take(LEFT_OUT_LISTED);
    let mut lines: Vec<_> = named.map(|l| format!("{}: {}", l.path, l.reason)).collect();
    if left_out.len() > LEFT_OUT_LISTED {
        lines.push(format!(
            "and {} more; --format json lists all",
            left_out.len() - LEFT_OUT_LISTED
        ));
    }
    lines
}

/// The files to list, and what to call all of them.
pub(super) fn listed<T>(
    files: &[T],
    all: bool,
    stands_out: impl Fn(&T) -> bool,
) -> (Vec<&T>, String) {
    let count = counted(files.len() as u64, "file");
    if all || files.len() <= FEW_FILES {
        return (files.iter().collect(), count);
    }
    let outstanding: Vec<&T> = files.iter().filter(|file| stands_out(file)).collect();
    let all_of = if outstanding.is_empty() { "" } else { "all " };
    let named = outstanding.into_iter().take(OUTSTANDING).collect();
    (named, format!("{all_of}{count} (--files)"))
}

/// The account: a line per file and a total.
fn files(rows: &RowsReport, all: bool) -> String {
    let mut table = table(["file", "read", "loaded", "rejected", "unmapped", "filtered"], 1..6);
    let (listed, total) = listed(&rows.files, all, |file| file.account.rows_rejected > 0);
    for file in listed {
        table.add_row(line(&screen::path(&file.path), &file.account));
    }
    table.add_row(line(&total, &rows.account));
    laid_out(table) + "\n"
}

fn line(name: &str, account: &Account) -> [String; 6] {
    let count = |n: u64| HumanCount(n).to_string();
    [
        name.to_owned(),
        count(account.rows_read),
        count(account.rows_loaded),
        count(account.rows_rejected),
        count(account.rows_unmapped),
        count(account.rows_filtered),
    ]
}
