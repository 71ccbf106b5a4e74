//! A rehearsal as text: lines while it runs, the verdict and expected durations at its end.

use std::fmt::Write as _;
use std::sync::Arc;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::HumanBytes;

use super::screen::{self, laid_out, table};
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
            let detail = &check.detail;
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
    let mut text = String::new();
    for table in tables(report) {
        let _ = writeln!(text, "{}\n", laid_out(table));
    }
    for (label, value) in facts(report) {
        let _ = writeln!(text, "{label:<12}{value}");
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
    for mut table in tables(report) {
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_content_arrangement(ContentArrangement::Disabled);
        let _ = writeln!(text, "\n{}", table.trim_fmt());
    }
    screen::unmarked(&text)
}

/// The checks, and the steps of the plan with their expected durations.
fn tables(report: &RehearsalReport) -> Vec<Table> {
    let mut checks = table(["check", "", "seconds", "found"], 2..3);
    for check in &report.checks {
        let outcome = screen::result(if check.passed { "passed" } else { "FAILED" });
        let seconds = format!("{:.1}", check.seconds);
        checks.add_row([check.name, &outcome, &seconds, &check.detail]);
    }
    let mut tables = vec![checks];
    if let Some(plan) = &report.plan {
        let mut steps = table(["step", "", "state", "seconds"], 3..4);
        for step in plan.steps.iter().filter(|step| step.attempts > 0) {
            let seconds = step.seconds.map(|seconds| format!("{seconds:.1}")).unwrap_or_default();
            let state = screen::result(step.state);
            steps.add_row([step.step.number(), step.title, &state, &seconds]);
        }
        tables.push(steps);
    }
    tables
}

/// The facts of the report with their labels.
fn facts(report: &RehearsalReport) -> Vec<(&'static str, String)> {
    let verdict = match &report.failure {
        None => {
            let passed = screen::result("PASSED");
            format!("{passed}: the plan and its rollback succeeded on a copy of production")
        }
        Some(failure) => format!("{}: {failure}", screen::result("NOT PASSED")),
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
