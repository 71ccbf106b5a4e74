//! What the user named, as a list of CSV streams: files, gzip, zip, folders,
//! globs and standard input.
//!
//! A [`Member`] is one CSV stream; a [`File`] is what holds it on disk. Contents
//! decide what a file is, not its name. Nothing here knows what a record is.

mod discover;
mod open;

pub use open::explain;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};

/// Bytes read at a time when a file is hashed.
const HASH_CHUNK: usize = 1 << 20;

/// A file on disk that was named by the user, or found in a folder that was.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    name: String,
    size: u64,
    modified: Option<SystemTime>,
}

/// One CSV stream of an input.
#[derive(Clone, Debug)]
pub struct Member {
    /// What reports call it: the path as given, and `/name` within an archive.
    pub name: String,
    /// Index of its [`File`].
    pub file: usize,
    /// Bytes after decompression, as far as the file tells.
    pub bytes: u64,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Gzip,
    /// Index within the archive.
    Zip(usize),
}

/// Everything that a command is to read.
#[derive(Debug)]
pub struct Inputs {
    files: Vec<File>,
    members: Vec<Member>,
    /// Standard input, kept so that it can be read twice; deleted on drop.
    _spool: Option<tempfile::NamedTempFile>,
}

impl Inputs {
    /// The CSV streams, in the order in which they are read.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Bytes after decompression, as far as the files tell.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.members.iter().map(|m| m.bytes).sum()
    }

    /// Whether `path` is one of the files.
    #[must_use]
    pub fn is_read(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|path| {
            self.files.iter().any(|file| file.path.canonicalize().is_ok_and(|p| p == path))
        })
    }

    /// The SHA-256 of every file as it is on disk, on up to `threads` threads.
    ///
    /// # Errors
    /// Where a file cannot be read, where two files are the same, or on `stop`.
    pub fn digest(&self, threads: usize, stop: &AtomicBool) -> Result<Vec<[u8; 32]>> {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            let mut mine = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = self.files.get(index) else {
                    return Ok(mine);
                };
                mine.push((index, file.sha256(stop)?));
            }
        };
        let parts: Vec<Result<Vec<_>>> = std::thread::scope(|scope| {
            let count = threads.clamp(1, self.files.len().max(1));
            let handles: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
            handles.into_iter().map(join).collect()
        });
        let mut digests = vec![[0; 32]; self.files.len()];
        for part in parts {
            for (index, digest) in part? {
                digests[index] = digest;
            }
        }
        for (at, digest) in digests.iter().enumerate() {
            if let Some(same) = digests[..at].iter().position(|d| d == digest) {
                let (one, two) = (&self.files[same].name, &self.files[at].name);
                return Err(Error::usage(format!("{one} and {two} are the same file twice"))
                    .hint("name one of them, so that no record is read twice"));
            }
        }
        Ok(digests)
    }

    /// What identifies a member by content: its file's digest and its place in it.
    #[must_use]
    pub fn member_key(&self, member: &Member, digests: &[[u8; 32]]) -> Vec<u8> {
        let mut key = digests[member.file].to_vec();
        if let Form::Zip(index) = member.form {
            key.extend_from_slice(&(index as u64).to_be_bytes());
        }
        key
    }

    /// Fails where a file is not as it was when it was first looked at.
    ///
    /// # Errors
    /// Names the file that changed.
    pub fn check_unchanged(&self) -> Result<()> {
        for file in &self.files {
            let now = std::fs::metadata(&file.path).map_err(|e| Error::file(&file.name, e))?;
            if (now.len(), now.modified().ok()) != (file.size, file.modified) {
                return Err(Error::bad_file(&file.name, "changed while it was read")
                    .hint("empty staging with `sterna stage truncate` and load again"));
            }
        }
        Ok(())
    }
}

fn join<T>(handle: std::thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl File {
    fn sha256(&self, stop: &AtomicBool) -> Result<[u8; 32]> {
        use std::io::Read as _;
        let failed = |e| Error::file(&self.name, e);
        let mut file = std::fs::File::open(&self.path).map_err(failed)?;
        let mut hasher = Sha256::new();
        let mut chunk = vec![0; HASH_CHUNK];
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(
                    Kind::Interrupted,
                    "interrupted before anything was written",
                ));
            }
            match file.read(&mut chunk).map_err(failed)? {
                0 => return Ok(hasher.finalize().into()),
                read => hasher.update(&chunk[..read]),
            }
        }
    }
}
