//! How often each command waits for the server: with a distant server, that is what takes the
//! time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::line::{Line, Pass};
use crate::migrate::Scenario;
use crate::server::Finished;

/// Long enough for a client on a busy machine to send everything that it sends without waiting.
const DISTANCE: Duration = Duration::from_millis(5);

/// A command line, and its row in ARCHITECTURE.md.
const COMMANDS: [(&str, &str); 12] = [
    ("status", "status"),
    ("plan", "plan"),
    ("check pre", "check pre"),
    ("stage create", "stage create"),
    ("stage drop", "stage drop"),
    ("load RELEASE --all", "load"),
    ("validate --all --max-quantity-change 1000", "validate"),
    ("switchover", "switchover"),
    ("rollback switchover --progress never", "rollback"),
    ("stage truncate", "stage truncate"),
    ("migrate RELEASE --skip 2.3 --max-quantity-change 1000 --progress never", "migrate"),
    ("rollback --progress never", "rollback of a migration"),
];

/// The budget of a command in ARCHITECTURE.md.
fn budget(command: &str) -> u64 {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let map = fs::read_to_string(map).unwrap();
    let row = format!("| `{command}` |");
    let mut table = map.lines().skip_while(|line| *line != "### Round trips");
    let line = table.find(|line| line.starts_with(&row));
    let line = line.unwrap_or_else(|| panic!("ARCHITECTURE.md has no budget for {command}"));
    line.split('|').nth(2).unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn no_command_takes_more_round_trips_than_it_may() {
    let here = Scenario::new().await;
    // The ledger exists: it is created only once.
    here.sterna(&["stage", "create"]).expect_code(0);
    here.sterna(&["stage", "drop"]).expect_code(0);
    let mut over = Vec::new();
    for (command, row) in COMMANDS {
        let line = Line::far(DISTANCE, |_, _| Pass::On);
        let args: Vec<&str> = command
            .split(' ')
            .map(|word| if word == "RELEASE" { here.release() } else { word })
            .collect();
        let mut process = here.here.db.command(&args);
        process.env("PGHOST", line.host()).current_dir(here.here.folder.path());
        let done = Finished::from(process.output().unwrap());
        // Without a backup the checkpoint fails, after all checks.
        let code = if command == "check pre" { 6 } else { 0 };
        done.expect_code(code);
        let (taken, budget) = (line.round_trips(), budget(row));
        println!("{command}: {taken} of {budget} round trips");
        if taken > budget {
            over.push(format!("{command} takes {taken} round trips and may take {budget}"));
        }
    }
    assert!(over.is_empty(), "{}", over.join("; "));
}

/// Round trips per batch show in the difference between two loads.
#[tokio::test]
async fn a_batch_waits_once_at_most() {
    let here = Scenario::new().await;
    let mut taken = Vec::new();
    for batch_size in ["2000", "50"] {
        let line = Line::far(DISTANCE, |_, _| Pass::On);
        let args =
            ["load", here.release(), "--all", "--connections", "2", "--batch-size", batch_size];
        let mut process = here.here.db.command(&args);
        process.env("PGHOST", line.host()).current_dir(here.here.folder.path());
        Finished::from(process.output().unwrap()).expect_code(0);
        taken.push(line.round_trips());
        here.sterna(&["stage", "truncate"]).expect_code(0);
    }
    // One batch, and forty. A batch that is alone in the queue takes one more round trip.
    let [one, forty] = taken[..] else { panic!("{taken:?}") };
    assert!(forty - one <= 2 * 39, "{one} and {forty} round trips");
}
