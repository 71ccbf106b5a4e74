//! Rejected records, as a CSV file per format that can be fixed and loaded by itself.
//!
//! The first columns are those of the format, so the file is of that format; what
//! is wrong stands in columns behind them that a load ignores. Made again by each
//! pass over the input, so a resumed load leaves no doubles in it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use crate::cites::{Formats, Layout};
use crate::error::{Error, Kind, Result};
use crate::load::account::Reason;
use crate::load::encode::RowPlan;
use crate::load::read::batch::{Record, RecordBatch, Reject};
use crate::load::report::RejectedRecord;
use crate::private;

/// The columns behind those of the format.
const ABOUT: [&str; 9] = [
    FILE,
    "sterna_line",
    OFFSET,
    "sterna_column",
    "sterna_reason",
    "sterna_value",
    "sterna_message",
    LOAD,
    RECORD,
];
const FILE: &str = "sterna_file";
const OFFSET: &str = "sterna_byte_offset";
const LOAD: &str = "sterna_load";
const RECORD: &str = "sterna_record";

/// How many characters of a rejected value a report shows.
const LONGEST_SHOWN: usize = 200;
/// How many bytes of a rejected value are said once more behind the fields.
const LONGEST_VALUE: usize = 1_000;
/// A longer record is not written a second time where its fields stand in their columns.
const LONGEST_RAW: usize = 64 << 10;
/// Bytes of rejects that are written although they are more than the load accepts.
const MOST_BYTES: u64 = 64 << 20;

/// Where the rejects of each format go, by its index.
pub(in crate::load) type Paths = BTreeMap<usize, PathBuf>;

/// The file that was named for the first format of the input, and `a.<format>.csv` beside
/// `a.csv` for each further one; a device or a pipe takes them all.
pub(in crate::load) fn paths(first: &Path, plans: &[RowPlan], formats: &Formats) -> Paths {
    let is_stream = first.exists() && !first.is_file();
    let mut paths = Paths::new();
    for format in plans.iter().map(|plan| plan.layout.format) {
        let further = || {
            let mut name = first.file_stem().unwrap_or_default().to_os_string();
            name.push(format!(".{}.csv", formats.get(format).name));
            first.with_file_name(name)
        };
        let is_first = paths.is_empty() || is_stream;
        let path = if is_first { first.to_path_buf() } else { further() };
        paths.entry(format).or_insert(path);
    }
    paths
}

/// Whether rejects can be written to `path`.
///
/// # Errors
/// Where sterna has not written what is there, where the folder is missing or closed, or
/// where a folder has that name.
pub(in crate::load) fn check(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::bad_file(path.display(), "is a folder, and rejects go to a file"));
    }
    check_own(path)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Permissions do not tell what a file system allows; trying does.
    tempfile::tempfile_in(folder).map(drop).map_err(|e| {
        Error::file(path, e).hint("name a file with --rejects whose folder can be written to")
    })
}

/// Whether nothing is at `path`, or the rejects of an earlier load.
fn check_own(path: &Path) -> Result<()> {
    private::check(path, is_reject_file).map_err(|e| match e.kind() {
        Kind::Usage => e.hint("name another file with --rejects; sterna overwrites only its own"),
        _ => e,
    })
}

/// Whether a file begins in the form that sterna writes rejects in.
fn is_reject_file(start: &[u8]) -> bool {
    let header = start.split(|b| *b == b'\n').next().unwrap_or_default();
    header.ends_with(RECORD.as_bytes())
}

/// Bytes that a record of a file may have, where those of other files may have `most`:
/// in a reject every quote of a record may be doubled.
pub(in crate::load) fn most_record_bytes(layout: &Layout, most: usize) -> usize {
    match layout.header.last() {
        Some(last) if last == RECORD => 2 * most + 4 * LONGEST_RAW,
        _ => most,
    }
}

/// What identifies a rejected record: its file and its place there. The keys of many
/// are summed, so that loads of fixed rejects can tell whether they have all of them.
pub(in crate::load) fn key(file: &[u8], byte_offset: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(file);
    hasher.update(&[0]);
    hasher.update(byte_offset);
    hasher.digest()
}

/// The rejects of earlier loads that a batch brings back, where its file still says where
/// they came from: the load of each, and its key. What names no load was rejected by `last`.
pub(in crate::load) fn brought_back(
    plan: &RowPlan,
    batch: &RecordBatch,
    last: Option<Uuid>,
) -> impl Iterator<Item = (Uuid, u64)> {
    let column = |name: &str| plan.layout.header.iter().position(|h| h == name);
    let (place, load) = (column(FILE).zip(column(OFFSET)), column(LOAD));
    batch.records().filter_map(move |record| {
        let field = |at: usize| Some(record).filter(|r| at < r.len()).map(|r| r.field(at));
        let (file, offset) = place?;
        let key = key(field(file)?, field(offset)?);
        let load = load.and_then(field).and_then(|load| Uuid::try_parse_ascii(load).ok());
        Some((load.or(last)?, key))
    })
}

