//! A folder that is removed when this process ends, however it ends.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::pg::programs;

/// Waits for the end of its input, whose only writer is this process, and removes the
/// folder. It ignores the signals that a terminal sends.
const WATCHDOG: &str = "trap '' HUP INT TERM; read -r end; rm -rf -- \"$1\"";

/// A private folder for temporary files. Not in an embedded server's folder, because the
/// server's account could not remove files that only this account can access.
#[derive(Debug)]
pub struct Scratch {
    // Fields are dropped in this order: the watchdog finds nothing left to remove.
    folder: TempDir,
    watchdog: Child,
}

impl Scratch {
    /// Creates an empty folder in `TMPDIR`.
    ///
    /// # Errors
    /// If it cannot be created, or no shell can be started.
    pub fn new() -> Result<Self> {
        let folder = TempDir::with_prefix("sterna-rehearsal-")
            .map_err(|e| Error::file(std::env::temp_dir(), e))?;
        let watchdog = programs::command("/bin/sh")
            .args(["-c", WATCHDOG, "sterna-watchdog"])
            .arg(folder.path())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| Error::file("/bin/sh", e))?;
        Ok(Scratch { folder, watchdog })
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        if let Err(error) = self.watchdog.wait() {
            tracing::warn!(%error, "the watchdog of a folder could not be waited for");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_it() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_path_buf();
        std::fs::write(path.join("file"), "text").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn the_folder_goes_when_the_input_ends() {
        let mut scratch = Scratch::new().unwrap();
        std::fs::create_dir(scratch.path().join("folder")).unwrap();
        drop(scratch.watchdog.stdin.take());
        scratch.watchdog.wait().unwrap();
        assert!(!scratch.path().exists());
    }
}
