//! Checks that are one statement: each row that it returns is a line of what is wrong.

use super::{Finding, PreflightSeverity};
use crate::pg::Connection;

/// How many lines are shown.
const LINES_SHOWN: usize = 10;

/// A check that is one statement, which gets the table's OID.
pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) severity: PreflightSeverity,
    pub(super) sql: &'static str,
    /// Whether the statement asks for the table's OID.
    pub(super) of_table: bool,
    /// What is said where nothing is wrong.
    pub(super) good: &'static str,
    pub(super) hint: &'static str,
}

impl Question {
    /// Asks it. What cannot be looked at did not pass.
    pub(super) async fn ask(&self, session: &Connection, oid: u32) -> Finding {
        let rows = if self.of_table {
            session.query(self.sql, &[&oid]).await
        } else {
            session.query(self.sql, &[]).await
        };
        match rows {
            Ok(rows) => {
                let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                found(self.name, self.severity, &lines, self.good, self.hint)
            }
            Err(error) => {
                let what = format!("could not be looked at: {}", crate::error::Error::from(error));
                Finding::bad(self.name, self.severity, what, self.hint)
            }
        }
    }
}

/// The finding of a check that has found these lines.
pub(super) fn found(
    name: &str,
    severity: PreflightSeverity,
    lines: &[String],
    good: &str,
    hint: &str,
) -> Finding {
    if lines.is_empty() {
        return Finding::good(name, severity, good);
    }
    let mut detail = lines.iter().take(LINES_SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if lines.len() > LINES_SHOWN {
        detail.push_str(&format!("; and {} more", lines.len() - LINES_SHOWN));
    }
    Finding::bad(name, severity, detail, hint)
}
