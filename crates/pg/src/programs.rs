//! Finds PostgreSQL's programs on this machine.
//!
//! Distributions keep `initdb` and `postgres` out of `PATH`, each in its own
//! folder; this module knows the folders. It installs nothing:
//! `script/postgres` does.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sterna_error::{Error, Result};

/// The environment variable for the programs' folder, which overrides the search.
pub const FOLDER_VARIABLE: &str = "STERNA_PG_BIN";

/// The programs of a server; a folder counts only if it has all of them.
const NEEDED: [&str; 2] = ["initdb", "postgres"];

/// The folders that packages use. Within a pattern the highest version wins.
const USUAL_FOLDERS: [&str; 7] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The environment variables passed to child processes. Others may contain secrets, such as
/// the URL of production with its password, and must not reach a server that restores
/// untrusted contents, or a program that runs next to it.
const PASSED_ON: [&str; 7] =
    ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// A command with a cleared environment, except for variables that programs need to run.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command.envs(env::vars_os().filter(|(name, _)| {
        PASSED_ON.iter().any(|passed| name == passed) || name.as_encoded_bytes().starts_with(b"LC_")
    }));
    command
}

/// The folder with `initdb` and `postgres`: from [`FOLDER_VARIABLE`], `PATH`, or
/// the usual folders of Debian, Fedora, Homebrew and Postgres.app.
///
/// # Errors
/// A usage error if [`FOLDER_VARIABLE`] names a folder without them; if none is
/// found, an error that names the package.
pub fn find() -> Result<PathBuf> {
    search(env::var_os(FOLDER_VARIABLE).as_deref(), env::var_os("PATH").as_deref(), &USUAL_FOLDERS)
}

/// The folder with `initdb` and `postgres` of a major version.
///
/// # Errors
/// If there is none, a usage error that lists the versions found.
pub fn server(wanted: u32) -> Result<PathBuf> {
    let chosen = env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty());
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = match chosen {
        Some(folder) => vec![folder.into()],
        None => env::split_paths(&path)
            .chain(USUAL_FOLDERS.iter().flat_map(|pattern| newest_first(pattern)))
            .collect(),
    };
    let mut others = BTreeSet::new();
    for folder in folders.iter().filter_map(|folder| programs_in(folder)) {
        match major(&folder.join("postgres")) {
            Some(found) if found == wanted => return Ok(folder),
            found => others.extend(found),
        }
    }
    let others: Vec<String> = others.iter().map(u32::to_string).collect();
    let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    Err(Error::usage(format!(
        "the programs of PostgreSQL {wanted} (initdb, postgres) are not on this machine, only {others}"
    ))
    .hint(format!(
        "install the package postgresql-{wanted} (Debian and Ubuntu, from apt.postgresql.org), \
         postgresql{wanted}-server (Fedora, from yum.postgresql.org) or postgresql@{wanted} \
         (Homebrew), or set {FOLDER_VARIABLE} to the folder of its programs"
    )))
}

/// Where to get client programs of a major version or newer.
#[must_use]
pub fn client_hint(oldest: u32) -> String {
    format!(
        "install the package postgresql-client-{oldest} (Debian and Ubuntu, from \
         apt.postgresql.org), postgresql{oldest} (Fedora, from yum.postgresql.org) or \
         postgresql@{oldest} (Homebrew), or set {FOLDER_VARIABLE} to the folder of its programs"
    )
}

/// A client program, such as `pg_dump`, of the major version `oldest` or newer: the
/// first one in the folder of [`FOLDER_VARIABLE`], `PATH`, or the usual folders, with
/// its major version.
#[must_use]
pub fn client(name: &str, oldest: u32) -> Option<(PathBuf, u32)> {
    let chosen = env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty());
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = chosen
        .into_iter()
        .map(PathBuf::from)
        .chain(env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty()))
        .chain(USUAL_FOLDERS.iter().flat_map(|pattern| newest_first(pattern)));
    let programs = folders.map(|folder| folder.join(name)).filter(|program| program.is_file());
    let mut found = programs.filter_map(|program| {
        let major = major(&program)?;
        Some((program, major))
    });
    found.find(|(_, major)| *major >= oldest)
}

