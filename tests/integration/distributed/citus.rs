//! A table that Citus distributes, on the server that `STERNA_CITUS_URL` names: the coordinator of a
//! cluster with workers, and a database with the extension, which the test empties.

use std::io::Write;
use std::time::Duration;

use serde_json::Value;
use sterna::pg::embedded::ModelSchema;
use sterna::pg::{ConnInfo, Connection, connect};

use crate::check::findings;
use crate::cites::{
    assert_balances, file_of, generated, good, insert_species, rows_of, shipment, staging,
};
use crate::load::process::{finished, spawn, until_in};
use crate::server::{Finished, sterna, text_of};

const ROWS: u64 = 20_000;

/// The shard ranges of a table and the nodes that they are on.
pub(super) const PLACEMENTS: &str = "SELECT string_agg(
        concat_ws(' ', s.shardminvalue, s.shardmaxvalue, p.groupid),
        ',' ORDER BY s.shardminvalue::integer)
    FROM pg_dist_shard AS s INNER JOIN pg_dist_placement AS p USING (shardid)
    WHERE s.logicalrelid = ";

/// The database of the tests, which one of them has at a time.
pub(super) struct Citus {
    pub(super) url: String,
    pub(super) session: Connection,
    pub(super) folder: tempfile::TempDir,
}

impl Citus {
    /// The database with a distributed table and a reference table; nothing if there is none.
    pub(super) async fn new() -> Option<Self> {
        let Ok(url) = std::env::var("STERNA_CITUS_URL") else {
            // Bypasses the output capture of passing tests.
            let text =
                "\n*** SKIPPED: STERNA_CITUS_URL names no server, so nothing is tested on Citus\n";
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            return None;
        };
        let info = ConnInfo::resolve(Some(&url), &|_| None).unwrap();
        let session = connect(&info).await.unwrap();
        let citus = Citus { url, session, folder: tempfile::tempdir().unwrap() };
        for statement in [
            "SELECT pg_advisory_lock(7700)",
            "DROP SCHEMA IF EXISTS sterna CASCADE",
            "DROP TABLE IF EXISTS cites_trade_records_old CASCADE",
            "DROP TABLE IF EXISTS cites_trade_records_staging, cites_trade_records CASCADE",
            "DROP TABLE IF EXISTS species CASCADE",
            "DROP PUBLICATION IF EXISTS supabase_realtime",
        ] {
            citus.sql(statement).await;
        }
        let [platform, species, production, _] = ModelSchema::Production.parts();
        citus.script(platform).await;
        citus.script(species).await;
        citus.sql("SELECT create_reference_table('species')").await;
        citus.script(production).await;
        citus.sql("SELECT create_distributed_table('cites_trade_records', 'id')").await;
        citus.sql(&insert_species()).await;
        Some(citus)
    }

    /// Runs the statements of a script one by one: Citus takes only one that it passes on at a time.
    async fn script(&self, text: &str) {
        let mut statement = String::new();
        for line in text.lines().filter(|line| !line.starts_with("--")) {
            statement.push_str(line);
            statement.push('\n');
            if line.ends_with(';') && statement.matches("$$").count().is_multiple_of(2) {
                self.sql(&std::mem::take(&mut statement)).await;
            }
        }
    }

    pub(super) async fn sql(&self, sql: &str) -> String {
        text_of(&self.session, sql).await.unwrap()
    }

    pub(super) fn sterna(&self, args: &[&str]) -> Finished {
        let mut command = sterna(args);
        command.env("DATABASE_URL", &self.url).current_dir(self.folder.path());
        Finished::from(command.output().unwrap())
    }

    /// Writes a file of generated records; returns its path and its text.
    pub(super) fn file(&self) -> (String, String) {
        let (path, text) = (self.folder.path().join("in.csv"), generated(ROWS, 7));
        std::fs::write(&path, &text).unwrap();
        (path.display().to_string(), text)
    }

    pub(super) fn report(&self, args: &[&str]) -> Value {
        let done = self.sterna(&[&["load", "--format", "json"], args].concat()).expect_code(0);
        let report = serde_json::from_str(&done.stdout).unwrap();
        assert_balances(&report);
        report
    }
}

