//! Resolves arguments to files and members.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::damage::zip_error;
use super::name::{Kind, kind, natural};
use super::open::{UNPACK, foreign, gzip_trailer, zip_directory};
use super::{File, Foreign, Form, Inputs, LeftOut, Member};
use crate::error::{Error, Result, did_you_mean};

/// The maximum number of skipped files that an error names.
const NAMED: usize = 5;

/// The device and inode of a file, which identify it on this machine.
pub(super) fn place(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// The file beside a missing one that was most likely meant.
fn meant(missing: &str) -> Option<String> {
    let path = Path::new(missing);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<_> =
        names.filter(|name| matches!(kind(name), Kind::Csv | Kind::Packed)).collect();
    did_you_mean(path.file_name()?.to_str()?, names.iter().map(String::as_str))
}

impl Inputs {
    /// Finds every CSV stream in `inputs`: files, folders (with their subfolders if
    /// `recursive`), globs, or `-`.
    ///
    /// Standard input and pipes are copied to temporary files first, because an input is
    /// read more than once: to identify it, to load it, and to resume.
    ///
    /// # Errors
    /// A path that does not exist, a folder or archive without CSV files or with data in an
    /// unsupported format, or the same file named twice.
    pub fn discover(inputs: &[String], recursive: bool) -> Result<Self> {
        let mut found = Inputs::default();
        let mut has_stdin = false;
        for input in inputs {
            if input == "-" {
                if std::mem::replace(&mut has_stdin, true) {
                    return Err(Error::usage("- is given twice; stdin can be read only once"));
                }
                found.add_pipe(&mut io::stdin().lock(), "stdin")?;
                continue;
            }
            let path = Path::new(input);
            match fs::metadata(path) {
                Ok(meta) if meta.is_dir() => found.add_folder(path, recursive)?,
                Ok(meta) if is_pipe(&meta) => {
                    let mut pipe = fs::File::open(path).map_err(|e| Error::file(path, e))?;
                    found.add_pipe(&mut pipe, input)?;
                }
                Ok(_) => found.add_file(path, input)?,
                Err(error) => found.add_glob(input, recursive, error)?,
            }
        }
        if found.members.is_empty() {
            return Err(Error::usage("no input")
                .hint("name a CSV file, a .csv.gz, a .zip, a folder, a glob, or - for stdin"));
        }
        found.files.shrink_to_fit();
        found.members.shrink_to_fit();
        Ok(found)
    }

    fn add_pipe(&mut self, pipe: &mut dyn Read, name: &str) -> Result<()> {
        let failed = |e| Error::file(name, e);
        let mut spool = tempfile::NamedTempFile::new().map_err(failed)?;
        io::copy(pipe, &mut spool).map_err(failed)?;
        let path = spool.path().to_path_buf();
        self.spools.push(spool);
        self.add_file(&path, name)
    }

    fn add_folder(&mut self, folder: &Path, recursive: bool) -> Result<()> {
        let (files_before, left_out_before) = (self.files.len(), self.left_out.len());
        let mut paths = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let failed = |e| Error::file(&folder, e);
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let (path, is_link) =
                    (entry.path(), entry.file_type().map_err(failed)?.is_symlink());
                match fs::metadata(&path) {
                    // Following links could loop.
                    Ok(meta) if meta.is_dir() && recursive && !is_link => folders.push(path),
                    Ok(meta) if meta.is_dir() => {
                        let reason = match recursive {
                            true => "a link to a folder; name it explicitly to read it",
                            false => "a folder; --recursive reads subfolders",
                        };
                        self.leave_out(path.display(), reason);
                    }
                    Ok(meta) if !meta.is_file() => self.leave_out(path.display(), "not a file"),
                    _ => self.look_at(path, &mut paths)?,
                }
            }
        }
        self.left_out[left_out_before..].sort_by_cached_key(|left| natural(&left.path));
        self.add_all(paths)?;
        if self.files.len() > files_before {
            return Ok(());
        }
        let left_out = &self.left_out[left_out_before..];
        let mut what = "holds no .csv, .csv.gz or .zip file".to_owned();
        if !left_out.is_empty() {
            let named = left_out.iter().take(NAMED);
            let named: Vec<_> = named.map(|l| format!("{} ({})", l.path, l.reason)).collect();
            what.push_str(&format!(", but {}", named.join(", ")));
        }
        if left_out.len() > NAMED {
            what.push_str(&format!(" and {} more", left_out.len() - NAMED));
        }
        Err(Error::bad_file(folder.display(), what))
    }

    /// Decides by its name what to do with a file in a folder.
    fn look_at(&mut self, path: PathBuf, paths: &mut Vec<PathBuf>) -> Result<()> {
        match kind(&path.file_name().unwrap_or_default().to_string_lossy()) {
            Kind::Csv | Kind::Packed => paths.push(path),
            Kind::LeftOut(reason) => self.leave_out(path.display(), reason),
            Kind::OtherData => {
                return Err(Error::bad_file(path.display(), "is data in an unsupported format")
                    .hint(format!("{UNPACK}; or name only the files to be read")));
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, path: impl std::fmt::Display, reason: &str) {
        self.left_out.push(LeftOut { path: path.to_string(), reason: reason.to_owned() });
    }

    fn add_glob(&mut self, pattern: &str, recursive: bool, missing: io::Error) -> Result<()> {
        if !pattern.contains(['*', '?', '[']) {
            let meant =
                (missing.kind() == io::ErrorKind::NotFound).then(|| meant(pattern)).flatten();
            let error = Error::file(pattern, missing);
            return Err(match meant {
                Some(meant) => error.hint(meant),
                None => error,
            });
        }
        let paths = glob::glob(pattern)
            .map_err(|e| Error::usage(format!("{pattern}: not a glob: {e}")))?
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|e| {
                let path = e.path().to_owned();
                Error::file(path, e.into())
            })?;
        let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
        if files.is_empty() && (folders.is_empty() || !recursive) {
            return Err(Error::bad_file(pattern, "matches no file"));
        }
        for folder in folders {
            match recursive {
                true => self.add_folder(&folder, true)?,
                false => self.leave_out(folder.display(), "a folder; name it to read it"),
            }
        }
        self.add_all(files)
    }

    fn add_all(&mut self, mut paths: Vec<PathBuf>) -> Result<()> {
        paths.sort_by_cached_key(|path| natural(&path.to_string_lossy()));
        paths.iter().try_for_each(|path| self.add_file(path, &path.display().to_string()))
    }

    fn add_file(&mut self, path: &Path, name: &str) -> Result<()> {
        let failed = |e| Error::file(name, e);
        let mut opened = fs::File::open(path).map_err(failed)?;
        let meta = opened.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Err(Error::bad_file(name, "is not a regular file"));
        }
        let index = self.files.len();
        if let Some(before) = self.known.insert(place(&meta), index) {
            let before = &self.files[before].name;
            let what = match **before == *name {
                true => format!("{name} is named twice"),
                false => format!("{name} is named twice, also as {before}"),
            };
            return Err(
                Error::usage(what).hint("name each file once, so that no record is read twice")
            );
        }
        let mut magic = Vec::with_capacity(6);
        opened.by_ref().take(6).read_to_end(&mut magic).map_err(failed)?;
        let name: Arc<str> = name.into();
        let (path, size) = (path.to_path_buf(), meta.len());
        let mut file = File { path, name: Arc::clone(&name), size, archive: None };
        let member = |form, bytes| Member { name: Arc::clone(&name), file: index, bytes, form };
        match magic.as_slice() {
            [0x1f, 0x8b, ..] => {
                let (crc, bytes) = gzip_trailer(&file, &mut opened)?;
                self.members.push(member(Form::Gzip(crc), bytes));
            }
            [b'P', b'K', 3 | 5 | 7, ..] => {
                let directory = zip_directory(&name, opened)?;
                self.add_members(index, &name, &directory)?;
                file.archive = Some(directory);
            }
            other => {
                if let Some(Foreign { form, hint }) = foreign(other) {
                    return Err(Error::bad_file(name, format!("is {form}")).hint(hint));
                }
                self.members.push(member(Form::Plain, size));
            }
        }
        self.files.push(file);
        Ok(())
    }

    /// Adds the CSV files of an archive, in the archive's order.
    fn add_members(
        &mut self,
        file: usize,
        archive: &str,
        directory: &zip::read::ZipArchiveMetadata,
    ) -> Result<()> {
        let before = self.members.len();
        for index in 0..directory.len() {
            let failed = |e| zip_error(archive, e);
            let entry = directory.entry(index).map_err(failed)?;
            let inner = entry.name().map_err(failed)?;
            let name = format!("{archive}/{inner}");
            if entry.is_dir() {
                continue;
            }
            let what = match kind(inner.rsplit('/').next().unwrap_or_default()) {
                _ if inner.starts_with("__MACOSX/") => {
                    self.leave_out(name, "metadata that macOS adds to archives");
                    continue;
                }
                Kind::LeftOut(_) => {
                    self.leave_out(name, "its name does not end in .csv, or it is hidden");
                    continue;
                }
                Kind::Packed => Some("is packed inside an archive, which is not supported"),
                Kind::OtherData => Some("is data in an unsupported format"),
                Kind::Csv if entry.is_symlink() => Some("is a symbolic link"),
                Kind::Csv if entry.encrypted() => Some("is encrypted"),
                Kind::Csv => None,
            };
            if let Some(what) = what {
                return Err(Error::bad_file(name, what).hint(format!(
                    "unpack {archive} and the packed files in it into a folder, and name the folder"
                )));
            }
            let (name, bytes) = (name.into(), entry.size());
            self.members.push(Member { name, file, bytes, form: Form::Zip(index) });
        }
        if self.members.len() == before {
            return Err(Error::bad_file(archive, "the archive holds no CSV file"));
        }
        Ok(())
    }
}

