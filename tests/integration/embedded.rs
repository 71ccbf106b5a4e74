//! The embedded server itself: start, stop, and what survives a crash.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use sterna::Kind;
use sterna::pg::connect;
use sterna::pg::embedded::{Embedded, Options, StopMode};

use crate::server::{eventually, is_alive, new_runtime, postmaster};

/// Runs SQL in a session of its own and returns the first value of the last row.
fn ask(server: &Embedded, sql: &str) -> Option<String> {
    new_runtime().unwrap().block_on(async {
        let client = connect(&server.conninfo("postgres")).await.unwrap();
        let messages = client.simple_query(sql).await.unwrap();
        messages.into_iter().rev().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
    })
}

fn setting(server: &Embedded, name: &str) -> String {
    ask(server, &format!("SHOW {name}")).unwrap()
}

#[test]
fn dropping_it_leaves_neither_process_nor_folder() {
    let server = Embedded::start(&Options::default()).unwrap();
    let folder = server.socket_folder().to_path_buf();
    let process = postmaster(&server.data_folder());
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(is_alive(process));
    drop(server);
    assert!(!is_alive(process));
    assert!(!folder.exists());
}

#[test]
fn it_listens_on_its_socket_alone_and_is_durable_on_request() {
    let fast = Embedded::start(&Options::default()).unwrap();
    assert_eq!(setting(&fast, "listen_addresses"), "");
    assert_eq!(setting(&fast, "fsync"), "off");
    assert_eq!(setting(&fast, "server_encoding"), "UTF8");

    let durable = Options::durable().set("application_name", "it's here").set("work_mem", "8MB");
    let durable = Embedded::start(&durable).unwrap();
    assert_eq!(setting(&durable, "fsync"), "on");
    assert_eq!(setting(&durable, "full_page_writes"), "on");
    assert_eq!(setting(&durable, "work_mem"), "8MB");
    assert_ne!(fast.socket_folder(), durable.socket_folder());
}

#[test]
fn what_was_committed_survives_an_immediate_stop_and_a_kill() {
    let mut server = Embedded::start(&Options::default()).unwrap();
    ask(&server, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    server.stop(StopMode::Immediate).unwrap();
    assert!(fs::exists(server.data_folder()).unwrap());
    server.start_again().unwrap();
    assert_eq!(ask(&server, "SELECT count(*) FROM kept").unwrap(), "1000");

    ask(&server, "INSERT INTO kept VALUES (1001)");
    // The lock file that this leaves behind claims that a server is ready.
    let process = postmaster(&server.data_folder());
    kill(process, Signal::SIGKILL).unwrap();
    assert_eq!(server.stop(StopMode::Fast).unwrap_err().kind(), Kind::Database);
    server.start_again().unwrap();
    assert_ne!(postmaster(&server.data_folder()), process);
    assert_eq!(ask(&server, "SELECT count(*) FROM kept").unwrap(), "1001");
}

#[test]
fn starting_twice_and_stopping_twice_do_no_harm() {
    let mut server = Embedded::start(&Options::default()).unwrap();
    let process = postmaster(&server.data_folder());
    server.start_again().unwrap();
    assert_eq!(postmaster(&server.data_folder()), process);
    server.stop(StopMode::Fast).unwrap();
    server.stop(StopMode::Immediate).unwrap();
    assert!(!is_alive(process));
}

#[test]
fn a_server_that_does_not_start_shows_its_log_and_is_cleaned_up() {
    let options = Options::default().set("shared_buffers", "plenty");
    let error = Embedded::start(&options).unwrap_err();
    assert_eq!(error.kind(), Kind::Database);
    let message = error.to_string();
    assert!(message.contains("ended while starting"), "{message}");
    // The setting's name appears in every language of the server.
    assert!(message.contains("shared_buffers"), "{message}");
    let quoted = message.split('"').find(|part| part.starts_with('/'));
    let folder = Path::new(quoted.unwrap()).parent().and_then(Path::parent).unwrap();
    assert!(folder.file_name().unwrap().to_string_lossy().starts_with("sterna-pg-"), "{message}");
    assert!(!folder.exists());
}

#[test]
fn it_ends_with_a_thread_that_panics() {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let server = Embedded::start(&Options::default()).unwrap();
        tell.send(server.socket_folder().to_path_buf()).unwrap();
        panic!("on purpose");
    });
    assert!(thread.join().is_err());
    let folder = told.recv().unwrap();
    eventually("the folder's end", || !folder.exists());
}