#[tokio::test]
async fn a_load_is_exact_and_proved_and_nothing_else_is_written() {
    let Some(citus) = Citus::new().await else { return };
    let (file, text) = citus.file();

    // Staging has the same shards on the same nodes.
    citus.sterna(&["stage", "create"]).expect_code(0);
    let of = async |table: &str| citus.sql(&format!("{PLACEMENTS}'{table}'::regclass")).await;
    let live = of("cites_trade_records").await;
    assert!(!live.is_empty());
    assert_eq!(of("cites_trade_records_staging").await, live);

    let report = citus.report(&[&file, "--all", "--on-inexact", "widen", "--verify"]);
    assert_eq!(report["rows_loaded"], ROWS);
    assert_eq!((&report["state"], &report["verified"]), (&"loaded".into(), &true.into()));
    assert_eq!(staging(&citus.session).await, rows_of(&text));
    assert_eq!(of("cites_trade_records_staging").await, live);
    assert_eq!(citus.sql("SELECT count(*) FROM cites_trade_records").await, "0");

    let validated = findings(&citus.sterna(&["validate", "--all", "--format", "json"]));
    let checks = validated["checks"].as_array().unwrap();
    let check = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(check("equal-to-files")["observed"], "equal");
    for name in ["rows-accounted", "unique-key.cites_trade_records_pkey", "structure"] {
        assert_eq!((&check(name)["passed"], &check(name)["skipped"]), (&true.into(), &Value::Null));
    }
    for name in ["rows-as-loaded", "rows-lost", "statistics"] {
        assert!(check(name)["detail"].as_str().unwrap().starts_with("left out"), "{name}");
    }
    let unable = checks.iter().filter(|c| c["detail"].as_str().unwrap().contains("Citus cannot"));
    assert_eq!(unable.count(), 0, "{checks:#?}");

    // A changed row is found by the sum of all rows.
    citus
        .sql(
            "UPDATE cites_trade_records_staging SET term = 'x' WHERE record_id = (
        SELECT min(record_id) FROM cites_trade_records_staging)",
        )
        .await;
    let changed = citus.sterna(&["validate", "--all", "--format", "json"]).expect_code(4);
    let changed = findings(&changed);
    let proof = changed["checks"].as_array().unwrap().iter();
    let proof = proof.filter(|check| check["name"] == "equal-to-files").collect::<Vec<_>>();
    assert_eq!(proof[0]["passed"], false, "{proof:#?}");

    // What does not take it yet says so, and changes nothing.
    let refused = citus.sterna(&["migrate", &file]).expect_code(6);
    assert!(refused.stderr.contains("distributed by Citus"), "{refused:#?}");
    assert_eq!(citus.sql("SELECT count(*) FROM cites_trade_records").await, "0");
    citus.sterna(&["stage", "truncate"]).expect_code(0);
    citus.report(&[&file, "--year", "2015", "--on-inexact", "round"]);
    citus.sterna(&["stage", "drop"]).expect_code(0);
    citus.keeps_the_first_of_two().await;
    citus.is_exact_although_backends_end(&file, &text).await;
    citus.sterna(&["stage", "drop"]).expect_code(0);
    citus.sql("DROP SCHEMA sterna CASCADE").await;
}

impl Citus {
    /// Of two records with one key, which only the index finds, the first is kept.
    async fn keeps_the_first_of_two(&self) {
        let mut records = good(30);
        records.push(shipment(&[("Id", "7"), ("Term", "second")]));
        let path = self.folder.path().join("twice.csv");
        std::fs::write(&path, file_of(&records)).unwrap();
        let path = path.display().to_string();
        let done = self.report(&[&path, "--all", "--verify", "--max-rejects", "1"]);
        let loaded = (&done["rows_loaded"], &done["rows_rejected"], &done["verified"]);
        assert_eq!(loaded, (&30.into(), &1.into(), &true.into()));
        let kept = "SELECT term FROM cites_trade_records_staging WHERE record_id = '7'";
        assert_eq!(self.sql(kept).await, "skins");
        self.sterna(&["stage", "drop"]).expect_code(0);
    }

    /// Sessions of the workers are terminated again and again while a load writes.
    async fn is_exact_although_backends_end(&self, file: &str, text: &str) {
        let args = [
            "load",
            file,
            "--all",
            "--on-inexact",
            "widen",
            "--verify",
            "--batch-size",
            "500",
            "--format",
            "json",
        ];
        let mut command = sterna(&args);
        command.env("DATABASE_URL", &self.url).current_dir(self.folder.path());
        let load = spawn(command);
        let end = "SELECT sum(result::integer) FROM run_command_on_workers($$
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND application_name LIKE 'citus_internal%' AND query ILIKE '%copy%'
            $$) WHERE success";
        let begun = "SELECT to_regclass('sterna.load_batch') IS NOT NULL";
        until_in(&self.session, begun, "t").await;
        let mut ended = 0;
        for _ in 0..200 {
            ended += self.sql(end).await.parse::<u32>().unwrap_or(0);
            if ended >= 5 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let done = finished(load).expect_code(0);
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_balances(&report);
        assert_eq!((&report["rows_loaded"], &report["verified"]), (&ROWS.into(), &true.into()));
        assert!(ended >= 5, "only {ended} sessions were terminated");
        assert_eq!(staging(&self.session).await, rows_of(text));
    }
}
