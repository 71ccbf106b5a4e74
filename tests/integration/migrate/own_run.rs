//! A rollback never goes further back than its own run, whatever made that run fail.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{ROWS, Scenario, state};
use crate::switchover::exchange::names;

/// How often the second run is killed in 4.2, if STERNA_TEST_KILLS does not say otherwise.
const KILLS: u32 = 6;

impl Scenario {
    /// The rows, and the names of all objects.
    async fn production(&self) -> (String, String) {
        let db = &self.here.db;
        (db.psql(ROWS).await, names(db).await)
    }

    fn run_id(&self) -> String {
        self.status()["run_id"].as_str().unwrap().to_owned()
    }

    async fn live_rows(&self) -> String {
        self.here.db.psql(ROWS).await
    }
}

/// Makes every attempt to rename the live table fail.
const FAIL_IN_EXCHANGE: &str = "CREATE FUNCTION public.fail_in_exchange() RETURNS event_trigger
    LANGUAGE plpgsql AS $$ BEGIN
        IF pg_catalog.current_query() LIKE '%RENAME TO%' THEN
            RAISE EXCEPTION 'struck in the exchange';
        END IF;
    END $$;
    CREATE EVENT TRIGGER fail_in_exchange ON ddl_command_end
    EXECUTE FUNCTION public.fail_in_exchange()";
const STOP_FAILING: &str =
    "DROP EVENT TRIGGER fail_in_exchange; DROP FUNCTION public.fail_in_exchange()";

#[tokio::test]
async fn a_second_run_that_failed_in_its_exchange_leaves_the_first_one_alone() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    let first = scenario.run_id();
    let (rows, names_before) = scenario.production().await;
    scenario.migrate(&["--to", "4.1"]).expect_code(0);
    db.psql(FAIL_IN_EXCHANGE).await;
    let failed = scenario.migrate(&["--resume"]);
    assert_ne!(failed.code, Some(0), "{failed:?}");
    assert_eq!(state(&scenario.status(), "4.2"), "failed");
    db.psql(STOP_FAILING).await;
    // Step by step, and then more often than this run has steps.
    for _ in 0..20 {
        let back = scenario.sterna(&["rollback"]);
        assert_eq!(scenario.live_rows().await, rows, "{back:?}");
        if scenario.status()["state"] == "rolled_back" {
            break;
        }
        back.expect_code(0);
    }
    let refused = scenario.sterna(&["rollback"]).expect_code(6);
    assert!(refused.stderr.contains(&format!("rollback --run {first}")), "{refused:?}");
    scenario.sterna(&["rollback", "switchover"]).expect_code(6);
    scenario.sterna(&["rollback", "1.1"]).expect_code(6);
    // The copy of 4.1 belonged to the second run.
    let left: Vec<_> = names_before.lines().filter(|line| !line.contains("_backup")).collect();
    assert_eq!(scenario.production().await, (rows, left.join("\n")));

    // Further back only with --run, and not without confirmation.
    let run = ["rollback", "--run", &first];
    let refused = scenario.sterna(&run).expect_code(6);
    assert!(refused.stderr.contains("4.2 switchover"), "{refused:?}");
    assert!(refused.stderr.contains("--yes"), "{refused:?}");
    let count = "SELECT count(*) FROM public.cites_trade_records";
    assert_eq!(db.psql(count).await, "2000");
    let done = scenario.sterna(&[&run[..], &["--yes", "--format", "json"]].concat());
    let done: Value = serde_json::from_str(&done.expect_code(0).stdout).unwrap();
    assert_eq!(done["runs"], serde_json::json!([first]));
    scenario.assert_as_before().await;
    scenario.sterna(&[&run[..], &["--yes"]].concat()).expect_code(6);
}

