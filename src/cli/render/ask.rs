//! Asks the user for confirmation on the terminal.

use std::io::{BufRead, IsTerminal};

use super::to_stderr;
use crate::error::{Error, Result};

/// Describes on stderr what is about to happen, and asks whether to continue. Without a
/// terminal the answer is no.
///
/// # Errors
/// If the answer cannot be read.
pub fn go_on(about: &str, is_answered: bool) -> Result<bool> {
    to_stderr(about);
    if is_answered || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(is_answered);
    }
    to_stderr("continue? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|e| Error::file("stdin", e))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
