//! A load that is killed or interrupted at a certain moment continues from there, and one whose
//! input has changed does not continue at all.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::cites::{Installation, file_of, generated, good, rows_of};

use super::process::{INDEXES_WAIT, finished, go_on, pause, signal, spawn, until};

const ROWS: u64 = 30_000;
const OPTIONS: [&str; 6] = ["--all", "--on-inexact", "widen", "--batch-size", "500", "--resume"];

/// Other sessions in this database.
const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
        AND pid <> pg_backend_pid()";

fn args(file: String) -> Vec<String> {
    std::iter::once(file).chain(OPTIONS.map(str::to_owned)).collect()
}

#[tokio::test]
async fn killed_while_indexes_are_built() {
    let here = Installation::new().await;
    let args = args(here.file("in.csv", file_of(&good(20_000))));
    let (first, paused) = pause(&here, &args).await;
    let mut running = Some((first, paused));
    for signal_number in [Signal::SIGKILL, Signal::SIGINT] {
        // Rows are written under this lock, but indexes wait for it.
        let session = here.db.connect().await;
        let lock = "BEGIN; LOCK TABLE cites_trade_records_staging IN SHARE UPDATE EXCLUSIVE MODE";
        session.batch_execute(lock).await.unwrap();
        let child = match running.take() {
            Some((child, paused)) => {
                go_on(paused).await;
                child
            }
            None => spawn(here.command(&args)),
        };
        until(&here.db, INDEXES_WAIT, "t").await;
        assert_eq!(here.db.psql("SELECT state FROM sterna.load_run").await, "built");
        signal(&child, signal_number);
        let ended = finished(child);
        let expected = (signal_number == Signal::SIGINT).then_some(130);
        assert_eq!(ended.code, expected, "{ended:?}");
        go_on(session).await;
        // An index that the server still builds for the dead client must not be taken for the
        // next load's.
        until(&here.db, OTHERS, "0").await;
    }
    let report = here.report(0, &args);
    assert_eq!((&report["state"], &report["rows_loaded"]), (&json!("loaded"), &json!(20_000)));
    let definitions = "SELECT string_agg(pg_get_constraintdef(oid), '; ' ORDER BY contype)
        FROM pg_constraint WHERE conrelid = '%'::regclass AND contype = 'p'";
    let of = |table: &str| definitions.replace('%', table);
    let built = here.db.psql(&of("cites_trade_records_staging")).await;
    assert_eq!(built, here.db.psql(&of("cites_trade_records")).await);
}

#[tokio::test]
async fn interrupted_it_says_how_to_go_on() {
    let here = Installation::new().await;
    let text = generated(ROWS, 13);
    let args = args(here.file("in.csv", &text));
    let (child, session) = pause(&here, &args).await;
    signal(&child, Signal::SIGINT);
    // The batches in progress are still written.
    tokio::time::sleep(Duration::from_millis(100)).await;
    go_on(session).await;
    let interrupted = finished(child).expect_code(130);
    assert!(
        interrupted.stderr.contains("hint: ") && interrupted.stderr.contains("--resume"),
        "{interrupted:?}"
    );
    let written: u64 =
        here.db.psql("SELECT sum(row_count) FROM sterna.load_batch").await.parse().unwrap();
    assert!((1..ROWS).contains(&written), "{written}");
    let report = here.report(0, &args);
    assert_eq!((&report["resumed"], &report["rows_loaded"]), (&json!(true), &json!(ROWS)));
    assert!(here.staging().await == rows_of(&text));
}

#[tokio::test]
async fn two_loads_of_one_table_exclude_each_other() {
    let here = Installation::new().await;
    let args = args(here.file("in.csv", generated(ROWS, 14)));
    let (child, session) = pause(&here, &args).await;
    for command in [
        here.command(&args),
        here.db.command(&["stage", "truncate"]),
        here.db.command(&["stage", "drop"]),
    ] {
        let refused = finished(spawn(command)).expect_code(6);
        assert!(refused.stderr.contains("another sterna is working"), "{refused:?}");
    }
    // A load of another table is not affected.
    here.db.psql("CREATE TABLE other (LIKE cites_trade_records INCLUDING ALL)").await;
    let small = here.file("small.csv", file_of(&good(10)));
    let other = spawn(here.command(&[&small, "--all", "--table", "other"]));
    until(&here.db, "SELECT count(*) FROM sterna.load_run", "2").await;
    go_on(session).await;
    for child in [child, other] {
        finished(child).expect_code(0);
    }
    assert_eq!(here.db.psql("SELECT count(*) FROM other_staging").await, "10");
    assert_eq!(
        here.db.psql("SELECT count(*) FROM cites_trade_records_staging").await,
        ROWS.to_string()
    );
}

#[tokio::test]
async fn rows_that_somebody_else_removes_are_missed() {
    let here = Installation::new().await;
    let mut args = args(here.file("in.csv", generated(ROWS, 15)));
    args.push("--verify".into());
    let (child, session) = pause(&here, &args).await;
    here.db.psql("TRUNCATE cites_trade_records_staging").await;
    go_on(session).await;
    let failed = finished(child).expect_code(4);
    assert!(failed.stderr.contains("is not what was loaded"), "{failed:?}");
    let report: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!((&report["state"], &report["verified"]), (&json!("failed"), &json!(false)));
    // It stays failed, even if the next run requests no proof.
    let again = here.load(&args[..args.len() - 1]).expect_code(4);
    assert!(again.stderr.contains("failed verification before"), "{again:?}");
    assert_eq!(here.db.psql("SELECT state FROM sterna.load_run").await, "failed");
    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    assert_eq!(here.report(0, &args)["verified"], true);
}

