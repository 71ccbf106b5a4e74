//! Files that sterna writes: private to this user, whatever the umask, and never over files
//! that sterna did not write. Rejects and reports hold production data.
//!
//! Nothing is written through a symbolic link: in a folder that others can write to, it could
//! lead anywhere. [`put`] renames a file into place once it is complete.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::unistd::Uid;

use crate::error::{Error, Result};

/// Bytes read from the start of a file to find out whether sterna wrote it.
const START_BYTES: u64 = 8192;

/// The file that marks a folder as sterna's own.
pub(crate) const MARKER: &str = ".sterna";

/// Creates a folder and its parents if missing.
///
/// # Errors
/// Those of the system.
pub fn folder(path: &Path) -> Result<()> {
    // The umask applies; folders that already exist are left unchanged.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| Error::file(path, e))
}

/// Creates a folder for sterna's files only, or takes over one that is empty or that sterna
/// created before.
///
/// # Errors
/// Refused if it is a link, belongs to another user, or holds other files.
pub fn own_folder(path: &Path) -> Result<()> {
    let failed = |e| Error::file(path, e);
    let refused = |what: &str| {
        Err(Error::usage(format!("{} {what}", path.display()))
            .hint("name another folder: sterna writes only to its own or empty ones"))
    };
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => folder(path)?,
        Err(e) => return Err(failed(e)),
        Ok(there) if there.is_symlink() => return refused("is a symbolic link"),
        Ok(there) if !there.is_dir() => return refused("is not a folder"),
        Ok(there) if there.uid() != Uid::effective().as_raw() => {
            return refused("belongs to another user");
        }
        Ok(_) => {}
    }
    let marker = path.join(MARKER);
    let is_ours = marker.symlink_metadata().is_ok_and(|there| there.is_file());
    if !is_ours {
        if fs::read_dir(path).map_err(failed)?.next().is_some() {
            return refused("is not empty, and was not made by sterna");
        }
        create(&marker).map_err(|e| Error::file(&marker, e))?;
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)
}

/// Checks that [`put`] may write to `path`: that nothing exists there, or an empty file, a
/// file that `is_ours` recognizes by its first bytes, or a device or pipe such as
/// `/dev/stdout`.
///
/// # Errors
/// Refused if it is a link, or anything that sterna did not write.
pub fn check(path: &Path, is_ours: impl FnOnce(&[u8]) -> bool) -> Result<()> {
    let failed = |e| Error::file(path, e);
    let refused = |what: &str| {
        Err(Error::usage(format!("{} {what}", path.display()))
            .hint("name another file: sterna replaces only its own files"))
    };
    let there = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(e)),
        Ok(_) if is_stream(path) => return Ok(()),
        Ok(there) => there,
    };
    if there.is_symlink() {
        return refused("is a symbolic link");
    }
    if !there.is_file() {
        return refused("is not a file");
    }
    let mut start = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(START_BYTES).read_to_end(&mut start).map_err(failed)?;
    if start.is_empty() || is_ours(&start) {
        return Ok(());
    }
    refused("exists and was not written by sterna")
}

/// Writes a file to `path`, or replaces the one there if [`check`] accepts it.
///
/// # Errors
/// Those of [`check`] and of the system.
pub fn put(path: &Path, text: &str, is_ours: impl FnOnce(&[u8]) -> bool) -> Result<()> {
    let failed = |e: io::Error| Error::file(path, e);
    check(path, is_ours)?;
    if is_stream(path) {
        let written = create(path).and_then(|mut file| file.write_all(text.as_bytes()));
        return written.map_err(failed);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only this user can open it, and renaming replaces a link instead of following it.
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    draft.write_all(text.as_bytes()).map_err(failed)?;
    draft.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Creates a new file and opens it for writing; a device or a pipe is just opened.
///
/// # Errors
/// Those of the system, including that a file already exists.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    match is_stream(path) {
        true => options.open(path),
        false => options.create_new(true).mode(0o600).open(path),
    }
}

/// Whether it is, or links to, a device, a pipe or a socket, which hold nothing to overwrite.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| {
        let kind = there.file_type();
        kind.is_char_device() || kind.is_fifo() || kind.is_socket()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_private_and_replace_only_their_like() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.json");
        let is_ours = |start: &[u8]| start.starts_with(b"ours");
        put(&path, "ours 1", is_ours).unwrap();
        put(&path, "ours 2", is_ours).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("ours 2", 0o600));
        fs::write(&path, "theirs").unwrap();
        let error = put(&path, "ours 3", is_ours).unwrap_err();
        assert_eq!(error.kind().exit_code(), 2, "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let place = tempfile::tempdir().unwrap();
        let (target, link) = (place.path().join("target"), place.path().join("link"));
        fs::write(&target, "ours").unwrap();
        symlink(&target, &link).unwrap();
        let error = put(&link, "new", |_| true).unwrap_err();
        assert!(error.to_string().ends_with("is a symbolic link"), "{error}");
        assert!(create(&link).is_err());
        let dangling = place.path().join("dangling");
        symlink(place.path().join("nowhere"), &dangling).unwrap();
        assert!(put(&dangling, "new", |_| true).is_err());
        assert!(create(&dangling).is_err());
        assert!(!place.path().join("nowhere").exists());
        assert_eq!(fs::read_to_string(&target).unwrap(), "ours");
    }

    #[test]
    fn devices_are_written_to_as_they_are() {
        put(Path::new("/dev/null"), "text", |_| false).unwrap();
        assert!(create(Path::new("/dev/null")).is_ok());
    }

    #[test]
    fn a_folder_is_taken_again_and_anothers_is_not() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().join("above/report");
        own_folder(&own).unwrap();
        assert_eq!((mode(&own), mode(own.parent().unwrap())), (0o700, 0o700));
        put(&own.join("report.md"), "text", |_| true).unwrap();
        own_folder(&own).unwrap();
        let other = place.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("report.md"), "theirs").unwrap();
        assert!(own_folder(&other).unwrap_err().to_string().contains("not made by sterna"));
        let link = place.path().join("link");
        symlink(&own, &link).unwrap();
        assert!(own_folder(&link).unwrap_err().to_string().contains("symbolic link"));
    }
}
