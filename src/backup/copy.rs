//! A backup without `pg_dump`: a binary COPY of each table, and SQL that creates the
//! tables, their partitions, constraints and indexes. Policies, grants, triggers and rules are in a script of
//! their own, because they name roles and functions, which the backup does not hold. Extended
//! statistics and publications are not included.

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{SinkExt, StreamExt, pin_mut};

use super::folder::Draft;
use super::manifest::SavedTable;
use crate::error::{Error, Kind, Result};
use crate::pg::{Connection, Table, fill};

/// The script that creates sequences and tables.
pub(super) const TABLES: &str = "tables.sql";
/// The script to run after the rows.
pub(super) const CONSTRAINTS: &str = "constraints.sql";
/// The script that restores everything with psql.
pub(super) const RESTORE: &str = "restore.sql";

/// The script of what names roles and functions, to be run where these exist.
const ATTACHED: &str = "attached.sql";
/// Queries whose rows are arrays of the statements that remove and make an attached object. The
/// owner comes first, because rights are granted by it; what restricts access precedes rights.
const OF_TABLE: [&str; 7] = [
    include_str!("../../sql/backup/owner-ddl.sql"),
    include_str!("../../sql/switchover/property/comments.sql"),
    include_str!("../../sql/switchover/property/rules.sql"),
    include_str!("../../sql/switchover/property/triggers.sql"),
    include_str!("../../sql/switchover/property/policies.sql"),
    include_str!("../../sql/switchover/property/row-security.sql"),
    include_str!("../../sql/switchover/property/privileges.sql"),
];

/// Signature of a binary COPY, its flags, and the length of the header's extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const HEADER_BYTES: usize = SIGNATURE.len() + 8;

/// Writes every table as of the session's snapshot.
pub(super) async fn write(
    session: &Connection,
    draft: &mut Draft,
    tables: &mut [(SavedTable, u32)],
    stop: &AtomicBool,
) -> Result<()> {
    let oids: Vec<u32> = tables.iter().map(|(_, oid)| *oid).collect();
    refuse_by_enum(session, &oids).await?;
    refuse_lines(tables)?;
    let (mut create, mut after, mut script) = (String::new(), String::new(), String::new());
    for (number, (saved, oid)) in tables.iter_mut().enumerate() {
        let table = saved.table()?;
        let sequences = include_str!("../../sql/backup/sequence-ddl.sql");
        for row in session.query(sequences, &[&*oid]).await? {
            create.push_str(row.get(0));
            after.push_str(row.get(1));
        }
        let ddl = include_str!("../../sql/backup/table-ddl.sql");
        create.push_str(session.query_one(ddl, &[&*oid]).await?.get(0));
        if saved.partitioned {
            continue;
        }
        // A table's name may hold characters that a file name may not.
        let file = format!("{number:03}.copy");
        copy_out(session, &table, draft, &file, stop).await?;
        script.push_str(&format!("\\copy {table} FROM '{file}' (FORMAT binary)\n"));
        saved.file = Some(file);
    }
    let ddl = include_str!("../../sql/backup/constraint-ddl.sql");
    let rows = session.query(ddl, &[&oids]).await?;
    let constraints: String = rows.iter().map(|row| row.get::<_, &str>(0)).collect();
    draft.write(TABLES, &create)?;
    draft.write(CONSTRAINTS, &(constraints + &after))?;
    draft.write(ATTACHED, &attached(session, &oids).await?)?;
    let script = format!(
        "-- In this folder, into an empty database: psql -f {RESTORE}\n\
         -- Afterwards, if the roles and functions that it names exist: psql -f {ATTACHED}\n\
         \\set ON_ERROR_STOP on\nBEGIN;\n\\i {TABLES}\n{script}\\i {CONSTRAINTS}\nCOMMIT;\n"
    );
    draft.write(RESTORE, &script)
}