/// A rejected record as a report shows it; its file by index and name.
pub(in crate::load) fn shown(
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

/// Writes rejects, a file for each format that has any.
pub(in crate::load) struct RejectWriter {
    paths: Paths,
    /// The load, as its rejects name it.
    load: String,
    /// By index of the format.
    files: BTreeMap<usize, Output>,
    /// Records and bytes written.
    written: (u64, u64),
}

struct Output {
    writer: BufWriter<File>,
    /// The columns that the fields go to, in the order of the fields.
    columns: Vec<String>,
}

impl RejectWriter {
    /// Will write to `paths` when the first record is rejected; the rejects of an
    /// earlier load that are there go.
    pub(in crate::load) fn create(paths: Paths, load: Uuid) -> Result<Self> {
        paths.values().try_for_each(|path| check_own(path))?;
        paths.values().try_for_each(|path| forget(path))?;
        let load = load.to_string();
        Ok(RejectWriter { paths, load, files: BTreeMap::new(), written: (0, 0) })
    }

    /// Writes the rejects of a batch. `are_accepted` tells whether a load accepts that many:
    /// more are written only as long as their file is not large.
    pub(in crate::load) fn write(
        &mut self,
        name: &str,
        plan: &RowPlan,
        formats: &Formats,
        batch: &RecordBatch,
        are_accepted: impl Fn(u64) -> bool,
    ) -> Result<()> {
        let format = plan.layout.format;
        let Some(path) = self.paths.get(&format) else { return Ok(()) };
        for reject in &batch.rejects {
            let (rejects, bytes) = self.written;
            if bytes >= MOST_BYTES && !are_accepted(rejects + 1) {
                return Ok(());
            }
            let output = match self.files.entry(format) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(place) => place.insert(Output::create(path, plan, formats)?),
            };
            let record = batch.record(reject.record as usize);
            let line = output.line(name, &self.load, plan, record, reject);
            output.writer.write_all(&line).map_err(|e| Error::file(path, e))?;
            self.written = (rejects + 1, bytes + line.len() as u64);
        }
        Ok(())
    }

    /// Ends the files; returns their paths, and how many records are in them.
    pub(in crate::load) fn finish(self) -> Result<(Vec<PathBuf>, u64)> {
        let mut paths = Vec::new();
        for (format, mut output) in self.files {
            let path = &self.paths[&format];
            output.writer.flush().map_err(|e| Error::file(path, e))?;
            paths.push(path.clone());
        }
        Ok((paths, self.written.0))
    }
}

/// Removes the rejects of an earlier load.
fn forget(path: &Path) -> Result<()> {
    match path.is_file() {
        true => std::fs::remove_file(path).map_err(|e| Error::file(path, e)),
        false => Ok(()),
    }
}

impl Output {
    fn create(path: &Path, plan: &RowPlan, formats: &Formats) -> Result<Self> {
        let file = private::create(path).map_err(|e| {
            Error::file(path, e).hint("name another file with --rejects, and go on with --resume")
        })?;
        let mut writer = BufWriter::new(file);
        // In the order in which this load's first file of the format has them.
        let known = &formats.get(plan.layout.format).columns;
        let fields = plan.layout.header.iter().filter_map(|field| known.get_key_value(field));
        let (fields, columns): (Vec<&String>, Vec<String>) =
            fields.map(|(field, column)| (field, column.clone())).unzip();
        let all = fields.into_iter().map(String::as_str).chain(ABOUT);
        let line = all.map(|f| quote(f.as_bytes())).collect::<Vec<_>>().join(&b","[..]);
        let written = writer.write_all(&line).and_then(|()| writer.write_all(b"\n"));
        written.map_err(|e| Error::file(path, e))?;
        Ok(Output { writer, columns })
    }

    /// The line of a reject.
    fn line(
        &self,
        name: &str,
        load: &str,
        plan: &RowPlan,
        record: Record<'_>,
        reject: &Reject,
    ) -> Vec<u8> {
        let header = &plan.layout.header;
        // Where it is not known which field is which, none is put under a name.
        let is_split = reject.reason != Reason::FieldCount;
        let fields = self.columns.iter().map(|column| {
            let index = plan.layout.columns.get(column).copied();
            let known = |i: &usize| *i < record.len() && is_split;
            index.filter(known).map(|i| record.field(i)).unwrap_or_default()
        });
        let column = reject.field.and_then(|i| header.get(i)).map_or("", String::as_str);
        let value = reject.field.filter(|i| *i < record.len()).map(|i| record.field(i));
        let value = value.unwrap_or_default();
        let (line, offset) = (record.at().line.to_string(), record.at().byte_offset.to_string());
        let raw = record.raw();
        let about: [&[u8]; ABOUT.len()] = [
            name.as_bytes(),
            line.as_bytes(),
            offset.as_bytes(),
            column.as_bytes(),
            reject.reason.name().as_bytes(),
            &value[..value.len().min(LONGEST_VALUE)],
            reject.message.as_deref().unwrap_or_default().as_bytes(),
            load.as_bytes(),
            if is_split && raw.len() > LONGEST_RAW { b"" } else { raw },
        ];
        let mut line = fields.chain(about).map(quote).collect::<Vec<_>>().join(&b","[..]);
        line.push(b'\n');
        line
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
