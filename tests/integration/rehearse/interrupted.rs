//! An interrupted rehearsal leaves nothing behind either.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Stage, names};
use crate::server::{Finished, eventually};

const SECRET: &str = "s3cret-of-production";

/// The data folder of the copy's server, once it is ready.
fn ready(stage: &Stage) -> Option<PathBuf> {
    let mut folders = names(stage.scratch.path()).into_iter();
    let folder = folders.find(|name| name.starts_with("sterna-pg-"))?;
    let data = stage.scratch.path().join(folder).join("data");
    let lock = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    lock.contains("ready").then_some(data)
}

/// Whether a process serves a data folder. In a sandbox, the number in the server's own lock file
/// means another process outside.
fn is_served(data: &Path) -> bool {
    let data = data.as_os_str().as_encoded_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.into_iter().any(|line| line.split(|byte| *byte == 0).any(|word| word == data))
}

/// The environments of the processes that have a folder's path.
fn environments(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let text =
        |path: PathBuf| std::fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned());
    let concerned = processes
        .filter(|process| text(process.join("cmdline")).is_ok_and(|line| line.contains(folder)));
    concerned.filter_map(|process| text(process.join("environ")).ok()).collect()
}

/// A rehearsal whose server has started, and that server's folder.
fn with_server(stage: &Stage) -> (Child, PathBuf) {
    let mut command = stage.command(&[]);
    command.env("DEPLOYMENT_TOKEN", SECRET).env("PGPASSWORD", SECRET);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the copy's server", || ready(stage).is_some());
    let data = ready(stage).unwrap();
    assert!(is_served(&data));
    let environments = environments(data.parent().unwrap());
    assert!(environments.len() > 1, "the watchdog and the server");
    for environment in environments {
        assert!(!environment.contains(SECRET), "{environment}");
    }
    (child, data)
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[tokio::test]
async fn an_interrupted_rehearsal_leaves_nothing() {
    let stage = Stage::new().await;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (child, data) = with_server(&stage);
        send(&child, signal);
        let done = Finished::from(child.wait_with_output().unwrap()).expect_code(130);
        assert!(done.stderr.contains("the rehearsal was interrupted"), "{done:?}");
        assert!(!is_served(&data));
        stage.assert_nothing_left();
        let here = names(stage.scenario.here.folder.path());
        assert!(!here.iter().any(|name| name.starts_with("sterna-rehearsal")), "{here:?}");
    }
    stage.scenario.assert_as_before().await;
}

#[tokio::test]
async fn a_killed_rehearsal_leaves_nothing() {
    let stage = Stage::new().await;
    let (mut child, data) = with_server(&stage);
    send(&child, Signal::SIGKILL);
    child.wait().unwrap();
    eventually("the end of the server and of every folder", || {
        !is_served(&data) && names(stage.scratch.path()).is_empty()
    });
    stage.scenario.assert_as_before().await;
}
