//! A run of the plan as text: a line per step while it runs, a table at its end.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indicatif::HumanCount;
use serde_json::Value;

use super::progress::Shown;
use super::screen::{self, counted, laid_out, table};
use super::to_stderr;
use crate::cli::Progress;
use crate::migrate::status::{Status, StepStatus};
use crate::migrate::{Ended, Outlook, RunState, Step, StepListener, StepState, UndoneStep};
use crate::watch::Watch;

/// Writes a line to stderr for each step, and shows a bar during loads and validations.
pub struct StepLines {
    progress: Progress,
    watch: Arc<Watch>,
    bar: Option<Shown>,
    /// What is expected of the run, and the steps that have not begun.
    expected: Option<(Outlook, Vec<Step>)>,
}

impl StepLines {
    /// Shows nothing if progress is `Never`.
    #[must_use]
    pub fn new(progress: Progress, watch: &Arc<Watch>) -> Self {
        StepLines { progress, watch: Arc::clone(watch), bar: None, expected: None }
    }

    fn is_quiet(&self) -> bool {
        self.progress == Progress::Never
    }
}

impl StepListener for StepLines {
    fn expects(&mut self, outlook: &Outlook, ahead: &[Step]) {
        self.expected = Some((outlook.clone(), ahead.to_vec()));
        if self.is_quiet() {
            return;
        }
        let mut lines = vec![format!("distance: {}", outlook.distance.describe())];
        if ahead.contains(&Step::Load) {
            lines.push(format!("space: {}", outlook.peak().describe()));
        }
        for step in ahead {
            let (time, space) = (outlook.unread(*step), outlook.unread_space(*step));
            let title = step.plan().title;
            if time.estimated_seconds.is_some() {
                lines.push(format!("time of {}  {title}: {}", step.number(), time.describe()));
            }
            if space.is_notable() {
                lines.push(format!("space of {}  {title}: {}", step.number(), space.describe()));
            }
        }
        lines.push(format!("time: {}", outlook.total(ahead).describe()));
        to_stderr(format_args!("{}\n", lines.join("\n")));
    }

    fn corrects(&mut self, outlook: &Outlook, ahead: &[Step]) {
        let before = self.expected.replace((outlook.clone(), ahead.to_vec()));
        if self.is_quiet() {
            return;
        }
        let said = |outlook: &Outlook| {
            let mut lines = Vec::new();
            if ahead.contains(&Step::Load) {
                let time = outlook.unread(Step::Load).describe();
                lines.push(format!("     3.2 now expected to take: {time}\n"));
                lines.push(format!("     space now expected: {}\n", outlook.peak().describe()));
            }
            lines.push(format!("     time left: {}\n", outlook.total(ahead).describe()));
            lines
        };
        // What has not changed was said before.
        let before = before.map_or_else(Vec::new, |(before, _)| said(&before));
        let mut lines = said(outlook);
        lines.retain(|line| !before.contains(line));
        to_stderr(lines.concat());
    }

    fn begins(&mut self, step: Step) {
        if !self.is_quiet() {
            to_stderr(format_args!("{}  {} ...\n", step.number(), step.plan().title));
        }
        if matches!(
            step,
            Step::TestLoad
                | Step::Load
                | Step::TestValidation
                | Step::Validation
                | Step::Comprehensive
        ) {
            let expected = self.expected.as_ref().filter(|_| step == Step::Load);
            let then = expected.map(|(outlook, ahead)| outlook.after_rows(ahead));
            self.bar = Some(Shown::start_before(self.progress, &self.watch, then));
        }
    }

    fn ended(&mut self, step: Step, ended: &Ended<'_>) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
        if self.is_quiet() {
            return;
        }
        let seconds = ended.seconds;
        let what = match ended.state {
            StepState::Skipped => format!("{}  skipped: {}", step.number(), ended.outcome.summary),
            StepState::Failed if self.watch.stop.load(Ordering::Relaxed) => {
                format!("     interrupted ({seconds:.1} s)")
            }
            StepState::Failed => format!("     {} ({seconds:.1} s)", screen::result("FAILED")),
            _ => format!("     {} ({seconds:.1} s)", ended.outcome.summary),
        };
        to_stderr(format_args!("{what}\n"));
        for deviation in &ended.deviations {
            to_stderr(format_args!("     deviation: {deviation}\n"));
        }
    }
}

