//! A run and its current activity as text.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::migrate;
use crate::migrate::Live;
use crate::migrate::status::Status;

/// A run and its current activity.
#[derive(Clone, Debug, Serialize)]
pub struct ShownStatus {
    /// Its progress.
    #[serde(flatten)]
    pub status: Status,
    /// Its current activity.
    #[serde(flatten)]
    pub live: Live,
}

/// The progress of a run, and the activity of its sessions.
#[must_use]
pub fn text(shown: &ShownStatus) -> String {
    migrate::status(&shown.status) + &live(&shown.live)
}

/// The state of each step, on one line: compared to detect a change.
#[must_use]
pub fn steps(status: &Status) -> String {
    let steps = status.steps.iter();
    steps.map(|step| format!("{} {} {};", step.step, step.state, step.attempts)).collect()
}

fn live(live: &Live) -> String {
    let mut text = String::new();
    if let Some(load) = &live.load {
        let (rows, bytes) = (load.rows.unsigned_abs(), load.bytes.unsigned_abs());
        let (rows, bytes) = (HumanCount(rows), HumanBytes(bytes));
        let rate = HumanCount(load.rows_per_second as u64);
        let _ = writeln!(text, "load       {rows} rows of {bytes}, {rate} rows/s");
    }
    if live.sessions.is_empty() {
        return text;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["session", "does", "waits for", "seconds"]);
    if let Some(seconds) = table.column_mut(3) {
        seconds.set_cell_alignment(CellAlignment::Right);
    }
    for session in &live.sessions {
        let doing = match session.state.as_deref() {
            Some("active") => session.doing.clone().unwrap_or_default(),
            Some(other) => other.to_owned(),
            None => "not shown to this role".to_owned(),
        };
        let seconds = session.seconds.map_or_else(String::new, |s| format!("{s:.1}"));
        let waits_for = session.waits_for.clone().unwrap_or_default();
        table.add_row([session.pid.to_string(), doing, waits_for, seconds]);
    }
    let _ = writeln!(text, "\n{}", table.trim_fmt());
    for session in &live.sessions {
        for blocker in &session.blocked_by {
            let _ = writeln!(text, "session {} is blocked by {blocker}", session.pid);
        }
    }
    text
}
