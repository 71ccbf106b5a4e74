//! Writes rejected records to one CSV file per format, which can be fixed and loaded.
//!
//! The first columns are those of the format, so the file has that format; the columns after
//! them say what is wrong and are ignored by a load. Each pass over the input writes the file
//! from scratch, so a resumed load leaves no duplicates in it.

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

/// The columns after those of the format.
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

/// The maximum number of characters of a rejected value in a report.
const LONGEST_SHOWN: usize = 200;
/// The maximum number of bytes of a rejected value repeated in `sterna_value`.
const LONGEST_VALUE: usize = 1_000;
/// A longer record is not repeated in `sterna_record` if its fields are in their columns.
const LONGEST_RAW: usize = 64 << 10;
/// Once this many bytes are written, rejects beyond the number that the load accepts are not.
const MOST_BYTES: u64 = 64 << 20;

/// The file for the rejects of each format, by index of the format.
pub(in crate::load) type Paths = BTreeMap<usize, PathBuf>;

/// Returns the reject file of each format: the named file for the first format of the input,
/// and `a.<format>.csv` next to `a.csv` for each further one. A device or pipe takes all.
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

/// Checks that rejects can be written to `path`.
///
/// # Errors
/// If a file exists there that sterna did not write, if the folder is missing or not
/// writable, or if `path` is itself a folder.
pub(in crate::load) fn check(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::bad_file(path.display(), "is a folder; rejects go to a file"));
    }
    check_own(path)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Permissions do not show what a file system allows; trying does.
    tempfile::tempfile_in(folder)
        .map(drop)
        .map_err(|e| Error::file(path, e).hint("name a file in a writable folder with --rejects"))
}

/// Checks that `path` is free, or holds the rejects of an earlier load.
fn check_own(path: &Path) -> Result<()> {
    private::check(path, is_reject_file).map_err(|e| match e.kind() {
        Kind::Usage => e.hint("name another file with --rejects; sterna overwrites only its own"),
        _ => e,
    })
}

/// Whether a file starts with the header of a reject file.
fn is_reject_file(start: &[u8]) -> bool {
    let header = start.split(|b| *b == b'\n').next().unwrap_or_default();
    header.ends_with(RECORD.as_bytes())
}

/// The maximum size of a record in a file with this layout, if it is `most` in other files. It
/// is larger in reject files, where every quote of a record may be doubled.
pub(in crate::load) fn most_record_bytes(layout: &Layout, most: usize) -> usize {
    match layout.header.last() {
        Some(last) if last == RECORD => 2 * most + 4 * LONGEST_RAW,
        _ => most,
    }
}

/// The key of a rejected record: a hash of its file and its offset there. Sums of keys show
/// whether all rejects of a load have come back fixed.
pub(in crate::load) fn key(file: &[u8], byte_offset: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(file);
    hasher.update(&[0]);
    hasher.update(byte_offset);
    hasher.digest()
}

/// The rejects of earlier loads in a batch, if its file still has the columns that say where
/// they came from: the load of each, and its key. Without a load, `last` is assumed.
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

/// A rejected record as shown in a report; `member` and `file` are the index and name of its
/// file.
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
        // jsonb cannot hold NUL.
        value: start.map(|text: String| text.replace('\0', "\u{fffd}")),
        message: reject.message.as_deref().map(str::to_owned),
    }
}

/// Writes rejects to one file for each format that has any.
pub(in crate::load) struct RejectWriter {
    paths: Paths,
    /// The id of the load, as written with each reject.
    load: String,
    /// By index of the format.
    files: BTreeMap<usize, Output>,
    /// Records and bytes written.
    written: (u64, u64),
}

struct Output {
    writer: BufWriter<File>,
    /// The target columns of the fields, in field order.
    columns: Vec<String>,
}

impl RejectWriter {
    /// Creates a writer to `paths`, which creates a file at its first reject. Deletes rejects of
    /// an earlier load there.
    pub(in crate::load) fn create(paths: Paths, load: Uuid) -> Result<Self> {
        paths.values().try_for_each(|path| check_own(path))?;
        paths.values().try_for_each(|path| forget(path))?;
        let load = load.to_string();
        Ok(RejectWriter { paths, load, files: BTreeMap::new(), written: (0, 0) })
    }

    /// Writes the rejects of a batch. `are_accepted` says whether the load accepts that many;
    /// beyond that, rejects are written only up to [`MOST_BYTES`].
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

    /// Finishes the files; returns their paths and the number of records in them.
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
            Error::file(path, e).hint("name another file with --rejects, and add --resume")
        })?;
        let mut writer = BufWriter::new(file);
        // In the order of this load's first file of the format.
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
        // If fields cannot be assigned to columns for certain, all columns stay empty.
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

/// A field in CSV form, quoted only if necessary.
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
