//! Something in the way of a rollback.

use serde::Serialize;

use crate::error::Error;

/// Something in the way of a rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// Its kind, in a word.
    pub kind: &'static str,
    /// Its name.
    pub object: String,
    /// What is wrong with it, and what to do.
    pub detail: String,
    /// Whether it may go away by itself.
    #[serde(skip)]
    pub(super) passing: bool,
    /// Whether `--leave-additions` leaves it behind.
    #[serde(skip)]
    pub(super) addition: bool,
}

impl Obstacle {
    pub(super) fn new(kind: &'static str, object: impl ToString, detail: impl ToString) -> Self {
        let (object, detail) = (object.to_string(), detail.to_string());
        Obstacle { kind, object, detail, passing: false, addition: false }
    }

    pub(super) fn of(kind: &'static str, object: impl ToString, error: &Error) -> Self {
        let hint = error.next_step().map_or_else(String::new, |hint| format!("; {hint}"));
        Obstacle::new(kind, object, format!("{error}{hint}"))
    }
}
