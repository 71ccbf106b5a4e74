//! Opens members and reads their decompressed bytes.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use flate2::bufread::GzDecoder;
use zip::ZipArchive;
use zip::read::{ZipArchiveMetadata, ZipReadOptions};

use super::damage::{Stray, explain, zip_error};
use super::identity::Watched;
use super::{File, Form, Inputs, Member};
use crate::error::{Error, Result};

/// Bytes read from disk at a time.
const READ_CHUNK: usize = 256 * 1024;
/// Room for the local header of an archive member, including its name.
const LOCAL_HEADER: u64 = 1024;
/// The magic number of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What to do with a form of compression that is not supported.
pub(super) const UNPACK: &str = "unpack it, or pack it as gzip or zip";
/// What to do with a file that holds no CSV.
const EXPORT: &str = "export its rows as CSV in UTF-8";

impl Inputs {
    /// Passes a reader of the decompressed bytes of `member` to `read`.
    ///
    /// A callback, because a zip member borrows its archive.
    ///
    /// # Errors
    /// Those of `read`; also if the member cannot be opened, or if it was read to its end and
    /// its file has changed since the inputs were identified. Damage found while reading is
    /// an I/O error of the reader; [`explain`] turns it into a readable one.
    pub fn with_reader<T>(
        &self,
        member: &Member,
        read: impl FnOnce(&mut (dyn Read + Send)) -> Result<T>,
    ) -> Result<T> {
        let file = &self.files[member.file];
        let opened = fs::File::open(&file.path).map_err(|e| Error::file(&*file.name, e))?;
        match (member.form, &file.archive) {
            (Form::Zip(index), Some(directory)) => {
                let entry = directory.entry(index).map_err(|e| zip_error(&member.name, e))?;
                let few = entry.compressed_size().saturating_add(LOCAL_HEADER);
                let few = usize::try_from(few).unwrap_or(READ_CHUNK);
                let mut reader = BufReader::with_capacity(few.min(READ_CHUNK), opened);
                // The CRC in the directory, which was read once, shows whether it has
                // changed.
                let inner = entry.with_reader(&mut reader, ZipReadOptions::new());
                read(&mut inner.map_err(|e| zip_error(&member.name, e))?)
            }
            (Form::Gzip(_), _) => {
                let mut watched = Watched::new(opened);
                let buffered = BufReader::with_capacity(READ_CHUNK, &mut watched);
                let done = read(&mut Gzip(Some(GzDecoder::new(buffered))))?;
                self.check(member, &watched).map(|()| done)
            }
            // Unbuffered: sources read in large chunks themselves.
            _ => {
                let mut watched = Watched::new(opened);
                let done = read(&mut watched)?;
                self.check(member, &watched).map(|()| done)
            }
        }
    }
}

/// Reads all parts of a gzip file, one after the other, to the end of the file.
struct Gzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut part) = self.0.take() {
            let read = part.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.0 = Some(part);
                return Ok(read);
            }
            let mut rest = part.into_inner();
            let next = rest.fill_buf()?;
            if next.first() == Some(&GZIP[0]) {
                self.0 = Some(GzDecoder::new(rest));
            } else {
                refuse_stray(rest)?;
            }
        }
        Ok(0)
    }
}

/// Refuses bytes after the gzip data. Zeros are accepted: they pad a tape block.
fn refuse_stray(mut rest: impl BufRead) -> io::Result<()> {
    loop {
        let bytes = rest.fill_buf()?;
        let read = bytes.len();
        if read == 0 {
            return Ok(());
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(io::Error::other(Stray));
        }
        rest.consume(read);
    }
}

/// A file that is easily mistaken for CSV or a supported archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, to follow "is".
    pub form: &'static str,
    /// How to make it readable.
    pub hint: &'static str,
}

/// Recognises such a file by its first bytes.
#[must_use]
pub fn foreign(start: &[u8]) -> Option<Foreign> {
    let (form, hint) = match start {
        [0x1f, 0x8b, ..] => ("compressed a second time, with gzip", "unpack it once"),
        [b'P', b'K', 3 | 5 | 7, ..] => ("a zip archive inside a compressed file", UNPACK),
        [b'B', b'Z', b'h', ..] => ("compressed with bzip2", UNPACK),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ("compressed with xz", UNPACK),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("compressed with zstd", UNPACK),
        [b'7', b'z', 0xbc, 0xaf, ..] => ("a 7z archive", UNPACK),
        [b'R', b'a', b'r', b'!', ..] => ("a rar archive", UNPACK),
        [b'P', b'A', b'R', b'1', ..] => ("a Parquet file", EXPORT),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => ("an old Excel file", EXPORT),
        [b'%', b'P', b'D', b'F', ..] => ("a PDF", EXPORT),
        _ => return None,
    };
    Some(Foreign { form, hint })
}

