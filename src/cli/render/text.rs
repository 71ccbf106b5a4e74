//! The result of a load as text.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount};

use crate::estimate;
use crate::input::LeftOut;
use crate::load::account::Account;
use crate::load::report::{LoadReport, RowsReport};

/// Maximum number of files listed; with more files, only those with rejects are.
const FILES_LISTED: usize = 60;
/// Maximum number of skipped inputs listed.
const LEFT_OUT_LISTED: usize = 20;
/// Maximum number of unmapped taxa listed.
const TAXA_LISTED: usize = 10;

/// The result of a load.
#[must_use]
pub fn load(report: &LoadReport) -> String {
    let rows = &report.rows;
    let mut text = files(rows);
    text.push('\n');
    let mut line = |label: &str, value: String| text.push_str(&format!("{label:<11}{value}\n"));
    let resumed = if report.resumed { ", resumed" } else { "" };
    line("run", format!("{} into {} ({}{resumed})", report.run_id, report.staging, report.state));
    line(
        "read",
        format!("{} in {} batches", HumanBytes(rows.bytes_read), HumanCount(rows.batches)),
    );
    line(
        "time",
        format!(
            "{:.2} s: rows {:.2} s, proof {:.2} s, match {:.2} s, indexes {:.2} s",
            report.seconds,
            rows.load_seconds,
            report.verify_seconds,
            report.match_seconds,
            report.index_seconds
        ),
    );
    if let (Some(matched), Some(new)) = (report.rows_matched, report.rows_new) {
        let (matched, new) = (HumanCount(matched), HumanCount(new));
        line("matched", format!("{matched} rows exist in production, {new} are new"));
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
        Some(true) => "staging was read back and matches the files",
        Some(false) => "FAILED: staging does not match the files",
        None => "not requested (--verify)",
    };
    line("proof", format!("{verdict}; checksum {}", rows.checksum));
    if rows.account.rows_rounded > 0 {
        line("rounded", format!("{} rows, as requested", HumanCount(rows.account.rows_rounded)));
    }
    if report.rows_cascaded > 0 {
        let gone = HumanCount(report.rows_cascaded);
        line("cascaded", format!("{gone} rows were deleted with their species during the load"));
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
        let names = HumanCount(rows.unmapped_names);
        line("unmapped", format!("{names} taxa, most often {}", named.join(", ")));
    }
    text
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

/// The account: a line per file and a total.
fn files(rows: &RowsReport) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["file", "read", "loaded", "rejected", "unmapped", "filtered"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let all = rows.files.len() <= FILES_LISTED;
    let listed = rows.files.iter().filter(|f| all || f.account.rows_rejected > 0);
    for file in listed.take(FILES_LISTED) {
        table.add_row(line(&file.path, &file.account));
    }
    let total = format!("total of {}", rows.files.len());
    table.add_row(line(&total, &rows.account));
    table.trim_fmt() + "\n"
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
