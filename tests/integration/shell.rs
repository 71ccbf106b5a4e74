//! What comes with the program: the effective configuration, completions, manual pages, and the
//! status of a run.

use serde_json::Value;

use crate::cites::{Installation, file_of, good};
use crate::migrate::Scenario;
use crate::server::{Finished, TestDb, sterna};

#[test]
fn the_configuration_in_force_is_shown_with_its_origin_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let text = "database_url = 'postgres://me:hush@127.0.0.1:1/d'\n[load]\nbatch_size = 5000\n\
                [migrate]\nmax_wait = '9s'\nout = 'report'\n";
    let file = folder.path().join("sterna.toml");
    std::fs::write(&file, text).unwrap();
    // It holds a password.
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, private).unwrap();
    let show = |args: &[&str]| {
        let mut command = sterna(&["config", "show"]);
        let command = command.args(args).current_dir(folder.path());
        Finished::from(command.output().unwrap()).expect_code(0)
    };
    let shown = show(&["--format", "json"]);
    assert!(!shown.stdout.contains("hush"), "{shown:?}");
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(
        (&shown["file"], &shown["database"]),
        (&"sterna.toml".into(), &"me@127.0.0.1:1/d".into())
    );
    let options = shown["options"].as_array().unwrap();
    let of = |command: Option<&str>, option: &str| {
        options.iter().find(|o| o["command"].as_str() == command && o["option"] == option).unwrap()
    };
    assert_eq!(of(None, "database-url")["from"], "sterna.toml line 1");
    assert_eq!(of(Some("load"), "batch-size")["from"], "sterna.toml line 3");
    assert_eq!(of(Some("load"), "batch-size")["values"][0], "5000");
    assert_eq!(of(Some("migrate"), "batch-size")["from"], "built in");
    // What a rehearsal takes over from the migration.
    assert_eq!(of(Some("rehearse"), "max-wait")["from"], "sterna.toml line 5");
    let out = |o: &&Value| o["command"] == "rehearse" && o["option"] == "out";
    assert!(options.iter().find(out).is_none(), "its report has its own folder");
    assert!(!show(&[]).stdout.contains("hush"));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let run = |args: &[&str]| Finished::from(sterna(args).output().unwrap()).expect_code(0).stdout;
    let page = run(&["man"]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]);
        assert!(script.contains("switchover") && script.contains("max-wait"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    run(&["man", "--out", folder.path().to_str().unwrap()]);
    assert!(page.contains("sterna\\-switchover(1)"), "{page}");
    let of_switchover = folder.path().join("sterna-switchover.1");
    assert!(std::fs::read_to_string(of_switchover).unwrap().contains("max\\-wait"));
}

#[test]
fn manual_pages_replace_their_like_alone() {
    let folder = tempfile::tempdir().unwrap();
    let write = || {
        let mut command = sterna(&["man", "--out", "."]);
        Finished::from(command.current_dir(folder.path()).output().unwrap())
    };
    write().expect_code(0);
    write().expect_code(0);
    let page = folder.path().join("sterna-load.1");
    let mode = std::os::unix::fs::PermissionsExt::mode(&page.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o644);
    std::fs::write(&page, "of another program").unwrap();
    let refused = write().expect_code(2);
    assert!(refused.stderr.contains("sterna-load.1 exists"), "{refused:?}");
    std::fs::remove_file(&page).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, &page).unwrap();
    assert!(write().expect_code(2).stderr.contains("symbolic link"));
    assert!(!elsewhere.exists());
}

/// Whatever is typed in the wrong place, no error repeats a password, a control character or an
/// endless word.
#[test]
fn errors_about_the_command_line_repeat_no_password() {
    const SECRET: &str = "s3cr3t-word";
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(60_000);
    for secret in [
        format!("postgres://bob:{SECRET}@127.0.0.1:1/db"),
        format!("postgres://bob:1/2@3 '{SECRET}@127.0.0.1:1/db"),
        format!("postgres://bob@127.0.0.1:1/db?password={SECRET}"),
        format!("host=127.0.0.1 port=1 password='{SECRET}'"),
        format!("\x1b[31m{long} postgres://bob:{SECRET}@127.0.0.1:1/db"),
    ] {
        let (secret, set) = (secret.as_str(), format!("--no-such-option={secret}"));
        for args in [
            &["--database-url", secret, "--database-url", secret, "status"][..],
            &["--database-url", secret, "status"],
            &["--database-url", secret, "status", "--format"],
            &["--database-url", secret, "-vv", "load", "none.csv", "--all"],
            &["status", "--format", secret],
            &["--config", secret, "status"],
            &[secret, "status"],
            &["status", secret],
            &["status", &set],
            &["inspect", secret],
            &["load", "none.csv", "--year", secret],
            &["load", "none.csv", "--max-rejects", secret, "--all"],
            &["load", "none.csv", "--batch-size", secret, "--all"],
            &["rollback", secret],
            &["rollback", "--run", secret],
            &["rehearse", secret],
            &["migrate", "none.csv", "--from", secret],
            &["completions", secret],
            &["check", "post", "--application-url", secret],
            &["check", "post", "--health-url", secret],
        ] {
            let output = sterna(args).current_dir(folder.path()).output().unwrap();
            let finished = Finished::from(output);
            assert_ne!(finished.code, Some(0), "{args:?}");
            let said = format!("{}{}", finished.stdout, finished.stderr);
            assert!(!said.contains(SECRET) && !said.contains('\x1b'), "{args:?}: {said}");
            assert!(said.len() < 3_000, "{args:?}: {said}");
        }
    }
}

