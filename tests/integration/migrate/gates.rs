//! The gates before the switchover.

use super::{Scenario, state};

#[tokio::test]
async fn a_failed_validation_stops_the_run_and_can_be_accepted() {
    let scenario = Scenario::new().await;
    let failed = scenario.migrate(&["--expect-rows", "1999"]).expect_code(4);
    assert!(failed.stderr.contains("rows-expected"), "{failed:?}");
    assert!(failed.stderr.contains("production was not touched"), "{failed:?}");
    assert!(failed.stderr.contains("--resume"), "{failed:?}");
    let status = scenario.status();
    assert_eq!((&status["state"], state(&status, "3.3")), (&"failed".into(), "failed"));
    assert_eq!(state(&status, "5.3"), "done", "a failed run is reported as well");
    assert_eq!(scenario.here.db.psql(super::ROWS).await, scenario.rows);
    // What was asserted at the beginning still applies, even if it is omitted or changed.
    scenario.migrate(&["--resume"]).expect_code(4);
    let raised = ["--resume", "--expect-rows", "1998", "--max-shrinkage", "21"];
    scenario.migrate(&raised).expect_code(4);
    scenario.migrate(&["--resume", "--accept-failed-validation"]).expect_code(0);
    scenario.assert_migrated().await;
    let deviations = scenario.status()["deviations"].to_string();
    assert!(deviations.contains("--accept-failed-validation was given"), "{deviations}");
    assert!(deviations.contains("--expect-rows 1998 instead of 1999"), "{deviations}");
    assert!(deviations.contains("--max-shrinkage 21.0 instead of 10.0"), "{deviations}");
}

#[tokio::test]
async fn a_switchover_alone_needs_a_passed_validation() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    db.sterna(&["stage", "create"]).expect_code(0);
    scenario.here.report(0, &[&scenario.release, "--all"]);
    db.psql(
        "UPDATE public.cites_trade_records_staging SET year = 1874
         WHERE id = (SELECT min(id::text)::uuid FROM public.cites_trade_records_staging)",
    )
    .await;
    let refused = db.sterna(&["switchover"]).expect_code(4);
    assert!(refused.stderr.contains("have passed no validation"), "{refused:?}");
    assert_eq!(db.psql(super::ROWS).await, scenario.rows);
}

#[tokio::test]
async fn files_without_a_year_are_migrated_without_the_test() {
    let scenario = Scenario::new().await;
    let formats = include_str!("../../../data/formats.toml");
    let mapping = scenario.here.file("formats.toml", formats.replace("\nyear = \"Year\"", ""));
    let refused = scenario.migrate(&["--mapping", &mapping]).expect_code(6);
    assert!(refused.stderr.contains("no year to test with"), "{refused:?}");
    assert!(refused.stderr.contains("--skip 2.1"), "{refused:?}");
    scenario.migrate(&["--mapping", &mapping, "--resume", "--skip", "2.1"]).expect_code(0);
    scenario.assert_migrated().await;
    assert_eq!(state(&scenario.status(), "2.2"), "skipped");
}

#[tokio::test]
async fn what_speaks_of_one_year_or_of_no_rows_opens_no_gate() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.here.report(0, &[&scenario.release, "--year", "2020"]);
    db.sterna(&["validate", "--year", "2020", "--max-quantity-change", "1000"]).expect_code(0);
    let refused = db.sterna(&["switchover"]).expect_code(4);
    assert!(refused.stderr.contains("species-year-missing"), "{refused:?}");
    db.sterna(&["stage", "truncate"]).expect_code(0);
    scenario.here.report(0, &[&scenario.release, "--year", "1850"]);
    db.sterna(&["switchover"]).expect_code(4);
    assert_eq!(db.psql(super::ROWS).await, scenario.rows);
}

#[tokio::test]
async fn commands_do_not_go_before_a_run_that_is_under_way() {
    let scenario = Scenario::new().await;
    scenario.migrate(&["--to", "2.2"]).expect_code(0);
    let refused = scenario.sterna(&["switchover", "--accept-failed-validation"]).expect_code(6);
    assert!(refused.stderr.contains("its next step is 2.3"), "{refused:?}");
    assert_eq!(scenario.here.db.psql(super::ROWS).await, scenario.rows);
    scenario.migrate(&["--resume", "--to", "4.2"]).expect_code(0);
    let refused = scenario.sterna(&["cleanup", "--older-than", "0s"]).expect_code(6);
    assert!(refused.stderr.contains("may need the old table"), "{refused:?}");
    scenario.migrate(&["--resume"]).expect_code(0);
    // A clean-up that was refused leaves the rollback possible.
    scenario.sterna(&["cleanup"]).expect_code(6);
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    scenario.assert_as_before().await;
}

#[tokio::test]
async fn a_disk_limit_is_compared_before_anything_is_written() {
    let scenario = Scenario::new().await;
    scenario.here.db.psql("DROP SCHEMA sterna CASCADE").await;
    let refused = scenario.migrate(&["--disk-limit", "1MB"]).expect_code(6);
    assert!(refused.stderr.contains("too little space on the server"), "{refused:?}");
    assert!(refused.stderr.contains("the limit is 1.0 MB"), "{refused:?}");
    assert_eq!(scenario.here.db.psql("SELECT to_regnamespace('sterna')").await, "");
    assert_eq!(scenario.names, crate::switchover::exchange::names(&scenario.here.db).await);
    // The file of defaults takes it as well, and a run is resumed with what it was given.
    scenario.here.file("sterna.toml", "[migrate]\ndisk_limit = '8GB'\n");
    scenario.migrate(&["--to", "3.3"]).expect_code(0);
    let limit = "SELECT arguments->>'disk_limit' FROM sterna.migration";
    assert_eq!(scenario.here.db.psql(limit).await, "8000000000");
    let again = scenario.migrate(&["--disk-limit", "9GB"]).expect_code(6);
    assert!(again.stderr.contains("--resume"), "{again:?}");
    scenario.migrate(&["--resume", "--disk-limit", "9GB"]).expect_code(0);
    scenario.assert_migrated().await;
}
