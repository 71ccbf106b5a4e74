//! Writes backups with `pg_dump` and reads them with `pg_restore`.

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
use crate::pg::{ConnInfo, Connection, connect, programs};

/// The file of the dump, in pg_dump's custom format.
pub(super) const FILE: &str = "backup.dump";

/// gzip's fastest level, which every pg_restore reads: files are an eighth larger than at
/// pg_dump's default, in less than half the time.
const COMPRESSION: &str = "--compress=1";

/// How long pg_dump waits for a table that is locked exclusively.
const LOCK_WAIT: &str = "--lock-wait-timeout=60s";

/// Kinds of entries that name roles, or functions beside the tables, which an embedded
/// server does not have; and comments and labels, which may be on one of these.
const LEFT_OUT: [&str; 9] = [
    "POLICY",
    "TRIGGER",
    "EVENT TRIGGER",
    "RULE",
    "ACL",
    "DEFAULT ACL",
    "PUBLICATION",
    "COMMENT",
    "SECURITY LABEL",
];

/// The options that select what pg_dump saves.
pub(super) fn selection(
    extent: Extent,
    saved: &[(SavedTable, u32)],
    left_out: &[(SavedTable, u32)],
) -> Result<Vec<String>> {
    // A quoted name is not a pattern.
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

/// Has pg_dump write the selection as of the session's snapshot.
pub(super) async fn write(
    info: &ConnInfo,
    session: &Connection,
    draft: &mut Draft,
    program: &Path,
    snapshot: &str,
    selection: &[String],
    stop: &AtomicBool,
) -> Result<()> {
    // Created beforehand, because pg_dump would let others read it.
    draft.create(FILE)?;
    let mut command = programs::command(program);
    info.apply_to(&mut command, session);
    command.args(["--format=custom", COMPRESSION, "--no-password", "--strict-names", LOCK_WAIT]);
    command.arg(format!("--snapshot={snapshot}"));
    command.arg("--file").arg(draft.path().join(FILE));
    command.args(selection);
    Program::start(command.stdout(Stdio::null()))?.finish(stop).await.map_err(|e| match e.kind() {
        Kind::Database => e.hint(
            "if it says that row-level security would affect a query, connect as a role with \
                 BYPASSRLS; --method copy needs fewer rights than pg_dump",
        ),
        _ => e,
    })
}

fn pg_restore(manifest: &Manifest) -> Result<Command> {
    let oldest = manifest.program_major;
    let (program, _) = programs::client("pg_restore", oldest).ok_or_else(|| {
        Error::usage(format!("pg_restore of version {oldest} or newer was not found"))
            .hint(programs::client_hint(oldest))
    })?;
    Ok(programs::command(program))
}

/// The dump's table of contents, as `pg_restore --list` prints it.
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

/// An entry of the table of contents: a line such as
/// `215; 1259 16386 TABLE public species postgres`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a>(&'a str);

impl<'a> Entry<'a> {
    /// Its kind, schema, name and owner.
    fn text(self) -> &'a str {
        self.0.splitn(4, ' ').nth(3).unwrap_or_default()
    }

    pub(super) fn is(self, kind: &str) -> bool {
        self.text().strip_prefix(kind).is_some_and(|rest| rest.starts_with(' '))
    }

    /// Whether it creates an extension or comments on one.
    pub(super) fn is_of_extension(self) -> bool {
        self.is("EXTENSION") || self.is("COMMENT - EXTENSION")
    }
}

/// The entries of a list: all, or those that need neither roles nor functions.
pub(super) fn entries(list: &str, whole: bool) -> Vec<Entry<'_>> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with(';'));
    let is_kept = |entry: &Entry<'_>| whole || !LEFT_OUT.iter().any(|kind| entry.is(kind));
    lines.map(Entry).filter(is_kept).collect()
}

/// The extensions that the backup in a folder creates.
///
/// # Errors
/// [`Kind::Validation`] if the dump cannot be read.
pub fn extensions(folder: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let list = list(folder, manifest)?;
    let names = list.lines().filter_map(|line| line.split_once(" EXTENSION - "));
    Ok(names.map(|(_, name)| name.trim().to_owned()).collect())
}

/// Whether the list includes the rows of a table.
pub(super) fn lists(list: &str, saved: &SavedTable) -> bool {
    let SavedTable { schema, name, .. } = saved;
    list.contains(&on_one_line(&format!(" TABLE DATA {schema} {name} ")))
}

