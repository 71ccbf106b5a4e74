//! Lost or omitted rows do not go unnoticed, with or without a proof.

use serde_json::json;

use crate::cites::{Installation, file_of, generated, good};

use super::process::{INDEXES_WAIT, finished, go_on, pause, until};

#[tokio::test]
async fn rows_that_are_gone_before_the_end_fail_the_load() {
    let here = Installation::new().await;
    // The load gets as far as its indexes.
    here.db.psql("CREATE INDEX idx_cites_trade_year_staging ON species (genus)").await;
    let file = here.file("in.csv", file_of(&good(10)));
    here.load(&[&file, "--all"]).expect_code(6);
    here.db
        .psql(
            "DROP INDEX idx_cites_trade_year_staging;
            DELETE FROM cites_trade_records_staging WHERE record_id = '3'",
        )
        .await;
    let failed = here.load(&[&file, "--all", "--resume"]).expect_code(4);
    assert!(failed.stderr.contains("has 9 rows, but its loads have written 10"), "{failed:?}");
    assert_eq!(here.db.psql("SELECT state FROM sterna.load_run").await, "failed");
}

#[tokio::test]
async fn rows_that_the_server_leaves_out_stop_the_load() {
    let here = Installation::new().await;
    let file = here.file("in.csv", generated(20_000, 21));
    let args: Vec<String> =
        [&file, "--all", "--on-inexact", "widen", "--batch-size", "100"].map(str::to_owned).into();
    let (child, session) = pause(&here, &args).await;
    here.db
        .psql(
            "CREATE FUNCTION left_out() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN IF random() < 0.5 THEN RETURN NULL; END IF; RETURN new; END';
            CREATE TRIGGER left_out BEFORE INSERT ON cites_trade_records_staging
                FOR EACH ROW EXECUTE FUNCTION left_out()",
        )
        .await;
    go_on(session).await;
    let refused = finished(child).expect_code(6);
    assert!(refused.stderr.contains("the server stored"), "{refused:?}");
    assert!(refused.stderr.contains("of 100 rows"), "{refused:?}");
    // These rows can be neither completed nor switched over.
    assert_eq!(here.db.psql("SELECT state FROM sterna.load_run").await, "failed");
    here.db.psql("DROP TRIGGER left_out ON cites_trade_records_staging").await;
    for more in ["--resume", "--append"] {
        let args: Vec<&str> = args.iter().map(String::as_str).chain([more]).collect();
        let refused = here.load(&args).expect_code(6);
        assert!(refused.stderr.contains("a trigger or rule on it drops rows"), "{refused:?}");
        assert!(refused.stderr.contains("sterna stage truncate"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_batch_that_is_lost_with_its_ledger_row_is_missed() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all", "--batch-size", "10", "--verify"]);
    here.db
        .psql(
            "DELETE FROM cites_trade_records_staging WHERE xmin::text = (
                SELECT xid::text FROM sterna.load_batch WHERE batch_number = 1);
            DELETE FROM sterna.load_batch WHERE batch_number = 1",
        )
        .await;
    let again = [&file, "--all", "--batch-size", "10", "--resume"];
    let failed = here.load(&[&again[..], &["--verify"]].concat()).expect_code(4);
    assert!(failed.stderr.contains("but 30 with sum"), "{failed:?}");
    let report: serde_json::Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!((&report["state"], &report["verified"]), (&json!("failed"), &json!(false)));
    let validated = here.db.sterna(&["validate", "--all"]);
    assert_eq!(validated.code, Some(4), "{validated:?}");
}

#[tokio::test]
async fn a_batch_that_is_lost_at_the_very_end_is_missed() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&good(20_000)));
    let args = [&file, "--all", "--batch-size", "500", "--resume"];
    let (child, paused) = pause(&here, &args.map(str::to_owned)).await;
    // Batches are written under this lock, but recording that all are in waits for it.
    let session = here.db.connect().await;
    session.batch_execute("BEGIN; SELECT FROM sterna.load_run FOR SHARE").await.unwrap();
    go_on(paused).await;
    let waiting = "SELECT count(*) > 0 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND query LIKE '%UPDATE sterna.load_run%'";
    until(&here.db, waiting, "t").await;
    here.db
        .psql(
            "DELETE FROM cites_trade_records_staging WHERE xmin::text = (
                SELECT xid::text FROM sterna.load_batch WHERE batch_number = 1);
            DELETE FROM sterna.load_batch WHERE batch_number = 1",
        )
        .await;
    go_on(session).await;
    let failed = finished(child).expect_code(1);
    assert!(failed.stderr.contains("has lost batches that it had confirmed"), "{failed:?}");
    assert_eq!(here.db.psql("SELECT state FROM sterna.load_run").await, "loading");
    here.report(0, &[&args[..], &["--verify"]].concat());
    assert_eq!(here.staging().await.len(), 20_000);
}

#[tokio::test]
async fn a_load_that_lost_its_staging_while_it_built_indexes_does_not_count() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&good(20_000)));
    let args: Vec<String> = [&file, "--all", "--batch-size", "500"].map(str::to_owned).into();
    let (child, paused) = pause(&here, &args).await;
    // Rows are written under this lock, but indexes wait for it.
    let session = here.db.connect().await;
    let lock = "BEGIN; LOCK TABLE cites_trade_records_staging IN SHARE UPDATE EXCLUSIVE MODE";
    session.batch_execute(lock).await.unwrap();
    go_on(paused).await;
    until(&here.db, INDEXES_WAIT, "t").await;
    // As `stage truncate` discards it.
    here.db.psql("UPDATE sterna.load_run SET state = 'discarded'").await;
    go_on(session).await;
    let refused = finished(child).expect_code(6);
    assert!(refused.stderr.contains("emptied by another sterna"), "{refused:?}");
    assert_eq!(here.db.psql("SELECT state FROM sterna.load_run").await, "discarded");
}
