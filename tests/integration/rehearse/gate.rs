//! A migration of production requires a passed rehearsal with the same input.

use super::{Stage, report};
use crate::migrate::ROWS;
use crate::migrate::partitioned::{DECADE, by_decade};
use crate::server::Finished;
use crate::switchover::exchange::names;

#[tokio::test]
async fn production_is_migrated_after_a_rehearsal_of_the_same_alone() {
    let stage = Stage::new().await;
    let scenario = &stage.scenario;
    scenario.here.file("sterna.toml", "production = true\n");
    let refused = scenario.migrate(&[]).expect_code(6);
    assert!(refused.stderr.contains("there was none that passed"), "{refused:?}");
    assert!(refused.stderr.contains("sterna rehearse"), "{refused:?}");
    stage.rehearse(&[]).await.expect_code(0);
    let other = scenario.migrate(&["--on-inexact", "widen"]).expect_code(6);
    assert!(other.stderr.contains("had other options"), "{other:?}");
    scenario.migrate(&["--to", "3.3"]).expect_code(0);
    scenario.migrate(&["--resume"]).expect_code(0);
    scenario.assert_migrated().await;
    let deviations = scenario.status()["deviations"].to_string();
    assert!(!deviations.contains("rehears"), "{deviations}");
}

#[tokio::test]
async fn doing_without_a_rehearsal_is_a_deviation() {
    let stage = Stage::new().await;
    let scenario = &stage.scenario;
    let args = ["--production", "--without-rehearsal", "--to", "1.2"];
    scenario.migrate(&args).expect_code(0);
    let deviations = scenario.status()["deviations"].to_string();
    assert!(deviations.contains("--without-rehearsal was given"), "{deviations}");
    // This was decided when the run began.
    scenario.migrate(&["--production", "--resume", "--to", "1.3"]).expect_code(0);
}

#[tokio::test]
async fn a_table_that_has_changed_since_was_not_rehearsed() {
    let stage = Stage::new().await;
    stage.rehearse(&[]).await.expect_code(0);
    let change = "ALTER TABLE public.cites_trade_records ADD COLUMN remark text";
    stage.scenario.here.db.psql(change).await;
    let refused = stage.scenario.migrate(&["--production"]).expect_code(6);
    assert!(refused.stderr.contains("the catalog has changed since"), "{refused:?}");
}

/// Also a partitioned table and one partition of it, each for itself.
#[tokio::test]
async fn what_was_rehearsed_is_the_table_or_the_partition() {
    let stage = Stage::of(by_decade().await);
    let (scenario, db) = (&stage.scenario, &stage.scenario.here.db);
    let before = (names(db).await, db.psql(ROWS).await);
    let whole: &[&str] = &[];
    for (chosen, other) in [(&["--year", DECADE][..], whole), (whole, &["--year", "2000-2009"])] {
        let done = Finished::from(stage.command(chosen).output().unwrap()).expect_code(0);
        assert_eq!(report(&done)["passed"], true);
        stage.assert_nothing_left();
        assert_eq!((names(db).await, db.psql(ROWS).await), before);
        let production = |chosen: &[&str]| scenario.migrate(&[chosen, &["--production"]].concat());
        let refused = production(other).expect_code(6);
        assert!(refused.stderr.contains("no rehearsal covers"), "{refused:?}");
        production(&[chosen, &["--to", "3.3"]].concat()).expect_code(0);
        let partition = chosen.first().map_or(whole, |_| &["--partition", "trade_2010"]);
        scenario.sterna(&[partition, &["rollback", "1.1"]].concat()).expect_code(0);
        assert_eq!((names(db).await, db.psql(ROWS).await), before);
    }
}
