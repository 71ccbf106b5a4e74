//! The shell process that runs the server and cleans up after us.
//!
//! It reads from a pipe whose only writing end is held by this process and closes
//! when it ends, which no signal handler could guarantee. It has its own process
//! group, so that Ctrl-C on the terminal reaches this process and not the server.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::folders::{Account, Folders};
use crate::programs;
use sterna_error::{Error, Kind, Result};

const SCRIPT: &str = include_str!("watchdog.sh");

/// Wraps a sandbox, which cannot remove the folders that are mounted in it.
const OUTSIDE: &str = r#"trap '' HUP INT TERM PIPE
folder=$1 socket=$2
shift 2
"$@"
rm -rf -- "$folder" "$socket""#;

/// The running shell process; dropping it stops the server and waits until everything is
/// removed.
#[derive(Debug)]
pub(super) struct Watchdog {
    process: Child,
    /// `None` only while dropping.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Watchdog {
    pub(super) fn start(
        folders: &Folders,
        bin_folder: &Path,
        superuser: &str,
        account: &Account,
        sandbox: &[OsString],
    ) -> Result<Self> {
        // The environment is cleared: the server must not see the caller's connection
        // parameters or other variables.
        let mut command = programs::command("/bin/sh");
        if !sandbox.is_empty() {
            command.args(["-c", OUTSIDE, "sterna-watchdog"]);
            command.args([folders.main(), folders.socket()]).args(sandbox).arg("/bin/sh");
        }
        command.args(["-c", SCRIPT, "sterna-watchdog"]);
        command.args([folders.main(), folders.socket(), bin_folder]).arg(superuser);
        command.env("LC_ALL", "C").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = account.applied_to(&mut command).spawn().map_err(not_started)?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(requests), Some(answers)) => {
                Ok(Watchdog { process, requests: Some(requests), answers: BufReader::new(answers) })
            }
            _ => Err(not_started(std::io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Sends a request of `watchdog.sh`, one word, and waits for its answer.
    pub(super) fn ask(&mut self, request: &str) -> Result<String> {
        let mut answer = String::new();
        let asked = match &mut self.requests {
            Some(pipe) => writeln!(pipe, "{request}"),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        match asked.and_then(|()| self.answers.read_line(&mut answer)) {
            Ok(_) if answer.ends_with('\n') => Ok(answer.trim_end().to_owned()),
            Ok(_) => Err(ended()),
            Err(error) => Err(ended().caused_by(error)),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Err(error) = self.process.wait() {
            tracing::warn!(%error, "the embedded server's watchdog could not be waited for");
        }
    }
}

fn not_started(error: std::io::Error) -> Error {
    Error::new(Kind::Database, "the embedded server's watchdog (/bin/sh) did not start")
        .caused_by(error)
}

fn ended() -> Error {
    Error::database("the embedded server's watchdog (/bin/sh) has ended")
}
