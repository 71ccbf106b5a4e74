//! Options of an embedded server, and the resulting settings.

use std::fmt::Write as _;
use std::path::Path;

use sterna_error::{Error, Kind, Result};

/// Which failures committed rows survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// As in production: committed rows survive a power failure.
    Durable,
    /// Committed rows survive a crash of the server but not of the machine:
    /// nothing is flushed to disk. For tests.
    #[default]
    Fast,
}

/// Options of the server. The defaults suit tests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Which failures committed rows survive.
    pub durability: Durability,
    /// Maximum number of concurrent sessions, including those of the superuser.
    pub max_connections: u32,
    /// The server's own cache, in MiB.
    pub shared_buffers_mb: u32,
    /// WAL between two checkpoints, in MiB; large, so that no checkpoint happens during a load.
    pub max_wal_size_mb: u32,
    /// The name of the superuser, who needs no password.
    pub superuser: String,
    /// The server's major version; `None` for whichever is found first.
    pub major: Option<u32>,
    /// Whether to isolate it from this machine and the network, where possible: for
    /// untrusted contents.
    pub sandboxed: bool,
    /// Additional settings by name; they override all others.
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            durability: Durability::default(),
            max_connections: 100,
            shared_buffers_mb: 128,
            max_wal_size_mb: 4096,
            superuser: "postgres".to_owned(),
            major: None,
            sandboxed: false,
            settings: Vec::new(),
        }
    }
}

impl Options {
    /// Isolates the server from this machine and the network, where possible.
    #[must_use]
    pub fn sandboxed(self) -> Self {
        Options { sandboxed: true, ..self }
    }

    /// The defaults with the commit cost of a production server.
    #[must_use]
    pub fn durable() -> Self {
        Options { durability: Durability::Durable, ..Options::default() }
    }

    /// Adds a setting.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lines for postgresql.conf; if a setting occurs twice, the server uses the last one.
    pub(super) fn to_conf(&self, socket_folder: &Path) -> Result<String> {
        let socket_folder = socket_folder.to_str().ok_or_else(|| {
            Error::new(Kind::File, format!("{} is not UTF-8", socket_folder.display()))
                .hint("set TMPDIR to a folder whose path is UTF-8")
        })?;
        // The setting is a list; quotes preserve blanks in its only element.
        let socket_folder = format!("\"{}\"", socket_folder.replace('"', "\"\""));
        // synchronous_commit stays on even if nothing is flushed: it costs nothing
        // then, and without it a crashed server loses commits.
        let flush = match self.durability {
            Durability::Durable => "on",
            Durability::Fast => "off",
        };
        let mut lines = vec![
            ("listen_addresses", String::new()),
            ("unix_socket_directories", socket_folder),
            ("unix_socket_permissions", "0700".into()),
            ("port", super::PORT.to_string()),
            ("max_connections", self.max_connections.to_string()),
            ("shared_buffers", format!("{}MB", self.shared_buffers_mb)),
            ("max_wal_size", format!("{}MB", self.max_wal_size_mb)),
            ("wal_level", "logical".into()),
            ("fsync", flush.into()),
            ("full_page_writes", flush.into()),
            ("logging_collector", "off".into()),
            ("log_line_prefix", "%m [%p] %q%u@%d ".into()),
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
        ];
        lines.extend(self.settings.iter().map(|(name, value)| (name.as_str(), value.clone())));

        let mut conf = String::from("\n# From here on: sterna.\n");
        for (name, value) in lines {
            let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            if !well_formed {
                return Err(Error::usage(format!("{name:?} is not the name of a setting")));
            }
            let value = value.replace('\\', r"\\").replace('\'', "''").replace('\n', r"\n");
            // Writing to a string cannot fail.
            let _ = writeln!(conf, "{name} = '{value}'");
        }
        Ok(conf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_become_another_line() {
        let options = Options::default().set("application_name", "it's \\ a\nport = 1");
        let conf = options.to_conf(Path::new("/tmp/a \"b\", c")).unwrap();
        assert!(conf.ends_with("application_name = 'it''s \\\\ a\\nport = 1'\n"), "{conf}");
        assert!(conf.contains("unix_socket_directories = '\"/tmp/a \"\"b\"\", c\"'\n"), "{conf}");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in ["", "a b", "x = 1\ny", "1st"] {
            assert!(
                Options::default().set(name, "1").to_conf(Path::new("/tmp")).is_err(),
                "{name}"
            );
        }
    }

    #[test]
    fn own_settings_come_last() {
        let conf = Options::durable().set("fsync", "off").to_conf(Path::new("/tmp")).unwrap();
        let values: Vec<&str> = conf.lines().filter(|line| line.starts_with("fsync")).collect();
        assert_eq!(values, ["fsync = 'on'", "fsync = 'off'"]);
    }
}
