//! The sandbox of a server that runs untrusted code: bubblewrap, where it works.
//!
//! It contains the system's programs, read-only, and the server's own folder; no network, no
//! other processes, no home folder, no sockets of other servers. An unprivileged role could
//! reach none of these anyway; the sandbox protects against vulnerabilities of PostgreSQL.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;

use super::folders::{Account, Folders};
use crate::programs;

const PROGRAM: &str = "bwrap";

/// System folders that programs need. Not `/home`, not `/var`, not `/run`.
const SYSTEM: [&str; 9] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix"];

/// Run in the sandbox as a test: the server's program must start, and its account must have
/// a name, which initdb needs.
const TRIAL: &str = r#""$1/postgres" --version && id -un"#;

/// The command prefix that runs a command in a sandbox where only the server's folders are
/// writable; or the reason why sandboxing is not possible.
pub(super) fn sandbox(
    folders: &Folders,
    programs_folder: &Path,
    account: &Account,
) -> Result<Vec<OsString>, String> {
    let mut line: Vec<&OsStr> =
        [PROGRAM, "--unshare-all", "--die-with-parent", "--new-session"].map(OsStr::new).into();
    line.extend(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"].map(OsStr::new));
    // The programs may be installed in an unusual place, with their libraries next to them.
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
