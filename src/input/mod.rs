//! What the user named, as a list of CSV streams: files, gzip, zip, folders,
//! globs, pipes and standard input.
//!
//! A [`Member`] is one CSV stream; a file is what holds it on disk. Contents
//! decide what a file is, not its name; names decide what of a folder or an archive is
//! read, and what is not is listed. Nothing here knows what a record is.

mod damage;
mod discover;
mod identity;
mod name;
mod open;

pub use damage::explain;
pub use identity::hex;
pub use open::foreign;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zip::read::ZipArchiveMetadata;

use self::identity::Digest;

/// A file on disk that was named by the user, or found in a folder that was.
#[derive(Debug)]
struct File {
    path: PathBuf,
    name: Arc<str>,
    size: u64,
    /// The directory of an archive, read once.
    archive: Option<Arc<ZipArchiveMetadata>>,
}

/// One CSV stream of an input.
#[derive(Clone, Debug)]
pub struct Member {
    /// What reports call it: the path as given, and `/name` within an archive.
    pub name: Arc<str>,
    /// Index of its [`File`].
    file: usize,
    /// Bytes after decompression, as far as the file tells.
    pub bytes: u64,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    /// With the CRC of its last part.
    Gzip(u32),
    /// Index within the archive.
    Zip(usize),
}

/// What stands in a folder or an archive and is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The path, and `/name` within an archive.
    pub path: String,
    /// Why it is not read.
    pub reason: String,
}

/// Everything that a command is to read.
#[derive(Debug, Default)]
pub struct Inputs {
    files: Vec<File>,
    members: Vec<Member>,
    left_out: Vec<LeftOut>,
    /// Index of a file by its device and inode.
    known: HashMap<(u64, u64), usize>,
    /// What identifies each file, once they were read.
    digests: Vec<Digest>,
    /// Standard input and pipes, kept so that they can be read twice; deleted on drop.
    spools: Vec<tempfile::NamedTempFile>,
}

impl Inputs {
    /// The CSV streams, in the order in which they are read.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// What was found and is not read.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Bytes after decompression, as far as the files tell.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.members.iter().map(|m| m.bytes).sum()
    }

    /// Whether some of it can be read once, and was copied.
    #[must_use]
    pub fn has_pipes(&self) -> bool {
        !self.spools.is_empty()
    }

    /// Whether `path` is one of the files.
    #[must_use]
    pub fn is_read(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|meta| self.known.contains_key(&discover::place(&meta)))
    }
}
