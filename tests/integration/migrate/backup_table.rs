//! Step 4.1 where the switchover's old table is the only copy in the database.

use serde_json::{Value, json};

use super::{ROWS, Scenario, state};

const HAS_COPY: &str = "SELECT to_regclass('public.cites_trade_records_backup') IS NOT NULL";
const AUTO: [&str; 2] = ["--backup-table", "auto"];

fn step(status: &Value) -> Value {
    let steps = status["steps"].as_array().unwrap();
    steps.iter().find(|step| step["step"] == "4.1").unwrap().clone()
}

#[tokio::test]
async fn without_a_copy_the_old_table_has_the_rows_and_the_way_back_is_the_same() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.here.file("sterna.toml", "[migrate]\nbackup_table = 'auto'\n");
    scenario.migrate(&[]).expect_code(0);
    scenario.assert_migrated().await;
    assert_eq!(db.psql(HAS_COPY).await, "f");
    let old = ROWS.replace("public.cites_trade_records AS", "public.cites_trade_records_old AS");
    assert_eq!(db.psql(&old).await.split('|').next(), scenario.rows.split('|').next());
    let status = scenario.status();
    let shown = step(&status);
    assert_eq!((&shown["state"], &shown["rows"]), (&"done".into(), &Value::Null));
    let kept = "\"public\".\"cites_trade_records_old\"";
    assert_eq!(shown["detail"]["kept_by_switchover"], kept);
    assert_eq!(shown["detail"]["backup_table"], Value::Null);
    assert_eq!(shown["deviations"], json!([]));

    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    scenario.assert_as_before().await;
}

#[tokio::test]
async fn the_copy_of_an_earlier_run_stays_until_the_cleanup() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    let made = db.psql("SELECT 'public.cites_trade_records_backup'::regclass::oid").await;
    scenario.migrate(&AUTO).expect_code(0);
    let stays = "SELECT relid FROM sterna.backup_table";
    assert_eq!(db.psql(stays).await, made);
    // It is not this run's to drop.
    scenario.sterna(&["rollback", "4.1"]).expect_code(0);
    assert_eq!(db.psql(HAS_COPY).await, "t");
    scenario.migrate(&["--resume", "--backup-table=auto"]).expect_code(0);
    // Others may have made it a part of theirs.
    db.psql(
        "CREATE TABLE copies (LIKE cites_trade_records_backup);
        ALTER TABLE cites_trade_records_backup INHERIT copies",
    )
    .await;
    let refused = scenario.sterna(&["cleanup", "--older-than", "0s"]).expect_code(6);
    let said = "public.cites_trade_records_backup has been attached to public.copies";
    assert!(refused.stderr.contains(said), "{refused:?}");
    db.psql("ALTER TABLE cites_trade_records_backup NO INHERIT copies").await;
    let done = scenario.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
    let dropped = ["cites_trade_records_old", "cites_trade_records_backup"];
    assert!(dropped.iter().all(|table| done.stdout.contains(table)), "{done:?}");
    assert_eq!(db.psql(HAS_COPY).await, "f");
}

#[tokio::test]
async fn a_run_is_resumed_with_the_choice_it_was_begun_with_or_says_so() {
    let scenario = Scenario::new().await;
    scenario.migrate(&[&AUTO[..], &["--to", "3.3"]].concat()).expect_code(0);
    let next = scenario.status()["next_command"].as_str().unwrap().to_owned();
    assert!(next.contains("--backup-table auto"), "{next}");
    scenario.migrate(&["--resume", "--to", "4.1"]).expect_code(0);
    assert_eq!(state(&scenario.status(), "4.1"), "done");
    assert_eq!(scenario.here.db.psql(HAS_COPY).await, "t");
    let deviations = scenario.status()["deviations"].to_string();
    assert!(deviations.contains("--backup-table always instead of auto"), "{deviations}");
}

#[tokio::test]
async fn space_for_a_copy_that_is_not_made_is_not_needed() {
    let scenario = Scenario::new().await;
    let refused = scenario.migrate(&["--disk-limit", "1MB"]).expect_code(6);
    let auto = scenario.migrate(&[&AUTO[..], &["--disk-limit", "1MB"]].concat()).expect_code(6);
    assert!(!refused.stderr.contains("backup table 0.0 MB"), "{refused:?}");
    assert!(auto.stderr.contains("backup table 0.0 MB"), "{auto:?}");
    let planned = scenario.sterna(&["plan"]).expect_code(0);
    assert!(planned.stdout.contains("--backup-table auto"), "{planned:?}");
}
