//! Runs that are killed at any moment: production is always valid, and both resuming and rolling
//! back work.

use std::process::Stdio;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Scenario;

/// How often a run is killed, if STERNA_TEST_KILLS does not say otherwise.
const KILLS: u32 = 8;

/// A number from 0 to 1.
fn random() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

/// The moments to kill a run of this duration at: random, but spread over the whole run.
pub(super) fn moments(duration: Duration, kills: u32) -> impl Iterator<Item = Duration> {
    let kills = std::env::var("STERNA_TEST_KILLS").map_or(kills, |n| n.parse().unwrap());
    (0..kills).map(move |kill| duration.mul_f64((f64::from(kill) + random()) / f64::from(kills)))
}

impl Scenario {
    /// Runs `sterna`, and kills it after a while.
    pub(super) fn kill(&self, args: &[&str], after: Duration) {
        let mut command = self.here.db.command(args);
        command.current_dir(self.here.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
        println!("killed after {after:?}");
    }

    /// Rolls back everything that a run has done, if there is one.
    fn roll_back(&self) {
        let status = self.status();
        let run = !status.is_null() && status["state"] != "rolled_back";
        self.sterna(&["rollback", "1.1"]).expect_code(if run { 0 } else { 6 });
    }

    /// The table with the name is the old one or the new one, complete.
    async fn assert_whole(&self) {
        let count = self.here.db.psql("SELECT count(*) FROM public.cites_trade_records").await;
        assert!(["1500", "2000"].contains(&count.as_str()), "{count}");
    }
}

#[tokio::test]
async fn killed_runs_are_resumed_or_rolled_back() {
    let scenario = Scenario::new().await;
    let begun = Instant::now();
    scenario.migrate(&[]).expect_code(0);
    let duration = begun.elapsed();
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    for (kill, moment) in moments(duration, KILLS).enumerate() {
        scenario.kill(&scenario.migration(&[]), moment);
        scenario.assert_whole().await;
        if kill % 2 == 0 {
            // If it was killed before it was recorded, it has not begun; if it was faster than
            // before, it is done.
            let status = scenario.status();
            match status["state"].as_str() {
                Some("finished") => {}
                Some("running") => drop(scenario.migrate(&["--resume"]).expect_code(0)),
                _ => drop(scenario.migrate(&[]).expect_code(0)),
            }
            scenario.assert_migrated().await;
        }
        scenario.roll_back();
        scenario.assert_as_before().await;
    }
    // A killed rollback is resumed as well.
    scenario.migrate(&[]).expect_code(0);
    for pause in [20, 60, 150] {
        scenario.kill(&["rollback", "1.1"], Duration::from_millis(pause));
        scenario.assert_whole().await;
    }
    scenario.roll_back();
    scenario.assert_as_before().await;
}
