//! `sterna generate`: writes generated CITES files into a folder or a zip.
//!
//! Output never appears incomplete under its final name: it is written under a
//! temporary name in the same folder and renamed at the end.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::HumanBytes;
use serde::Serialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::Context;
use crate::cites::generate::{ComptabColumns, DEFAULT_ROWS, GenerateOptions, Generator};
use crate::cli::render::screen::counted;
use crate::error::{Error, Kind, Result};
use crate::private;

/// Generate CITES files, shaped like the real ones
#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    /// Number of records to generate, over all files
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ROWS)]
    pub rows: u64,
    /// Random seed: the same seed gives the same files
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Generate a worldwide download, in which most taxa match no species
    #[arg(long)]
    pub world: bool,
    /// Generate the previous release: the records that production already has
    #[arg(long, conflicts_with = "comptab")]
    pub earlier: bool,
    /// Generate the comparative tabulation of this year instead of shipments
    #[arg(long, value_name = "YEAR")]
    pub comptab: Option<u32>,
    /// Give the comparative tabulation the 13 columns of older exports
    #[arg(long, requires = "comptab")]
    pub older_columns: bool,
    /// Output: a name ending in .zip, or a new or empty folder
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Replace a zip that already exists
    #[arg(long)]
    pub force: bool,
}

/// The generated output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Generated {
    /// Number of CSV files.
    pub files: u64,
    /// Number of records, over all files.
    pub rows: u64,
    /// Bytes of CSV, before any compression.
    pub bytes: u64,
}

/// Generates the files, prints their size, and returns the exit code.
///
/// # Errors
/// As [`generate`].
pub fn run(args: &GenerateArgs, context: &Context) -> Result<u8> {
    let done = generate(args)?;
    let (files, rows) = (counted(done.files as u64, "file"), counted(done.rows, "record"));
    let bytes = HumanBytes(done.bytes);
    let place = args.out.display();
    context.print(&done, || format!("{rows} in {files}, {bytes}: {place}\n"))?;
    Ok(0)
}

/// Generates the files described by `args`.
///
/// # Errors
///
/// If the sizes are impossible, the output already exists, or it cannot be written.
pub fn generate(args: &GenerateArgs) -> Result<Generated> {
    let mut options = GenerateOptions::new(args.rows);
    (options.seed, options.world) = (args.seed, args.world);
    let generator = Generator::new(options)?;
    let download = Download {
        generator: if args.earlier { generator.earlier_release() } else { generator },
        comptab: args.comptab.map(|year| {
            let columns =
                if args.older_columns { ComptabColumns::Thirteen } else { ComptabColumns::Sixteen };
            (year, columns)
        }),
    };
    let zipped = args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
    if zipped {
        write_zip(&download, &args.out, args.force)
    } else {
        write_folder(&download, &args.out)
    }
}

/// The files to write: shipments or a comparative tabulation.
struct Download {
    generator: Generator,
    comptab: Option<(u32, ComptabColumns)>,
}

impl Download {
    fn files(&self) -> usize {
        if self.comptab.is_some() { 1 } else { self.generator.files() }
    }

    fn file_name(&self, index: usize) -> String {
        match self.comptab {
            Some((year, _)) => format!("comptab-{year}.csv"),
            None => self.generator.file_name(index),
        }
    }

    fn write_file(&self, index: usize, out: &mut impl Write) -> Result<u64> {
        match self.comptab {
            Some((year, columns)) => {
                self.generator.write_comptab(year, columns, self.generator.rows(), out)
            }
            None => self.generator.write_file(index, out),
        }
    }
}

fn write_zip(download: &Download, path: &Path, force: bool) -> Result<Generated> {
    if path.is_dir() {
        return Err(Error::usage(format!("{} is a folder", path.display()))
            .hint("name the zip itself, or a folder without the ending .zip"));
    }
    if !force && path.exists() {
        return Err(Error::usage(format!("{} exists already", path.display()))
            .hint("choose another name, or replace it with --force"));
    }
    let folder = parent(path);
    let temporary = tempfile::Builder::new()
        .prefix(".sterna-generate-")
        .suffix(".part")
        .tempfile_in(folder)
        .map_err(|source| Error::file(folder, source))?;
    let failed = |source: io::Error| Error::file(path, source);
    let mut zip = ZipWriter::new(BufWriter::new(temporary.as_file()));
    // A fixed date, so that the same seed gives the same zip.
    let member = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .large_file(true);
    let mut generated = Generated { files: 0, rows: 0, bytes: 0 };
    for index in 0..download.files() {
        zip.start_file(download.file_name(index), member).map_err(|e| failed(e.into()))?;
        let mut out = Counting { out: &mut zip, bytes: 0 };
        generated.rows += at(path, download.write_file(index, &mut out))?;
        generated.bytes += out.bytes;
        generated.files += 1;
    }
    let mut out = zip.finish().map_err(|e| failed(e.into()))?;
    out.flush().map_err(failed)?;
    drop(out);
    temporary.as_file().sync_all().map_err(failed)?;
    let placed = if force { temporary.persist(path) } else { temporary.persist_noclobber(path) };
    placed.map_err(|error| failed(error.error))?;
    Ok(generated)
}