/// A text as pg_restore writes it where it has to be one line.
fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Counts the rows of each table in the dump, by its quoted name.
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
    let names = manifest.tables.iter().map(|saved| Ok((header(saved), saved.table()?.to_string())));
    let names: HashMap<String, String> = names.collect::<Result<_>>()?;
    let mut counts = HashMap::new();
    let (mut table, mut copying, mut rows) = (None, false, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(|e| Error::file("pg_restore", e))? == 0 {
            break;
        }
        if !copying {
            // Outside of rows, only the COPY statement before them ends like this. It may name the
            // partitioned table in place of the partition, which its header names.
            copying = line.ends_with(b" FROM stdin;\n");
            table = table_of(&line, &names).or(table);
        } else if line == b"\\.\n" {
            counts.extend(table.take().map(|name| (name, rows)));
            (copying, rows) = (false, 0);
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, "interrupted"));
            }
        } else {
            rows += 1;
        }
    }
    program.wait(stop)?;
    Ok(counts)
}

/// The line above the rows of a table, without its owner.
fn header(saved: &SavedTable) -> String {
    let SavedTable { schema, name, .. } = saved;
    on_one_line(&format!("-- Data for Name: {name}; Type: TABLE DATA; Schema: {schema}"))
}

/// The table above the rows of which this line is, of the `names` by header.
fn table_of(line: &[u8], names: &HashMap<String, String>) -> Option<String> {
    let (header, _) = std::str::from_utf8(line).ok()?.rsplit_once("; Owner: ")?;
    names.get(header).cloned()
}

/// A file that lists these entries for pg_restore.
fn chosen(entries: &[Entry<'_>]) -> Result<tempfile::NamedTempFile> {
    let file = tempfile::NamedTempFile::new().map_err(|e| Error::file("a temporary file", e))?;
    let lines: Vec<&str> = entries.iter().map(|entry| entry.0).collect();
    std::fs::write(file.path(), lines.join("\n")).map_err(|e| Error::file(file.path(), e))?;
    Ok(file)
}

/// The statements of these entries as a psql script by pg_restore, each to be run as the
/// owner of its object.
pub(super) fn text(folder: &Path, manifest: &Manifest, entries: &[Entry<'_>]) -> Result<String> {
    let chosen = chosen(entries)?;
    let mut command = pg_restore(manifest)?;
    command
        .args(["--file=-", "--use-set-session-authorization", "--use-list"])
        .arg(chosen.path())
        .arg(folder.join(FILE));
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|e| Error::file("pg_restore", e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::new(Kind::Validation, format!("pg_restore cannot read {FILE}: {said}")))
}

/// Splits a text into statements that contain only names and roles, such as GRANT.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut quote = None;
    let is_end = |char: char| {
        match quote {
            None if char == '"' || char == '\'' => quote = Some(char),
            Some(open) if char == open => quote = None,
            _ => {}
        }
        char == ';' && quote.is_none()
    };
    let lines = text.lines().filter(|line| !line.starts_with("--") && !line.starts_with('\\'));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let statements = text.split(is_end).map(|statement| statement.trim().to_owned());
    statements.filter(|statement| !statement.is_empty()).collect()
}

/// The names and schemas of the extensions that pg_dump's statements create.
pub(super) fn extensions_made(text: &str) -> Vec<(String, String)> {
    let made = statements(text).into_iter().filter_map(|statement| {
        let (_, rest) = statement.split_once("EXTENSION IF NOT EXISTS ")?;
        // The rest is: name WITH SCHEMA schema.
        let (name, schema) = rest.split_once(" SCHEMA ")?;
        let (name, _) = name.rsplit_once(' ')?;
        Some((unquoted(name), unquoted(schema)))
    });
    made.collect()
}

/// The role to which a statement sets the session authorization, if it does; empty for RESET.
pub(super) fn session_authorization(statement: &str) -> Option<&str> {
    let (verb, role) = statement.split_once(" SESSION AUTHORIZATION")?;
    verb.chars().all(char::is_alphabetic).then(|| role.trim())
}

/// A name without its quotes, if it has any.
pub(super) fn unquoted(name: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(inner) = name.strip_prefix(quote).and_then(|name| name.strip_suffix(quote)) {
            return inner.replace(&format!("{quote}{quote}"), &quote.to_string());
        }
    }
    name.to_owned()
}