/// Refuses a table whose rows cannot be copied back into the partitions that they are from.
async fn refuse_by_enum(session: &Connection, oids: &[u32]) -> Result<()> {
    let rows = session.query(include_str!("../../sql/backup/by-enum.sql"), &[&oids]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let table: String = row.get(0);
    let what = format!("{table} is partitioned by a hash of an enum, which a copy cannot restore");
    Err(Error::refused(what).hint("nothing was written; pg_dump can save it (--method pg-dump)"))
}

/// Refuses names with line ends: psql would run what follows them in the script that restores.
fn refuse_lines(tables: &[(SavedTable, u32)]) -> Result<()> {
    let has_lines = |name: &str| name.contains(['\n', '\r']);
    let bad = tables.iter().find(|(saved, _)| has_lines(&saved.schema) || has_lines(&saved.name));
    let Some((SavedTable { schema, name, .. }, _)) = bad else { return Ok(()) };
    Err(Error::refused(format!("the name {:?} has a line end", format!("{schema}.{name}")))
        .hint("nothing was written; rename the table, or have pg_dump save it (--method pg-dump)"))
}

/// The script of everything that is attached to these tables and names roles or functions.
async fn attached(session: &Connection, oids: &[u32]) -> Result<String> {
    let mut script = String::from("\\set ON_ERROR_STOP on\nBEGIN;\n");
    for oid in oids {
        for sql in OF_TABLE {
            for row in session.query(sql, &[oid]).await? {
                for statement in row.get::<_, Option<Vec<String>>>(1).unwrap_or_default() {
                    script.push_str(statement.trim_end_matches(';'));
                    script.push_str(";\n");
                }
            }
        }
    }
    script.push_str("COMMIT;\n");
    Ok(script)
}

async fn copy_out(
    session: &Connection,
    table: &Table,
    draft: &mut Draft,
    name: &str,
    stop: &AtomicBool,
) -> Result<()> {
    let sql = fill(include_str!("../../sql/backup/copy-out.sql"), &[("table", table)]);
    let mut file = std::io::BufWriter::new(draft.create(name)?);
    let failed = |e| Error::file(name, e);
    let stream = session.copy_out(&sql).await?;
    pin_mut!(stream);
    while let Some(chunk) = stream.next().await {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        file.write_all(&chunk?).map_err(failed)?;
    }
    file.flush().map_err(failed)
}

/// Counts the rows of a binary COPY.
///
/// # Errors
/// [`Kind::Validation`] if it is not complete.
pub(super) fn count(path: &Path, stop: &AtomicBool) -> Result<u64> {
    let failed = |e| Error::file(path, e);
    let cut = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Error::new(Kind::Validation, format!("{} is cut short", path.display()))
        }
        _ => failed(e),
    };
    let mut file = BufReader::with_capacity(1 << 18, std::fs::File::open(path).map_err(failed)?);
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header).map_err(cut)?;
    if !header.starts_with(SIGNATURE) {
        let what = format!("{} is not a binary COPY", path.display());
        return Err(Error::new(Kind::Validation, what));
    }
    let mut rows = 0;
    let mut value = Vec::new();
    loop {
        if rows % 4096 == 0 && stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        let mut columns = [0; 2];
        file.read_exact(&mut columns).map_err(cut)?;
        // A column count of -1 ends the file.
        let Ok(columns) = u16::try_from(i16::from_be_bytes(columns)) else { return Ok(rows) };
        for _ in 0..columns {
            let mut length = [0; 4];
            file.read_exact(&mut length).map_err(cut)?;
            // NULL has the length -1.
            value.resize(usize::try_from(i32::from_be_bytes(length)).unwrap_or(0), 0);
            file.read_exact(&mut value).map_err(cut)?;
        }
        rows += 1;
    }
}

/// Restores the tables of a backup into an empty database.
pub(super) async fn restore(
    session: &Connection,
    folder: &Path,
    tables: &[SavedTable],
) -> Result<()> {
    let text = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))
    };
    session.batch_execute(&text(TABLES)?).await?;
    for saved in tables {
        let Some(name) = &saved.file else { continue };
        let path = folder.join(name);
        let failed = |e| Error::file(&path, e);
        let table = saved.table()?;
        let sql = fill(include_str!("../../sql/backup/copy-in.sql"), &[("table", &table)]);
        let sink = session.copy_in(&sql).await?;
        pin_mut!(sink);
        let mut file = std::fs::File::open(&path).map_err(failed)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                read => sink.send(bytes::Bytes::copy_from_slice(&buffer[..read])).await?,
            }
        }
        sink.finish().await?;
    }
    session.batch_execute(&text(CONSTRAINTS)?).await?;
    Ok(())
}
