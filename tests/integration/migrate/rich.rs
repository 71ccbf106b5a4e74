//! The whole plan on the table with all features, with writers at every step.

use super::Scenario;

#[tokio::test]
async fn the_whole_plan_changes_nothing_but_the_rows_and_back_nothing_at_all() {
    let scenario = Scenario::rich().await;
    let done = scenario.migrate(&["--expect-rows", "2537"]).expect_code(0);
    let shown: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(shown["state"], "finished");
    assert_eq!(scenario.differences().await, []);
    let count = "SELECT count(*) FROM public.cites_trade_records";
    assert_eq!(scenario.here.db.psql(count).await, "2537");
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    scenario.assert_as_before().await;
}

/// Deletes the first species of production with everything that refers to it.
const DELETE_SPECIES: &str = "BEGIN;
    CREATE TEMPORARY TABLE gone AS SELECT id, species_id FROM cites_trade_records
    WHERE species_id = (SELECT min(species_id::text)::uuid FROM cites_trade_records);
    DELETE FROM trade_annotations WHERE record IN (SELECT id FROM gone);
    DELETE FROM trade_disputes WHERE record IN (SELECT id FROM gone);
    DELETE FROM species WHERE id IN (SELECT species_id FROM gone);
    COMMIT";

#[tokio::test]
async fn a_species_that_is_deleted_meanwhile_goes_from_the_new_table_as_well() {
    let scenario = Scenario::rich().await;
    let db = &scenario.here.db;
    let count = "SELECT count(*) FROM cites_trade_records";
    let mut rows = 2537;
    for to in ["1.2", "2.1", "2.2", "3.2", "3.3", "4.1", "4.2"] {
        scenario.migrate(&["--to", to]).expect_code(0);
        db.psql(DELETE_SPECIES).await;
        rows -= 59;
        let resumed = scenario.migrate(&["--resume"]);
        // The rows disappeared from staging unexpectedly: the user must see that, and can only
        // load again.
        if resumed.code == Some(4) {
            assert!(resumed.stderr.contains("rows-accounted"), "{to}: {resumed:?}");
            assert!(resumed.stderr.contains("sterna rollback 2.1"), "{to}: {resumed:?}");
            assert_eq!(db.psql(count).await, rows.to_string());
            scenario.sterna(&["rollback", "2.1"]).expect_code(0);
            scenario.migrate(&["--resume"]).expect_code(0);
        } else {
            assert_eq!(resumed.code, Some(0), "{to}: {resumed:?}");
        }
        assert_eq!(scenario.differences().await, [], "{to}");
        assert_eq!(db.psql(count).await, rows.to_string(), "{to}");
        scenario.sterna(&["rollback", "1.1"]).expect_code(0);
        assert_eq!(scenario.differences().await, [], "{to}");
        assert_eq!(db.psql(count).await, rows.to_string(), "{to}");
    }
}

#[tokio::test]
async fn a_column_that_is_widened_is_all_that_differs_and_narrow_again_after_the_way_back() {
    let scenario = Scenario::rich_with(|line| line.replace(",2.50,", ",2.50125,")).await;
    let db = &scenario.here.db;
    let done = scenario.migrate(&["--on-inexact", "widen"]).expect_code(0);
    // The column, and the views that show it.
    let differences = scenario.differences().await;
    assert_eq!(differences.len(), 5, "{differences:#?}");
    for difference in &differences {
        assert!(difference.kind == "column" && difference.key.ends_with(".quantity"));
        let after = difference.before.clone().unwrap().replace("numeric(10,2)", "numeric");
        assert_eq!(difference.after, Some(after));
    }
    let shown: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let steps = shown["steps"].as_array().unwrap();
    let switchover = &steps.iter().find(|step| step["step"] == "4.2").unwrap()["detail"];
    assert_eq!(switchover["exceptions"], serde_json::to_value(&differences).unwrap());
    assert_eq!(switchover["parity_differences"], serde_json::json!([]));
    let widened = "SELECT count(*) FROM cites_trade_records WHERE quantity = 2.50125";
    assert_ne!(db.psql(widened).await, "0");
    // What the old column cannot hold is not silently rounded.
    db.psql(
        "UPDATE cites_trade_records SET quantity = 1.125, notes = 'mine' WHERE record_id = 'R3-7'",
    )
    .await;
    let refused = scenario.sterna(&["rollback", "1.1"]).expect_code(6);
    assert!(refused.stderr.contains(": quantity 1.125"), "{refused:?}");
    db.psql("UPDATE cites_trade_records SET quantity = 1e9 WHERE record_id = 'R3-7'").await;
    scenario.sterna(&["rollback", "1.1"]).expect_code(6);
    db.psql("UPDATE cites_trade_records SET quantity = 1.13 WHERE record_id = 'R3-7'").await;
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(scenario.differences().await, []);
    let written = "SELECT quantity, notes FROM cites_trade_records WHERE record_id = 'R3-7'";
    assert_eq!(db.psql(written).await, "1.13|mine");
}
