//! Runs one of PostgreSQL's own programs to its end.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Error, Kind, Result};

/// How often a running program is checked.
const POLL: Duration = Duration::from_millis(50);
/// The number of last lines of a failed program's messages that are shown.
const LINES_SHOWN: usize = 5;

/// A running program. Dropping it kills it.
pub(super) struct Program {
    name: String,
    child: Child,
    said: File,
}

impl Program {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let said = tempfile::tempfile().map_err(|e| Error::file("a temporary file", e))?;
        let stderr = said.try_clone().map_err(|e| Error::file("a temporary file", e))?;
        // Its messages are shown and parsed, so they must not be translated.
        command.env("LC_ALL", "C").stdin(Stdio::null()).stderr(stderr);
        let child = command.spawn().map_err(|e| Error::file(&name, e))?;
        Ok(Program { name, child, said })
    }

    /// Its stdout, if that is piped.
    pub(super) fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end without blocking others.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] if `stop` was set; else the program's last messages.
    pub(super) async fn finish(mut self, stop: &AtomicBool) -> Result<()> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(|e| Error::file(&self.name, e))? {
                return self.conclude(status.success(), stop);
            }
            if stop.load(Ordering::Relaxed) {
                return self.conclude(false, stop);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits for its end, and returns whether it succeeded and all its messages.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] if `stop` was set.
    pub(super) async fn outcome(mut self, stop: &AtomicBool) -> Result<(bool, String)> {
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, "interrupted"));
            }
            if let Some(status) = self.child.try_wait().map_err(|e| Error::file(&self.name, e))? {
                return Ok((status.success(), self.said()));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Its messages on stderr.
    fn said(&mut self) -> String {
        let mut said = Vec::new();
        if self.said.rewind().and_then(|()| self.said.read_to_end(&mut said)).is_err() {
            said.clear();
        }
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Like [`Program::finish`], but blocks: for a program that has closed its output.
    pub(super) fn wait(mut self, stop: &AtomicBool) -> Result<()> {
        let status = self.child.wait().map_err(|e| Error::file(&self.name, e))?;
        self.conclude(status.success(), stop)
    }

    fn conclude(mut self, success: bool, stop: &AtomicBool) -> Result<()> {
        if success {
            return Ok(());
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n  ");
        let message = format!("{} failed:\n  {last}", self.name);
        Err(Error::database(message))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // If it has ended, there is nothing to do.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