/// Reads the directory of an archive.
pub(super) fn zip_directory(name: &str, file: fs::File) -> Result<Arc<ZipArchiveMetadata>> {
    let failed = |e| zip_error(name, e);
    let mut reader = BufReader::with_capacity(READ_CHUNK, file);
    let archive = ZipArchive::new(&mut reader).map_err(failed)?;
    let (directory, from) = (archive.metadata(), archive.central_directory_start());
    // The zip crate keeps only the last of several members with the same name.
    if directory.has_duplicate_names() {
        return Err(Error::bad_file(name, "two members of the archive have the same name")
            .hint("unpack it, give the members distinct names, and name the folder"));
    }
    // It also trusts the member count at the end of the directory, which has only 16 bits.
    let there = count_entries(&mut reader, from).map_err(|e| explain(name, e))?;
    if there != directory.len() {
        let told = directory.len();
        let what = format!("the archive claims to have {told} members, but has {there}");
        return Err(Error::bad_file(name, what).hint(
            "unpack it with a program that finds them all, such as bsdtar, and name the folder",
        ));
    }
    Ok(directory)
}

/// Counts the members that a directory lists.
fn count_entries(reader: &mut (impl BufRead + Seek), from: u64) -> io::Result<usize> {
    const SIGNATURE: &[u8] = b"PK\x01\x02";
    /// Length of the signature and the fixed fields, before name, extra fields and comment.
    const FIXED_BYTES: usize = 46;
    reader.seek(SeekFrom::Start(from))?;
    let mut count = 0;
    let mut header = Vec::with_capacity(FIXED_BYTES);
    loop {
        header.clear();
        reader.by_ref().take(FIXED_BYTES as u64).read_to_end(&mut header)?;
        if header.len() < FIXED_BYTES || !header.starts_with(SIGNATURE) {
            return Ok(count);
        }
        let length = |at: usize| i64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        reader.seek_relative(length(28) + length(30) + length(32))?;
        count += 1;
    }
}

/// The CRC and size in the trailer of a gzip file: correct for a single part below 4 GiB.
pub(super) fn gzip_trailer(file: &File, opened: &mut fs::File) -> Result<(u32, u64)> {
    let failed = |e| Error::file(&*file.name, e);
    if file.size < 18 {
        return Err(explain(&file.name, io::ErrorKind::UnexpectedEof.into()));
    }
    let mut trailer = [0; 8];
    opened.seek(SeekFrom::End(-8)).map_err(failed)?;
    opened.read_exact(&mut trailer).map_err(failed)?;
    let [crc, size] = [0, 4].map(|at| {
        u32::from_le_bytes([trailer[at], trailer[at + 1], trailer[at + 2], trailer[at + 3]])
    });
    Ok((crc, u64::from(size)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// Builds an archive with that many members, finds it and reads every member. Returns how
    /// many bytes this thread has read from files per byte of the archive.
    #[cfg(target_os = "linux")]
    fn reads_per_byte(members: usize) -> f64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut writer = ZipWriter::new(fs::File::create(&path).unwrap());
        for member in 0..members {
            writer.start_file(format!("{member}.csv"), SimpleFileOptions::default()).unwrap();
            writer.write_all(format!("a,b\n{member},2\n").as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let before = bytes_read();
        let inputs = Inputs::discover(&[path.display().to_string()], false).unwrap();
        for (index, member) in inputs.members().iter().enumerate() {
            let read = |reader: &mut (dyn Read + Send)| {
                let mut text = String::new();
                reader.read_to_string(&mut text).map_err(|e| explain(&member.name, e))?;
                Ok(text)
            };
            let text = inputs.with_reader(member, read).unwrap();
            assert_eq!(text, format!("a,b\n{index},2\n"));
        }
        (bytes_read() - before) as f64 / path.metadata().unwrap().len() as f64
    }

    #[cfg(target_os = "linux")]
    fn bytes_read() -> u64 {
        let told = fs::read_to_string("/proc/thread-self/io").unwrap();
        let line = told.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
        line.parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_directory_of_an_archive_is_read_once_however_many_members_it_has() {
        let (few, many) = (reads_per_byte(300), reads_per_byte(3_000));
        assert!(many < 1.5 * few, "{few} and {many} bytes for each byte of the archive");
    }
}