/// The status of a run.
#[must_use]
pub fn status(status: &Status) -> String {
    let (day, _) = status.started_at.split_once('T').unwrap_or_default();
    let mut text = steps(&status.steps, day) + "\n\n";
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<11}{value}\n"));
    let by = format!("{}, sterna {}", status.role, status.version);
    line("run", &format!("{} by {by}", status.run_id));
    line("begun", &format!("{day}, times in UTC"));
    line("state", &state(status));
    for step in &status.steps {
        if let Some(error) = &step.error {
            line(&format!("{} failed", step.step.number()), error);
        }
    }
    for deviation in &status.deviations {
        line("deviation", deviation);
    }
    if let Some(next) = status.next {
        line("next", &format!("{next}: {}", next.plan().title));
    }
    match &status.next_command {
        Some(command) if status.state == RunState::Finished => {
            line("in 7 days", &format!("`{command}` drops the old table and the backup table"));
        }
        Some(command) => line("continue", command),
        None => {}
    }
    match status.can_roll_back.as_slice() {
        [] => line("rollback", "there is nothing to roll back"),
        steps => {
            let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
            let command = status.rollback_command.as_deref().unwrap_or("sterna rollback");
            line("rollback", &format!("`{command} [STEP]`: {}", steps.join(", ")));
        }
    }
    text
}

fn state(status: &Status) -> String {
    screen::result(match status.state {
        RunState::Running => "running, or killed while running",
        RunState::Finished => "finished",
        RunState::Failed => "failed",
        RunState::Stopped => "stopped",
        RunState::RolledBack => "rolled back",
    })
}

/// A line for each step.
pub(super) fn steps(steps: &[StepStatus], today: &str) -> String {
    let mut table = table(["step", "", "state", "rows", "seconds", "begun"], 3..5);
    for step in steps {
        table.add_row(cells(step, today));
    }
    laid_out(table)
}

/// The cells of a step, with the time at which it began, and the day unless it is `today`.
fn cells(step: &StepStatus, today: &str) -> [String; 6] {
    let began = step.started_at.as_deref().unwrap_or_default();
    let began = match began.split_once('T') {
        Some((day, time)) if day == today => time.chars().take(5).collect(),
        Some((day, time)) => format!("{day} {}", time.chars().take(5).collect::<String>()),
        None => String::new(),
    };
    let attempts =
        if step.attempts > 1 { format!(", try {}", step.attempts) } else { String::new() };
    [
        step.step.number().to_owned(),
        step.title.to_owned(),
        format!("{}{attempts}", screen::result(step.state)),
        step.rows.map_or_else(String::new, |rows| HumanCount(rows.unsigned_abs()).to_string()),
        step.seconds.map_or_else(String::new, |seconds| format!("{seconds:.2}")),
        began,
    ]
}

/// A detail of an undone step: `dropped "public"."x"`, `rows restored 43`.
fn undone_part(name: &str, value: &Value) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value = match value {
        Value::Array(values) => values.iter().map(word).collect::<Vec<_>>().join("; "),
        value => word(value),
    };
    format!("{} {value}", name.replace('_', " "))
}

/// The steps that would be rolled back.
#[must_use]
pub fn to_roll_back(steps: &[Step], recomputes_summary: bool) -> String {
    let summary = match recomputes_summary {
        true => "the summary would be recomputed, because another run has counted these rows\n",
        false => "",
    };
    let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
    match steps.as_slice() {
        [] => "no step has left anything to roll back\n".to_owned(),
        steps => format!("would roll back: {}\n{summary}", steps.join(", ")),
    }
}

/// The rolled back steps.
#[must_use]
pub fn rolled_back(undone: &[UndoneStep]) -> String {
    let mut text = String::new();
    for UndoneStep { step, detail, .. } in undone {
        let what = match (step, detail) {
            (Step::Switchover, Value::Object(report)) => {
                let left = report["left_in"].as_str().map_or_else(String::new, |table| {
                    let rows = counted(report["left_rows"].as_u64().unwrap_or_default(), "row");
                    format!("; saved {rows} written since in {table}")
                });
                let summary = match (report.get("summary"), report.get("summary_failure")) {
                    (Some(_), _) => "; the summary was recomputed, as it counted rows of this run",
                    (None, Some(_)) => "; the summary counts rows of this run: see the warning",
                    (None, None) => "",
                };
                format!(
                    "rolled back: {}, locked for {:.0} ms, {} carried over; kept {}{left}{summary}",
                    counted(report["rows"].as_u64().unwrap_or_default(), "row"),
                    report["locked_ms"].as_f64().unwrap_or_default(),
                    counted(report["replayed_rows"].as_u64().unwrap_or_default(), "write"),
                    report["left_as"].as_str().unwrap_or_default()
                )
            }
            (_, Value::Null) => "nothing to undo".to_owned(),
            (_, Value::Object(detail)) => {
                let says_nothing = |value: &Value| {
                    value.as_array().is_some_and(Vec::is_empty) || value.as_i64() == Some(0)
                };
                let parts =
                    detail.iter().filter(|(name, value)| *name != "run_id" && !says_nothing(value));
                let parts: Vec<_> = parts.map(|(name, value)| undone_part(name, value)).collect();
                match parts.is_empty() {
                    true => "rolled back".to_owned(),
                    false => format!("rolled back: {}", parts.join(", ")),
                }
            }
            (_, detail) => format!("rolled back: {detail}"),
        };
        let _ = writeln!(text, "{:<30}{what}", step.to_string());
    }
    if undone.is_empty() {
        text.push_str("the run had not begun a step; it is rolled back\n");
    }
    text
}