#[tokio::test]
async fn a_second_run_that_was_killed_around_its_exchange_is_taken_back_alone() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    let rows = scenario.live_rows().await;
    // How long the rest of the run takes from 4.2 on.
    scenario.migrate(&["--to", "4.1"]).expect_code(0);
    let begun = Instant::now();
    scenario.migrate(&["--resume"]).expect_code(0);
    let duration = begun.elapsed();
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(scenario.live_rows().await, rows);
    let kills = std::env::var("STERNA_TEST_KILLS").map_or(KILLS, |n| n.parse().unwrap());
    let mut after_the_exchange = 0;
    for kill in 0..kills {
        scenario.migrate(&["--to", "4.1"]).expect_code(0);
        let mut child = db
            .command(&scenario.migration(&["--resume"]))
            .current_dir(scenario.here.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(duration.mul_f64(f64::from(kill + 1) / f64::from(kills + 1)));
        child.kill().unwrap();
        child.wait().unwrap();
        let status = scenario.status();
        let recorded = state(&status, "4.2") == "done";
        let switched = "SELECT EXISTS (SELECT FROM sterna.switchover AS s
            WHERE s.state = 'switched' AND s.run_id = (
                SELECT run_id FROM sterna.migration ORDER BY started_at DESC LIMIT 1))";
        // The killed session may be about to commit.
        tokio::time::sleep(Duration::from_millis(200)).await;
        if db.psql(switched).await == "t" && !recorded {
            after_the_exchange += 1;
        }
        scenario.sterna(&["rollback", "1.1"]).expect_code(0);
        assert_eq!(scenario.live_rows().await, rows, "killed at {kill} of {kills}");
        assert_eq!(scenario.status()["state"], "rolled_back");
        scenario.sterna(&["rollback", "1.1"]).expect_code(6);
        assert_eq!(scenario.live_rows().await, rows);
    }
    println!("{after_the_exchange} of {kills} were killed between the exchange and its record");
}

#[tokio::test]
async fn a_switchover_that_its_step_did_not_record_is_found_by_the_run() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    let rows = scenario.live_rows().await;
    scenario.migrate(&["--to", "4.2"]).expect_code(0);
    // The state after a kill right after the exchange's COMMIT.
    db.psql(
        "UPDATE sterna.step SET state = 'started', detail = 'null', finished_at = NULL
         WHERE step = '4.2' AND run_id = (
             SELECT run_id FROM sterna.migration ORDER BY started_at DESC LIMIT 1)",
    )
    .await;
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(scenario.live_rows().await, rows);
}

#[tokio::test]
async fn a_run_that_was_refused_takes_back_nothing_that_it_has_found() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    db.sterna(&["stage", "create"]).expect_code(0);
    scenario.here.report(0, &[&scenario.release, "--all"]);
    let before = scenario.production().await;
    let refused = scenario.migrate(&[]).expect_code(6);
    assert!(refused.stderr.contains("holds rows already"), "{refused:?}");
    assert!(scenario.status()["run_id"].is_null(), "refused before it is in the ledger");
    scenario.migrate(&["--to", "1.1"]).expect_code(0);
    let refused = scenario.migrate(&["--resume"]).expect_code(6);
    assert!(refused.stderr.contains("holds rows already"), "{refused:?}");
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(scenario.production().await, before);
    let staged = "SELECT count(*) FROM public.cites_trade_records_staging";
    assert_eq!(db.psql(staged).await, "2000");
    // Writes are still recorded for it, so that it can be switched over.
    db.sterna(&["validate", "--max-quantity-change", "1000"]).expect_code(0);
    db.sterna(&["switchover"]).expect_code(0);
    // A switchover by its own command, after the run, is the latest.
    db.sterna(&["rollback"]).expect_code(0);
    assert_eq!(db.psql(ROWS).await, before.0);
}

#[tokio::test]
async fn a_backup_is_taken_again_where_a_run_is_resumed_after_a_rollback() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    scenario.sterna(&["rollback", "switchover"]).expect_code(0);
    db.psql(
        "UPDATE public.cites_trade_records SET unit = 'mine' WHERE id = (
        SELECT min(id::text)::uuid FROM public.cites_trade_records)",
    )
    .await;
    scenario.migrate(&["--resume"]).expect_code(0);
    let detail = |status: &Value| {
        let steps = status["steps"].as_array().unwrap();
        steps.iter().find(|s| s["step"] == "1.1").unwrap()["detail"].clone()
    };
    let path = detail(&scenario.status())["path"].as_str().unwrap().to_owned();
    assert!(path.ends_with("-2"), "{path}");
    scenario.sterna(&["backup", "verify", &path]).expect_code(0);
    let copied = "SELECT count(*) FROM public.cites_trade_records_backup WHERE unit = 'mine'";
    assert_eq!(db.psql(copied).await, "1");
    // After the switchover, a copy would be one of the new table.
    scenario.sterna(&["rollback", "5.1"]).expect_code(0);
    scenario.migrate(&["--resume"]).expect_code(0);
    assert_eq!(detail(&scenario.status())["path"], *path);
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
}
