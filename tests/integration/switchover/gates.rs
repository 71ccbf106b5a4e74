//! The conditions for an exchange. Each is violated alone, and then nothing is exchanged.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sterna::pg::Table;
use sterna::switchover::{SwitchoverOptions, roll_back};
use uuid::Uuid;

use super::exchange::{exchanging, names};
use super::odd::plain_installation;
use crate::cites::{Installation, file_of, good};

/// 200 rows live, and 250 in staging with writes recorded.
async fn loaded() -> Installation {
    let (here, release) = plain_installation().await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    here
}

async fn switched_over() -> Installation {
    let here = loaded().await;
    here.db.sterna(&exchanging("switchover")).expect_code(0);
    here
}

/// A switchover is refused with these words, and no name changes.
async fn refused(here: &Installation, words: &str) {
    let before = names(&here.db).await;
    let refused = here.db.sterna(&exchanging("switchover")).expect_code(6);
    assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    assert_eq!(names(&here.db).await, before, "{words}");
}

/// A rollback of the only switchover is refused with these words.
async fn no_way_back(here: &Installation, words: &str) {
    let run = here.db.psql("SELECT run_id FROM sterna.switchover").await;
    no_way_back_for(here, run.parse().unwrap(), words).await;
}

async fn no_way_back_for(here: &Installation, run: Uuid, words: &str) {
    let table = Table::new("public", "cites_trade_records").unwrap();
    let options = SwitchoverOptions::new(table, run, Duration::from_secs(1));
    let before = names(&here.db).await;
    let refused = roll_back(here.db.info(), &options, &AtomicBool::new(false)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains(words), "{words}: {refused}");
    assert_eq!(names(&here.db).await, before, "{words}");
}

const ANOTHER: &str = "ALTER TABLE cites_trade_records RENAME TO moved;
    CREATE TABLE cites_trade_records (LIKE moved INCLUDING ALL)";

#[tokio::test]
async fn rows_that_no_load_wrote_do_not_come_in() {
    let here = loaded().await;
    here.db
        .psql(
            "INSERT INTO cites_trade_records_staging (species_id, year, appendix, taxon, term)
            SELECT species_id, year, appendix, taxon, term FROM cites_trade_records_staging LIMIT 1",
        )
        .await;
    refused(&here, "has 251 rows instead of the 250 loaded").await;
    here.db.psql("DELETE FROM cites_trade_records_staging WHERE record_id IN ('1', '2')").await;
    refused(&here, "has 249 rows instead of the 250 loaded").await;
}

#[tokio::test]
async fn a_row_that_went_unrecorded_is_missed() {
    let here = loaded().await;
    here.db
        .psql(
            "ALTER TABLE cites_trade_records DISABLE TRIGGER \"!sterna_journal\";
            DELETE FROM cites_trade_records WHERE record_id = '3';
            ALTER TABLE cites_trade_records ENABLE ALWAYS TRIGGER \"!sterna_journal\"",
        )
        .await;
    refused(&here, "has 199 rows, but by the writes that were recorded it should have 200").await;
}

#[tokio::test]
async fn a_table_that_was_altered_during_the_run_is_not_replaced() {
    let here = loaded().await;
    here.db.psql("ALTER TABLE cites_trade_records ALTER unit SET DEFAULT 'kg'").await;
    refused(&here, "was altered during the run").await;
}

#[tokio::test]
async fn a_load_that_has_not_ended_does_not_come_in() {
    let here = loaded().await;
    here.db.psql("UPDATE sterna.load_run SET state = 'rejected'").await;
    refused(&here, "rejected more records than it may").await;
    here.db.psql("UPDATE sterna.load_run SET state = 'built'").await;
    refused(&here, "holds a load that is not at its end").await;
    // What goes on is printed with the load's own arguments, and works.
    let finished = here.db.sterna(&["switchover"]).expect_code(6);
    let (_, command) = finished.stderr.split_once("resume it with `sterna ").unwrap();
    let command = command.split_once('`').unwrap().0.replace("\\\n", " ");
    assert!(command.contains("--all") && command.ends_with("--resume"), "{command}");
    let words: Vec<&str> = command.split_whitespace().collect();
    here.db.sterna(&words).expect_code(0);
    // Other tables are named in what hints say.
    let of = ["stage", "truncate", "--table", "species"];
    let hint = here.db.sterna(&of).expect_code(6).stderr;
    assert!(hint.contains("`sterna --table species "), "{hint}");
}

