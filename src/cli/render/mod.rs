//! Formats results, progress and logs. The engine itself only returns values.

pub mod ask;
pub mod backup;
pub mod bench;
pub mod check;
pub mod config;
pub mod inspect;
pub mod junit;
pub mod log;
pub mod migrate;
pub mod password;
pub mod plan;
pub mod progress;
pub mod prune;
pub mod rehearsal;
pub mod reindex;
pub mod run;
pub mod screen;
pub mod species;
pub mod status;
pub mod summary;
pub mod switchover;
pub mod text;
pub mod validate;
pub mod visible;

use std::fmt::Display;
use std::io::Write;

/// Writes text to stderr. Errors are ignored: nobody is reading.
pub fn to_stderr(text: impl Display) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(screen::shown(&text.to_string(), &stderr).as_bytes());
}
