//! The plan, for people.

use std::fmt::Write as _;

use indicatif::HumanCount;

use crate::cli::commands::plan::ShownPlan;

/// Every step, with its statements.
#[must_use]
pub fn text(plan: &ShownPlan) -> String {
    let mut text = format!("The plan for {}\n", plan.table);
    for step in &plan.steps {
        let _ = writeln!(text, "\n{}  {}  ({})", step.step.number(), step.title, step.name);
        let rows = step.estimated_rows.map(|rows| format!("about {}", HumanCount(rows)));
        for (label, value) in [
            ("does", Some(step.does)),
            ("locks", Some(step.locks)),
            ("transaction", Some(step.transaction)),
            ("validated by", Some(step.validated_by)),
            ("undone by", Some(step.undone_by)),
            ("rows", rows.as_deref()),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "     {label:<13}{value}");
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