#[tokio::test]
async fn a_load_whose_staging_was_emptied_meanwhile_writes_nothing_more() {
    let here = Installation::new().await;
    let args = args(here.file("in.csv", generated(ROWS, 16)));
    let (child, session) = pause(&here, &args).await;
    // Without its lock only the ledger keeps others out. The server lists the locks of all its
    // databases, and other tests have theirs.
    let lose_lock = "SELECT count(pg_terminate_backend(l.pid))
        FROM pg_locks AS l INNER JOIN pg_database AS d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND l.classid = 1937010273 AND l.granted
            AND d.datname = current_database()";
    here.db.psql(lose_lock).await;
    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    go_on(session).await;
    let refused = finished(child).expect_code(6);
    assert!(refused.stderr.contains("emptied by another sterna"), "{refused:?}");
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records_staging").await, "0");
}

#[tokio::test]
async fn what_has_changed_is_not_resumed() {
    let here = Installation::new().await;
    let records = good(20_000);
    let file = here.file("in.csv", file_of(&records));
    let other = here.file("other.csv", file_of(&records[1..]));
    let mapping = std::fs::read_to_string("data/formats.toml").unwrap();
    let mapping = mapping.replace("\"Origin.permit.RandomID\" = \"origin_permit\"\n", "");
    let mapping = here.file("own.toml", mapping);
    let base = ["--all", "--batch-size", "100", "--resume"];
    let load = |input: &str, options: &[&str]| {
        let args: Vec<&str> = std::iter::once(input).chain(options.iter().copied()).collect();
        here.load(&args)
    };
    let begun: Vec<String> = std::iter::once(file.as_str()).chain(base).map(Into::into).collect();
    let (child, session) = pause(&here, &begun).await;
    signal(&child, Signal::SIGKILL);
    finished(child);
    go_on(session).await;
    let refused = |input: &str, options: &[&str], why: &str| {
        let refused = load(input, options).expect_code(6);
        assert!(refused.stderr.contains(why), "{options:?}: {refused:?}");
    };
    refused(&file, &base[..3], "unfinished load");
    refused(&other, &base, "the input is not the one");
    refused(&file, &["--all", "--batch-size", "99", "--resume"], "the options are not");
    refused(&file, &["--year", "2020", "--batch-size", "100", "--resume"], "the options are not");
    refused(
        &file,
        &["--all", "--batch-size", "100", "--on-unmapped", "fail", "--resume"],
        "the options are not",
    );
    refused(&file, &[&base[..], &["--on-inexact", "widen"]].concat(), "the options are not");
    refused(&file, &[&base[..], &["--mapping", &mapping]].concat(), "the mapping is not");
    here.db
        .psql("UPDATE species SET scientific_name = 'x' WHERE scientific_name = 'Falco rusticolus'")
        .await;
    refused(&file, &base, "the species, or the synonyms, have changed");
    here.db
        .psql("UPDATE species SET scientific_name = 'Falco rusticolus' WHERE scientific_name = 'x'")
        .await;
    here.db.psql("ALTER TABLE cites_trade_records ALTER genus TYPE varchar(9)").await;
    refused(&file, &base, "the columns of the target have changed");
    here.db.psql("ALTER TABLE cites_trade_records ALTER genus TYPE text").await;
    // A changed row id in production makes different rows of the same input.
    let add = "INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
        SELECT id, n::text, 2020, 'II', scientific_name, 'skins'
        FROM (SELECT * FROM species LIMIT 1) s, generate_series(1, 20000) n";
    here.db.psql(add).await;
    refused(&file, &base, "row ids have changed");
    here.db.psql("DELETE FROM cites_trade_records").await;
    // Options that do not affect the rows may change.
    let more =
        [&base[..], &["--workers", "1", "--connections", "1", "--max-rejects", "5", "--verify"]]
            .concat();
    load(&file, &more).expect_code(0);
    assert!(here.staging().await == rows_of(&file_of(&records)));
}

#[tokio::test]
async fn a_finished_load_is_not_loaded_again() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&good(50)));
    let other = here.file("other.csv", file_of(&good(51)));
    let first = here.report(0, &[&file, "--all"]);
    let again = here.report(0, &[&file, "--all", "--resume", "--verify"]);
    for same in ["run_id", "checksum", "rows_loaded", "files"] {
        assert_eq!(again[same], first[same], "{same}");
    }
    assert_eq!((&again["resumed"], &again["verified"]), (&json!(true), &json!(true)));
    let refused = here.load(&[&other, "--all"]).expect_code(6);
    assert!(
        refused.stderr.contains("holds the rows of load")
            && refused.stderr.contains("stage truncate"),
        "{refused:?}"
    );
    here.load(&[&other, "--all", "--resume"]).expect_code(6);
    assert_eq!(here.staging().await.len(), 50);
    // Rows that no load wrote are not adopted.
    here.db.psql("UPDATE sterna.load_run SET state = 'discarded'").await;
    let refused = here.load(&[&file, "--all"]).expect_code(6);
    assert!(refused.stderr.contains("holds rows that no load of the ledger wrote"), "{refused:?}");
    here.db.psql("DROP TABLE cites_trade_records_staging; CREATE TABLE cites_trade_records_staging (n integer)").await;
    let refused = here.load(&[&file, "--all"]).expect_code(6);
    assert!(refused.stderr.contains("was not made by sterna"), "{refused:?}");
}
