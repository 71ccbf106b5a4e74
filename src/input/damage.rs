//! Errors about damaged or unreadable files, explained by their cause.

use std::io;

use zip::result::ZipError;

use crate::error::Error;

/// Unexpected bytes after the end of gzip data.
#[derive(Debug)]
pub(super) struct Stray;

impl std::fmt::Display for Stray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unexpected data after the end of the gzip data")
    }
}

impl std::error::Error for Stray {}

/// Turns an I/O error while reading a member into one that says what is wrong with its file.
#[must_use]
pub fn explain(member: &str, error: io::Error) -> Error {
    const COPY: &str = "download or copy it again, and compare its size or checksum";
    if error.get_ref().is_some_and(|e| e.is::<Stray>()) {
        return Error::bad_file(member, error)
            .hint("remove the appended data; joined files must all be gzip, or none of them");
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

/// Turns a zip error into one that says what is wrong with the archive or its file.
pub(super) fn zip_error(name: &str, error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => explain(name, error),
        ZipError::InvalidArchive(what) => {
            Error::bad_file(name, format!("the zip archive is truncated or damaged ({what})"))
                .hint("download or copy it again, and compare its size or checksum")
        }
        ZipError::UnsupportedArchive(what) => {
            Error::bad_file(name, format!("sterna does not support this zip archive ({what})"))
                .hint("unpack it and name the folder")
        }
        other => Error::bad_file(name, other),
    }
}
