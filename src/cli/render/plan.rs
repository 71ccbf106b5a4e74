//! The plan as text.

use std::fmt::Write as _;

use indicatif::HumanCount;
use serde::Serialize;

use super::screen::{laid_out, table};
use crate::estimate::{Estimate, SpacePeak, StepSpace, duration, size};
use crate::migrate::{Outlook, Step, Total};

/// The plan for a table.
#[derive(Clone, Debug, Serialize)]
pub struct ShownPlan {
    /// The table to replace.
    pub table: String,
    /// How far away the server is and what the plan adds to it; left out without files.
    #[serde(flatten)]
    pub outlook: Option<Outlook>,
    /// The most that it takes on the server at a time; left out without files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak: Option<SpacePeak>,
    /// How long all its steps take, up to the report; left out without files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
    /// How long step 4.2 validates foreign keys while others wait, in milliseconds; left out if it
    /// validates none then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validates_keys_ms: Option<f64>,
    /// Its steps, in order.
    pub steps: Vec<Planned>,
}

/// A step of the plan for a table.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Its number.
    pub step: Step,
    /// Its name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// The same in a sentence or two.
    pub does: &'static str,
    /// Its locks.
    pub locks: &'static str,
    /// Its transactions.
    pub transaction: &'static str,
    /// The validation after it.
    pub validated_by: &'static str,
    /// How it is undone.
    pub undone_by: &'static str,
    /// Estimated number of rows that it reads or writes; null if unknown.
    pub estimated_rows: Option<u64>,
    /// How long it takes; left out without files.
    #[serde(flatten)]
    pub time: Option<Estimate>,
    /// What it takes on the server; left out without files.
    #[serde(flatten)]
    pub space: Option<StepSpace>,
    /// The main statements, with names filled in.
    pub sql: Vec<ShownStatement>,
}

/// A statement of a step.
#[derive(Clone, Debug, Serialize)]
pub struct ShownStatement {
    /// The file in sterna's source that contains it; for the switchover, the part it belongs to.
    pub file: &'static str,
    /// Its text.
    pub text: String,
}

/// The steps in two screens: rows, time and space of each, then the locks.
#[must_use]
pub fn brief(plan: &ShownPlan) -> String {
    let mut text = head(plan);
    let mut table = table(["step", "", "rows", "time", "adds"], 2..5);
    for step in &plan.steps {
        let seconds = step.time.as_ref().and_then(|time| time.estimated_seconds);
        let bytes = step.space.as_ref().and_then(|space| space.bytes_added).filter(|b| *b > 0);
        table.add_row([
            step.step.number().to_owned(),
            step.title.to_owned(),
            step.estimated_rows.map_or_else(String::new, |rows| HumanCount(rows).to_string()),
            seconds.map_or_else(String::new, duration),
            bytes.map_or_else(String::new, |bytes| size(bytes as f64)),
        ]);
    }
    let _ = writeln!(text, "\n{}\n\nlocks", laid_out(table));
    for step in &plan.steps {
        let _ = writeln!(text, "  {}  {}", step.step.number(), step.locks);
    }
    text
}

/// The table, and what is known of the plan as a whole.
fn head(plan: &ShownPlan) -> String {
    let mut text = format!("The plan for {}\n", plan.table);
    if let Some(outlook) = &plan.outlook {
        let _ = writeln!(text, "distance: {}", outlook.distance.describe());
        let _ = writeln!(text, "space: {}", outlook.space.describe(None));
    }
    if let Some(peak) = &plan.peak {
        let _ = writeln!(text, "space of these files: {}", peak.describe());
    }
    if let Some(total) = &plan.total {
        let _ = writeln!(text, "time: {}", total.describe());
    }
    if let Some(ms) = plan.validates_keys_ms {
        let _ = writeln!(
            text,
            "locked: step 4.2 validates foreign keys while others wait; with the present rows, that \
             takes {ms:.0} ms"
        );
    }
    text
}

/// Every step, with its statements.
#[must_use]
pub fn text(plan: &ShownPlan) -> String {
    let mut text = head(plan);
    for step in &plan.steps {
        let _ = writeln!(text, "\n{}  {}  ({})", step.step.number(), step.title, step.name);
        let rows = step.estimated_rows.map(|rows| format!("about {}", HumanCount(rows)));
        let time = step.time.as_ref().map(Estimate::describe);
        let space = step.space.as_ref().map(StepSpace::describe);
        for (label, value) in [
            ("does", Some(step.does)),
            ("locks", Some(step.locks)),
            ("transaction", Some(step.transaction)),
            ("validated by", Some(step.validated_by)),
            ("undone by", Some(step.undone_by)),
            ("rows", rows.as_deref()),
            ("time", time.as_deref()),
            ("space", space.as_deref()),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "     {label:<14}{value}");
            }
        }
        let mut file = "";
        for statement in &step.sql {
            if statement.file != file {
                file = statement.file;
                let _ = writeln!(text, "     -- {file}");
            }
            for line in statement.text.lines() {
                let _ = writeln!(text, "     {line}");
            }
        }
    }
    text
}
