//! A run and what is going on, as a person reads it.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::migrate;
use crate::migrate::Live;
use crate::migrate::status::Status;

/// A run, and what is going on.
#[derive(Clone, Debug, Serialize)]
pub struct ShownStatus {
    /// How far it is.
    #[serde(flatten)]
    pub status: Status,
    /// What is being done at this moment.
    #[serde(flatten)]
    pub live: Live,
}

/// How far a run is, and what its sessions are doing.
#[must_use]
pub fn text(shown: &ShownStatus) -> String {
    migrate::status(&shown.status) + &live(&shown.live)
}

/// How far each step is, in a line: it changes when one of them does.
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
            let _ = writeln!(text, "session {} is held up by {blocker}", session.pid);
        }
    }
    text
}
