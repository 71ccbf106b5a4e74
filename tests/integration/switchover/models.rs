//! The known installations: switched over, rolled back, switched over again, and cleaned up.

use sterna::pg::embedded::ModelSchema;

use super::exchange::{fingerprint, names};
use crate::cites::{Installation, file_of, generated, good};

#[tokio::test]
async fn shipment_records_go_there_and_back_and_leave_nothing() {
    let here = Installation::new().await;
    here.db
        .psql(
            "INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
             SELECT id, 'old-' || n, 2000 + n % 20, 'II', scientific_name, 'live'
             FROM species, generate_series(1, 20) AS n",
        )
        .await;
    let file = here.file("in.csv", generated(3_000, 7));
    there_and_back(&here, &[&file, "--all", "--on-inexact", "widen"], 860).await;
}

#[tokio::test]
async fn so_does_a_table_with_both_reported_quantities() {
    let here = Installation::with_schema(ModelSchema::ReportedQuantities).await;
    let file = here.file("in.csv", file_of(&good(10)));
    // Shipment files have one quantity; the comparative tabulation has both.
    here.load(&[&file, "--all"]).expect_code(2);
    let out = here.path("comptab.csv").display().to_string();
    here.db
        .sterna(&["generate", "--rows", "2000", "--comptab", "2015", "--out", &out])
        .expect_code(0);
    there_and_back(&here, &[&out, "--all"], 0).await;
}

async fn there_and_back(here: &Installation, load: &[&str], rows_before: u64) {
    let db = &here.db;
    let (before, before_names) = (fingerprint(db).await, names(db).await);
    db.sterna(&["stage", "create"]).expect_code(0);
    let loaded = here.report(0, load)["rows_loaded"].as_u64().unwrap();
    assert!(loaded > 1_000);
    let count = "SELECT count(*) FROM cites_trade_records";
    let mut names_after = None;
    for _ in 0..2 {
        let done = db
            .sterna(&["switchover", "--accept-failed-validation", "--format", "json"])
            .expect_code(0);
        let done: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(done["parity_differences"], serde_json::json!([]), "{done:#}");
        assert_eq!(db.psql(count).await, loaded.to_string());
        let now = names(db).await;
        assert_eq!(*names_after.get_or_insert_with(|| now.clone()), now);
        if rows_before > 0 {
            let differences = before.differences(&fingerprint(db).await);
            let widened: Vec<_> = differences.iter().map(|d| d.key.as_str()).collect();
            assert_eq!(widened, ["public.cites_trade_records.quantity"], "{differences:#?}");
        } else {
            assert_eq!(before.differences(&fingerprint(db).await), []);
        }
        db.sterna(&["rollback", "switchover"]).expect_code(0);
        assert_eq!(before.differences(&fingerprint(db).await), []);
        assert_eq!(db.psql(count).await, rows_before.to_string());
    }
    db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    db.sterna(&["cleanup"]).expect_code(6);
    db.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
    assert_eq!(names(db).await, before_names);
    assert_eq!(db.psql(count).await, loaded.to_string());
    let refused = db.sterna(&["rollback", "switchover"]).expect_code(6);
    assert!(refused.stderr.contains("cleaned up"), "{refused:?}");
    for table in ["journaled", "carrying", "staging"] {
        assert_eq!(db.psql(&format!("SELECT count(*) FROM sterna.{table}")).await, "0", "{table}");
    }
}
