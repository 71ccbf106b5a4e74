//! What can go wrong during an exchange: a statement fails, the session ends, the client is
//! killed, the server crashes, the answer to COMMIT is lost. Production is valid after each, and
//! the same command then completes.

use std::process::Child;
use std::time::Duration;

use sterna::pg::embedded::{Embedded, ModelSchema, Options, StopMode};
use sterna::pg::{Connection, Ident, connect};
use sterna::table::fingerprint::{Difference, Fingerprint};

use super::exchange::{exchanging, fingerprint, rich_installation};

use super::odd::plain_installation;
use crate::cites::{Installation, file_of, good, insert_species};
use crate::line::{Line, Pass, has};
use crate::server::{Finished, TestDb, sterna};

/// Something happens to the session at the N-th command or end of a command. A sequence counts,
/// because it advances even if a transaction is rolled back.
pub(super) const STRIKE: &str = "CREATE SCHEMA fault;
    CREATE SEQUENCE fault.counter;
    CREATE TABLE fault.plan AS SELECT 0::bigint AS at, 'nothing' AS what;
    CREATE FUNCTION fault.strike() RETURNS event_trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = '' AS $$
    DECLARE plan record;
    BEGIN
        SELECT * INTO plan FROM fault.plan;
        IF nextval('fault.counter') = plan.at THEN
            CASE plan.what
                WHEN 'raise' THEN RAISE EXCEPTION 'struck at %', plan.at;
                WHEN 'terminate' THEN PERFORM pg_terminate_backend(pg_backend_pid());
                ELSE PERFORM pg_sleep(30);
            END CASE;
        END IF;
    END $$;
    CREATE EVENT TRIGGER strike_first ON ddl_command_start EXECUTE FUNCTION fault.strike();
    CREATE EVENT TRIGGER strike_last ON ddl_command_end EXECUTE FUNCTION fault.strike()";
const ASLEEP: &str = "SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'";

async fn plan(session: &Connection, at: usize, what: &str) {
    let sql = format!(
        "UPDATE fault.plan SET at = {at}, what = '{what}'; SELECT setval('fault.counter', 1, false)"
    );
    session.batch_execute(&sql).await.unwrap();
}

/// Whether the count has reached `at`, where something happens.
async fn came_to(session: &Connection, at: usize) -> bool {
    let last = "SELECT last_value, is_called FROM fault.counter";
    let last = session.query_one(last, &[]).await.unwrap();
    last.get(1) && last.get::<_, i64>(0) >= i64::try_from(at).unwrap()
}

