//! The summary of a demo, for people.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount};

use crate::commands::demo::{StepDone, Summary};
use crate::load::report::LoadReport;

/// The summary of a demo.
#[must_use]
pub fn summary(summary: &Summary) -> String {
    let mut text = steps(&summary.steps, summary.seconds);
    text.push('\n');
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<12}{value}\n"));
    let of = &summary.production;
    let held =
        format!("{} species and {} trade records before the load", of.species, HumanCount(of.rows));
    line("production", &held);
    let release = &summary.release;
    let written = format!(
        "{} records in {} files, {}",
        HumanCount(release.rows),
        release.files,
        HumanBytes(release.bytes)
    );
    line("release", &written);
    if let Some(report) = &summary.load {
        load(report, &mut line);
    }
    for (at, definition) in summary.indexes.iter().enumerate() {
        line(if at == 0 { "indexes" } else { "" }, definition);
    }
    let ids = summary.row_ids;
    let (carried, new) = (ids.carried_over.unsigned_abs(), ids.new.unsigned_abs());
    let ids =
        format!("{} carried over from production, {} new", HumanCount(carried), HumanCount(new));
    line("row ids", &ids);
    let on = &summary.environment;
    let build = if on.release_build { "release build" } else { "debug build, which is slow" };
    let fsync = if on.fsync { "on" } else { "off" };
    let place = format!(
        "sterna {} ({build}), PostgreSQL {} (fsync {fsync}, shared_buffers {}), {}, {} cores",
        on.sterna, on.postgres, on.shared_buffers, on.platform, on.cores
    );
    line("environment", &place);
    match &summary.files_kept {
        Some(folder) => line("files", &format!("kept in {folder}")),
        None => line("files", "removed with the server"),
    }
    text
}

fn steps(steps: &[StepDone], seconds: f64) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["step", "seconds", "result"]);
    for step in steps {
        table.add_row([step.title, &format!("{:.2}", step.seconds), &step.detail]);
    }
    table.add_row(["in all", &format!("{seconds:.2}"), ""]);
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt() + "\n"
}

fn load(report: &LoadReport, line: &mut impl FnMut(&str, &str)) {
    let account = &report.rows.account;
    let count = |n: u64| HumanCount(n).to_string();
    let balance = format!(
        "{} read = {} loaded + {} rejected + {} unmapped + {} filtered",
        count(account.rows_read),
        count(account.rows_loaded),
        count(account.rows_rejected),
        count(account.rows_unmapped),
        count(account.rows_filtered)
    );
    line("account", &balance);
    let rows = format!(
        "{:.2} s for the rows in {} batches ({} rows/s), {:.2} s for the proof, {:.2} s for indexes and statistics; {:.2} s in all",
        report.rows.load_seconds,
        count(report.rows.batches),
        count(report.rows_per_second as u64),
        report.verify_seconds,
        report.index_seconds,
        report.seconds
    );
    line("load", &rows);
    let verdict = match report.verified {
        Some(true) => "staging was read back and is what the files hold",
        Some(false) => "FAILED: staging is not what the files hold",
        None => "none",
    };
    line("proof", &format!("{verdict}; checksum {}", report.rows.checksum));
    line("memory", &format!("{} at most, of this process", HumanBytes(report.peak_memory_bytes)));
}
