//! Rejected records, as a CSV file that can be mended and loaded by itself.
//!
//! The first columns are those of the format, so the file is of that format; what
//! is wrong stands in columns behind them that a load ignores. Made anew by each
//! pass over the input, so a resumed load leaves no doubles in it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::account::Reason;
use super::batch::{Record, RecordBatch, Reject};
use super::encode::RowPlan;
use super::report::RejectedRecord;
use crate::cites::Formats;
use crate::error::{Error, Kind, Result};
use crate::private;

/// The columns behind those of the format.
const ABOUT: [&str; 8] = [
    "sterna_file",
    "sterna_line",
    "sterna_byte_offset",
    "sterna_column",
    "sterna_reason",
    "sterna_value",
    "sterna_message",
    "sterna_record",
];

/// How many characters of a rejected value a report shows.
const LONGEST_SHOWN: usize = 200;

/// Whether rejects can be written to `path`, which must not be the user's input.
///
/// # Errors
/// Where the folder is missing or closed, or where a folder has that name.
pub(super) fn check(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::bad_file(path.display(), "is a folder, and rejects go to a file"));
    }
    private::check(path, is_reject_file).map_err(|e| match e.kind() {
        Kind::Usage => e.hint("name another file with --rejects; sterna overwrites only its own"),
        _ => e,
    })?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Permissions do not tell what a file system allows; trying does.
    tempfile::tempfile_in(folder).map(drop).map_err(|e| {
        Error::file(path, e).hint("name a file with --rejects whose folder can be written to")
    })
}

/// Whether a file begins in the form that sterna writes rejects in.
fn is_reject_file(start: &[u8]) -> bool {
    let header = start.split(|b| *b == b'\n').next().unwrap_or_default();
    header.ends_with(ABOUT[ABOUT.len() - 1].as_bytes())
}

/// What identifies a rejected record: its file and its place there. The keys of many
/// are summed, so that a load of mended rejects can tell whether it has all of them.
pub(super) fn key(file: &[u8], byte_offset: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(file);
    hasher.update(&[0]);
    hasher.update(byte_offset);
    hasher.digest()
}

/// The sum of the keys of the records that a batch of mended rejects carries, where
/// its file still says where they came from.
pub(super) fn origin_key(plan: &RowPlan, batch: &RecordBatch) -> Option<u64> {
    let column = |name: &str| plan.layout.header.iter().position(|h| h == name);
    let (file, offset) = (column(ABOUT[0])?, column(ABOUT[2])?);
    let wide_enough = |record: &Record<'_>| record.len() > file.max(offset);
    Some(batch.records().filter(wide_enough).fold(0, |sum: u64, record| {
        sum.wrapping_add(key(record.field(file), record.field(offset)))
    }))
}

/// A rejected record as a report shows it; its file by index and name.
pub(super) fn shown(
    (member, file): (usize, &str),
    plan: &RowPlan,
    batch: &RecordBatch,
    reject: &Reject,
) -> RejectedRecord {
    let record = batch.record(reject.record as usize);
    let field = reject.field.filter(|i| *i < record.len()).map(|i| record.field(i));
    let start =
        field.map(|bytes| String::from_utf8_lossy(bytes).chars().take(LONGEST_SHOWN).collect());
    RejectedRecord {
        member,
        file: file.to_owned(),
        line: record.at().line,
        column: reject.field.and_then(|i| plan.layout.header.get(i)).cloned(),
        reason: reject.reason.name().to_owned(),
        // PostgreSQL's JSON cannot hold it.
        value: start.map(|text: String| text.replace('\0', "\u{fffd}")),
        message: reject.message.as_deref().map(str::to_owned),
    }
}

/// Writes rejects, one file per format that has any.
pub(super) struct RejectWriter {
    path: PathBuf,
    /// By index of the format.
    files: Vec<Option<Output>>,
}

struct Output {
    path: PathBuf,
    writer: BufWriter<File>,
    fields: Vec<String>,
}

impl RejectWriter {
    /// Will write to `path` when the first record is rejected; the rejects of an
    /// earlier load that are there go. [`check`] has looked at what it is.
    pub(super) fn create(path: &Path) -> Result<Self> {
        forget(path)?;
        Ok(RejectWriter { path: path.to_path_buf(), files: Vec::new() })
    }

