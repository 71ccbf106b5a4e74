//! Sessions of a load that the server ends: sterna reports why, and the load continues.

use crate::cites::{Installation, file_of, good, rows_of};

use super::process::{finished, spawn, until};

#[tokio::test]
async fn a_load_tells_why_the_server_ended_its_sessions() {
    let here = Installation::new().await;
    let text = file_of(&good(20_000));
    let file = here.file("in.csv", &text);
    // Rows wait for a lock held by the test, so that COPY has begun and cannot continue.
    let gate = "CREATE FUNCTION pass(text) RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_lock_shared(7), pg_advisory_unlock_shared(7); RETURN true; END
        $$;
        ALTER TABLE cites_trade_records ADD CHECK (pass(taxon))";
    here.db.psql(gate).await;
    let gatekeeper = here.db.connect().await;
    gatekeeper.batch_execute("SELECT pg_advisory_lock(7)").await.unwrap();
    let child = spawn(here.command(&[&file, "--all"]));
    let ours = "datname = current_database() AND application_name LIKE 'sterna%'
        AND pid <> pg_backend_pid()";
    let waiting = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity
         WHERE {ours} AND query LIKE '%COPY%' AND wait_event = 'advisory'"
    );
    until(&here.db, &waiting, "t").await;
    // The sessions that copy, and the one that holds the load's lock and waits for them.
    let end = format!(
        "SELECT count(pg_terminate_backend(pid, 5000)) > 1 FROM pg_stat_activity WHERE {ours}
             AND query NOT LIKE '%pg_advisory_lock(7)%'"
    );
    assert_eq!(here.db.psql(&end).await, "t");
    gatekeeper.batch_execute("SELECT pg_advisory_unlock(7)").await.unwrap();
    let loaded = finished(child).expect_code(0);
    let why = "terminating connection due to administrator command (SQLSTATE 57P01)";
    for what in ["retrying a batch", "the session that holds the lock was lost"] {
        let told = loaded.stderr.lines().any(|line| line.contains(what) && line.contains(why));
        assert!(told, "{what}: {loaded:?}");
    }
    assert!(here.staging().await == rows_of(&text));
}

/// Whether sessions of `sterna` are building an index.
const AT_WORK: &str = "SELECT count(*) > 0 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'sterna%' AND state = 'active'
        AND query LIKE '%CREATE INDEX%cites_trade_records_staging%' AND pid <> pg_backend_pid()";

#[tokio::test]
async fn an_index_build_ends_with_its_client() {
    let here = Installation::new().await;
    let slow = "CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
            BEGIN PERFORM pg_sleep(3600); RETURN $1; END
        $$;
        CREATE INDEX ON cites_trade_records (slow(taxon))";
    here.db.psql(slow).await;
    let mut child = spawn(here.command(&[&here.file("in.csv", file_of(&good(10))), "--all"]));
    until(&here.db, AT_WORK, "t").await;
    child.kill().unwrap();
    finished(child);
    until(&here.db, AT_WORK, "f").await;
    // Its lock is released with it.
    here.db.sterna(&["stage", "drop"]).expect_code(0);
}
