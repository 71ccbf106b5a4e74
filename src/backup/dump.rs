//! A backup by `pg_dump`, and reading one by `pg_restore`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;

use super::Extent;
use super::folder::Draft;
use super::manifest::{Manifest, SavedTable};
use super::program::Program;
use crate::error::{Error, Kind, Result};
use crate::pg::{ConnInfo, Connection, programs};

/// The file, in pg_dump's custom format.
pub(super) const FILE: &str = "backup.dump";

/// How long pg_dump waits for a table that somebody holds exclusively.
const LOCK_WAIT: &str = "--lock-wait-timeout=60s";

/// Entries that name roles, or functions beside the tables, which a server of one's
/// own does not have.
const LEFT_OUT: [&str; 5] = ["POLICY ", "TRIGGER ", "EVENT TRIGGER ", "RULE ", "DEFAULT ACL "];

/// What says to pg_dump how much it is to save.
pub(super) fn selection(
    extent: Extent,
    saved: &[(SavedTable, u32)],
    left_out: &[(SavedTable, u32)],
) -> Result<Vec<String>> {
    // Quoted, a name is no pattern.
    let each = |option: &str, tables: &[(SavedTable, u32)]| -> Result<Vec<String>> {
        tables.iter().map(|(table, _)| Ok(format!("--{option}={}", table.table()?))).collect()
    };
    match extent {
        Extent::Full => Ok(Vec::new()),
        Extent::Tables => each("table", saved),
        Extent::Rehearsal => {
            let mut options = each("exclude-table-data", left_out)?;
            options.push("--no-blobs".to_owned());
            Ok(options)
        }
    }
}

/// Has pg_dump write what was selected, as the session's snapshot has it.
pub(super) async fn write(
    info: &ConnInfo,
    session: &Connection,
    draft: &mut Draft,
    program: &Path,
    snapshot: &str,
    selection: &[String],
    stop: &AtomicBool,
) -> Result<()> {
    // Made beforehand, for pg_dump would let others read it.
    draft.create(FILE)?;
    let mut command = Command::new(program);
    info.apply_to(&mut command, session);
    command.args(["--format=custom", "--no-password", "--strict-names", LOCK_WAIT]);
    command.arg(format!("--snapshot={snapshot}"));
    command.arg("--file").arg(draft.path().join(FILE));
    command.args(selection);
    Program::start(command.stdout(Stdio::null()))?.finish(stop).await.map_err(|e| match e.kind() {
        Kind::Database => e.hint(
            "where it says that row-level security would affect a query, connect as a role \
                 with BYPASSRLS; for less than pg_dump needs there is --method copy",
        ),
        _ => e,
    })
}

fn pg_restore(manifest: &Manifest) -> Result<Command> {
    let oldest = manifest.program_major;
    let (program, _) = programs::client("pg_restore", oldest).ok_or_else(|| {
        Error::usage(format!("the program pg_restore of version {oldest} or newer is not here"))
            .hint("install postgresql-client, or set STERNA_PG_BIN to its folder")
    })?;
    Ok(Command::new(program))
}

/// The entries of the dump's table of contents, as `pg_restore --list` has them.
pub(super) fn list(folder: &Path, manifest: &Manifest) -> Result<String> {
    let output = pg_restore(manifest)?
        .arg("--list")
        .arg(folder.join(FILE))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Error::file("pg_restore", e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::new(Kind::Validation, format!("pg_restore cannot read {FILE}: {said}")))
}

/// The extensions that the backup in a folder makes.
///
/// # Errors
/// [`Kind::Validation`] where the dump cannot be read.
pub fn extensions(folder: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let list = list(folder, manifest)?;
    let names = list.lines().filter_map(|line| line.split_once(" EXTENSION - "));
    Ok(names.map(|(_, name)| name.trim().to_owned()).collect())
}

/// Whether the list has the rows of a table.
pub(super) fn lists(list: &str, saved: &SavedTable) -> bool {
    list.contains(&format!(" TABLE DATA {} {} ", saved.schema, saved.name))
}

