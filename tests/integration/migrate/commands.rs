//! The commands that are suggested for resuming and rolling back work as printed.

use std::process::Command;

use super::{ROWS, Scenario, state};
use crate::server::Finished;

impl Scenario {
    /// Runs a command as printed, in a shell.
    fn as_printed(&self, line: &str) -> Finished {
        let sterna = self.here.db.command::<&str>(&[]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("sterna() {{ \"$0\" \"$@\"; }}; {line}"));
        shell.arg(sterna.get_program()).current_dir(self.here.folder.path());
        for (name, value) in sterna.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Finished::from(shell.output().unwrap())
    }
}

/// The command between backquotes that ends with this word.
fn printed<'a>(text: &'a str, last_word: &str) -> &'a str {
    let ends_so = |part: &&str| part.starts_with("sterna ") && part.ends_with(last_word);
    text.split('`').find(ends_so).unwrap_or_else(|| panic!("{last_word}: {text}"))
}

#[tokio::test]
async fn what_a_failure_and_the_report_name_can_be_run_as_it_is() {
    let scenario = Scenario::new().await;
    let text = std::fs::read_to_string(scenario.release()).unwrap();
    let release = scenario.here.file("it's a release.csv", text);
    let args = [
        "--table",
        "cites_trade_records",
        "--database-url",
        "password=hidden42",
        "migrate",
        &release,
        "--skip",
        "2.3",
        "--batch-size",
        "200",
        "--max-quantity-change",
        "1000",
        "--expect-rows",
        "1999",
        "--backup-out",
        "the backup",
        "--out",
        "the report",
    ];
    let failed = scenario.sterna(&args).expect_code(4);
    let resume = printed(&failed.stderr, "--resume").to_owned();
    assert_eq!(scenario.status()["next_command"], *resume);
    // With its own arguments: the same rows are expected.
    let again = scenario.as_printed(&resume).expect_code(4);
    assert!(again.stderr.contains("rows-expected"), "{again:?}");
    scenario.as_printed(&format!("{resume} --accept-failed-validation")).expect_code(0);
    scenario.assert_migrated().await;
    let report = scenario.here.folder.path().join("the report");
    let report = std::fs::read_to_string(report.join("report.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&report).unwrap();
    let ways: Vec<_> = all["way_back"]
        .as_array()
        .unwrap()
        .iter()
        .map(|way| way["command"].as_str().unwrap())
        .collect();
    assert!(
        ways.iter().any(|way| way.contains("createdb") && way.contains("the backup")),
        "{ways:?}"
    );
    let switchover = ways.iter().find(|way| way.ends_with("rollback switchover")).unwrap();
    assert!(switchover.contains("--table cites_trade_records"), "{switchover}");
    scenario.as_printed(switchover).expect_code(0);
    assert_eq!(state(&scenario.status(), "4.2"), "undone");
    let last = scenario.status()["rollback_command"].as_str().unwrap().to_owned();
    scenario.as_printed(&last).expect_code(0);
    // If another run is started, the refusal says how to end this one.
    let refused = scenario.migrate(&[]).expect_code(6);
    scenario.as_printed(printed(&refused.stderr, "rollback 1.1")).expect_code(0);
    assert_eq!(scenario.here.db.psql(ROWS).await, scenario.rows);
    let arguments =
        "SELECT string_agg(m::text, '') || (SELECT string_agg(s::text, '') FROM sterna.step AS s)
        FROM sterna.migration AS m";
    for text in [failed.stderr, report, scenario.here.db.psql(arguments).await] {
        assert!(!text.contains("hidden42"), "{text}");
    }
}
