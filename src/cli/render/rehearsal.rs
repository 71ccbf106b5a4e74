//! A rehearsal as text: lines while it runs, the verdict and expected durations at its end.

use std::fmt::Write as _;
use std::sync::Arc;

use comfy_table::{CellAlignment, Table, TableStyle, presets};
use indicatif::HumanBytes;

use super::visible::readable;
use super::{migrate, to_stderr};
use crate::cli::Progress;
use crate::migrate::StepListener;
use crate::rehearse::{Check, Listener, RehearsalReport};
use crate::watch::Watch;

/// Writes lines to stderr while it runs.
pub struct RehearsalLines {
    progress: Progress,
    steps: migrate::StepLines,
}

impl RehearsalLines {
    /// Shows nothing if progress is `Never`.
    #[must_use]
    pub fn new(progress: Progress, watch: &Arc<Watch>) -> Self {
        RehearsalLines { progress, steps: migrate::StepLines::new(progress, watch) }
    }
}

impl Listener for RehearsalLines {
    fn begins(&mut self, title: &str) {
        if self.progress != Progress::Never {
            to_stderr(format_args!("rehearsal: {title} ...\n"));
        }
    }

    fn ended(&mut self, check: &Check) {
        if self.progress != Progress::Never {
            let failed = if check.passed { "" } else { "FAILED: " };
            let detail = readable(&check.detail);
            to_stderr(format_args!("rehearsal: {failed}{detail} ({:.1} s)\n", check.seconds));
        }
    }

    fn steps(&mut self) -> &mut dyn StepListener {
        &mut self.steps
    }
}

/// The verdict, for a terminal.
#[must_use]
pub fn text(report: &RehearsalReport) -> String {
    let mut text = tables(report, presets::NOTHING).join("\n");
    text.push('\n');
    for (label, value) in facts(report) {
        let _ = writeln!(text, "{label:<11}{value}");
    }
    text
}

/// The same as Markdown.
#[must_use]
pub fn markdown(report: &RehearsalReport) -> String {
    let mut text = format!("# Rehearsal {}\n\n", report.rehearsal_id);
    for (label, value) in facts(report) {
        let _ = writeln!(text, "- {label}: {value}");
    }
    for table in tables(report, presets::ASCII_MARKDOWN) {
        let _ = write!(text, "\n{table}");
    }
    text
}

/// The checks, and the steps of the plan with their expected durations.
fn tables(report: &RehearsalReport, style: TableStyle) -> Vec<String> {
    let mut checks = table(style, ["check", "", "seconds", "found"], 2);
    for check in &report.checks {
        let outcome = if check.passed { "passed" } else { "FAILED" };
        let seconds = format!("{:.1}", check.seconds);
        checks.add_row([check.name, outcome, &seconds, &check.detail]);
    }
    let mut tables = vec![checks.trim_fmt() + "\n"];
    if let Some(plan) = &report.plan {
        let mut steps = table(style, ["step", "", "state", "seconds"], 3);
        for step in plan.steps.iter().filter(|step| step.attempts > 0) {
            let seconds = step.seconds.map(|seconds| format!("{seconds:.1}")).unwrap_or_default();
            steps.add_row([step.step.number(), step.title, step.state, &seconds]);
        }
        tables.push(steps.trim_fmt() + "\n");
    }
    tables
}

fn table(style: TableStyle, header: [&str; 4], numbers: usize) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(header);
    if let Some(column) = table.column_mut(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The facts of the report with their labels.
fn facts(report: &RehearsalReport) -> Vec<(&'static str, String)> {
    let verdict = match &report.failure {
        None => "PASSED: the plan and its rollback succeeded on a copy of production".to_owned(),
        Some(failure) => format!("NOT PASSED: {failure}"),
    };
    let mut facts = vec![("verdict", verdict), ("production", report.production.clone())];
    if let Some(place) = &report.place {
        facts.push(("copy", place.clone()));
    }
    if let Some(locked) = report.locked_ms() {
        let back = report.rollback_locked_ms();
        let back = back.map_or_else(String::new, |ms| format!(", {ms:.0} ms in the rollback"));
        facts.push(("locked", format!("{locked:.0} ms for readers{back}")));
    }
    if let Some(space) = &report.space {
        let [needed, growth, wal] =
            [space.needed_bytes, space.growth_bytes, space.wal_bytes].map(HumanBytes);
        let what = format!("{needed} must be free: {growth} for tables, {wal} for WAL");
        facts.push(("space", what));
    }
    for deviation in report.plan.iter().flat_map(|plan| &plan.deviations) {
        facts.push(("deviation", deviation.clone()));
    }
    if report.recorded {
        facts.push(("ledger", "recorded as passed in production's ledger".to_owned()));
    }
    if let Some(folder) = &report.folder {
        facts.push(("report", folder.clone()));
    }
    facts.push(("time", format!("{:.1} s", report.seconds)));
    facts
}
