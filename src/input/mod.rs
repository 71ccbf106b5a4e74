//! Inputs as a list of CSV streams: from files, gzip, zip, folders, globs, pipes and
//! standard input.
//!
//! A [`Member`] is one CSV stream; a file on disk holds one or more. The content of a file,
//! not its name, decides its type. Names decide which files of a folder or an archive are
//! read; the others are listed. Nothing here knows about records.

mod damage;
mod discover;
mod identity;
mod name;
mod open;

pub use damage::explain;
pub use identity::hex;
pub use open::{Foreign, foreign};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zip::read::ZipArchiveMetadata;

use self::identity::Digest;

/// A file on disk, named by the user or found in a folder.
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
    /// Its name in reports: the path as given, followed by `/name` for a member of an archive.
    pub name: Arc<str>,
    /// Index of its [`File`].
    file: usize,
    /// Bytes after decompression, as recorded in the file.
    pub bytes: u64,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    /// With the CRC in its trailer, which is that of its last part.
    Gzip(u32),
    /// With the index in the archive.
    Zip(usize),
}

/// An entry of a folder or an archive that is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The path, followed by `/name` for a member of an archive.
    pub path: String,
    /// Why it is not read.
    pub reason: String,
}

/// Everything that a command reads.
#[derive(Debug, Default)]
pub struct Inputs {
    files: Vec<File>,
    members: Vec<Member>,
    left_out: Vec<LeftOut>,
    /// Index of a file by its device and inode.
    known: HashMap<(u64, u64), usize>,
    /// The digests of each file, once identified.
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

    /// Entries that were found but are not read.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Bytes after decompression, as recorded in the files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.members.iter().map(|m| m.bytes).sum()
    }

    /// Whether an input could be read only once and was copied to a temporary file.
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
