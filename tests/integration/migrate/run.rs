//! Whole runs, parts of runs, and runs that are refused.

use serde_json::Value;

use super::{Scenario, state};
use crate::server::eventually;
use crate::switchover::exchange::names;

#[tokio::test]
async fn the_whole_plan_and_all_the_way_back() {
    let scenario = Scenario::new().await;
    let done = scenario.migrate(&["--expect-rows", "2000"]).expect_code(0);
    let shown: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(shown["state"], "finished");
    for step in ["1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3"] {
        assert_eq!(state(&shown, step), "done", "{step}");
    }
    assert_eq!(state(&shown, "2.3"), "skipped");
    assert_eq!(state(&shown, "5.4"), "pending");
    assert_eq!(shown["next_command"], "sterna cleanup --older-than 7d");
    scenario.assert_migrated().await;
    let live = &scenario.status()["live"];
    assert_eq!(live["table"], "new");
    assert_eq!(live["old_table"], "\"public\".\"cites_trade_records_old\"");
    let deviations = shown["deviations"].to_string();
    assert!(deviations.contains("the queries were not timed"), "{deviations}");
    let text = scenario.sterna(&["status"]).expect_code(0).stdout;
    assert!(text.contains("live       the new table since 2"), "{text}");
    let copied = "SELECT count(*), (SELECT count(*) FROM pg_constraint
            WHERE conrelid = 'public.cites_trade_records_backup'::regclass AND contype = 'p'),
        (SELECT relacl FROM pg_class WHERE oid = 'public.cites_trade_records_backup'::regclass)
            ::text LIKE '%anon%'
        FROM public.cites_trade_records_backup";
    assert!(scenario.here.db.psql(copied).await.ends_with("|1|f"));
    let report = scenario
        .here
        .folder
        .path()
        .join(format!("sterna-report-{}", &shown["run_id"].as_str().unwrap()[..8]));
    assert!(report.join("report.json").exists() && report.join("report.md").exists());

    let short = &shown["run_id"].as_str().unwrap()[..8];
    let listed = scenario.sterna(&["rollback", "--run", short, "--dry-run"]).expect_code(0);
    assert!(listed.stdout.contains("4.2"), "{listed:?}");
    scenario.sterna(&["rollback", "--run", "no-such", "--dry-run"]).expect_code(2);
    let back = scenario.sterna(&["rollback", "1.1", "--format", "json"]).expect_code(0);
    let back: serde_json::Value = serde_json::from_str(&back.stdout).unwrap();
    assert_eq!(back["parity_differences"], serde_json::json!([]), "{back:#}");
    scenario.assert_as_before().await;
    assert_eq!(scenario.status()["state"], "rolled_back");
    assert_eq!(scenario.status()["live"]["table"], "old");
    scenario.sterna(&["rollback"]).expect_code(6);
}

#[tokio::test]
async fn three_in_a_row_leave_the_names_of_one() {
    let scenario = Scenario::new().await;
    scenario.migrate(&[]).expect_code(0);
    let after_one = names(&scenario.here.db).await;
    for _ in 0..2 {
        scenario.migrate(&[]).expect_code(0);
        assert_eq!(names(&scenario.here.db).await, after_one);
        scenario.assert_migrated().await;
    }
    scenario.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
    assert_eq!(
        names(&scenario.here.db)
            .await
            .replace("\nt cites_trade_records !sterna_journal_truncate", "")
            .replace("\nt cites_trade_records !sterna_journal", ""),
        scenario.names
    );
    assert_eq!(state(&scenario.status(), "5.4"), "done");
    // What was dropped cannot be rolled back to.
    scenario.sterna(&["rollback"]).expect_code(6);
}

#[tokio::test]
async fn a_part_is_run_and_then_the_rest() {
    let scenario = Scenario::new().await;
    scenario.migrate(&["--to", "validation"]).expect_code(0);
    let status = scenario.status();
    assert_eq!((&status["state"], &status["next"]), (&"stopped".into(), &"4.1".into()));
    assert_eq!(scenario.here.db.psql(super::ROWS).await, scenario.rows);
    // Begun and not finished: neither a second run nor one with another input may start.
    let refused = scenario.migrate(&[]).expect_code(6);
    assert!(refused.stderr.contains("--resume") && refused.stderr.contains("rollback"));
    let other = scenario.here.file("other.csv", crate::cites::generated(10, 9));
    let refused = scenario.sterna(&["migrate", &other, "--resume"]).expect_code(6);
    assert!(refused.stderr.contains("the input has changed"), "{refused:?}");
    scenario.migrate(&["--resume"]).expect_code(0);
    scenario.assert_migrated().await;
    scenario.migrate(&["--resume"]).expect_code(6);
}

#[tokio::test]
async fn a_second_run_is_refused_while_one_is_at_work() {
    let scenario = Scenario::new().await;
    let session = scenario.here.db.connect().await;
    let pair_lock =
        "SELECT pg_advisory_lock(1937010273, hashtext('\"public\".\"cites_trade_records\"'))";
    session.batch_execute(pair_lock).await.unwrap();
    let refused = scenario.migrate(&[]).expect_code(6);
    assert!(refused.stderr.contains("another sterna is working"), "{refused:?}");
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_command_beside_a_run_is_told_which_run_and_step_it_has_to_wait_for() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    // The switchover waits for this transaction.
    let reader = db.connect().await;
    reader.batch_execute("BEGIN; SELECT count(*) FROM public.cites_trade_records").await.unwrap();
    let mut run = db.command(&scenario.migration(&[]));
    let run = run.current_dir(scenario.here.folder.path());
    let mut child = run.stdout(std::process::Stdio::null()).spawn().unwrap();
    eventually("the switchover", || {
        let status = scenario.sterna(&["status", "--format", "json"]).stdout;
        let status: Value = serde_json::from_str(&status).unwrap_or_default();
        let steps = status["steps"].as_array().cloned().unwrap_or_default();
        steps.iter().any(|step| step["step"] == "4.2" && step["state"] == "started")
    });
    let run = scenario.status()["run_id"].as_str().unwrap().to_owned();
    for args in [
        &["load", scenario.release(), "--all"][..],
        &["load", scenario.release(), "--all", "--resume"],
        &["stage", "truncate"],
        &["validate"],
        &["rollback"],
    ] {
        let refused = scenario.sterna(args).expect_code(6).stderr;
        let held = format!(
            "another sterna is working on \"public\".\"cites_trade_records\": run {run}, step 4.2 since "
        );
        for part in [&held[..], "(sterna: lock of the run)", "`sterna status --watch`"] {
            assert!(refused.contains(part), "{args:?}: {part}: {refused}");
        }
        assert!(!refused.contains("stage truncate"), "{refused}");
    }
    reader.batch_execute("COMMIT").await.unwrap();
    assert!(child.wait().unwrap().success());
    scenario.assert_migrated().await;
}

#[tokio::test]
async fn an_unsupported_table_is_refused_before_anything_is_written() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    db.psql(
        "DROP SCHEMA sterna CASCADE;
         CREATE TABLE public.child () INHERITS (public.cites_trade_records)",
    )
    .await;
    scenario.migrate(&[]).expect_code(6);
    assert_eq!(db.psql("SELECT to_regnamespace('sterna') IS NULL").await, "t");
}
