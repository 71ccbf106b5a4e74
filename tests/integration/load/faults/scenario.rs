//! A load of many small batches on any server, its expected result, and what is checked of one
//! that a fault has broken.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use sterna::pg::embedded::{Embedded, ModelSchema};
use sterna::pg::{ConnInfo, Connection, Ident, connect};

use super::super::process::{finished, spawn};
use crate::cites::{Row, assert_balances, generated, insert_species, rows_of, staging};
use crate::line::Line;
use crate::server::{Finished, TestDb, shared, sterna};
use crate::tries::Tries;

const ROWS: u64 = 6_000;
const OPTIONS: [&str; 6] = ["--all", "--on-inexact", "widen", "--batch-size", "150", "--resume"];

/// What a broken load may report about a session that ended without a message.
pub(super) const CUT: [&str; 6] = [
    "connection closed",
    "unexpected end of file",
    "unexpected EOF",
    "Broken pipe",
    "Connection reset by peer",
    // A session that the server kept meanwhile.
    "was cut off from sterna's process",
];

/// A load, its server, and its expected result.
pub(super) struct Scenario {
    folder: tempfile::TempDir,
    /// Dropped with the scenario, if the server is the one that all tests share.
    _db: Option<TestDb>,
    info: ConnInfo,
    /// The variables that select the database.
    environment: Vec<(&'static str, String)>,
    args: Vec<String>,
    rows: Vec<Row>,
    checksum: Value,
    /// How long an undisturbed load takes.
    pub(super) duration: Duration,
}

impl Scenario {
    /// On the server that all tests share.
    pub(super) async fn new() -> Self {
        let db = TestDb::new().await;
        let info = db.info().clone();
        let name = db.name().to_owned();
        Self::on(shared(), Some(db), info, &name).await
    }

    /// On a server of its own.
    pub(super) async fn of(server: &Embedded) -> Self {
        let name = Ident::new("production").unwrap();
        server.create_database(&name, None).await.unwrap();
        let info = server.conninfo(name.name());
        ModelSchema::Production.install(&connect(&info).await.unwrap()).await.unwrap();
        Self::on(server, None, info, name.name()).await
    }

    async fn on(server: &Embedded, db: Option<TestDb>, info: ConnInfo, database: &str) -> Self {
        connect(&info).await.unwrap().batch_execute(&insert_species()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = generated(ROWS, 12);
        std::fs::write(folder.path().join("in.csv"), &text).unwrap();
        let environment = vec![
            ("PGHOST", server.socket_folder().display().to_string()),
            ("PGPORT", server.port().to_string()),
            ("PGUSER", server.user().to_owned()),
            ("PGDATABASE", database.to_owned()),
        ];
        // Only warnings and errors are printed.
        let load = ["--progress", "never", "--format", "json", "load", "in.csv"];
        let args = load.into_iter().chain(OPTIONS);
        let mut scenario = Scenario {
            folder,
            _db: db,
            info,
            environment,
            args: args.map(str::to_owned).collect(),
            rows: rows_of(&text),
            checksum: Value::Null,
            duration: Duration::ZERO,
        };
        let begun = Instant::now();
        let unbroken = Finished::from(scenario.command(&[]).output().unwrap()).expect_code(0);
        scenario.duration = begun.elapsed();
        let report: Value = serde_json::from_str(&unbroken.stdout).unwrap();
        scenario.checksum = report["checksum"].clone();
        scenario
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) async fn connect(&self) -> Connection {
        connect(&self.info).await.unwrap()
    }

    /// `sterna load` with these additional arguments.
    pub(super) fn command(&self, more: &[&str]) -> Command {
        let args = self.args.iter().map(String::as_str).chain(more.iter().copied());
        self.sterna(&args.collect::<Vec<_>>())
    }

    fn sterna(&self, args: &[&str]) -> Command {
        let mut command = sterna(args);
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command.envs(environment).current_dir(self.folder.path());
        command
    }

    /// Adds an argument to every load.
    pub(super) fn add(&mut self, argument: &str) {
        self.args.push(argument.to_owned());
    }

    /// Sets an environment variable for every load.
    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.environment.push((name, value.to_owned()));
    }

    /// A load from the beginning, with nothing left of the previous one.
    pub(super) fn afresh(&self) -> Command {
        let dropped = self.sterna(&["stage", "drop"]).output().unwrap();
        Finished::from(dropped).expect_code(0);
        self.command(&[])
    }

    pub(super) fn begin(&self) -> Child {
        spawn(self.afresh())
    }

    pub(super) fn begin_over(&self, line: &Line) -> Child {
        let mut command = self.afresh();
        command.env("PGHOST", line.host());
        spawn(command)
    }

    pub(super) fn load_over(&self, line: &Line) -> Finished {
        finished(self.begin_over(line))
    }

    /// A moment of a load: earlier ones are likelier, because rows take less time than indexes.
    pub(super) fn moment(&self, random: &mut ChaCha8Rng) -> Duration {
        self.duration.mul_f64(random.random_range(0.0..1.0_f64).powi(2))
    }

    /// Resumes a broken load, at once and to its end, and compares the table with the files.
    pub(super) async fn resume(&self, what: &str) -> Finished {
        let resumed = Finished::from(self.command(&["--verify"]).output().unwrap());
        assert_eq!(resumed.code, Some(0), "{what}: {resumed:?}");
        let report: Value = serde_json::from_str(&resumed.stdout).unwrap();
        assert_balances(&report);
        for (name, expected) in [
            ("rows_loaded", json!(ROWS)),
            ("checksum", self.checksum.clone()),
            ("verified", json!(true)),
            ("state", json!("loaded")),
        ] {
            assert_eq!(report[name], expected, "{what}: {name}");
        }
        let found = staging(&self.connect().await).await;
        assert!(found == self.rows, "{what}: staging is not what the file holds");
        resumed
    }

    /// Every line of a load's output must name one of these causes. Only a failure of the
    /// connection may have ended the load.
    pub(super) fn judge(
        &self,
        tries: &mut Tries,
        what: &str,
        broken: &Finished,
        causes: &[&[&str]],
    ) {
        assert!(matches!(broken.code, None | Some(0 | 1)), "{what}: {broken:?}");
        tries.broken += u64::from(broken.code != Some(0));
        let mut said = broken.stderr.lines().filter(|line| !line.starts_with("hint: "));
        let strange = said.find(|line| !causes.iter().copied().flatten().any(|c| line.contains(c)));
        assert_eq!(strange, None, "{what}: {broken:?}");
        assert_eq!(broken.code == Some(1), broken.stderr.contains("error: "), "{what}: {broken:?}");
    }
}
