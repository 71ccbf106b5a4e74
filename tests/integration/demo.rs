//! `sterna demo`: its summary contains what was measured, and nothing is left behind.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::server::{Finished, sterna};

/// A temporary folder in which the embedded server's account may create its own.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_summary_adds_up_and_nothing_is_left_but_what_was_asked_for() {
    let (temporary, kept) = (open_folder(), tempfile::tempdir().unwrap());
    let out = kept.path().join("files");
    let mut demo = sterna(&["demo", "--rows", "3000", "--format", "json", "--out"]);
    demo.arg(&out).env("TMPDIR", temporary.path());
    let run = Finished::from(demo.output().unwrap()).expect_code(0);
    let summary: Value = serde_json::from_str(&run.stdout).unwrap();

    assert_eq!(summary["release"]["rows"], 3000);
    assert_eq!(summary["production"]["species"], 43);
    let earlier = summary["production"]["rows"].as_i64().unwrap();
    assert!((1..3000).contains(&earlier), "{earlier}");
    let plan = summary["plan"]["steps"].as_array().unwrap();
    let left = plan.iter().filter(|step| step["state"] != "done").map(|step| &step["step"]);
    assert_eq!(left.collect::<Vec<_>>(), ["5.4"], "the clean-up comes later");
    let loaded = plan.iter().find(|step| step["step"] == "3.2").unwrap();
    assert_eq!(loaded["rows"], 3000);
    for exchange in ["switchover", "rollback"] {
        let exchange = &summary[exchange];
        assert_eq!(exchange["parity_differences"], serde_json::json!([]), "{exchange:#}");
        assert!(exchange["locked_ms"].as_f64().unwrap() > 0.0);
        // A long reader may be in the way, or may have ended before the first attempt.
        assert!(exchange["attempts"].as_i64().unwrap() >= 1);
    }
    assert_eq!(summary["differences_after_rollback"], 0);
    for side in ["readers", "writers"] {
        let noticed = &summary["traffic"][side];
        assert_eq!(noticed["errors"], 0, "{noticed}");
        assert!(noticed["queries"].as_u64().unwrap() > 0);
    }
    let steps = summary["steps"].as_array().unwrap();
    let titles: Vec<_> = steps.iter().map(|step| step["title"].as_str().unwrap()).collect();
    assert!(titles.iter().all(|title| run.stderr.contains(title)), "{}", run.stderr);
    assert!(!run.stderr.contains("WARN"), "{}", run.stderr);

    let kept =
        ["backup", "earlier-release.zip", "new-release.zip", "report", "report-after-rollback"];
    assert_eq!(names(&out), kept);
    for report in ["report", "report-after-rollback"] {
        let files = [".sterna", "junit.xml", "report.html", "report.json", "report.md"];
        assert_eq!(names(&out.join(report)), files);
    }
    assert_eq!(names(temporary.path()), [""; 0]);

    let again = Finished::from(demo.output().unwrap()).expect_code(2);
    assert!(again.stderr.contains("earlier-release.zip exists already\nhint: "), "{again:?}");
}

#[test]
fn interrupted_anywhere_it_says_so_and_leaves_nothing() {
    for step in ["[1/", "[3/", "[4/", "[5/", "[6/"] {
        let temporary = open_folder();
        let mut demo = sterna(&["demo", "--rows", "200000"])
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
        let begun = lines.find(|line| line.as_ref().unwrap().starts_with(step));
        assert!(begun.is_some(), "{step}");
        kill(Pid::from_raw(demo.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        let mut shown = String::new();
        demo.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
        assert_eq!(demo.wait().unwrap().code(), Some(130), "{step}: {rest:?}");
        assert!(rest.last().unwrap().starts_with("error: the demo was interrupted"), "{rest:?}");
        assert_eq!(shown, "");
        assert_eq!(names(temporary.path()), [""; 0], "{step}");
    }
}
