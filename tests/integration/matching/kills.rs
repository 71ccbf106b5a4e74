//! Loads that are killed while the server matches rows: what was done is not done twice.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::Things;

/// New rows wait for the holder of lock 7 before they get their stamp.
const SCHEMA: &str = "CREATE FUNCTION stamp() RETURNS timestamptz LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN now(); END';
    CREATE TABLE things (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code integer UNIQUE NOT NULL,
        label text, notes text, stamped timestamptz NOT NULL DEFAULT stamp());
    INSERT INTO things (code, notes, stamped)
        SELECT n, 'note ' || n, '2001-01-01' FROM generate_series(4000, 1, -2) AS n";
const MAPPING: &str =
    "record_id = \"Code\"\n[format.columns]\n\"Code\" = \"code\"\n\"Label\" = \"label\"\n";
/// Every row has its old or its new values, and no number occurs twice.
const WRONG: &str = "SELECT count(*), count(DISTINCT s.id), count(*) FILTER (WHERE
        s.label <> 'L' || s.code
        OR (t.id, t.notes, t.stamped) IS DISTINCT FROM (s.id, s.notes, s.stamped)
            AND t.id IS NOT NULL
        OR t.id IS NULL AND (s.id <= 2000 OR s.notes IS NOT NULL))
    FROM things_staging AS s LEFT JOIN things AS t USING (code)";

async fn things() -> Things {
    let here = Things::new(SCHEMA, MAPPING).await;
    let records: String = (1..=3000).map(|n| format!("{n},L{n}\n")).collect();
    here.write("in.csv", &format!("Code,Label\n{records}"));
    here
}

fn spawn(here: &Things) -> Child {
    let args = ["--table", "things", "load", "in.csv", "--all", "--mapping", "m.toml", "--resume"];
    let mut command = here.db.command(&args);
    command.current_dir(here.path()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Resumes the load to its end, as soon as the server has noticed the end of the previous one.
fn resume(here: &Things) {
    let begun = Instant::now();
    loop {
        let done = here.load("in.csv", &["--resume"]);
        if done.code == Some(6) && begun.elapsed() < Duration::from_secs(30) {
            assert!(done.stderr.contains("another sterna"), "{done:?}");
            continue;
        }
        done.expect_code(0);
        return;
    }
}

#[tokio::test]
async fn killed_while_rows_are_put_back() {
    let here = things().await;
    let session = here.db.connect().await;
    session.batch_execute("SELECT pg_advisory_lock(7)").await.unwrap();
    let mut child = spawn(&here);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event = 'advisory' AND query LIKE 'INSERT INTO %'";
    let begun = Instant::now();
    while here.db.psql(waiting).await != "1" {
        assert!(begun.elapsed() < Duration::from_secs(30), "the rows were never written back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    session.batch_execute("SELECT pg_advisory_unlock(7)").await.unwrap();
    resume(&here);
    assert_eq!(here.db.psql(WRONG).await, "3000|3000|0");
    assert_eq!(here.db.psql("SELECT count(matched) FROM sterna.load_run").await, "1");
    here.sterna(&["validate", "--all"]).expect_code(0);
    // The switchover is possible, and the numbers continue where production's were.
    here.sterna(&["switchover"]).expect_code(0);
    here.db.psql("INSERT INTO things (code, label) VALUES (9000, 'L9000')").await;
}

#[tokio::test]
async fn killed_at_any_moment() {
    let here = things().await;
    let begun = Instant::now();
    here.load("in.csv", &[]).expect_code(0);
    let duration = begun.elapsed();
    for kill in 0..6 {
        here.sterna(&["stage", "drop"]).expect_code(0);
        let mut child = spawn(&here);
        tokio::time::sleep(duration.mul_f64(0.3 + 0.7 * f64::from(kill) / 6.0)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        resume(&here);
        assert_eq!(here.db.psql(WRONG).await, "3000|3000|0", "kill {kill}");
    }
}
