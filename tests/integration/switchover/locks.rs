//! Other sessions on the table: readers and writers that hold their locks, and applications that
//! lock in their own order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sterna::pg::{ConnInfo, Connection, connect};
use tokio::task::JoinHandle;

use super::exchange::{exchanging, fingerprint, names};
use super::odd::plain_installation;
use crate::cites::Installation;
use crate::server::Finished;

const COUNT: &str = "SELECT count(*) FROM cites_trade_records";

/// 200 rows live, 250 loaded into staging, and a table that refers to the live one.
async fn loaded() -> Installation {
    let (here, release) = plain_installation().await;
    here.db
        .psql(
            "CREATE TABLE annotations (id bigserial PRIMARY KEY, note text,
                record uuid REFERENCES cites_trade_records ON DELETE CASCADE)",
        )
        .await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    here
}

/// Runs a command while the test's own tasks continue.
async fn run(here: &Installation, args: &[&str]) -> Finished {
    let mut command = here.db.command(args);
    tokio::task::spawn_blocking(move || Finished::from(command.output().unwrap())).await.unwrap()
}

async fn pid(session: &Connection) -> String {
    session.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0).to_string()
}

#[tokio::test]
async fn one_who_never_lets_go_is_named_and_nothing_is_changed() {
    let here = loaded().await;
    let db = &here.db;
    let (before, before_names) = (fingerprint(db).await, names(db).await);
    for statement in [
        COUNT,
        "UPDATE cites_trade_records SET unit = 'held' WHERE record_id = '3'",
        "INSERT INTO annotations (note) VALUES ('held')",
    ] {
        let holder = db.connect().await;
        holder.batch_execute(&format!("BEGIN; {statement}")).await.unwrap();
        let refused = run(&here, &["switchover", "--accept-failed-validation", "--max-wait", "1s"])
            .await
            .expect_code(7);
        for named in [&pid(&holder).await, &statement[..20]] {
            assert!(refused.stderr.contains(named), "{named}: {refused:?}");
        }
        assert_eq!(before.differences(&fingerprint(db).await), []);
        assert_eq!(names(db).await, before_names);
        holder.batch_execute("ROLLBACK").await.unwrap();
    }
    assert_eq!(here.staging().await.len(), 250);
    db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    assert_eq!(db.psql(COUNT).await, "250");
}