/// A part of a backup that was not restored.
pub(super) struct Failure {
    /// The statement that failed.
    pub(super) what: String,
    /// The server's message.
    pub(super) why: String,
}

/// Restores these entries into the database of `info`; returns what failed.
pub(super) async fn run(
    info: &ConnInfo,
    folder: &Path,
    manifest: &Manifest,
    entries: &[Entry<'_>],
    whole: bool,
    stop: &AtomicBool,
) -> Result<Vec<Failure>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let chosen = chosen(entries)?;
    let session = connect(info).await?;
    let mut command = pg_restore(manifest)?;
    info.apply_to(&mut command, &session);
    session.close().await?;
    // On one connection: several would block each other when objects attached to a table lock
    // it. Subscriptions would connect to other servers.
    command.args(["--no-subscriptions", "--no-password", "--dbname"]).arg(info.database());
    if !whole {
        command.args(["--no-owner", "--no-privileges"]);
    }
    command.arg("--use-list").arg(chosen.path()).arg(folder.join(FILE));
    let (success, said) = Program::start(command.stdout(Stdio::null()))?.outcome(stop).await?;
    let failures = failures(&said);
    match success || !failures.is_empty() {
        true => Ok(failures),
        false => Err(Error::database(format!("pg_restore failed:\n  {}", said.trim()))),
    }
}

/// Parses pg_restore's messages about failed statements: the server's message, then the
/// statement.
fn failures(said: &str) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for line in said.lines() {
        if let Some((_, why)) = line.split_once("pg_restore: error: ") {
            let why = why.trim_start_matches("could not execute query: ");
            let why = why.trim_start_matches("ERROR:").trim();
            failures.push(Failure { what: "the dump".to_owned(), why: why.to_owned() });
        } else if let (Some((_, statement)), Some(failure)) =
            (line.split_once("Command was: "), failures.last_mut())
        {
            statement.clone_into(&mut failure.what);
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_of_the_table_that_the_line_above_them_names() {
        let saved = SavedTable {
            schema: "My schema".into(),
            name: "a; \"b\nc".into(),
            partitioned: false,
            rows: 0,
            file: None,
        };
        let names = HashMap::from([(header(&saved), "it".to_owned())]);
        let of = |line: &str| table_of(line.as_bytes(), &names);
        let line = "-- Data for Name: a; \"b c; Type: TABLE DATA; Schema: My schema; Owner: me\n";
        assert_eq!(of(line).unwrap(), "it");
        assert_eq!(of(&line.replace("My schema", "public")), None);
        assert_eq!(of("SET search_path = '';\n"), None);
        assert!(lists("1; 0 2 TABLE DATA My schema a; \"b c me\n", &saved));
    }

    #[test]
    fn rights_are_split_at_semicolons_outside_of_names() {
        let text = "-- a comment; here\nGRANT ALL ON TABLE \"a;\n\"\"b\" TO c;\n\nRESET ROLE;\n";
        assert_eq!(statements(text), ["GRANT ALL ON TABLE \"a;\n\"\"b\" TO c", "RESET ROLE"]);
    }

    #[test]
    fn extensions_are_known_by_their_names() {
        let text = "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA \"My schema\";\n\
            CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;\n";
        let expected = [("uuid-ossp", "My schema"), ("citext", "public")];
        let made = extensions_made(text);
        assert!(made.iter().map(|(name, schema)| (&**name, &**schema)).eq(expected), "{made:?}");
    }

    #[test]
    fn each_failure_has_its_statement() {
        let said = "pg_restore: error: could not execute query: ERROR:  permission denied\n\
            HINT:  Must be superuser.\nCommand was: CREATE EVENT TRIGGER audit\n   ON x;\n\n\
            pg_restore: warning: errors ignored on restore: 1\n";
        let found = failures(said);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "CREATE EVENT TRIGGER audit");
        assert_eq!(found[0].why, "permission denied");
    }

    #[test]
    fn whose_session_a_statement_asks_for() {
        let asked = |text| session_authorization(text);
        assert_eq!(asked("SET SESSION AUTHORIZATION 'a''b'"), Some("'a''b'"));
        assert_eq!(unquoted("'a''b'"), "a'b");
        assert_eq!(asked("RESET SESSION AUTHORIZATION"), Some(""));
        assert_eq!(asked("GRANT SELECT ON TABLE a TO \" SESSION AUTHORIZATION\""), None);
    }
}
