//! What is wrong with a file that cannot be read, by its cause.

use std::io;

use zip::result::ZipError;

use crate::error::Error;

/// Bytes behind the end of gzip data.
#[derive(Debug)]
pub(super) struct Stray;

impl std::fmt::Display for Stray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("something else stands behind the end of the gzip data")
    }
}

impl std::error::Error for Stray {}

/// An error while reading a member, in words that say what is wrong with its file.
#[must_use]
pub fn explain(member: &str, error: io::Error) -> Error {
    const COPY: &str = "download or copy it again, and compare its size or checksum";
    if error.get_ref().is_some_and(|e| e.is::<Stray>()) {
        return Error::bad_file(member, error)
            .hint("remove what was appended; files that are joined all have to be gzip, or none");
    }
    let text = error.to_string();
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Error::bad_file(member, "the archive ends early: it is truncated").hint(COPY);
    }
    let corrupt = matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    if corrupt || text.contains("checksum") || text.contains("deflate") {
        return Error::bad_file(member, format!("the archive is damaged ({text})")).hint(COPY);
    }
    Error::file(member, error)
}

/// What is wrong with a zip archive, or with the file that it is.
pub(super) fn zip_error(name: &str, error: ZipError) -> Error {
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