#[tokio::test]
async fn a_reader_for_seconds_is_waited_for_and_others_read_meanwhile() {
    let here = loaded().await;
    let slow = here.db.connect().await;
    slow.batch_execute(&format!("BEGIN; {COUNT}")).await.unwrap();
    let traffic = Traffic::start(&here, &[Reader::Table]).await;
    let switchover = run(&here, &["switchover", "--accept-failed-validation", "--format", "json"]);
    let waits = "SELECT EXISTS (SELECT FROM pg_locks
        WHERE NOT granted AND relation = 'cites_trade_records'::regclass)";
    let release = async {
        // A first try has begun, and has ended in vain.
        for state in ["t", "f"] {
            while here.db.psql(waits).await != state {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        slow.batch_execute("COMMIT").await.unwrap();
    };
    let (done, ()) = tokio::join!(switchover, release);
    let done: serde_json::Value = serde_json::from_str(&done.expect_code(0).stdout).unwrap();
    assert!(done["attempts"].as_u64().unwrap() > 1, "{done:#}");
    assert_eq!(traffic.stop().await, Vec::<String>::new());
    assert_eq!(here.db.psql(COUNT).await, "250");
}

#[tokio::test]
async fn a_snapshot_older_than_the_load_never_sees_an_empty_table() {
    let (here, release) = plain_installation().await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    let old = here.db.connect().await;
    // A snapshot without a lock, which the exchange would wait for anyway.
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.unwrap();
    here.report(0, &[&release, "--all"]);
    let refused = run(&here, &["switchover", "--accept-failed-validation", "--max-wait", "1s"])
        .await
        .expect_code(7);
    assert!(refused.stderr.contains(&pid(&old).await), "{refused:?}");
    let seen: i64 = old.query_one(COUNT, &[]).await.unwrap().get(0);
    assert_eq!(seen, 200);
    old.batch_execute("COMMIT").await.unwrap();
    here.db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    assert_eq!(here.db.psql(COUNT).await, "250");
}

#[tokio::test]
async fn no_error_and_no_lost_write_for_applications_that_lock_in_any_order() {
    let here = loaded().await;
    let db = &here.db;
    let before = fingerprint(db).await;
    let traffic = Traffic::start(
        &here,
        &[
            Reader::Table,
            Reader::View,
            Reader::SpeciesThenTrade,
            Reader::TradeThenChild,
            Reader::ChildThenTrade,
            Reader::Cascade,
        ],
    )
    .await;
    for command in ["switchover", "rollback", "switchover"] {
        run(&here, &exchanging(command)).await.expect_code(0);
        assert_eq!(before.differences(&fingerprint(db).await), [], "{command}");
    }
    let acknowledged = traffic.stop().await;
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    let found = "SELECT record_id FROM cites_trade_records WHERE record_id LIKE 'app %'
        ORDER BY record_id COLLATE \"C\"";
    let found = db.psql(found).await;
    assert_eq!(found.lines().collect::<Vec<_>>(), acknowledged);
    let orphans = "SELECT count(*) FROM annotations AS a LEFT JOIN cites_trade_records AS t
        ON t.id = a.record WHERE t.id IS NULL";
    assert_eq!(db.psql(orphans).await, "0");
}

/// What a session of an application does repeatedly.
#[derive(Clone, Copy, Debug)]
enum Reader {
    Table,
    View,
    SpeciesThenTrade,
    TradeThenChild,
    ChildThenTrade,
    /// Adds a species with a record, and deletes the species of another one.
    Cascade,
}

/// Working sessions, each until it is stopped.
struct Traffic {
    stop: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<Vec<String>>>,
}

impl Traffic {
    async fn start(here: &Installation, readers: &[Reader]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |reader: &Reader| {
            tokio::spawn(at_work(here.db.info().clone(), *reader, Arc::clone(&stop)))
        };
        let sessions = readers.iter().map(start).collect();
        Traffic { stop, sessions }
    }

    /// The records whose insertion was acknowledged and that were not deleted, sorted.
    async fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut written = Vec::new();
        for session in self.sessions {
            written.extend(session.await.unwrap());
        }
        written.sort();
        written
    }
}

async fn at_work(info: ConnInfo, reader: Reader, stop: Arc<AtomicBool>) -> Vec<String> {
    let session = connect(&info).await.unwrap();
    let mut kept = Vec::new();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("app {reader:?} {turn}");
        let insert = |species: &str| {
            format!(
                "INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
                SELECT id, '{id}', 2020, 'II', scientific_name, 'skins' FROM species
                WHERE scientific_name = '{species}';"
            )
        };
        let annotate = "INSERT INTO annotations (record)
            SELECT id FROM cites_trade_records WHERE record_id = '5';";
        let pause = "SELECT pg_sleep(0.002);";
        let sql = match reader {
            Reader::Table => COUNT.to_owned(),
            Reader::View => "SELECT count(*) FROM trade_quantity_by_year".to_owned(),
            Reader::SpeciesThenTrade => format!(
                "BEGIN; UPDATE species SET authority = '{id}' WHERE scientific_name = 'Ursus maritimus';
                {pause} {} COMMIT",
                insert("Ursus maritimus")
            ),
            Reader::TradeThenChild => {
                format!("BEGIN; {} {pause} {annotate} COMMIT", insert("Ursus maritimus"))
            }
            Reader::ChildThenTrade => {
                format!("BEGIN; {annotate} {pause} {} COMMIT", insert("Ursus maritimus"))
            }
            Reader::Cascade => format!(
                "BEGIN; INSERT INTO species (scientific_name, common_name, kingdom, phylum, class,
                    order_name, family, genus, species_name)
                VALUES ('{id}', '', '', '', '', '', '', '', ''); {} {}; COMMIT",
                insert(&id),
                kept.last().map_or(String::new(), |last| {
                    format!("DELETE FROM species WHERE scientific_name = '{last}'")
                })
            ),
        };
        session.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{reader:?}: {error:?}"));
        match reader {
            Reader::Table | Reader::View => {}
            Reader::Cascade => kept = vec![id],
            _ => kept.push(id),
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    kept
}