/// Counts the rows that the dump holds of each table, by its name as SQL writes it.
pub(super) fn count(
    folder: &Path,
    manifest: &Manifest,
    stop: &AtomicBool,
) -> Result<HashMap<String, u64>> {
    let mut command = pg_restore(manifest)?;
    command.args(["--data-only", "--file=-"]).arg(folder.join(FILE)).stdout(Stdio::piped());
    let mut program = Program::start(&mut command)?;
    let Some(stdout) = program.stdout() else { return Ok(HashMap::new()) };
    let mut lines = BufReader::with_capacity(1 << 18, stdout);
    let mut counts = HashMap::new();
    // The table whose rows follow, and how many have passed.
    let mut open: Option<(String, u64)> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(|e| Error::file("pg_restore", e))? == 0 {
            break;
        }
        match &mut open {
            Some((name, rows)) if line == b"\\.\n" => {
                counts.insert(std::mem::take(name), *rows);
                open = None;
                if stop.load(Ordering::Relaxed) {
                    return Err(Error::new(Kind::Interrupted, "interrupted"));
                }
            }
            Some((_, rows)) => *rows += 1,
            None => open = copied_table(&line).map(|name| (name, 0)),
        }
    }
    program.wait(stop)?;
    Ok(counts)
}

/// The table of a line `COPY schema.table (columns) FROM stdin;`, quoted throughout.
fn copied_table(line: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(line).ok()?;
    // Outside of rows, only the statement in front of them ends so.
    let (_, rest) = text.split_once(' ').filter(|_| text.ends_with(" FROM stdin;\n"))?;
    let mut name = String::from("\"");
    let mut quoted = false;
    let mut chars = rest.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => name.push_str("\"\""),
            '"' => quoted = !quoted,
            '.' if !quoted => name.push_str("\".\""),
            ' ' if !quoted => {
                name.push('"');
                return Some(name);
            }
            char => name.push(char),
        }
    }
    None
}

/// Restores the dump into the database that the session is connected to.
pub(super) async fn restore(
    info: &ConnInfo,
    session: &Connection,
    folder: &Path,
    manifest: &Manifest,
    stop: &AtomicBool,
) -> Result<()> {
    let list = list(folder, manifest)?;
    let kept = list.lines().filter(|line| {
        let entry = line.splitn(4, ' ').nth(3).unwrap_or_default();
        !LEFT_OUT.iter().any(|kind| entry.starts_with(kind))
    });
    let chosen = tempfile::NamedTempFile::new().map_err(|e| Error::file("a temporary file", e))?;
    let text = kept.collect::<Vec<_>>().join("\n");
    std::fs::write(chosen.path(), text).map_err(|e| Error::file(chosen.path(), e))?;
    let mut command = pg_restore(manifest)?;
    info.apply_to(&mut command, session);
    command
        .args(["--exit-on-error", "--no-owner", "--no-privileges", "--no-publications"])
        .args(["--no-subscriptions", "--no-password", "--dbname"])
        .arg(info.database())
        .arg("--use-list")
        .arg(chosen.path())
        .arg(folder.join(FILE));
    Program::start(command.stdout(Stdio::null()))?.finish(stop).await
}

/// Restores everything in the dump, with owners, rights and triggers. Only subscriptions
/// are left out, which would reach out to other servers.
pub(super) async fn restore_whole(
    info: &ConnInfo,
    session: &Connection,
    folder: &Path,
    manifest: &Manifest,
    stop: &AtomicBool,
) -> Result<()> {
    let mut command = pg_restore(manifest)?;
    info.apply_to(&mut command, session);
    // On one connection: several get in each other's way where what is attached to a table
    // locks it.
    command
        .args(["--exit-on-error", "--no-subscriptions", "--no-password", "--dbname"])
        .arg(info.database())
        .arg(folder.join(FILE));
    Program::start(command.stdout(Stdio::null()))?.finish(stop).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_copy_is_read_with_its_quotes() {
        let table = |line: &str| copied_table(line.as_bytes());
        let plain = "COPY public.species (id, \"Name\") FROM stdin;\n";
        assert_eq!(table(plain).unwrap(), "\"public\".\"species\"");
        let odd = "COPY \"My schema\".\"a.\"\"b\" (id) FROM stdin;\n";
        assert_eq!(table(odd).unwrap(), "\"My schema\".\"a.\"\"b\"");
        assert_eq!(table("COPY a.b (c) FROM stdin\n"), None);
        assert_eq!(table("SET search_path = '';\n"), None);
    }
}
