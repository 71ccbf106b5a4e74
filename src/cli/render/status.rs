//! A run and its current activity as text.

use std::fmt::Write as _;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::migrate;
use super::screen::{counted, laid_out, table};
use crate::migrate::status::{Status, StepStatus};
use crate::migrate::{Live, LiveTable};

/// A run and its current activity.
#[derive(Clone, Debug, Serialize)]
pub struct ShownStatus {
    /// Its progress; left out if there was none.
    #[serde(flatten)]
    pub status: Option<Status>,
    /// The steps that single commands have taken since it began.
    pub commands: Vec<StepStatus>,
    /// Its current activity.
    #[serde(flatten)]
    pub live: Live,
}

/// The progress of a run, and the activity of its sessions.
#[must_use]
pub fn text(shown: &ShownStatus) -> String {
    let mut text = shown.status.as_ref().map_or_else(String::new, migrate::status);
    if !shown.commands.is_empty() {
        if !text.is_empty() {
            text.push_str("\nsince then, single commands:\n");
        }
        text.push_str(&migrate::steps(&shown.commands, ""));
        text.push('\n');
    }
    text + &live(&shown.live)
}

/// The state of each step, on one line: compared to detect a change.
#[must_use]
pub fn steps(shown: &ShownStatus) -> String {
    let steps = shown.status.iter().flat_map(|status| &status.steps);
    steps.map(|step| format!("{} {} {};", step.step, step.state, step.attempts)).collect()
}

fn live(live: &Live) -> String {
    let mut text = format!("live       {}\n", live_table(&live.live));
    if let Some(load) = &live.load {
        let (rows, bytes) = (load.rows.unsigned_abs(), load.bytes.unsigned_abs());
        let (rows, bytes) = (HumanCount(rows), HumanBytes(bytes));
        let rate = HumanCount(load.rows_per_second as u64);
        let (begun, files) = (load.files_begun, counted(load.files.unsigned_abs(), "file"));
        let of = format!("{begun} of {files} begun");
        let _ = writeln!(text, "load       {rows} rows of {bytes}, {rate} rows/s, {of}");
    }
    if live.sessions.is_empty() {
        return text;
    }
    let mut table = table(["session", "for", "does", "waits for", "seconds"], 4..5);
    for session in &live.sessions {
        let doing = match session.state.as_deref() {
            Some("active") => session.doing.clone().unwrap_or_default(),
            Some(other) => other.to_owned(),
            None => "not shown to this role".to_owned(),
        };
        let doing = match &session.progress {
            Some(progress) => format!("{doing} ({progress})"),
            None => doing,
        };
        let purpose = session.purpose.clone().unwrap_or_default();
        let seconds = session.seconds.map_or_else(String::new, |s| format!("{s:.1}"));
        let waits_for = session.waits_for.clone().unwrap_or_default();
        table.add_row([session.pid.to_string(), purpose, doing, waits_for, seconds]);
    }
    let _ = writeln!(text, "\n{}", laid_out(table));
    for session in &live.sessions {
        for blocker in &session.blocked_by {
            let _ = writeln!(text, "session {} is blocked by {blocker}", session.pid);
        }
    }
    text
}

/// Which table is live, in words.
fn live_table(live: &LiveTable) -> String {
    let minute =
        |since: &String| format!("{} UTC", since.replace('T', " ").get(..16).unwrap_or(since));
    let since = live.since.as_ref().map(minute);
    match (live.table, since, &live.old_table) {
        (Some("new"), since, old) => {
            let since = since.map_or_else(String::new, |since| format!(" since {since}"));
            let old = match old {
                Some(old) => format!("the old one is {old}"),
                None => "the old one was dropped".to_owned(),
            };
            format!("the new table{since}; {old}")
        }
        (Some(_), Some(since), _) => format!("the old table, put back at {since}"),
        (Some(_), None, _) => "the old table".to_owned(),
        (None, ..) => "neither the old nor the new table: another one has taken its name, or \
                       there is none"
            .to_owned(),
    }
}
