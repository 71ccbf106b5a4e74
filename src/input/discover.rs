//! From arguments to files and members.

use std::cmp::Ordering;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{File, Form, Inputs, Member};
use crate::error::{Error, Result};

impl Inputs {
    /// Finds every CSV stream that `inputs` name: files, folders, globs, or `-`.
    ///
    /// Standard input is copied to a temporary file first, because an input is
    /// read more than once: to identify it, to load it, and to resume.
    ///
    /// # Errors
    /// A path that does not exist, a folder or archive without CSV files, a form
    /// of compression that is not supported, or the same file named twice.
    pub fn discover(inputs: &[String]) -> Result<Self> {
        let mut found = Inputs { files: Vec::new(), members: Vec::new(), _spool: None };
        for input in inputs {
            if input == "-" {
                found.add_stdin()?;
                continue;
            }
            let path = Path::new(input);
            match std::fs::metadata(path) {
                Ok(meta) if meta.is_dir() => found.add_folder(path)?,
                Ok(_) => found.add_file(path, input)?,
                Err(error) => found.add_glob(input, error)?,
            }
        }
        if found.members.is_empty() {
            return Err(Error::usage("no input")
                .hint("name a CSV file, a .csv.gz, a .zip, a folder, a glob, or - for stdin"));
        }
        Ok(found)
    }

    fn add_stdin(&mut self) -> Result<()> {
        if self._spool.is_some() {
            return Err(Error::usage("- is given twice; standard input can be read once"));
        }
        let failed = |e| Error::file("standard input", e);
        let mut spool = tempfile::NamedTempFile::new().map_err(failed)?;
        std::io::copy(&mut std::io::stdin().lock(), &mut spool).map_err(failed)?;
        let path = spool.path().to_path_buf();
        self._spool = Some(spool);
        self.add_file(&path, "stdin")
    }

    fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let failed = |e| Error::file(folder, e);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_file() && has_known_ending(&path) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(Error::bad_file(folder.display(), "holds no .csv, .csv.gz or .zip file"));
        }
        self.add_all(paths)
    }

    fn add_glob(&mut self, pattern: &str, missing: std::io::Error) -> Result<()> {
        if !pattern.contains(['*', '?', '[']) {
            return Err(Error::file(pattern, missing));
        }
        let paths = glob::glob(pattern)
            .map_err(|e| Error::usage(format!("{pattern}: not a glob: {e}")))?
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|e| {
                let path = e.path().to_owned();
                Error::file(path, e.into())
            })?;
        let files: Vec<_> = paths.into_iter().filter(|p| p.is_file()).collect();
        if files.is_empty() {
            return Err(Error::bad_file(pattern, "matches no file"));
        }
        self.add_all(files)
    }

    fn add_all(&mut self, mut paths: Vec<PathBuf>) -> Result<()> {
        paths.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        paths.iter().try_for_each(|path| self.add_file(path, &path.display().to_string()))
    }

    fn add_file(&mut self, path: &Path, name: &str) -> Result<()> {
        let failed = |e| Error::file(name, e);
        let canonical = path.canonicalize().map_err(failed)?;
        let known = |f: &File| f.path.canonicalize().is_ok_and(|p| p == canonical);
        if self.files.iter().any(known) {
            return Err(Error::usage(format!("{name} is named twice"))
                .hint("name each file once, so that no record is read twice"));
        }
        let meta = std::fs::metadata(path).map_err(failed)?;
        if !meta.is_file() {
            return Err(Error::bad_file(name, "is not a regular file")
                .hint("give a pipe as -, so that it can be read more than once"));
        }
        let file = File {
            path: path.to_path_buf(),
            name: name.to_owned(),
            size: meta.len(),
            modified: meta.modified().ok(),
        };
        let mut magic = Vec::with_capacity(6);
        let opened = std::fs::File::open(path).map_err(failed)?;
        opened.take(6).read_to_end(&mut magic).map_err(failed)?;
        let index = self.files.len();
        let member = |form, bytes| Member { name: name.to_owned(), file: index, bytes, form };
        match magic.as_slice() {
            [0x1f, 0x8b, ..] => {
                let bytes = super::open::gzip_size(&file)?;
                self.members.push(member(Form::Gzip, bytes));
            }
            [b'P', b'K', 3 | 5 | 7, ..] => {
                let members = super::open::zip_members(&file)?.into_iter();
                self.members.extend(members.map(|(at, inner, bytes)| Member {
                    name: format!("{name}/{inner}"),
                    ..member(Form::Zip(at), bytes)
                }));
            }
            other => {
                if let Some(form) = foreign(other) {
                    return Err(Error::bad_file(name, format!("is {form}"))
                        .hint("unpack it, or pack it as gzip or zip"));
                }
                self.members.push(member(Form::Plain, file.size));
            }
        }
        self.files.push(file);
        Ok(())
    }
}

/// Forms that are easily taken for CSV or for a supported archive.
fn foreign(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [b'B', b'Z', b'h', ..] => Some("compressed with bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some("compressed with xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("compressed with zstd"),
        [b'7', b'z', 0xbc, 0xaf, ..] => Some("a 7z archive"),
        [b'R', b'a', b'r', b'!', ..] => Some("a rar archive"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Some("an old Excel file"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF"),
        _ => None,
    }
}

fn has_known_ending(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    // What an earlier load has rejected is loaded only when it is named itself.
    let left_out = name.starts_with('.') || name.starts_with("sterna-rejects-");
    !left_out && [".csv", ".csv.gz", ".zip"].iter().any(|ending| name.ends_with(ending))
}

/// Orders `trade_db_2.csv` before `trade_db_10.csv`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    fn key(text: &str) -> Vec<(String, u128, String)> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(digits);
            let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
            let (number, tail) = tail.split_at(end);
            let value = number.parse().unwrap_or(if number.is_empty() { 0 } else { u128::MAX });
            parts.push((word.to_owned(), value, number.to_owned()));
            rest = tail;
        }
        parts
    }
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["t_10.csv", "t_9.csv", "t_1.csv", "s.csv"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["s.csv", "t_1.csv", "t_9.csv", "t_10.csv"]);
    }

    #[test]
    fn folders_globs_and_doubles() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["b_10.csv", "b_9.csv", ".hidden.csv", "notes.txt"] {
            std::fs::write(at(name), "x").unwrap();
        }
        let all = Inputs::discover(&[folder.path().display().to_string()]).unwrap();
        let names: Vec<_> = all.members().iter().map(|m| m.name.clone()).collect();
        assert_eq!(names, [at("b_9.csv"), at("b_10.csv")]);
        assert_eq!(Inputs::discover(&[at("b_*.csv")]).unwrap().members().len(), 2);
        let error = |inputs: &[String]| Inputs::discover(inputs).unwrap_err().to_string();
        assert!(error(&[at("b_*.csv"), at("b_9.csv")]).contains("named twice"));
        assert!(error(&[at("missing.csv")]).contains("missing.csv"));
        assert!(error(&[at("c_*.csv")]).contains("matches no file"));
        assert!(error(&[]).contains("no input"));
        let stop = std::sync::atomic::AtomicBool::new(false);
        assert!(all.digest(2, &stop).unwrap_err().to_string().contains("same file twice"));
    }
}
