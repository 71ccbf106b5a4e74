//! A row keeps its key and every value that the files do not fill, in tables of other shapes than
//! CITES', replaced again and again, and rolled back.

mod formats;
mod kills;
mod refused;
mod sequences;
mod shapes;
mod shown;

use std::path::Path;
use std::process::Command;

use crate::server::{Finished, TestDb};

/// Options that keep a run short.
const QUICK: [&str; 12] = [
    "--skip",
    "1.1",
    "--skip",
    "2.1",
    "--skip",
    "2.2",
    "--skip",
    "2.3",
    "--progress",
    "never",
    "--max-shrinkage",
    "100",
];

/// A database of one test, with a table `things` and a folder with its files.
pub(crate) struct Things {
    pub(crate) db: TestDb,
    folder: tempfile::TempDir,
}

impl Things {
    /// Creates the tables of `schema`, and a mapping with these fields.
    pub(crate) async fn new(schema: &str, mapping: &str) -> Self {
        let here = Things { db: TestDb::empty().await, folder: tempfile::tempdir().unwrap() };
        here.db.psql(schema).await;
        here.write("m.toml", &format!("[[format]]\nname = \"things\"\n{mapping}"));
        here
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command of `sterna` on the table, in the folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.db.command(&[&["--table", "things"], args].concat());
        command.current_dir(self.path());
        command
    }

    /// Runs `sterna` on the table, in the folder.
    pub(crate) fn sterna(&self, args: &[&str]) -> Finished {
        Finished::from(self.command(args).output().unwrap())
    }

    /// Loads a release, with these additional options.
    fn load(&self, file: &str, more: &[&str]) -> Finished {
        let args = ["load", file, "--all", "--mapping", "m.toml", "--format", "json", "--verify"];
        self.sterna(&[&args, more].concat())
    }

    /// Migrates to a release, with these additional options.
    pub(crate) fn migrate(&self, file: &str, more: &[&str]) -> Finished {
        Finished::from(self.migration(file, more).output().unwrap())
    }

    /// Like [`Things::migrate`], but not yet run.
    pub(crate) fn migration(&self, file: &str, more: &[&str]) -> Command {
        let args = ["migrate", file, "--mapping", "m.toml"];
        self.command(&[&args, &QUICK[..], more].concat())
    }
}
