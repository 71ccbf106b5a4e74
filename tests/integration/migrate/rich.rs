//! The whole plan on the richest table there is, with writers at every step.

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

#[tokio::test]
async fn a_species_that_is_deleted_at_any_step() {
    let scenario = Scenario::rich().await;
    let db = &scenario.here.db;
    for step in ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1", "4.2", "5.1"] {
        let done = scenario.migrate(&["--to", step]);
        println!("{step}: {:?} {}", done.code, done.stderr);
        db.psql(
            "BEGIN;
             CREATE TEMPORARY TABLE gone AS SELECT id FROM cites_trade_records WHERE species_id = (SELECT min(species_id::text)::uuid FROM cites_trade_records);
             DELETE FROM trade_annotations WHERE record IN (TABLE gone);
             DELETE FROM trade_disputes WHERE record IN (TABLE gone);
             DELETE FROM species WHERE id = (SELECT min(species_id::text)::uuid FROM cites_trade_records);
             COMMIT",
        )
        .await;
        println!("{}", db.psql("SELECT count(*) FROM cites_trade_records").await);
        let done = scenario.migrate(&["--resume"]);
        println!("resumed: {:?} {}", done.code, done.stderr);
        println!("{}", db.psql("SELECT count(*) FROM cites_trade_records").await);
        let done = scenario.sterna(&["rollback", "1.1"]);
        println!("rolled back: {:?} {}", done.code, done.stderr);
        println!("{}", db.psql("SELECT count(*) FROM cites_trade_records").await);
    }
    panic!();
}