#[tokio::test]
async fn a_table_that_bears_the_name_of_the_old_one_is_not_dropped() {
    let here = switched_over().await;
    let release = here.path("release.csv").display().to_string();
    here.db
        .psql(
            "ALTER TABLE cites_trade_records_old RENAME TO moved;
            CREATE TABLE cites_trade_records_old AS SELECT 1 AS precious",
        )
        .await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    refused(&here, "exists and was not left there by sterna").await;
    assert_eq!(here.db.psql("SELECT precious FROM cites_trade_records_old").await, "1");
}

#[tokio::test]
async fn a_table_that_came_back_by_hand_is_replaced_again() {
    let here = switched_over().await;
    let db = &here.db;
    db.psql(
        "DROP TABLE cites_trade_records CASCADE;
        ALTER TABLE cites_trade_records_old RENAME TO cites_trade_records",
    )
    .await;
    db.sterna(&["stage", "create"]).expect_code(0);
    let release = here.file("again.csv", file_of(&good(9)));
    here.report(0, &[&release, "--all"]);
    db.sterna(&exchanging("switchover")).expect_code(0);
    let own = "SELECT string_agg(s.table_name || ' ' || (s.relid::regclass), ' ') FROM sterna.staging AS s";
    let old = "cites_trade_records_old";
    assert_eq!(db.psql(own).await, format!("{old} {old}"));
    db.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
    assert_eq!(db.psql("SELECT count(*) FROM cites_trade_records").await, "9");
}

#[tokio::test]
async fn a_statement_that_takes_long_keeps_nobody_waiting() {
    let here = loaded().await;
    // It sleeps during the exchange, under all its locks.
    here.db
        .psql(
            "CREATE FUNCTION dawdle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                IF to_regclass('public.cites_trade_records_old') IS NOT NULL THEN
                    PERFORM pg_sleep(20);
                END IF;
            END $$;
            CREATE EVENT TRIGGER dawdle ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
            EXECUTE FUNCTION dawdle()",
        )
        .await;
    let before = names(&here.db).await;
    let args = [exchanging("switchover"), vec!["--max-wait", "1s"]].concat();
    let refused = here.db.sterna(&args).expect_code(7);
    assert!(refused.stderr.contains("a statement took longer than the"), "{refused:?}");
    assert_eq!(names(&here.db).await, before);
}

#[tokio::test]
async fn an_old_table_that_was_cleaned_up_cannot_come_back() {
    let here = switched_over().await;
    here.db.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
    no_way_back(&here, "the old table was cleaned up").await;
}

#[tokio::test]
async fn a_switchover_is_not_rolled_back_twice() {
    let here = switched_over().await;
    here.db.sterna(&exchanging("rollback")).expect_code(0);
    here.db.psql(ANOTHER).await;
    no_way_back(&here, "the switchover was rolled back already").await;
}

#[tokio::test]
async fn another_table_than_that_of_the_switchover_is_not_rolled_back() {
    let here = switched_over().await;
    here.db.psql(ANOTHER).await;
    no_way_back(&here, "is not the table that the switchover put there").await;
}

#[tokio::test]
async fn another_table_than_the_old_one_does_not_come_back() {
    let here = switched_over().await;
    here.db
        .psql(
            "ALTER TABLE cites_trade_records_old RENAME TO moved;
            CREATE TABLE cites_trade_records_old (LIKE moved INCLUDING ALL)",
        )
        .await;
    no_way_back(&here, "cites_trade_records_old\", which was replaced, is gone").await;
}

#[tokio::test]
async fn the_switchover_of_another_run_is_not_rolled_back() {
    let here = switched_over().await;
    no_way_back_for(&here, Uuid::nil(), "has not switched").await;
}