/// Whether the file can be read only once, such as `/dev/stdin` or `<(...)`.
fn is_pipe(meta: &Metadata) -> bool {
    let kind = meta.file_type();
    kind.is_fifo() || kind.is_char_device() || kind.is_socket()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_globs_and_doubles() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["b_10.csv", "b_9.csv", ".hidden.csv", "notes.txt"] {
            fs::write(at(name), "x").unwrap();
        }
        let all = Inputs::discover(&[folder.path().display().to_string()], false).unwrap();
        let names: Vec<_> = all.members().iter().map(|m| m.name.to_string()).collect();
        assert_eq!(names, [at("b_9.csv"), at("b_10.csv")]);
        let left_out: Vec<_> = all.left_out().iter().map(|l| l.path.as_str()).collect();
        assert_eq!(left_out, [at(".hidden.csv"), at("notes.txt")]);
        assert_eq!(Inputs::discover(&[at("b_*.csv")], false).unwrap().members().len(), 2);
        let error = |inputs: &[String]| Inputs::discover(inputs, false).unwrap_err().to_string();
        assert!(error(&[at("b_*.csv"), at("b_9.csv")]).contains("named twice"));
        std::os::unix::fs::symlink("b_9.csv", at("c.csv")).unwrap();
        assert!(error(&[at("b_9.csv"), at("c.csv")]).contains("also as"));
        assert!(error(&[at("missing.csv")]).contains("missing.csv"));
        let meant = Inputs::discover(&[at("b_10.cvs")], false).unwrap_err();
        assert_eq!(meant.next_step(), Some("did you mean b_10.csv?"));
        assert!(error(&[at("d_*.csv")]).contains("matches no file"));
        assert!(error(&[]).contains("no input"));
    }

    #[test]
    fn folders_in_folders_are_read_where_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir_all(at("2/deep")).unwrap();
        for name in ["b.csv", "2/a.csv", "2/deep/c.csv"] {
            fs::write(at(name), name).unwrap();
        }
        std::os::unix::fs::symlink("..", at("2/up")).unwrap();
        let found = |recursive| {
            let found = Inputs::discover(&[folder.path().display().to_string()], recursive);
            let found = found.unwrap();
            let names: Vec<_> = found.members().iter().map(|m| m.name.to_string()).collect();
            let left_out: Vec<_> = found.left_out().iter().map(|l| l.path.clone()).collect();
            (names, left_out)
        };
        assert_eq!(found(false), (vec![at("b.csv")], vec![at("2")]));
        let all = vec![at("2/a.csv"), at("2/deep/c.csv"), at("b.csv")];
        assert_eq!(found(true), (all, vec![at("2/up")]));
    }

    #[test]
    fn data_that_is_not_read_is_an_error_and_an_empty_folder_says_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let error = || {
            let named = [folder.path().display().to_string()];
            Inputs::discover(&named, false).unwrap_err().to_string()
        };
        fs::write(folder.path().join("notes.txt"), "x").unwrap();
        assert!(error().contains("holds no .csv, .csv.gz or .zip file, but "), "{}", error());
        assert!(error().contains("notes.txt (its name"), "{}", error());
        fs::write(folder.path().join("a.csv"), "x").unwrap();
        fs::write(folder.path().join("b.csv.bz2"), "x").unwrap();
        assert!(error().contains("b.csv.bz2: is data in an unsupported format"), "{}", error());
    }
}
