//! The checkpoints of a migration: whether it is safe to begin ([`pre`]), and whether
//! the application is well after the switchover ([`post`]). Both only look.

mod endpoint;
mod place;
mod post;
mod pre;
mod queries;
mod question;
mod rights;
mod space;

use std::time::Duration;

use serde::Serialize;

use crate::load::ColumnUses;

pub use post::{PostOptions, post};
pub use pre::{PreOptions, pre};
pub use space::free_bytes;

/// What it means that a check did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PreflightSeverity {
    /// It is not safe to go on.
    Error,
    /// Somebody should look at it before going on.
    Warning,
    /// Worth knowing.
    Info,
}

/// What one check has found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was checked.
    pub name: String,
    /// What it means where it did not pass.
    pub severity: PreflightSeverity,
    /// Whether all is well.
    pub passed: bool,
    /// What was found, in words.
    pub detail: String,
    /// What to do about it, where it did not pass.
    pub hint: Option<String>,
}

impl Finding {
    /// All is well.
    fn good(name: &str, severity: PreflightSeverity, detail: impl Into<String>) -> Self {
        Finding { name: name.into(), severity, passed: true, detail: detail.into(), hint: None }
    }

    /// Something is not as it should be.
    fn bad(
        name: &str,
        severity: PreflightSeverity,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (detail, hint) = (detail.into(), Some(hint.into()));
        Finding { name: name.into(), severity, passed: false, detail, hint }
    }
}

/// What a checkpoint has found.
#[derive(Clone, Debug, Serialize)]
pub struct PreflightCheck {
    /// The table that is or was replaced.
    pub table: String,
    /// Whether no check of severity error failed.
    pub passed: bool,
    /// One per check, in the order in which they were made.
    pub checks: Vec<Finding>,
    /// What becomes of each column of the table, where that is known.
    #[serde(flatten)]
    pub columns: ColumnUses,
    /// The whole of it.
    pub seconds: f64,
}

impl PreflightCheck {
    fn new(table: String, checks: Vec<Finding>, took: Duration) -> Self {
        let is_error =
            |check: &Finding| !check.passed && check.severity == PreflightSeverity::Error;
        let passed = !checks.iter().any(is_error);
        let (columns, seconds) = (ColumnUses::default(), took.as_secs_f64());
        PreflightCheck { table, passed, checks, columns, seconds }
    }

    /// The checks that did not pass and mean this.
    pub fn failed(&self, severity: PreflightSeverity) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(move |check| !check.passed && check.severity == severity)
    }
}