/// Waits until the session sleeps where something should happen, or the client ends.
async fn asleep(session: &Connection, client: &mut Child) -> Option<i32> {
    while client.try_wait().unwrap().is_none() {
        if let Some(row) = session.query_opt(ASLEEP, &[]).await.unwrap() {
            return Some(row.get(0));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}

/// Runs a command to which this happens; none if it completed before.
pub(super) async fn strike(
    db: &TestDb,
    command: &[&str],
    at: usize,
    what: &str,
) -> Option<Finished> {
    let session = db.connect().await;
    plan(&session, at, what).await;
    let mut client = db.command(command);
    client.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut client = client.spawn().unwrap();
    if what == "kill"
        && let Some(pid) = asleep(&session, &mut client).await
    {
        client.kill().unwrap();
        // The server would only notice when it next writes to the client.
        let end = "SELECT pg_terminate_backend($1, 10000)";
        session.query_one(end, &[&pid]).await.unwrap();
    }
    let finished = Finished::from(client.wait_with_output().unwrap());
    let struck = came_to(&session, at).await;
    plan(&session, 0, "nothing").await;
    if !struck {
        finished.expect_code(0);
        return None;
    }
    Some(finished)
}

/// The table is complete and writable, and its fingerprint is unchanged, whichever of the two
/// tables it is.
async fn assert_valid(db: &TestDb, before: &Fingerprint, rows: &[&str], context: &str) {
    let now = fingerprint(db).await;
    let differences = before.differences(&now);
    let unchecked = |d: &Difference| {
        d.kind == "incoming foreign key" && d.after.iter().any(|now| now.contains("NOT VALID"))
    };
    assert!(differences.iter().all(unchecked), "{context}: {differences:#?}");
    let count = db.psql("SELECT count(*) FROM cites_trade_records").await;
    assert!(rows.contains(&&*count), "{context}: {count}");
    db.psql(
        "BEGIN;
        UPDATE cites_trade_records SET unit = 'valid' WHERE record_id = '3';
        INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
            SELECT id, 'valid', 2020, 'II', scientific_name, 'skins' FROM species LIMIT 1;
        DELETE FROM cites_trade_records WHERE record_id = 'valid';
        SELECT count(*) FROM trade_quantity_by_year;
        ROLLBACK",
    )
    .await;
}

/// Strikes at every `step`-th place from `from` on, forwards and in the rollback.
async fn sweep(here: &Installation, from: usize, step: usize, kinds: &[&str]) {
    let db = &here.db;
    let before = fingerprint(db).await;
    let count = "SELECT (SELECT count(*) FROM cites_trade_records),
        (SELECT count(*) FROM cites_trade_records_staging)";
    let counts = db.psql(count).await;
    let rows: Vec<&str> = counts.split('|').collect();
    db.psql(STRIKE).await;
    for (command, back) in [("switchover", "rollback"), ("rollback", "switchover")] {
        let mut places = (from..).step_by(step).zip(kinds.iter().cycle());
        loop {
            let (at, what) = places.next().unwrap();
            let context = format!("{command}, {what} at {at}");
            let Some(finished) = strike(db, &exchanging(command), at, what).await else { break };
            let expected = (*what != "kill").then_some(1);
            assert_eq!(finished.code, expected, "{context}: {finished:#?}");
            assert_valid(db, &before, &rows, &context).await;
            db.sterna(&exchanging(command)).expect_code(0);
            assert_valid(db, &before, &rows, &context).await;
            assert_eq!(before.differences(&fingerprint(db).await), [], "{context}");
            db.sterna(&exchanging(back)).expect_code(0);
        }
    }
}

#[tokio::test]
async fn any_command_of_the_plain_exchange_may_fail() {
    let (here, release) = plain_installation().await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    sweep(&here, 1, 13, &["raise", "kill", "terminate"]).await;
}

#[tokio::test]
async fn any_command_of_the_rich_exchange_may_fail() {
    let (here, release) = rich_installation().await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    sweep(&here, 5, 71, &["kill", "raise", "terminate"]).await;
}

#[tokio::test]
async fn the_server_may_crash_within() {
    let mut server = Embedded::start(&Options::default()).unwrap();
    let info = server.conninfo("crash");
    server.create_database(&Ident::new("crash").unwrap(), None).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join("release.csv");
    std::fs::write(&release, file_of(&good(250))).unwrap();
    let (socket, port) = (server.socket_folder().to_owned(), server.port().to_string());
    let command = |args: &[&str]| {
        let mut command = sterna(args);
        command.env("PGHOST", &socket).env("PGPORT", &port).env("PGDATABASE", "crash");
        command.env("PGUSER", "postgres").current_dir(folder.path());
        command
    };
    let run = |args: &[&str]| Finished::from(command(args).output().unwrap()).expect_code(0);
    let session = connect(&info).await.unwrap();
    ModelSchema::Production.install(&session).await.unwrap();
    session.batch_execute(&insert_species()).await.unwrap();
    session.batch_execute(STRIKE).await.unwrap();
    run(&["stage", "create"]);
    run(&["load", "release.csv", "--all"]);
    drop(session);
    for at in [9, 21] {
        let session = connect(&info).await.unwrap();
        plan(&session, at, "sleep").await;
        let mut client = command(&["switchover", "--accept-failed-validation"]).spawn().unwrap();
        asleep(&session, &mut client).await.unwrap();
        server.stop(StopMode::Immediate).unwrap();
        server.start_again().unwrap();
        // It reconnected, and found that nothing had been exchanged.
        assert_eq!(client.wait().unwrap().code(), Some(1), "{at}");
        let session = connect(&info).await.unwrap();
        let count = "SELECT count(*) FROM cites_trade_records";
        assert_eq!(session.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 0);
        plan(&session, 0, "nothing").await;
        run(&["switchover", "--accept-failed-validation"]);
        assert_eq!(session.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 250);
        run(&["rollback"]);
    }
}

#[tokio::test]
async fn the_answer_to_commit_may_be_lost() {
    let (here, release) = plain_installation().await;
    let db = &here.db;
    db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    let before = fingerprint(db).await;
    for (command, forwards, code, rows) in [
        ("switchover", false, 1, "200"),
        ("switchover", true, 0, "250"),
        ("rollback", false, 1, "250"),
        ("rollback", true, 0, "200"),
    ] {
        let mut left = 5;
        let finished = loop {
            let line = lose_commit(forwards);
            let exchange =
                db.command(&exchanging(command)).env("PGHOST", line.host()).output().unwrap();
            let finished = Finished::from(exchange);
            left -= 1;
            // On a busy machine, a statement under the locks may have taken longer than others may
            // wait: then the COMMIT that is lost was a rollback.
            let is_rolled_back = finished.stderr.contains("were not exchanged");
            if finished.code == Some(code) || !is_rolled_back || left == 0 {
                break finished.expect_code(code);
            }
        };
        assert_eq!(finished.stderr.contains("were not exchanged"), code == 1, "{finished:#?}");
        assert_valid(db, &before, &[rows], command).await;
    }
}

/// A connection that breaks once: at the COMMIT that ends an exchange, before or after the server
/// has received it.
fn lose_commit(forwards: bool) -> Line {
    let (mut exchanges, mut is_lost) = (false, false);
    Line::new(move |sent, _| {
        exchanges |= has(sent, b"NOTIFY pgrst");
        if is_lost || !exchanges || !has(sent, b"COMMIT") {
            return Pass::On;
        }
        is_lost = true;
        if forwards { Pass::Unanswered } else { Pass::Cut(0) }
    })
}
