//! `sterna prune`: what old runs have left behind, and what must stay.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{ROWS, Scenario};

/// The rows of each table of the ledger that a run adds to, and stays once it is pruned.
const LEDGER: &str = "SELECT (SELECT count(*) FROM sterna.migration WHERE kind = 'migration'),
    (SELECT count(DISTINCT run_id) FROM sterna.step),
    (SELECT count(*) FROM sterna.backup),
    (SELECT count(DISTINCT staging) FROM sterna.load_run),
    (SELECT count(*) FROM sterna.load_file WHERE run_id NOT IN (SELECT run_id FROM sterna.load_run)),
    (SELECT count(*) FROM sterna.switchover),
    (SELECT count(*) FROM sterna.summary_run)";

impl Scenario {
    fn prune(&self, more: &[&str]) -> Value {
        let args = [&["prune", "--format", "json"], more].concat();
        let done = self.sterna(&args).expect_code(0);
        serde_json::from_str(&done.stdout).unwrap()
    }

    /// The folders that sterna has written, by name.
    fn folders(&self, prefix: &str) -> Vec<PathBuf> {
        let all = fs::read_dir(self.here.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let of_sterna =
            |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(prefix);
        let mut found: Vec<_> = all.filter(of_sterna).collect();
        found.sort();
        found
    }
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

#[tokio::test]
async fn old_runs_go_and_the_latest_can_still_be_rolled_back() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.sterna(&["backup", "--out", "by-hand"]).expect_code(0);
    for _ in 0..2 {
        scenario.migrate(&[]).expect_code(0);
    }
    let rows = db.psql(ROWS).await;
    let old = [scenario.folders("sterna-backup-"), scenario.folders("sterna-report-")].concat();
    assert_eq!(old.len(), 4);
    scenario.migrate(&[]).expect_code(0);
    let before = db.psql(LEDGER).await;
    assert!(before.starts_with("3|5|4|"), "{before}");

    // With as many to keep as there are, nothing is old.
    let nothing = scenario.prune(&["--keep", "3"]);
    assert_eq!((&nothing["kept_since"], &nothing["folders"]), (&Value::Null, &json!([])));
    let told = scenario.prune(&["--keep", "1", "--dry-run"]);
    assert_eq!(db.psql(LEDGER).await, before);
    assert_eq!(old.iter().filter(|path| path.exists()).count(), 4);

    let mut pruned = scenario.prune(&["--keep", "1"]);
    assert_eq!((&pruned["runs"], &pruned["kept"]), (&json!(2), &json!(1)));
    let mut expected = names(&old);
    expected.sort();
    assert_eq!(pruned["folders"], json!(expected));
    assert!(old.iter().all(|path| !path.exists()));
    assert!(scenario.here.path("by-hand").join("manifest.json").exists());
    pruned["dry_run"] = json!(true);
    assert_eq!(pruned, told, "a dry run tells what would be done");
    // The loads of this run and of the old table stay, and the backup taken by hand.
    assert_eq!(db.psql(LEDGER).await, "1|1|2|3|0|1|1");

    scenario.sterna(&["report", "--out", "again"]).expect_code(0);
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(db.psql(ROWS).await, rows);
}

#[tokio::test]
async fn an_unfinished_run_and_all_that_is_not_sternas_stay() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    let (backups, reports) =
        (scenario.folders("sterna-backup-"), scenario.folders("sterna-report-"));
    fs::write(reports[0].join("notes.txt"), "mine").unwrap();
    // In the place of the backup is now another one.
    fs::remove_dir_all(&backups[0]).unwrap();
    scenario.sterna(&["backup", "--out", backups[0].to_str().unwrap()]).expect_code(0);
    scenario.migrate(&["--to", "3.1"]).expect_code(0);
    for _ in 0..2 {
        // The unfinished run is the latest, so the first is the second latest.
        let nothing = scenario.prune(&["--keep", "2"]);
        assert_eq!(nothing["kept_since"], Value::Null);
    }
    // The first run's old table is still there, and with it the way back.
    let kept = scenario.prune(&["--keep", "1"]);
    assert_eq!(kept["kept_since"], Value::Null);
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    db.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
    scenario.migrate(&[]).expect_code(0);
    let ledger = db.psql("SELECT count(*) FROM sterna.backup").await;
    let pruned = scenario.prune(&["--keep", "1"]);
    let left: Vec<&str> = pruned["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| left["path"].as_str().unwrap())
        .collect();
    assert_eq!(left, [&backups[0], &reports[0]].map(|path| path.to_str().unwrap()), "{pruned}");
    assert!(reports[0].join("notes.txt").exists() && reports[0].join("report.html").exists());
    assert!(backups[0].join("manifest.json").exists());
    // The run that was rolled back went with its backup; the other one stays with its folders.
    assert_eq!(pruned["runs"], 1);
    let after = db.psql("SELECT count(*) FROM sterna.backup").await;
    assert_eq!(after.parse::<u32>().unwrap(), ledger.parse::<u32>().unwrap() - 1);
    // When the reasons are gone, so are they.
    fs::remove_file(reports[0].join("notes.txt")).unwrap();
    let moved = scenario.here.path("moved");
    fs::rename(&backups[0], &moved).unwrap();
    let pruned = scenario.prune(&["--keep", "1"]);
    assert_eq!((&pruned["folders"], &pruned["runs"]), (&json!(names(&reports[..1])), &json!(0)));
    assert!(pruned["left"][0]["reason"].as_str().unwrap().contains("--forget-missing"));
    let pruned = scenario.prune(&["--keep", "1", "--forget-missing"]);
    assert_eq!((&pruned["left"], &pruned["runs"]), (&json!([]), &json!(1)));
    assert!(moved.join("manifest.json").exists());
}

#[tokio::test]
async fn a_folder_with_a_later_report_stays() {
    let scenario = Scenario::new().await;
    for _ in 0..2 {
        scenario.migrate(&["--out", "shared"]).expect_code(0);
    }
    scenario.prune(&["--keep", "1"]);
    assert!(scenario.here.path("shared").join("report.html").exists());
    // Written by hand where an old report was.
    scenario.migrate(&["--out", "other"]).expect_code(0);
    scenario.sterna(&["report", "--out", "shared"]).expect_code(0);
    let pruned = scenario.prune(&["--keep", "1"]);
    assert_eq!(pruned["left"], json!([]));
    assert!(scenario.here.path("shared").join("report.html").exists());
    assert!(scenario.here.path("other").join("report.html").exists());
}

#[tokio::test]
async fn none_and_bad_numbers_are_refused() {
    let scenario = Scenario::new().await;
    scenario.sterna(&["prune"]).expect_code(2);
    scenario.sterna(&["prune", "--keep", "0"]).expect_code(2);
    assert_eq!(scenario.prune(&["--keep", "1"])["runs"], 0);
    assert!(!Path::new("sterna-backup").exists());
}
