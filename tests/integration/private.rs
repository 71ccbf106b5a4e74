//! Files that sterna writes are private to its user, and replace nobody else's.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::migrate::Scenario;
use crate::server::Finished;

/// The modes of a file or folder and of everything in it.
fn modes(path: &Path) -> Vec<(String, u32)> {
    let mode = fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    let mut found = vec![(path.display().to_string(), mode)];
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| found.extend(modes(&entry.unwrap().path())));
    }
    found
}

/// Runs `sterna` in the folder, with a umask that removes no rights.
fn unmasked(scenario: &Scenario, args: &[&str]) -> Finished {
    let sterna = scenario.here.db.command(args);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(sterna.get_program());
    shell.args(sterna.get_args()).current_dir(scenario.here.folder.path());
    for (name, value) in sterna.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Finished::from(shell.output().unwrap())
}

#[tokio::test]
async fn what_is_written_is_private_and_replaces_its_like_alone() {
    let scenario = Scenario::new().await;
    let at = |name: &str| scenario.here.folder.path().join(name);
    fs::write(at("bad.csv"), fs::read_to_string(scenario.release()).unwrap() + "1,2\n").unwrap();
    let load = ["load", "bad.csv", "--all", "--max-rejects", "5", "--rejects", "rejects.csv"];

    // A link to a file of the user's, and the file itself, are unchanged.
    fs::write(at("mine.csv"), "").unwrap();
    symlink(at("mine.csv"), at("rejects.csv")).unwrap();
    let refused = unmasked(&scenario, &load).expect_code(2);
    assert!(refused.stderr.contains("rejects.csv is a symbolic link"), "{refused:?}");
    assert_eq!(fs::read_to_string(at("mine.csv")).unwrap(), "");
    fs::remove_file(at("rejects.csv")).unwrap();
    unmasked(&scenario, &load).expect_code(0);
    assert_eq!(modes(&at("rejects.csv"))[0].1, 0o600);
    scenario.sterna(&["stage", "drop"]).expect_code(0);

    let migrated =
        unmasked(&scenario, &scenario.migration(&["--to", "2.3", "--backup-out", "backups/first"]));
    migrated.expect_code(0);
    fs::create_dir(at("theirs")).unwrap();
    fs::write(at("theirs/report.md"), "# Mine").unwrap();
    let refused = unmasked(&scenario, &["report", "--out", "theirs"]).expect_code(2);
    assert!(refused.stderr.contains("was not made by sterna"), "{refused:?}");
    assert_eq!(fs::read_dir(at("theirs")).unwrap().count(), 1);
    for _ in 0..2 {
        unmasked(&scenario, &["report", "--out", "a/report"]).expect_code(0);
    }
    fs::remove_file(at("a/report/report.md")).unwrap();
    symlink(at("mine.csv"), at("a/report/report.md")).unwrap();
    unmasked(&scenario, &["report", "--out", "a/report"]).expect_code(2);
    assert_eq!(fs::read_to_string(at("mine.csv")).unwrap(), "");
    fs::remove_file(at("a/report/report.md")).unwrap();

    fs::write(at("bench.xml"), "<testsuites name=\"cargo\"/>").unwrap();
    let bench = ["bench", "--rounds", "3", "--junit", "bench.xml", "--save", "base.json"];
    unmasked(&scenario, &bench).expect_code(2);
    fs::remove_file(at("bench.xml")).unwrap();
    for _ in 0..2 {
        let done = unmasked(&scenario, &bench);
        assert!([0, 5].contains(&done.code.unwrap()), "{done:?}");
    }
    unmasked(&scenario, &["generate", "--rows", "100", "--out", "made"]).expect_code(0);
    for name in ["a", "backups", "base.json", "bench.xml", "made"] {
        let open: Vec<_> = modes(&at(name)).into_iter().filter(|(_, m)| m & 0o077 != 0).collect();
        assert!(open.is_empty(), "{open:?}");
    }
}
