//! From a member to its bytes.

use std::fs;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{File, Form, Inputs, Member};
use crate::error::{Error, Result};

/// Bytes read from disk at a time.
const READ_CHUNK: usize = 256 * 1024;

impl Inputs {
    /// Hands the decompressed bytes of `member` to `read`.
    ///
    /// A callback, because a zip member borrows its archive.
    ///
    /// # Errors
    /// Those of `read`, and where the member cannot be opened. Damage that shows
    /// later is an I/O error of the reader; [`explain`] puts it in words.
    pub fn with_reader<T>(
        &self,
        member: &Member,
        read: impl FnOnce(&mut (dyn Read + Send)) -> Result<T>,
    ) -> Result<T> {
        let file = &self.files[member.file];
        let open = || fs::File::open(&file.path).map_err(|e| Error::file(&file.name, e));
        match member.form {
            // Sources read in large chunks themselves.
            Form::Plain => read(&mut open()?),
            Form::Gzip => {
                read(&mut MultiGzDecoder::new(BufReader::with_capacity(READ_CHUNK, open()?)))
            }
            Form::Zip(index) => {
                let mut archive = archive(file)?;
                let mut inner = archive.by_index(index).map_err(|e| zip_error(&member.name, e))?;
                read(&mut inner)
            }
        }
    }
}

/// An error while reading a member, in words that say what is wrong with its file.
#[must_use]
pub fn explain(member: &str, error: io::Error) -> Error {
    let text = error.to_string();
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Error::bad_file(member, "the archive ends early: it is truncated")
            .hint("download or copy it again, and compare its size or checksum");
    }
    let corrupt = matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    if corrupt || text.contains("checksum") || text.contains("deflate") {
        return Error::bad_file(member, format!("the archive is damaged ({text})"))
            .hint("download or copy it again, and compare its size or checksum");
    }
    Error::file(member, error)
}

fn archive(file: &File) -> Result<ZipArchive<BufReader<fs::File>>> {
    let opened = fs::File::open(&file.path).map_err(|e| Error::file(&file.name, e))?;
    ZipArchive::new(BufReader::with_capacity(READ_CHUNK, opened))
        .map_err(|e| zip_error(&file.name, e))
}

/// How many members an archive has by the record that ends its directory: 22 bytes
/// and a comment. `None` where it is of the larger form, which counts elsewhere.
fn entries(file: &File) -> Result<Option<u64>> {
    const RECORD_BYTES: u64 = 22;
    let failed = |e| Error::file(&file.name, e);
    let mut opened = fs::File::open(&file.path).map_err(failed)?;
    let tail_bytes = file.size.min(RECORD_BYTES + u64::from(u16::MAX));
    opened.seek(SeekFrom::Start(file.size - tail_bytes)).map_err(failed)?;
    let mut tail = Vec::new();
    opened.read_to_end(&mut tail).map_err(failed)?;
    let record = tail.windows(RECORD_BYTES as usize).rev().find(|w| w.starts_with(b"PK\x05\x06"));
    let entries = record.map(|record| u16::from_le_bytes([record[10], record[11]]));
    Ok(entries.filter(|entries| *entries != u16::MAX).map(u64::from))
}

/// Index, name and size of every CSV file in an archive, in the archive's order.
pub(super) fn zip_members(file: &File) -> Result<Vec<(usize, String, u64)>> {
    let mut archive = archive(file)?;
    if entries(file)?.is_some_and(|entries| entries != archive.len() as u64) {
        // The library keeps the last of several members that share a name.
        return Err(Error::bad_file(&file.name, "two members of the archive have the same name")
            .hint("unpack it, give the members names of their own, and name the folder"));
    }
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|e| zip_error(&file.name, e))?;
        let name = entry.name().map_err(|e| zip_error(&file.name, e))?.into_owned();
        let base = name.rsplit('/').next().unwrap_or_default();
        let is_csv = base.to_lowercase().ends_with(".csv") && !base.starts_with('.');
        if !is_csv || name.starts_with("__MACOSX/") {
            if entry.is_file() {
                tracing::info!(archive = file.name, member = name, "not a CSV file, left out");
            }
            continue;
        }
        if entry.encrypted() {
            return Err(Error::bad_file(format!("{}/{name}", file.name), "is encrypted")
                .hint("unpack it with its password first"));
        }
        members.push((index, name, entry.size()));
    }
    if members.is_empty() {
        return Err(Error::bad_file(&file.name, "the archive holds no CSV file"));
    }
    Ok(members)
}

/// The size after decompression as the trailer tells it: exact for one gzip member
/// below 4 GiB, else too low; it only serves to show progress.
pub(super) fn gzip_size(file: &File) -> Result<u64> {
    let failed = |e| Error::file(&file.name, e);
    if file.size < 18 {
        return Err(explain(&file.name, io::ErrorKind::UnexpectedEof.into()));
    }
    let mut opened = fs::File::open(&file.path).map_err(failed)?;
    let mut trailer = [0; 4];
    opened.seek(SeekFrom::End(-4)).map_err(failed)?;
    opened.read_exact(&mut trailer).map_err(failed)?;
    Ok(u64::from(u32::from_le_bytes(trailer)).max(file.size))
}

fn zip_error(name: &str, error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => explain(name, error),
        ZipError::InvalidArchive(what) => {
            Error::bad_file(name, format!("the zip archive is truncated or damaged ({what})"))
                .hint("download or copy it again, and compare its size or checksum")
        }
        ZipError::UnsupportedArchive(what) => {
            Error::bad_file(name, format!("the zip archive uses what sterna cannot read ({what})"))
                .hint("unpack it and name the folder")
        }
        other => Error::bad_file(name, other),
    }
}
