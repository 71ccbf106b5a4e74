//! Loads that a fault breaks anywhere: the connection to the server, a COMMIT whose answer is
//! lost, the client, the server, its sessions. `--resume` works at once, no row is lost or
//! duplicated, and the broken load's error names the fault.
//!
//! Full disks are in [`disk`], stalled connections in [`stall`].
//!
//! `STERNA_FAULTS_TIMES` and `STERNA_FAULTS_SEED` try more of them than the tests do.

mod disk;
mod scenario;
mod stall;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use sterna::pg::Embedded;
use sterna::pg::embedded::{Options, StopMode};

use super::process::{finished, spawn};
use crate::line::{Line, Pass, has};
use crate::tries::Tries;
use scenario::{CUT, Scenario};

/// The errors when somebody terminates a session.
const TERMINATED: [&str; 2] =
    ["terminating connection due to administrator command (SQLSTATE 57P01)", "was cut off from"];
/// The errors while a server crashes and restarts, and those of the system meanwhile.
const CRASHED: [&str; 8] = [
    "terminating connection due to immediate shutdown command (SQLSTATE 57P0",
    "the database system is starting up (SQLSTATE 57P03)",
    "the database system is shutting down (SQLSTATE 57P03)",
    "the database system is in recovery mode (SQLSTATE 57P03)",
    "the database system is not yet accepting connections (SQLSTATE 57P03)",
    "Connection refused",
    "No such file or directory",
    // Batches do not wait for the disk.
    "batches that it had confirmed; sending them again",
];

#[tokio::test]
async fn the_line_breaks_at_any_byte() {
    let (scenario, mut tries) = (Scenario::new().await, Tries::new(8));
    let whole = Line::new(|_, _| Pass::On);
    scenario.load_over(&whole).expect_code(0);
    for turn in 0..tries.times {
        let at = tries.random.random_range(0..whole.carried());
        // sterna tries for half a minute to find a connection that is not cut.
        let for_good = turn % 8 == 0;
        let mut is_cut = false;
        let line = Line::new(move |sent: &[u8], before: u64| {
            if is_cut {
                return if for_good { Pass::Cut(0) } else { Pass::On };
            }
            is_cut = before + sent.len() as u64 > at;
            if is_cut { Pass::Cut(usize::try_from(at - before).unwrap()) } else { Pass::On }
        });
        let what = format!("cut at byte {at}, for good: {for_good}");
        let broken = scenario.load_over(&line);
        scenario.judge(&mut tries, &what, &broken, &[&CUT]);
        scenario.resume(&what).await;
    }
    tries.tell("cuts at random bytes");
}

#[tokio::test]
async fn a_commit_goes_unanswered() {
    let (scenario, mut tries) = (Scenario::new().await, Tries::new(4));
    let commits = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&commits);
    let counting = Line::new(move |sent, _| {
        counter.fetch_add(u64::from(has(sent, b"COMMIT")), Ordering::SeqCst);
        Pass::On
    });
    scenario.load_over(&counting).expect_code(0);
    let commits = commits.load(Ordering::SeqCst);
    // Most of them belong to batches.
    assert!(commits >= 40, "{commits}");
    for _ in 0..tries.times {
        let lost = tries.random.random_range(1..=commits);
        let mut seen = 0;
        let line = Line::new(move |sent: &[u8], _| {
            seen += u64::from(has(sent, b"COMMIT"));
            if has(sent, b"COMMIT") && seen == lost { Pass::Unanswered } else { Pass::On }
        });
        let what = format!("the answer to COMMIT {lost} of {commits} is lost");
        let broken = scenario.load_over(&line);
        scenario.judge(&mut tries, &what, &broken, &[&CUT]);
        scenario.resume(&what).await;
    }
    tries.tell("lost answers to COMMIT");
}

#[tokio::test]
async fn the_client_is_killed_at_any_moment() {
    let (scenario, mut tries) = (Scenario::new().await, Tries::new(5));
    for turn in 0..tries.times {
        let (moment, next) =
            (scenario.moment(&mut tries.random), scenario.moment(&mut tries.random));
        let what = format!("killed after {moment:?} of {:?}", scenario.duration);
        let mut child = scenario.begin();
        std::thread::sleep(moment);
        child.kill().unwrap();
        let killed = finished(child);
        scenario.judge(&mut tries, &what, &killed, &[]);
        if turn % 2 == 0 {
            // Killed again while resuming.
            let mut child = spawn(scenario.command(&[]));
            std::thread::sleep(next);
            child.kill().unwrap();
            finished(child);
        }
        scenario.resume(&what).await;
    }
    tries.tell("clients killed");
}

#[tokio::test]
async fn the_server_ends_the_sessions_at_any_moment() {
    let (scenario, mut tries) = (Scenario::new().await, Tries::new(5));
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'sterna%'
            AND pid <> pg_backend_pid()";
    for _ in 0..tries.times {
        let moment = scenario.moment(&mut tries.random);
        let what = format!("sessions ended after {moment:?} of {:?}", scenario.duration);
        let child = scenario.begin();
        std::thread::sleep(moment);
        scenario.connect().await.batch_execute(end).await.unwrap();
        scenario.judge(&mut tries, &what, &finished(child), &[&CUT, &TERMINATED]);
        scenario.resume(&what).await;
    }
    tries.tell("sessions ended by the server");
}

#[tokio::test]
async fn the_server_crashes_at_any_moment() {
    let mut server = Embedded::start(&Options::default()).unwrap();
    let (scenario, mut tries) = (Scenario::of(&server).await, Tries::new(3));
    for _ in 0..tries.times {
        let moment = scenario.moment(&mut tries.random);
        let what = format!("the server crashes after {moment:?} of {:?}", scenario.duration);
        let child = scenario.begin();
        std::thread::sleep(moment);
        server.stop(StopMode::Immediate).unwrap();
        server.start_again().unwrap();
        scenario.judge(&mut tries, &what, &finished(child), &[&CUT, &CRASHED]);
        scenario.resume(&what).await;
    }
    tries.tell("crashes of the server");
}
