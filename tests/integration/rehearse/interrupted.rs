//! A rehearsal that does not come to its end leaves nothing behind either.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Stage, names};
use crate::server::{Finished, eventually, is_alive, postmaster};

/// The data folder of the copy's server, once that is ready.
fn ready(stage: &Stage) -> Option<PathBuf> {
    let mut folders = names(stage.scratch.path()).into_iter();
    let folder = folders.find(|name| name.starts_with("sterna-pg-"))?;
    let data = stage.scratch.path().join(folder).join("data");
    let lock = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    lock.contains("ready").then_some(data)
}

/// A rehearsal whose server is there, and that server.
fn with_server(stage: &Stage) -> (Child, Pid) {
    let mut command = stage.command(&[]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the copy's server", || ready(stage).is_some());
    (child, postmaster(&ready(stage).unwrap()))
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[tokio::test]
async fn an_interrupted_rehearsal_leaves_nothing() {
    let stage = Stage::new().await;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (child, server) = with_server(&stage);
        send(&child, signal);
        let done = Finished::from(child.wait_with_output().unwrap()).expect_code(130);
        assert!(done.stderr.contains("the rehearsal was interrupted"), "{done:?}");
        assert!(!is_alive(server));
        stage.assert_nothing_left();
        let here = names(stage.scenario.here.folder.path());
        assert!(!here.iter().any(|name| name.starts_with("sterna-rehearsal")), "{here:?}");
    }
    stage.scenario.assert_as_before().await;
}

#[tokio::test]
async fn a_killed_rehearsal_leaves_nothing() {
    let stage = Stage::new().await;
    let (mut child, server) = with_server(&stage);
    send(&child, Signal::SIGKILL);
    child.wait().unwrap();
    eventually("the end of the server and of every folder", || {
        !is_alive(server) && names(stage.scratch.path()).is_empty()
    });
    stage.scenario.assert_as_before().await;
}