    /// Writes the rejects of a batch.
    pub(super) fn write(
        &mut self,
        name: &str,
        plan: &RowPlan,
        formats: &Formats,
        batch: &RecordBatch,
    ) -> Result<()> {
        if batch.rejects.is_empty() {
            return Ok(());
        }
        let format = plan.layout.format;
        if self.files.len() <= format {
            self.files.resize_with(format + 1, || None);
        }
        if self.files[format].is_none() {
            let others = self.files.iter().any(Option::is_some);
            let path =
                if others { self.path_for(&formats.get(format).name) } else { self.path.clone() };
            self.files[format] = Some(Output::create(path, plan, formats)?);
        }
        let Some(output) = &mut self.files[format] else { return Ok(()) };
        for reject in &batch.rejects {
            let record = batch.record(reject.record as usize);
            output.write(name, plan, record, reject).map_err(|e| Error::file(&output.path, e))?;
        }
        Ok(())
    }

    /// `a.csv` becomes `a.<format>.csv`.
    fn path_for(&self, format: &str) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!("{stem}.{format}.csv"))
    }

    /// Ends the files; returns their paths.
    pub(super) fn finish(self) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for mut output in self.files.into_iter().flatten() {
            output.writer.flush().map_err(|e| Error::file(&output.path, e))?;
            paths.push(output.path);
        }
        Ok(paths)
    }
}

/// Removes the rejects of an earlier load.
fn forget(path: &Path) -> Result<()> {
    private::check(path, is_reject_file)?;
    match path.is_file() {
        true => std::fs::remove_file(path).map_err(|e| Error::file(path, e)),
        false => Ok(()),
    }
}

impl Output {
    fn create(path: PathBuf, plan: &RowPlan, formats: &Formats) -> Result<Self> {
        forget(&path)?;
        let file = private::create(&path).map_err(|e| {
            Error::file(&path, e).hint("name another file with --rejects, and go on with --resume")
        })?;
        let mut writer = BufWriter::new(file);
        // In the order in which this load's first file of the format has them.
        let known: Vec<&str> = formats.get(plan.layout.format).fields().collect();
        let header = plan.layout.header.iter().filter(|h| known.contains(&h.as_str()));
        let fields: Vec<String> = header.cloned().collect();
        let all = fields.iter().map(String::as_str).chain(ABOUT);
        let line = all.map(|f| quote(f.as_bytes())).collect::<Vec<_>>().join(&b","[..]);
        let written = writer.write_all(&line).and_then(|()| writer.write_all(b"\n"));
        written.map_err(|e| Error::file(&path, e))?;
        Ok(Output { path, writer, fields })
    }

    fn write(
        &mut self,
        name: &str,
        plan: &RowPlan,
        record: Record<'_>,
        reject: &Reject,
    ) -> std::io::Result<()> {
        let header = &plan.layout.header;
        for field in &self.fields {
            let index = header.iter().position(|h| h == field);
            // Where it is not known which field is which, none is put under a name.
            let known = |i: &usize| *i < record.len() && reject.reason != Reason::FieldCount;
            let value = index.filter(known).map(|i| record.field(i));
            self.writer.write_all(&quote(value.unwrap_or_default()))?;
            self.writer.write_all(b",")?;
        }
        let column = reject.field.and_then(|i| header.get(i)).map_or("", String::as_str);
        let value = reject.field.filter(|i| *i < record.len()).map(|i| record.field(i));
        let (line, offset) = (record.at().line.to_string(), record.at().byte_offset.to_string());
        let about: [&[u8]; ABOUT.len()] = [
            name.as_bytes(),
            line.as_bytes(),
            offset.as_bytes(),
            column.as_bytes(),
            reject.reason.name().as_bytes(),
            value.unwrap_or_default(),
            reject.message.as_deref().unwrap_or_default().as_bytes(),
            record.raw(),
        ];
        let line = about.map(quote).join(&b","[..]);
        self.writer.write_all(&line)?;
        self.writer.write_all(b"\n")
    }
}

/// A field as CSV writes it: quoted only where it must be.
fn quote(field: &[u8]) -> Cow<'_, [u8]> {
    if !field.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        return Cow::Borrowed(field);
    }
    let mut quoted = Vec::with_capacity(field.len() + 2);
    quoted.push(b'"');
    for byte in field {
        if *byte == b'"' {
            quoted.push(b'"');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    Cow::Owned(quoted)
}
