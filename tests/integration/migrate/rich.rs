//! The whole plan on the richest table there is, with writers at every step.

use super::Scenario;

#[tokio::test]
async fn the_whole_plan_changes_nothing_but_the_rows_and_back_nothing_at_all() {
    let scenario = Scenario::rich().await;
    let done = scenario.migrate(&["--skip", "2.1", "--skip", "2.2"]);
    println!("{}", done.stderr);
    println!("{}", done.stdout);
    panic!();
}