fn write_folder(download: &Download, path: &Path) -> Result<Generated> {
    let failed = |source: io::Error| Error::file(path, source);
    if path.exists() {
        let mut entries = fs::read_dir(path).map_err(failed)?;
        if entries.next().is_some() {
            return Err(Error::usage(format!("{} is not empty", path.display()))
                .hint("choose a folder that is new or empty"));
        }
    }
    let folder = parent(path);
    let temporary = tempfile::Builder::new()
        .prefix(".sterna-generate-")
        .suffix(".part")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempdir_in(folder)
        .map_err(|source| Error::file(folder, source))?;
    let mut generated = Generated { files: 0, rows: 0, bytes: 0 };
    for index in 0..download.files() {
        let file = private::create(&temporary.path().join(download.file_name(index)));
        let mut out = Counting { out: file.map_err(failed)?, bytes: 0 };
        generated.rows += at(path, download.write_file(index, &mut out))?;
        out.out.sync_all().map_err(failed)?;
        generated.bytes += out.bytes;
        generated.files += 1;
    }
    // Renaming replaces an empty folder and fails if it is no longer empty.
    fs::rename(temporary.path(), path).map_err(failed)?;
    // The folder has moved, so there is nothing left to remove.
    let _moved = temporary.keep();
    Ok(generated)
}

/// Prefixes the error of a file that could not be written with the path of the output.
fn at<T>(path: &Path, result: Result<T>) -> Result<T> {
    result.map_err(|error| match error.kind() {
        Kind::File => error.context(path.display()),
        _ => error,
    })
}

/// The folder that contains `path`.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A writer that counts its bytes.
struct Counting<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn args(out: PathBuf) -> GenerateArgs {
        GenerateArgs {
            rows: 20_000,
            seed: 9,
            world: false,
            earlier: false,
            comptab: None,
            older_columns: false,
            out,
            force: false,
        }
    }

    #[test]
    fn zip_and_folder_hold_the_same_files() {
        let place = tempfile::tempdir().unwrap();
        let (zip, folder) = (place.path().join("a.zip"), place.path().join("a"));
        let generated = generate(&args(zip.clone())).unwrap();
        assert_eq!(generated, generate(&args(folder.clone())).unwrap());
        assert_eq!(generated.rows, 20_000);
        let mut archive = zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
        assert_eq!(archive.len() as u64, generated.files);
        let mut bytes = 0;
        for index in 0..archive.len() {
            let mut member = archive.by_index(index).unwrap();
            let mut text = String::new();
            member.read_to_string(&mut text).unwrap();
            assert_eq!(text, fs::read_to_string(folder.join(&*member.name().unwrap())).unwrap());
            bytes += text.len() as u64;
        }
        assert_eq!(bytes, generated.bytes);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_stands_there_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let zip = args(place.path().join("a.zip"));
        generate(&zip).unwrap();
        assert_eq!(generate(&zip).unwrap_err().kind(), Kind::Usage);
        let before = fs::read(&zip.out).unwrap();
        generate(&GenerateArgs { force: true, ..zip.clone() }).unwrap();
        assert_eq!(before, fs::read(&zip.out).unwrap());
        let full = generate(&args(place.path().to_owned())).unwrap_err();
        assert!(full.to_string().ends_with("is not empty"), "{full}");
    }

    #[test]
    fn an_empty_folder_is_filled() {
        let place = tempfile::tempdir().unwrap();
        let tabulation =
            GenerateArgs { rows: 50, comptab: Some(2012), ..args(place.path().to_owned()) };
        let generated = generate(&tabulation).unwrap();
        let text = fs::read_to_string(place.path().join("comptab-2012.csv")).unwrap();
        assert_eq!(text.lines().count(), 51);
        assert_eq!(generated, Generated { files: 1, rows: 50, bytes: text.len() as u64 });
    }

    #[test]
    fn nothing_is_left_where_writing_fails() {
        let place = tempfile::tempdir().unwrap();
        let error = generate(&args(place.path().join("missing").join("a.zip"))).unwrap_err();
        assert_eq!(error.kind(), Kind::File);
        assert!(generate(&GenerateArgs { rows: 0, ..args(place.path().join("b.zip")) }).is_err());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
