//! The staging table by itself: no session queues behind sterna for a table that it refers to.

use std::process::Child;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use nix::sys::signal::Signal;
use sterna::Kind;
use sterna::pg::{Connection, Table};
use sterna::table::Patience;
use sterna::table::staging;

use crate::cites::{Installation, file_of, good};
use crate::load::process::{finished, signal, spawn, until};

const LOAD: [&str; 3] = ["load", "in.csv", "--all"];

/// An empty staging table that refers to species, as an aborted load with --keep-indexes leaves
/// it; and an idle transaction that has read species.
async fn scenario() -> (Installation, Connection) {
    let here = Installation::new().await;
    here.file("in.csv", file_of(&good(5)));
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.db
        .psql(
            "ALTER TABLE cites_trade_records_staging
                 ADD FOREIGN KEY (species_id) REFERENCES species ON DELETE CASCADE",
        )
        .await;
    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    let idle = here.db.connect().await;
    idle.batch_execute("BEGIN; SELECT FROM species").await.unwrap();
    (here, idle)
}

/// Starts `sterna` and returns once it has tried to lock species at least once.
async fn begin(here: &Installation, args: &[&str]) -> Child {
    let mut command = here.db.command(args);
    let child = spawn({
        command.current_dir(here.folder.path());
        command
    });
    let waiting = "SELECT count(*) > 0 FROM pg_locks
        WHERE NOT granted AND relation = 'species'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until(&here.db, waiting, "t").await;
    child
}

/// Reads species as others do; fails if that takes longer than this.
async fn read(here: &Installation) {
    let reader = here.db.connect().await;
    reader.batch_execute("SET statement_timeout = '5s'").await.unwrap();
    for _ in 0..50 {
        reader.batch_execute("SELECT FROM species").await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn readers_of_species_pass_while_staging_cannot_be_dropped() {
    for args in [&["stage", "drop"][..], &LOAD] {
        let (here, idle) = scenario().await;
        let child = begin(&here, args).await;
        read(&here).await;
        idle.batch_execute("COMMIT").await.unwrap();
        finished(child).expect_code(0);
        let rows = "SELECT count(*) FROM cites_trade_records_staging";
        match args == LOAD {
            true => assert_eq!(here.db.psql(rows).await, "5"),
            false => assert!(here.db.try_psql(rows).await.is_err()),
        }
    }
}

#[tokio::test]
async fn one_signal_ends_the_waiting() {
    for args in [&["stage", "drop"][..], &LOAD] {
        let (here, idle) = scenario().await;
        let child = begin(&here, args).await;
        signal(&child, Signal::SIGTERM);
        finished(child).expect_code(130);
        let there = "SELECT to_regclass('cites_trade_records_staging') IS NOT NULL";
        assert_eq!(here.db.psql(there).await, "t");
        drop(idle);
    }
}

/// A load waits for a lock on species like any reader, but not forever.
#[tokio::test]
async fn one_signal_ends_a_load_that_cannot_read_species() {
    let (here, idle) = scenario().await;
    idle.batch_execute("LOCK TABLE species").await.unwrap();
    let child = begin(&here, &LOAD).await;
    signal(&child, Signal::SIGTERM);
    finished(child).expect_code(130);
}

#[tokio::test]
async fn whoever_is_in_the_way_is_named() {
    let (here, idle) = scenario().await;
    let pid: i32 = idle.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let mut session = here.db.connect().await;
    let table = Table::new("public", "cites_trade_records").unwrap();
    let pair = staging::pair(&mut session, &table).await.unwrap();
    let oid = staging::find(&session, &pair).await.unwrap().unwrap().oid;
    let (patience, stop) = (Patience::new(Duration::from_millis(300)), AtomicBool::new(false));
    let error = staging::drop(&mut session, &pair, oid, patience, &stop).await.unwrap_err();
    assert_eq!(error.kind(), Kind::LockTimeout);
    let said = error.to_string();
    assert!(said.starts_with("could not drop \"public\".\"cites_trade_records_staging\": no lock"));
    assert!(said.contains(&format!("held by pid {pid} (")), "{said}");
    assert!(error.next_step().unwrap().contains("end the transactions named"), "{error:?}");
    idle.batch_execute("COMMIT").await.unwrap();
    staging::drop(&mut session, &pair, oid, patience, &stop).await.unwrap();
    assert!(staging::find(&session, &pair).await.unwrap().is_none());
}

/// The session that holds a command's lock is idle while another one works.
#[tokio::test]
async fn a_command_that_has_lost_its_lock_says_why() {
    let (here, idle) = scenario().await;
    let child = begin(&here, &["stage", "drop"]).await;
    let end = "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.classid = 1937010273
            AND l.objid = (hashtext('\"public\".\"cites_trade_records\"')::bigint & 4294967295)::oid
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(here.db.psql(end).await, "1");
    let stopped = finished(child).expect_code(1);
    let why = "the session that holds the lock on \"public\".\"cites_trade_records\" was lost: \
        the database failed: terminating connection due to administrator command (SQLSTATE 57P01)";
    assert!(stopped.stderr.contains(why), "{stopped:?}");
    drop(idle);
}
