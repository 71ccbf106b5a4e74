//! A refused command leaves the run unchanged.

use super::{ROWS, Scenario, state};

#[tokio::test]
async fn a_refused_clean_up_is_no_failed_step_and_locks_nobody_out() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    let refused = scenario.sterna(&["cleanup", "--older-than", "7d"]).expect_code(6);
    assert!(refused.stderr.contains("the old table is kept for 7 d"), "{refused:?}");
    let status = scenario.status();
    assert_eq!((&status["state"], state(&status, "5.4")), (&"finished".into(), "pending"));
    // A refusal by the server changes nothing either.
    db.psql("CREATE VIEW public.looks_back AS SELECT id FROM public.cites_trade_records_old").await;
    let failed = scenario.sterna(&["cleanup", "--older-than", "0s"]);
    assert!(failed.code != Some(0) && failed.stderr.contains("looks_back"), "{failed:?}");
    db.psql("DROP VIEW public.looks_back").await;
    // Everything can be rolled back and resumed.
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    scenario.assert_as_before().await;
    assert_eq!(scenario.status()["state"], "rolled_back");
    scenario.migrate(&[]).expect_code(0);
    scenario.sterna(&["cleanup"]).expect_code(6);
    scenario.migrate(&[]).expect_code(0);
    scenario.assert_migrated().await;
}

#[tokio::test]
async fn a_refused_command_does_not_undo_what_its_step_has_done() {
    let scenario = Scenario::new().await;
    scenario.migrate(&["--to", "3.3"]).expect_code(0);
    scenario.sterna(&["stage", "create"]).expect_code(6);
    let status = scenario.status();
    assert_eq!((state(&status, "1.2"), &status["next"]), ("done", &"4.1".into()));
    scenario.migrate(&["--resume"]).expect_code(0);
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(scenario.here.db.psql(ROWS).await, scenario.rows);
}
