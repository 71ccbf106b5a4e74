//! Connections that stall: nothing gets through in either direction, and they do not end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;

use super::super::process::finished;
use super::scenario::Scenario;
use crate::line::{Line, Pass, has};
use crate::server::eventually;
use crate::tries::Tries;

/// What a load reports about such a connection.
const STALLED: [&str; 2] =
    ["the connection to the server has stalled", "was cut off from sterna's process"];
/// What it reports if no other connection can be opened.
const NO_LINE: [&str; 2] = ["no answer within 1 s", "no other session gets an answer"];

/// Where a connection stalls, counted from the first batch on.
#[derive(Clone, Copy, Debug)]
enum At {
    /// In the middle of the rows of a batch.
    Rows(u64),
    /// Before the server has the COMMIT of a batch.
    Commit(u64),
    /// After that.
    Answer(u64),
}

impl At {
    fn random(tries: &mut Tries) -> Self {
        // The load has 40 batches; its last COMMITs may be those of other transactions.
        let number = tries.random.random_range(1..=30);
        match tries.random.random_range(0..3) {
            0 => At::Rows(number),
            1 => At::Commit(number),
            _ => At::Answer(number),
        }
    }

    /// A line that stalls there, and with `for_good` all other lines, too.
    fn line(self, for_good: bool) -> Line {
        let (mut batches, mut commits, mut is_stalled) = (0, 0, false);
        Line::new(move |sent: &[u8], _| {
            if is_stalled {
                return if for_good { Pass::Stall(0) } else { Pass::On };
            }
            batches += u64::from(has(sent, b"PGCOPY\n"));
            commits += u64::from(batches > 0 && has(sent, b"COMMIT"));
            let pass = match self {
                At::Rows(number) if batches == number => Pass::Stall(sent.len() / 2),
                At::Commit(number) if commits == number => Pass::Stall(0),
                At::Answer(number) if commits == number => Pass::Stall(sent.len()),
                _ => Pass::On,
            };
            is_stalled = pass != Pass::On;
            pass
        })
    }
}

#[tokio::test]
async fn another_line_is_taken_where_one_stalls() {
    let (mut scenario, mut tries) = (Scenario::new().await, Tries::new(4));
    scenario.add("--stall-timeout=1");
    for _ in 0..tries.times {
        let at = At::random(&mut tries);
        let what = format!("the line stalls at {at:?}");
        let line = at.line(false);
        let loaded = scenario.load_over(&line).expect_code(0);
        assert_eq!(line.stalled(), 1, "{what}: {loaded:?}");
        assert!(loaded.stderr.contains(STALLED[0]), "{what}: {loaded:?}");
        scenario.judge(&mut tries, &what, &loaded, &[&STALLED]);
        scenario.resume(&what).await;
    }
    tries.tell("lines that stalled");
}

#[tokio::test]
async fn a_load_whose_lines_all_stall_names_that_and_is_resumed() {
    let (mut scenario, mut tries) = (Scenario::new().await, Tries::new(1));
    scenario.add("--stall-timeout=1");
    scenario.set("PGCONNECT_TIMEOUT", "1");
    for turn in 0..tries.times {
        let at = At::random(&mut tries);
        let what = format!("all lines stall from {at:?} on");
        let line = at.line(true);
        let broken = if turn % 2 == 0 {
            // A user who does not want to wait kills it, and the server keeps its sessions.
            let mut child = scenario.begin_over(&line);
            eventually("the line stalls", || line.stalled() > 0);
            child.kill().unwrap();
            finished(child)
        } else {
            scenario.load_over(&line).expect_code(1)
        };
        scenario.judge(&mut tries, &what, &broken, &[&STALLED, &NO_LINE]);
        let resumed = scenario.resume(&what).await;
        assert!(resumed.stderr.contains(STALLED[1]), "{what}: {resumed:?}");
    }
    tries.tell("servers that no line leads to");
}

/// A server may work for any length of time without sending a byte.
#[tokio::test]
async fn a_server_that_is_busy_is_waited_for() {
    let mut scenario = Scenario::new().await;
    scenario.add("--stall-timeout=1");
    let gatekeeper = scenario.connect().await;
    let gate = "CREATE FUNCTION pass(text) RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_lock_shared(7), pg_advisory_unlock_shared(7); RETURN true; END
        $$;
        ALTER TABLE cites_trade_records ADD CHECK (pass(taxon));
        SELECT pg_advisory_lock(7)";
    gatekeeper.batch_execute(gate).await.unwrap();
    let asked = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&asked);
    let line = Line::new(move |sent, _| {
        counter.fetch_add(u64::from(has(sent, b"wait_event_type")), Ordering::SeqCst);
        Pass::On
    });
    let child = scenario.begin_over(&line);
    eventually("the server is asked, and again", || asked.load(Ordering::SeqCst) >= 4);
    gatekeeper.batch_execute("SELECT pg_advisory_unlock(7)").await.unwrap();
    let loaded = finished(child).expect_code(0);
    assert_eq!(loaded.stderr, "");
    scenario.resume("the server was busy").await;
}
