//! Commands that show something and write nothing.

use super::Scenario;
use crate::server::TestDb;

#[tokio::test]
async fn the_plan_writes_nothing_and_needs_no_rights_to() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    db.psql(
        "DROP SCHEMA sterna CASCADE;
         DO $$ BEGIN CREATE ROLE migrate_reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO migrate_reader",
    )
    .await;
    let mut command = db.command(&["plan", &scenario.release]);
    let shown = command.env("PGUSER", "migrate_reader").output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    for words in [
        "4.2  put staging in the table's place",
        "CREATE TABLE \"public\".\"cites_trade_records_staging\"",
        "about 2,000",
        "RENAME TO",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(db.psql("SELECT to_regnamespace('sterna') IS NULL").await, "t");
    let status = db.sterna(&["status"]).expect_code(0);
    assert!(status.stdout.contains("no migration of"), "{status:?}");
}

#[tokio::test]
async fn the_plan_as_a_document() {
    let db = TestDb::new().await;
    let shown = db.sterna(&["plan", "--format", "json"]).expect_code(0);
    let plan: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &steps[10]["step"]), (16, &"4.2".into()));
    for step in steps {
        assert!(!step["sql"].as_array().unwrap().is_empty(), "{step}");
        assert!(step["locks"].is_string() && step["undone_by"].is_string(), "{step}");
    }
}

#[tokio::test]
async fn the_status_tells_how_far_a_load_has_got() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.here.report(0, &[&scenario.release, "--all"]);
    let load = || scenario.status()["load"].clone();
    assert!(load().is_null());
    db.psql("UPDATE sterna.load_run SET state = 'loading' WHERE state = 'loaded'").await;
    let load = load();
    for (what, number) in [("rows", 2000), ("files_begun", 1), ("files", 1)] {
        assert_eq!(load[what], number, "{load:#}");
    }
    let shown = db.sterna(&["status"]).expect_code(0).stdout;
    assert!(shown.contains("1 of 1 file begun"), "{shown}");
}