/// The major version that a program prints, as in `pg_dump (PostgreSQL) 15.6 (Debian)`.
fn major(program: &Path) -> Option<u32> {
    let output = command(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, after) = text.split_once("(PostgreSQL) ")?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn search(chosen: Option<&OsStr>, path: Option<&OsStr>, patterns: &[&str]) -> Result<PathBuf> {
    if let Some(folder) = chosen.filter(|folder| !folder.is_empty()) {
        let folder = Path::new(folder);
        return programs_in(folder).ok_or_else(|| {
            Error::usage(format!(
                "{FOLDER_VARIABLE} is {}, which does not hold {}",
                folder.display(),
                NEEDED.join(" and ")
            ))
            .hint(format!("unset {FOLDER_VARIABLE}, or set it to what `pg_config --bindir` prints"))
        });
    }
    let in_path = path.into_iter().flat_map(env::split_paths);
    let usual = patterns.iter().flat_map(|pattern| newest_first(pattern));
    in_path.chain(usual).find_map(|folder| programs_in(&folder)).ok_or_else(|| {
        Error::database("the PostgreSQL server's programs (initdb, postgres) were not found").hint(
            format!(
                "run script/postgres, which installs them on Debian and Ubuntu (package \
                 postgresql); Fedora: dnf install postgresql-server; macOS: brew install \
                 postgresql@17; or set {FOLDER_VARIABLE} to their folder"
            ),
        )
    })
}

/// The folder that contains the programs themselves, not links to them: from there
/// `initdb` finds the files installed with it.
fn programs_in(folder: &Path) -> Option<PathBuf> {
    if folder.as_os_str().is_empty() || !NEEDED.iter().all(|name| folder.join(name).is_file()) {
        return None;
    }
    let program = folder.join(NEEDED[0]).canonicalize().ok()?;
    let home = program.parent()?;
    let whole = NEEDED.iter().all(|name| home.join(name).is_file());
    Some(if whole { home.to_path_buf() } else { folder.to_path_buf() })
}

/// The folders that match `pattern`, ordered by the numbers in their paths.
fn newest_first(pattern: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        glob::glob(pattern).into_iter().flatten().filter_map(|entry| entry.ok()).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    folders
}

/// The numbers in a path, as in `[9, 6]` for `/usr/lib/postgresql/9.6/bin`.
fn version(folder: &Path) -> Vec<u32> {
    let text = folder.to_string_lossy();
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn install(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for name in NEEDED {
            fs::write(folder.join(name), "").unwrap();
        }
    }

    #[test]
    fn the_newest_version_wins_by_number_and_not_by_letter() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "17"] {
            install(&root.path().join(version).join("bin"));
        }
        fs::create_dir_all(root.path().join("18/bin")).unwrap();
        let pattern = format!("{}/*/bin", root.path().display());
        let found = search(None, None, &[&pattern]).unwrap();
        assert!(found.ends_with("17/bin"), "{found:?}");
    }

    #[test]
    fn the_variable_beats_the_path_and_the_path_beats_the_usual_folders() {
        let root = tempfile::tempdir().unwrap();
        let [chosen, in_path, usual] = ["a", "b", "c"].map(|name| root.path().join(name));
        for folder in [&chosen, &in_path, &usual] {
            install(folder);
        }
        let path = env::join_paths([root.path(), &in_path]).unwrap();
        let pattern = [usual.to_str().unwrap()];

        let found = search(Some(chosen.as_os_str()), Some(&path), &pattern).unwrap();
        assert!(found.ends_with("a"));
        assert!(search(None, Some(&path), &pattern).unwrap().ends_with("b"));
        assert!(search(Some(OsStr::new("")), None, &pattern).unwrap().ends_with("c"));
    }

    #[test]
    fn links_are_followed_to_the_programs() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        let links = root.path().join("links");
        install(&home);
        fs::create_dir(&links).unwrap();
        for name in NEEDED {
            std::os::unix::fs::symlink(home.join(name), links.join(name)).unwrap();
        }
        assert!(search(Some(links.as_os_str()), None, &[]).unwrap().ends_with("home"));
    }

    #[test]
    fn a_wrong_variable_is_not_passed_over() {
        let root = tempfile::tempdir().unwrap();
        install(&root.path().join("usual"));
        let pattern = format!("{}/usual", root.path().display());
        let error = search(Some(root.path().as_os_str()), None, &[&pattern]).unwrap_err();
        assert_eq!(error.kind(), sterna_error::Kind::Usage);
        assert!(search(None, None, &[]).unwrap_err().next_step().unwrap().contains("dnf"));
    }
}
