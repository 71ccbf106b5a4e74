//! Checks of the user's own, from a folder.

use std::io::{BufRead, BufReader};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::{check, failed, validated};
use crate::cites::{Installation, file_of, good};
use crate::server::{Finished, eventually, new_runtime};

const HEADER: &str = "-- Purpose: nothing is from 2020.\n-- Severity: ";

#[tokio::test]
async fn a_folder_of_checks_is_run_with_the_others() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(3)));
    here.report(0, &[&file, "--all"]);
    let folder = here.path("checks");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, severity: &str, sql: &str| {
        std::fs::write(folder.join(name), format!("{HEADER}{severity}\n{sql}\n")).unwrap();
    };
    let args = ["--checks", folder.to_str().unwrap()];
    here.db.sterna(&["validate", args[0], args[1]]).expect_code(2);

    write("a.sql", "warning", "SELECT t.xmin, record_id FROM {staging} t WHERE year = 2020;");
    write("b.sql", "error", "SELECT record_id FROM {table} WHERE year = 2020 -- as it stands");
    let report = validated(&here, 0, &args);
    assert_eq!(failed(&report), ["a"]);
    let found = check(&report, "a");
    assert_eq!((&found["observed"], &found["severity"]), (&json!(3), &json!("warning")));
    assert_eq!(found["rows"][0]["file"], json!(file));

    write("c.sql", "error", "-- Form: condition\nyear = 2020");
    let report = validated(&here, 4, &args);
    assert_eq!(failed(&report), ["a", "c"]);
    assert_eq!(check(&report, "c")["rows"].as_array().unwrap().len(), 3);

    // It cannot write, and an error in it is reported with its name.
    write("c.sql", "error", "SELECT set_config('x.y', 'z', false) FROM {nothing}");
    let refused = here.db.sterna(&["validate", args[0], args[1]]).expect_code(1);
    assert!(refused.stderr.contains("check c"), "{refused:?}");
    write("c.sql", "error", "SELECT nextval('public.s')");
    here.db.psql("CREATE SEQUENCE public.s").await;
    let refused = here.db.sterna(&["validate", args[0], args[1]]).expect_code(1);
    assert!(refused.stderr.contains("read-only"), "{refused:?}");
    write("c.sql", "fatal", "SELECT 1");
    let refused = here.db.sterna(&["validate", args[0], args[1]]).expect_code(2);
    assert!(refused.stderr.contains("c.sql") && refused.stderr.contains("fatal"), "{refused:?}");
}

/// A user's check that takes an hour.
async fn endless() -> (Installation, String) {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(3)));
    here.report(0, &[&file, "--all"]);
    let folder = here.path("checks");
    std::fs::create_dir(&folder).unwrap();
    let text = format!(
        "{HEADER}error\nSELECT 1 FROM public.cites_trade_records_staging, pg_sleep(3600)\n"
    );
    std::fs::write(folder.join("endless.sql"), text).unwrap();
    (here, folder.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_check_that_takes_too_long_fails_and_the_others_go_on() {
    let (here, folder) = endless().await;
    std::fs::write(
        here.path("checks").join("other.sql"),
        format!("{HEADER}error\n-- Form: condition\npg_sleep(3600)::text = ''\n"),
    )
    .unwrap();
    let report = validated(&here, 4, &["--checks", &folder, "--time-limit", "1s"]);
    assert_eq!(failed(&report), ["endless", "other"]);
    let rows = check(&report, "endless")["rows"].to_string();
    assert!(rows.contains("statement timeout"), "{rows}");
}

/// Whether one of sterna's statements sleeps in this database.
fn sleeps(here: &Installation) -> bool {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
               AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(3600)%' AND state = 'active'";
    let info = here.db.info().clone();
    let count = std::thread::spawn(move || {
        new_runtime().unwrap().block_on(async {
            let session = sterna::pg::connect(&info).await.unwrap();
            session.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
        })
    });
    count.join().unwrap() > 0
}

#[tokio::test]
async fn the_progress_tells_which_check_of_how_many_runs() {
    let (here, folder) = endless().await;
    let mut command = here.db.command(&["validate", "--checks", &folder, "--progress", "always"]);
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let place = |text: &str| {
        let (before, _) = text.split_once(": endless")?;
        let (_, place) = before.rsplit_once("check ")?;
        let (at, of) = place.split_once(" of ")?;
        Some((at.parse::<usize>().ok()?, of.parse::<usize>().ok()?))
    };
    // Others may have begun after it, but they end.
    let line = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .find(|line| line.starts_with("validating: ") && place(line).is_some());
    let (at, of) = place(&line.unwrap()).unwrap();
    assert!(1 < at && at <= of, "{at} of {of}");
    let status = here.db.sterna(&["status", "--format", "json"]).expect_code(0);
    assert_eq!(place(&status.stdout), Some((at, of)), "{status:?}");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[tokio::test]
async fn a_check_ends_with_the_command_however_that_ends() {
    let (here, folder) = endless().await;
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let mut command = here.db.command(&["validate", "--checks", &folder]);
        let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        eventually("the check to run", || sleeps(&here));
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let finished = Finished::from(child.wait_with_output().unwrap());
        assert_eq!(finished.code, (signal == Signal::SIGINT).then_some(130), "{finished:?}");
        eventually("the check to end", || !sleeps(&here));
    }
}
