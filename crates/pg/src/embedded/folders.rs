//! The private folders of an embedded server and the account that owns them.

use std::env;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use nix::unistd::{Uid, User};
use tempfile::TempDir;

use crate::programs;
use sterna_error::{Error, Kind, Result};

/// The lowest length limit of a socket path on the supported systems (macOS; Linux has 107).
const SOCKET_PATH_BYTES: usize = 103;
const LONGEST_SOCKET_NAME: &str = "/.s.PGSQL.65535";
/// Tried if the server's account cannot use the first choice.
const FALLBACK_PARENTS: [&str; 2] = ["/tmp", "/var/tmp"];

/// The account that the server runs as.
#[derive(Debug)]
pub(super) struct Account {
    /// The account to switch to; `None` if the server runs as the current user.
    other: Option<User>,
}

impl Account {
    /// The current user, or `postgres` for root: PostgreSQL refuses to run as root.
    pub(super) fn for_server() -> Result<Self> {
        if !Uid::effective().is_root() {
            return Ok(Account { other: None });
        }
        let user = User::from_name("postgres")
            .map_err(|e| Error::new(Kind::File, "reading the accounts").caused_by(e))?;
        match user {
            Some(user) => Ok(Account { other: Some(user) }),
            None => Err(Error::database(
                "PostgreSQL does not run as root, and there is no account postgres to run it as",
            )
            .hint("run sterna as an ordinary user, or create the account: useradd -r postgres")),
        }
    }

    /// Makes `command` run as this account. The standard library drops root's
    /// supplementary groups when it changes the user; the account's own
    /// supplementary groups are not set, and not needed here.
    pub(super) fn applied_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        // The other account may have no access to the current folder.
        command.current_dir("/");
        match &self.other {
            Some(user) => command.uid(user.uid.as_raw()).gid(user.gid.as_raw()),
            None => command,
        }
    }

    fn own(&self, folder: &Path) -> Result<()> {
        let Some(user) = &self.other else {
            return Ok(());
        };
        chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .map_err(|e| Error::file(folder, e))
    }

    /// Whether this account may create and remove folders in `parent`: it removes
    /// the server's folder itself, after this process has ended.
    fn can_use(&self, parent: &Path) -> bool {
        let mut test = programs::command("/bin/sh");
        test.args(["-c", r#"test -d "$1" && test -w "$1" && test -x "$1""#, "sh"]).arg(parent);
        self.applied_to(&mut test).status().is_ok_and(|status| status.success())
    }
}

/// The folders of the cluster, its log and its socket.
#[derive(Debug)]
pub(super) struct Folders {
    main: PathBuf,
    socket: PathBuf,
    /// Remove the folders on drop, until the watchdog takes over.
    guards: Vec<TempDir>,
}

impl Folders {
    /// Creates empty folders, accessible only to `account`, in `TMPDIR` if it can use that.
    pub(super) fn create(account: &Account) -> Result<Self> {
        let chosen = env::temp_dir();
        // The account's commands run in another folder, so a relative path would not work.
        let chosen = absolute(&chosen).map_err(|e| Error::file(chosen, e))?;
        let mut parents = vec![chosen];
        parents.extend(FALLBACK_PARENTS.map(PathBuf::from));
        let parent = parents.iter().find(|parent| account.can_use(parent)).ok_or_else(|| {
            Error::new(
                Kind::File,
                format!("{} cannot hold the embedded server's folder", parents[0].display()),
            )
            .hint("set TMPDIR to a folder that the server's account can write to")
        })?;
        if *parent != parents[0] {
            tracing::warn!(
                unusable = %parents[0].display(),
                used = %parent.display(),
                "the embedded server's account cannot use TMPDIR"
            );
        }
        let main = private_folder(parent, account)?;
        let mut socket = main.path().to_path_buf();
        let mut guards = vec![main];
        if !fits_socket(&socket) {
            let short = short_folder(account)?;
            socket = short.path().to_path_buf();
            guards.push(short);
        }
        Ok(Folders { main: guards[0].path().to_path_buf(), socket, guards })
    }

    /// Leaves removing the folders to the watchdog.
    pub(super) fn keep(mut self) -> Self {
        self.guards.drain(..).for_each(|guard| drop(guard.keep()));
        self
    }

    pub(super) fn main(&self) -> &Path {
        &self.main
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(super) fn data(&self) -> PathBuf {
        self.main.join("data")
    }

    /// `watchdog.sh` writes to this file as well.
    pub(super) fn log(&self) -> PathBuf {
        self.main.join("server.log")
    }
}

fn private_folder(parent: &Path, account: &Account) -> Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("sterna-pg-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(|e| Error::file(parent, e))?;
    account.own(folder.path())?;
    Ok(folder)
}

/// A separate folder for the socket, if the cluster's path is not suitable.
fn short_folder(account: &Account) -> Result<TempDir> {
    let parent = FALLBACK_PARENTS.map(Path::new).into_iter().find(|parent| account.can_use(parent));
    let parent = parent.ok_or_else(|| {
        Error::new(
            Kind::File,
            format!("the temporary folder's path does not suit a socket: at most {SOCKET_PATH_BYTES} bytes, UTF-8, no comma"),
        )
        .hint("set TMPDIR to a folder with a shorter and simpler path")
    })?;
    private_folder(parent, account)
}

/// Whether a socket path in `folder` is short enough and has no comma, which would start
/// another host in `PGHOST`.
fn fits_socket(folder: &Path) -> bool {
    let length = folder.as_os_str().len() + LONGEST_SOCKET_NAME.len();
    length <= SOCKET_PATH_BYTES && folder.to_str().is_some_and(|path| !path.contains(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_fits_up_to_the_limit_and_where_no_comma_misleads() {
        let longest = "x".repeat(SOCKET_PATH_BYTES - LONGEST_SOCKET_NAME.len());
        assert!(fits_socket(Path::new(&longest)));
        assert!(!fits_socket(Path::new(&(longest + "x"))));
        assert!(!fits_socket(Path::new("/tmp/a,b")));
    }

    #[test]
    fn folders_are_private_and_go_with_their_guards() {
        let folders = Folders::create(&Account::for_server().unwrap()).unwrap();
        let main = folders.main().to_path_buf();
        assert_eq!(main.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        drop(folders);
        assert!(!main.exists());
    }

    #[test]
    fn an_account_cannot_use_a_file_or_nothing() {
        let account = Account { other: None };
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(!account.can_use(file.path()));
        assert!(!account.can_use(&file.path().join("missing")));
    }
}
