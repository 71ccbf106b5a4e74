//! `sterna sandbox`: what the command finds, and that nothing is left behind, however sterna
//! ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::server::{Finished, TestDb, eventually, is_alive, postmaster, sterna};

/// A sandbox whose command prints where its server is and then waits for its input to end.
struct Waiting {
    sterna: Child,
    /// Kept here because waiting for a child would close it.
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    socket_folder: PathBuf,
    server: Pid,
}

impl Waiting {
    fn start(prelude: &str) -> Self {
        let script = format!(r#"{prelude}; echo "$PGHOST"; read -r line; echo done; exit 3"#);
        let mut child = sterna(&["sandbox", "--model", "none", "--", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let socket_folder = PathBuf::from(line.trim_end());
        let server = postmaster(&socket_folder.join("data"));
        assert!(is_alive(server));
        Waiting { sterna: child, input, output, socket_folder, server }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.sterna.id().try_into().unwrap()), signal).unwrap();
    }

    fn assert_nothing_left(&self) {
        eventually("the server's end", || !is_alive(self.server));
        eventually("the folder's end", || !self.socket_folder.exists());
    }
}

#[test]
fn the_command_finds_the_database_by_each_of_the_ways() {
    let by_variables = r"psql -XAtc 'SELECT count(*) FROM species'";
    let by_url = r#"psql -XAt "$DATABASE_URL" -c 'SELECT count(*) FROM cites_trade_records'"#;
    let script = format!("{by_variables} && env -u PGHOST -u PGDATABASE {by_url}; exit 7");
    let run = Finished::from(sterna(&["sandbox", "--", "sh", "-c", &script]).output().unwrap());
    assert_eq!(run.expect_code(7).stdout, "0\n0\n");
}

#[tokio::test]
async fn a_connection_of_the_caller_does_not_leak_in() {
    let callers = TestDb::new().await;
    let psql = ["sandbox", "--model", "none", "--", "psql", "-XAtc", "SELECT current_database()"];
    assert_eq!(callers.sterna(&psql).expect_code(0).stdout, "sterna\n");

    let mut misled = callers.command(&psql);
    misled.env("PGHOSTADDR", "192.0.2.1").env("PGSERVICE", "no such").env("PGOPTIONS", "-c no=1");
    let run = Finished::from(misled.output().unwrap());
    assert_eq!(run.expect_code(0).stdout, "sterna\n");
}

#[test]
fn killed_with_no_chance_to_clean_up_it_leaves_nothing() {
    let mut waiting = Waiting::start(":");
    waiting.signal(Signal::SIGKILL);
    waiting.sterna.wait().unwrap();
    waiting.assert_nothing_left();
}

#[test]
fn interrupted_it_passes_that_on_and_leaves_nothing() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut waiting = Waiting::start(":");
        waiting.signal(signal);
        assert_eq!(waiting.sterna.wait().unwrap().code(), Some(code));
        assert!(!is_alive(waiting.server));
        assert!(!waiting.socket_folder.exists());
    }
}

#[test]
fn a_command_that_goes_on_after_a_signal_keeps_its_server() {
    let mut waiting = Waiting::start("trap 'echo asked' TERM");
    waiting.signal(Signal::SIGTERM);
    drop(waiting.input);
    let mut rest = String::new();
    waiting.output.read_to_string(&mut rest).unwrap();
    assert_eq!(waiting.sterna.wait().unwrap().code(), Some(3));
    assert!(rest.lines().any(|line| line == "done"), "{rest:?}");
    assert!(!is_alive(waiting.server));
    assert!(!waiting.socket_folder.exists());
}

/// Runs a sandbox with this `TMPDIR` and returns the folder of its socket.
fn in_temporary_folder(folder: &Path) -> PathBuf {
    let script = r#"psql -XAtqc "SELECT 1" && psql -XAtq "$DATABASE_URL" -c "SELECT 2" && printf '%s' "$PGHOST""#;
    // Relative to sterna's working directory, as a user may have set it.
    let mut sandbox = sterna(&["sandbox", "--", "sh", "-c", script]);
    sandbox.current_dir(folder.parent().unwrap()).env("TMPDIR", folder.file_name().unwrap());
    let run = Finished::from(sandbox.output().unwrap()).expect_code(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[..2], ["1", "2"]);
    let left: Vec<_> = fs::read_dir(folder).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!Path::new(lines[2]).exists());
    PathBuf::from(lines[2])
}

/// A folder that every account can write to, as temporary folders are.
fn open_folder(parent: &Path, name: &str) -> PathBuf {
    let folder = parent.join(name);
    fs::create_dir_all(&folder).unwrap();
    for each in [parent, &folder] {
        fs::set_permissions(each, fs::Permissions::from_mode(0o1777)).unwrap();
    }
    folder
}

#[test]
fn any_temporary_folder_will_do() {
    let root = tempfile::tempdir().unwrap();
    let odd = open_folder(root.path(), r#"a b "c" 'd' \e"#);
    assert!(in_temporary_folder(&odd).starts_with(&odd));
    // Unusable for a socket, which is then created elsewhere.
    for name in ["x".repeat(120), "a,b".to_owned()] {
        let unsuitable = open_folder(root.path(), &name);
        assert!(!in_temporary_folder(&unsuitable).starts_with(&unsuitable));
    }
}

#[test]
fn a_temporary_folder_of_ones_own_does_not_stop_root() {
    let root = tempfile::tempdir().unwrap();
    let own = root.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
    let used = in_temporary_folder(&own);
    assert_eq!(used.starts_with(&own), !nix::unistd::Uid::effective().is_root());
}

#[test]
fn what_cannot_be_run_is_a_usage_error() {
    let missing = Finished::from(sterna(&["sandbox", "--", "/no/such/command"]).output().unwrap());
    let missing = missing.expect_code(2);
    assert!(missing.stderr.starts_with("error: there is no command /no/such/command\nhint: "));

    let mut wrong = sterna(&["sandbox", "--", "true"]);
    let wrong = Finished::from(wrong.env("STERNA_PG_BIN", "/nowhere").output().unwrap());
    assert!(wrong.expect_code(2).stderr.contains("STERNA_PG_BIN is /nowhere"));
}
