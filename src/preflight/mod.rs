//! The checkpoints of a migration: whether it is safe to begin ([`pre`]), and whether the
//! application works after the switchover ([`post`]). Both only read.

mod distributed;
mod endpoint;
mod limit;
mod place;
mod post;
mod pre;
mod queries;
mod question;
mod rights;
mod saved;
mod space;

use std::time::Duration;

use serde::Serialize;

use crate::estimate::{Distance, Estimate};
use crate::load::ColumnUses;

pub use limit::refuse_above;
pub use post::{PostOptions, post};
pub use pre::{PreOptions, pre};
pub use rights::{SummaryUse, refuse_missing_rights};
pub use space::free_bytes;

/// What a failed check means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PreflightSeverity {
    /// It is not safe to continue.
    Error,
    /// Somebody should look at it before continuing.
    Warning,
    /// Worth knowing.
    Info,
}

/// The result of one check.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The name of the check.
    pub name: String,
    /// What it means if the check did not pass.
    pub severity: PreflightSeverity,
    /// Whether the check passed.
    pub passed: bool,
    /// What was found, in words.
    pub detail: String,
    /// What to do about it, if it did not pass.
    pub hint: Option<String>,
}

impl Finding {
    /// A check that passed.
    fn good(name: &str, severity: PreflightSeverity, detail: impl Into<String>) -> Self {
        Finding { name: name.into(), severity, passed: true, detail: detail.into(), hint: None }
    }

    /// A check that did not pass.
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

/// A step of the plan and how long it will take.
#[derive(Clone, Debug, Serialize)]
pub struct ExpectedStep {
    /// Its number.
    pub step: &'static str,
    /// Its name.
    pub name: &'static str,
    /// How long it will take.
    #[serde(flatten)]
    pub time: Estimate,
}

/// The result of a checkpoint.
#[derive(Clone, Debug, Serialize)]
pub struct PreflightCheck {
    /// The table that is or was replaced.
    pub table: String,
    /// Whether no check of severity error failed.
    pub passed: bool,
    /// The result of each check, in order.
    pub checks: Vec<Finding>,
    /// What becomes of each column of the table, if that is known.
    #[serde(flatten)]
    pub columns: ColumnUses,
    /// How far away the server is; null after the switchover, and behind a pooler.
    pub distance: Option<Distance>,
    /// How long the main steps will take.
    pub estimates: Vec<ExpectedStep>,
    /// The total time, in seconds.
    pub seconds: f64,
}

impl PreflightCheck {
    fn new(table: String, checks: Vec<Finding>, took: Duration) -> Self {
        let is_error =
            |check: &Finding| !check.passed && check.severity == PreflightSeverity::Error;
        let passed = !checks.iter().any(is_error);
        let (columns, seconds) = (ColumnUses::default(), took.as_secs_f64());
        PreflightCheck {
            table,
            passed,
            checks,
            columns,
            distance: None,
            estimates: Vec::new(),
            seconds,
        }
    }

    /// The checks of this severity that did not pass.
    pub fn failed(&self, severity: PreflightSeverity) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(move |check| !check.passed && check.severity == severity)
    }
}