#[test]
fn the_configuration_shows_no_password_of_any_option() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sterna.toml");
    let text = "[rehearse]\ninto = 'postgres://me:hush@example.com/d'\n";
    std::fs::write(&file, text).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, private).unwrap();
    for args in
        [&["config", "show"][..], &["config", "show", "--format", "json"], &["rehearse", "--help"]]
    {
        let shown = Finished::from(sterna(args).current_dir(folder.path()).output().unwrap());
        let shown = shown.expect_code(0).stdout;
        assert!(shown.contains("into") && !shown.contains("hush"), "{shown}");
    }
}

#[tokio::test]
async fn a_watched_run_is_shown_until_its_end_with_who_is_in_its_way() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    // A reader in an open transaction blocks the switchover.
    let reader = db.connect().await;
    reader.batch_execute("BEGIN; SELECT count(*) FROM public.cites_trade_records").await.unwrap();
    let mut run = db.command(&scenario.migration(&[]));
    let run = run.current_dir(scenario.here.folder.path());
    let mut child = run.stdout(std::process::Stdio::null()).spawn().unwrap();
    let status = || {
        let shown = scenario.sterna(&["status", "--format", "json"]).expect_code(0);
        serde_json::from_str::<Value>(&shown.stdout).unwrap()
    };
    let waiting = || {
        let sessions = status()["sessions"].as_array().cloned().unwrap();
        let named = |purpose: &str| sessions.iter().find(|session| session["purpose"] == purpose);
        let by = named("switchover").map(|session| session["blocked_by"][0].to_string());
        by.is_some_and(|by| by.contains("session")) && named("lock of the run").is_some()
    };
    crate::server::eventually("somebody in the way of the switchover", waiting);
    let mut watch = db.command(&["status", "--watch"]);
    let watch = watch.stdout(std::process::Stdio::piped()).spawn().unwrap();
    reader.batch_execute("COMMIT").await.unwrap();
    assert!(child.wait().unwrap().success());
    let watched = watch.wait_with_output().unwrap();
    assert!(watched.status.success());
    let text = String::from_utf8(watched.stdout).unwrap();
    assert!(text.contains("running") && text.contains("finished"), "{text}");
    assert_eq!(status()["sessions"], serde_json::json!([]));
}

#[tokio::test]
async fn an_error_has_its_exit_code_where_nobody_reads_it() {
    let db = TestDb::new().await;
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for (args, code) in [
        (&["load", "missing.csv", "--all"][..], 1),
        (&["load", "missing.csv", "--all", "--table", "nothing"], 2),
        (&["validate", "--all", "--progress", "always", "-vv"], 6),
    ] {
        let ended = db.command(args).stderr(full()).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{args:?}");
        let mut unread = db.command(args);
        let mut unread = unread.stderr(std::process::Stdio::piped()).spawn().unwrap();
        drop(unread.stderr.take());
        assert_eq!(unread.wait().unwrap().code(), Some(code), "{args:?}");
    }
}

#[tokio::test]
async fn damaged_documents_of_the_ledger_are_errors() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&good(3)));
    here.report(0, &[&file, "--all"]);
    for (damage, column) in [
        ("UPDATE sterna.load_batch SET refused = '{\"no\": \"list\"}'", "refused"),
        ("UPDATE sterna.load_run SET report = '{\"files\": 3}'", "report"),
    ] {
        here.db.psql(damage).await;
        let failed = here.load(&[&file, "--all", "--resume", "--verify"]).expect_code(1);
        assert!(failed.stderr.contains(&format!("the ledger has a {column}")), "{failed:?}");
        assert!(!failed.stderr.contains("panicked"), "{failed:?}");
    }
}
