//! The sandbox of a server that runs what others wrote: bubblewrap, where it works.
//!
//! Inside there are the system's programs, read-only, and the server's own folder; no
//! network, no other process, no home folder, no socket of another server. A role without
//! rights could reach none of these anyway; this stands behind a fault of PostgreSQL.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;

use super::folders::{Account, Folders};
use crate::programs;

const PROGRAM: &str = "bwrap";

/// What programs need of the system. Not `/home`, not `/var`, not `/run`.
const SYSTEM: [&str; 9] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix"];

/// Tried inside before it is relied on: the server's program starts, and its account has
/// a name, which initdb asks for.
const TRIAL: &str = r#""$1/postgres" --version && id -un"#;

/// Arguments in front of a command that run it in a sandbox in which only the server's
/// folders can be written to; or why there is none, in words.
pub(super) fn sandbox(
    folders: &Folders,
    programs_folder: &Path,
    account: &Account,
) -> Result<Vec<OsString>, String> {
    let mut line: Vec<&OsStr> =
        [PROGRAM, "--unshare-all", "--die-with-parent", "--new-session"].map(OsStr::new).into();
    line.extend(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"].map(OsStr::new));
    // The programs may be where no package puts them, with their libraries beside them.
    let installed = programs_folder.parent().unwrap_or(programs_folder).as_os_str();
    for path in SYSTEM.iter().map(OsStr::new).chain([installed]) {
        line.extend([OsStr::new("--ro-bind-try"), path, path]);
    }
    for folder in [folders.main(), folders.socket()] {
        line.extend([OsStr::new("--bind"), folder.as_os_str(), folder.as_os_str()]);
    }
    line.extend(["--chdir", "/", "--"].map(OsStr::new));
    let line: Vec<OsString> = line.into_iter().map(OsStr::to_owned).collect();

    let mut trial = programs::command(PROGRAM);
    trial.args(&line[1..]).args(["/bin/sh", "-c", TRIAL, "sh"]).arg(programs_folder);
    match account.applied_to(&mut trial).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(line),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(format!("{PROGRAM} does not work here: {}", said.lines().next().unwrap_or("")))
        }
        Err(error) => Err(format!("{PROGRAM} cannot be run: {error}")),
    }
}
