//! The folder of a backup: private, with checksums, and either complete or absent.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::error::{Error, Kind, Result};
use crate::private;

/// The file of checksums, in the format of `sha256sum -c`.
pub(super) const SUMS: &str = "SHA256SUMS";

/// A backup that is being written, in a hidden folder beside its final place. It gets its
/// name when it is complete and on disk; until then, dropping it removes it.
pub(super) struct Draft {
    folder: TempDir,
    place: PathBuf,
    names: Vec<String>,
}

impl Draft {
    /// Begins a backup that will be published at `place`.
    ///
    /// # Errors
    /// A usage error if something is already there.
    pub(super) fn new(place: &Path) -> Result<Self> {
        let place = std::path::absolute(place).map_err(|e| Error::file(place, e))?;
        let taken = match fs::read_dir(&place) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(Error::file(&place, error)),
        };
        let (Some(parent), Some(name), false) = (place.parent(), place.file_name(), taken) else {
            return Err(Error::usage(format!("{} is not empty", place.display()))
                .hint("name a new folder with --out: a backup is never overwritten"));
        };
        private::folder(parent)?;
        let prefix = format!(".{}.unfinished-", name.to_string_lossy());
        let private = fs::Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix(&prefix).permissions(private).tempdir_in(parent);
        let folder = folder.map_err(|e| Error::file(parent, e))?;
        Ok(Draft { folder, place, names: Vec::new() })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// Creates a file that nobody else can read.
    pub(super) fn create(&mut self, name: &str) -> Result<File> {
        let path = self.path().join(name);
        self.names.push(name.to_owned());
        private::create(&path).map_err(|e| Error::file(&path, e))
    }

    /// Creates a file with a text.
    pub(super) fn write(&mut self, name: &str, text: &str) -> Result<()> {
        let mut file = self.create(name)?;
        file.write_all(text.as_bytes()).map_err(|e| Error::file(self.path().join(name), e))
    }

    /// The size of the files so far, in bytes.
    pub(super) fn bytes(&self) -> Result<u64> {
        let sizes = self.names.iter().map(|name| {
            let path = self.path().join(name);
            fs::metadata(&path).map(|file| file.len()).map_err(|e| Error::file(&path, e))
        });
        sizes.sum()
    }

    /// Writes the checksums and forces everything to the disk.
    pub(super) fn seal(&mut self, stop: &AtomicBool) -> Result<()> {
        let mut sums = String::new();
        for name in &self.names {
            let path = self.path().join(name);
            sums.push_str(&format!("{}  {name}\n", sha256(&path, stop)?));
        }
        self.write(SUMS, &sums)?;
        for name in &self.names {
            let path = self.path().join(name);
            sync(&path)?;
        }
        sync(self.path())
    }

    /// Gives the backup its name.
    pub(super) fn publish(self) -> Result<()> {
        // Fails if somebody has put files there meanwhile.
        fs::rename(self.path(), &self.place).map_err(|e| Error::file(&self.place, e))?;
        // The folder has moved: there is nothing left to remove.
        let _ = self.folder.keep();
        self.place.parent().map_or(Ok(()), sync)
    }
}

fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| Error::file(path, e))
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn sha256(path: &Path, stop: &AtomicBool) -> Result<String> {
    let failed = |e| Error::file(path, e);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The names of the files that have a checksum.
///
/// # Errors
/// If the folder has no checksums.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    Ok(sums(folder)?.into_iter().map(|(_, name)| name).collect())
}

/// The checksums with the names of their files.
fn sums(folder: &Path) -> Result<Vec<(String, String)>> {
    let path = folder.join(SUMS);
    let text = fs::read_to_string(&path).map_err(|e| {
        Error::file(&path, e).hint("name the folder of a complete backup: it holds SHA256SUMS")
    })?;
    let sum = |line: &str| match line.split_once("  ").filter(|(_, name)| !name.contains('/')) {
        Some((sum, name)) => Ok((sum.to_owned(), name.to_owned())),
        None => Err(Error::bad_file(path.display(), format!("{line:?} is not a checksum"))),
    };
    text.lines().map(sum).collect()
}

/// Compares every file with its checksum; returns the names of the files.
///
/// # Errors
/// [`Kind::Validation`], naming each file that is missing or has changed.
pub(super) fn check_sums(folder: &Path, stop: &AtomicBool) -> Result<Vec<String>> {
    let sums = sums(folder)?;
    let mut wrong = Vec::new();
    for (sum, name) in &sums {
        let file = folder.join(name);
        if !file.exists() {
            wrong.push(format!("{name} is missing"));
        } else if sha256(&file, stop)? != *sum {
            wrong.push(format!("{name} is not what was written"));
        }
    }
    if wrong.is_empty() {
        return Ok(sums.into_iter().map(|(_, name)| name).collect());
    }
    let what = format!("the backup {} is damaged: {}", folder.display(), wrong.join(", "));
    Err(Error::new(Kind::Validation, what).hint("take another one: `sterna backup --out DIR`"))
}
