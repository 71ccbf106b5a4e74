//! The password file: lines of `host:port:database:user:password`.
//!
//! Read as bytes, because a password need not be UTF-8.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The contents of a password file. Deliberately not `Debug`.
#[derive(Clone, Default)]
pub(super) struct PassFile(Vec<u8>);

/// The connection that needs a password.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// `localhost` for a socket in a usual folder.
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

impl PassFile {
    /// Reads the file. As in libpq, a missing file counts as empty, and so does one that
    /// others may read: using it would hide that its secrets are exposed.
    pub(super) fn read(path: &Path) -> Self {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return PassFile::default(),
            Err(error) => return ignored(path, &error),
        };
        if !metadata.is_file() {
            return ignored(path, &"it is not a plain file");
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return ignored(path, &"its group or others have access; chmod it to 0600");
        }
        std::fs::read(path).map_or_else(|error| ignored(path, &error), PassFile)
    }

    /// The password of the first line that matches.
    pub(super) fn password(&self, wanted: Wanted<'_>) -> Option<Vec<u8>> {
        let port = wanted.port.to_string();
        let fields = [wanted.host, &port, wanted.database, wanted.user];
        self.0
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.starts_with(b"#"))
            .find_map(|line| {
                let rest =
                    fields.iter().try_fold(line, |rest, field| after_field(rest, field.as_bytes()));
                rest.map(|rest| unescaped(rest).0)
            })
            .filter(|password| !password.is_empty())
    }
}

fn ignored(path: &Path, why: &dyn std::fmt::Display) -> PassFile {
    tracing::warn!("the password file {} is ignored: {why}", path.display());
    PassFile::default()
}

/// The rest of the line after its first field, if that is `*` or equals `wanted`.
fn after_field<'a>(line: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let (field, length) = unescaped(line);
    // A field without a colon after it is the last one, so the line is too short.
    (field == wanted && length < line.len()).then(|| &line[length + 1..])
}

/// The text up to the next unescaped colon, with escapes resolved, and its raw length.
fn unescaped(line: &[u8]) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut at = 0;
    while at < line.len() && line[at] != b':' {
        if line[at] == b'\\' && at + 1 < line.len() {
            at += 1;
        }
        text.push(line[at]);
        at += 1;
    }
    (text, at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HERE: Wanted<'_> = Wanted { host: "localhost", port: 5432, database: "d", user: "u" };

    fn found(file: &str) -> Option<String> {
        let password = PassFile(file.as_bytes().to_vec()).password(HERE)?;
        Some(String::from_utf8(password).unwrap())
    }

    #[test]
    fn the_first_matching_line_counts() {
        let file = "other:*:*:*:a\n\n# localhost:5432:d:u:b\nlocalhost:5432:d:u:c\n*:*:*:*:e\n";
        assert_eq!(found(file).as_deref(), Some("c"));
        assert_eq!(found("localhost:5433:d:u:x\n*:*:*:u:y\r\n").as_deref(), Some("y"));
        assert_eq!(found("localhost:5432:d:v:x"), None);
    }

    #[test]
    fn a_star_counts_only_as_a_whole_field() {
        assert_eq!(found("local*:*:*:*:x"), None);
        assert_eq!(found("\\*:*:*:*:x"), None);
    }

    #[test]
    fn escapes_and_short_lines() {
        assert_eq!(found(r"*:*:*:*:a\:b\\c:rest").as_deref(), Some(r"a:b\c"));
        assert_eq!(found("localhost:5432:d"), None);
        assert_eq!(found("localhost:5432:d:u"), None);
        assert_eq!(found("localhost:5432:d:u:"), None);
        assert_eq!(found(r"*:*:*:*:a\").as_deref(), Some("a\\"));
    }

    #[test]
    fn a_file_that_others_may_read_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        std::fs::write(&path, "*:*:*:*:x").unwrap();
        for (mode, password) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(PassFile::read(&path).password(HERE).is_some(), password, "{mode:o}");
        }
        assert!(PassFile::read(folder.path()).password(HERE).is_none());
        assert!(PassFile::read(&folder.path().join("none")).password(HERE).is_none());
    }

    proptest! {
        #[test]
        fn escaped_entries_are_found(
            host in "[^\0\n\r]{1,8}", port in 1u16.., database in "[^\0\n\r]{1,8}",
            user in "[^\0\n\r]{1,8}", password in "[^\0\n\r]{1,8}", other in "[^\0\n\r]{1,8}",
        ) {
            let escape = |text: &str| {
                let text = text.replace('\\', r"\\").replace(':', r"\:");
                // A leading hash makes a comment of the line, and a lone star matches all.
                if text.starts_with('#') || text == "*" { format!(r"\{text}") } else { text }
            };
            let line = format!(
                "{}:{port}:{}:{}:{}\n",
                escape(&host), escape(&database), escape(&user), escape(&password)
            );
            let file = PassFile(line.into_bytes());
            let wanted = Wanted { host: &host, port, database: &database, user: &user };
            prop_assert_eq!(file.password(wanted), Some(password.into_bytes()));
            if other != user {
                prop_assert_eq!(file.password(Wanted { user: &other, ..wanted }), None);
            }
        }
    }
}
