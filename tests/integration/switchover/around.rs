//! How an exchange affects other sessions: who waits for whom, and what is written meanwhile.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use super::exchange::{exchanging, fingerprint};
use super::odd::plain_installation;
use crate::cites::{Installation, file_of, shipment};
use crate::relay::kill_behind_the_exchange;
use crate::server::{Finished, TestDb, shared};

/// 200 rows live and 250 in staging, with writes recorded.
async fn loaded() -> Installation {
    let (here, release) = plain_installation().await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    here
}

async fn run(db: &TestDb, args: &[&str]) -> Finished {
    let mut command = db.command(args);
    tokio::task::spawn_blocking(move || Finished::from(command.output().unwrap())).await.unwrap()
}

const SWITCHOVER: [&str; 2] = ["switchover", "--accept-failed-validation"];

#[tokio::test]
async fn nothing_waits_for_the_client_between_the_first_lock_and_commit() {
    let here = loaded().await;
    let before = fingerprint(&here.db).await;
    for (command, rows) in [("switchover", "250"), ("rollback", "200")] {
        let folder = tempfile::tempdir().unwrap();
        hold_answers_back(folder.path());
        let mut args = exchanging(command);
        args.extend(["--max-wait", "5s"]);
        let mut exchange = here.db.command(&args);
        exchange.env("PGHOST", folder.path());
        let done = tokio::task::spawn_blocking(move || exchange.output().unwrap()).await.unwrap();
        Finished::from(done).expect_code(0);
        let count = "SELECT count(*) FROM cites_trade_records";
        assert_eq!(here.db.psql(count).await, rows, "{command}");
        assert_eq!(before.differences(&fingerprint(&here.db).await), [], "{command}");
    }
}

/// A socket in `folder` that leads to the server. From the first lock that keeps readers out, a
/// client gets no answer until it has sent COMMIT: one that waits for an answer in between waits
/// forever.
fn hold_answers_back(folder: &Path) {
    let name = format!(".s.PGSQL.{}", shared().port());
    let listener = UnixListener::bind(folder.join(&name)).unwrap();
    let server = shared().socket_folder().join(&name);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), UnixStream::connect(&server).unwrap());
            std::thread::spawn(move || relay(client, server));
        }
    });
}

fn relay(mut client: UnixStream, mut server: UnixStream) {
    let held = Arc::new((Mutex::new(false), Condvar::new()));
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let is_held = Arc::clone(&held);
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok(count @ 1..) = answers.read(&mut bytes) {
            let (lock, changed) = &*is_held;
            let guard = changed.wait_while(lock.lock().unwrap(), |held| *held).unwrap();
            drop(guard);
            if back.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _closed = back.shutdown(std::net::Shutdown::Both);
    });
    let mut bytes = [0; 65536];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let sent = &bytes[..count];
        let last = |text: &[u8]| sent.windows(text.len()).rposition(|window| window == text);
        let (locks, commits) = (last(b"DO $do$ BEGIN "), last(b"COMMIT\0"));
        if locks.is_some() || commits.is_some() {
            *held.0.lock().unwrap() = locks > commits;
            held.1.notify_all();
        }
        if server.write_all(sent).is_err() {
            break;
        }
    }
    let _closed = server.shutdown(std::net::Shutdown::Both);
}

#[tokio::test]
async fn a_session_that_reads_and_then_writes_meets_no_deadlock() {
    let here = loaded().await;
    let app = here.db.connect().await;
    for command in ["switchover", "rollback", "switchover"] {
        app.batch_execute("BEGIN; SELECT count(*) FROM cites_trade_records").await.unwrap();
        let exchange = tokio::spawn(run_owned(here.db.command(&exchanging(command))));
        // During one of these attempts the exchange waits for this transaction.
        for _ in 0..40 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let write = "UPDATE cites_trade_records SET unit = unit WHERE record_id = '3'";
            app.batch_execute(write).await.unwrap();
            app.batch_execute("COMMIT; BEGIN; SELECT count(*) FROM cites_trade_records")
                .await
                .unwrap();
        }
        app.batch_execute("COMMIT").await.unwrap();
        exchange.await.unwrap().expect_code(0);
    }
}

async fn run_owned(mut command: std::process::Command) -> Finished {
    tokio::task::spawn_blocking(move || Finished::from(command.output().unwrap())).await.unwrap()
}

#[tokio::test]
async fn the_tables_beside_hold_no_delete_of_the_application_up() {
    let here = loaded().await;
    let db = &here.db;
    db.psql(
        "ALTER TABLE cites_trade_records DROP CONSTRAINT cites_trade_records_species_id_fkey,
            ADD CONSTRAINT cites_trade_records_species_id_fkey
            FOREIGN KEY (species_id) REFERENCES species",
    )
    .await;
    let before = fingerprint(db).await;
    db.sterna(&["stage", "drop"]).expect_code(0);
    db.sterna(&["stage", "create"]).expect_code(0);
    let release = here.path("release.csv").display().to_string();
    here.report(0, &[&release, "--all"]);
    let delete = |name: &str| {
        format!(
            "DELETE FROM cites_trade_records WHERE species_id =
                (SELECT id FROM species WHERE scientific_name = '{name}');
            DELETE FROM species WHERE scientific_name = '{name}'"
        )
    };
    // Staging has rows of this species, but the live table no longer has any.
    let species = "SELECT s.scientific_name FROM species AS s WHERE EXISTS
        (SELECT FROM cites_trade_records_staging AS t WHERE t.species_id = s.id) ORDER BY 1 LIMIT 1";
    let gone = db.psql(species).await;
    db.psql(&delete(&gone)).await;
    let refused = db.sterna(&SWITCHOVER).expect_code(6);
    assert!(refused.stderr.contains("cites_trade_records_species_id_fkey"), "{refused:?}");
    assert_eq!(before.differences(&fingerprint(db).await), []);
}

#[tokio::test]
async fn staging_is_dropped_while_others_read_and_write_species() {
    let here = loaded().await;
    let reader = here.db.connect().await;
    reader
        .batch_execute("BEGIN; SELECT FROM species; UPDATE species SET authority = 'x'")
        .await
        .unwrap();
    run(&here.db, &["stage", "drop"]).await.expect_code(0);
    reader.batch_execute("COMMIT").await.unwrap();
}

#[tokio::test]
async fn what_a_trigger_writes_to_a_row_of_its_own_statement_is_carried_over() {
    let (here, release) = plain_installation().await;
    let db = &here.db;
    // Fires before the journal for the first row of a statement, and writes to the second.
    db.psql(
        "CREATE FUNCTION flag() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.unit = 'flagged' THEN
                UPDATE cites_trade_records SET unit = 'second' WHERE record_id = '4';
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER \" first\" AFTER UPDATE ON cites_trade_records
            FOR EACH ROW EXECUTE FUNCTION flag()",
    )
    .await;
    db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    db.psql("UPDATE cites_trade_records SET unit = 'flagged' WHERE record_id IN ('3', '4')").await;
    let units = "SELECT string_agg(unit, ',' ORDER BY record_id) FROM cites_trade_records
        WHERE record_id IN ('3', '4')";
    let now = db.psql(units).await;
    db.sterna(&SWITCHOVER).expect_code(0);
    assert_eq!(db.psql(units).await, now);
}

#[tokio::test]
async fn unique_values_that_change_places_are_carried_over() {
    let (here, release) = plain_installation().await;
    let db = &here.db;
    db.psql("CREATE UNIQUE INDEX trade_record ON cites_trade_records (record_id)").await;
    db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    db.psql(
        "UPDATE cites_trade_records SET record_id = 'aside' WHERE record_id = '3';
        UPDATE cites_trade_records SET record_id = '3' WHERE record_id = '4';
        UPDATE cites_trade_records SET record_id = '4' WHERE record_id = 'aside'",
    )
    .await;
    let ids = "SELECT string_agg(id::text, ',' ORDER BY record_id) FROM cites_trade_records
        WHERE record_id IN ('3', '4')";
    let now = db.psql(ids).await;
    db.sterna(&SWITCHOVER).expect_code(0);
    assert_eq!(db.psql(ids).await, now);
    db.sterna(&["rollback"]).expect_code(0);
    assert_eq!(db.psql(ids).await, now);
}

#[tokio::test]
async fn only_what_the_application_changed_of_a_row_is_carried_over() {
    let (here, _) = plain_installation().await;
    let db = &here.db;
    let release = here.file("new.csv", crate::cites::file_of(&crate::cites::good(250)));
    db.psql("UPDATE cites_trade_records SET term = 'older', unit = 'older'").await;
    db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    let of_release =
        db.psql("SELECT term FROM cites_trade_records_staging WHERE record_id = '3'").await;
    db.psql("UPDATE cites_trade_records SET unit = 'mine' WHERE record_id = '3'").await;
    db.sterna(&SWITCHOVER).expect_code(0);
    let row = db.psql("SELECT term, unit FROM cites_trade_records WHERE record_id = '3'").await;
    assert_eq!(row, format!("{of_release}|mine"));
}

#[tokio::test]
async fn a_materialized_view_that_takes_long_is_refused_with_its_figure() {
    let here = loaded().await;
    let db = &here.db;
    db.psql(
        "CREATE MATERIALIZED VIEW slow AS SELECT count(*) AS rows, pg_sleep(1.5)::text AS slept
            FROM cites_trade_records",
    )
    .await;
    db.sterna(&["stage", "drop"]).expect_code(0);
    db.sterna(&["stage", "create"]).expect_code(0);
    let release = here.path("release.csv").display().to_string();
    here.report(0, &[&release, "--all"]);
    let before = fingerprint(db).await;
    let refused = db.sterna(&SWITCHOVER).expect_code(6);
    for part in ["materialized view public.slow takes ", " s, ", "--refresh-after"] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    assert_eq!(before.differences(&fingerprint(db).await), []);
    db.sterna(&[SWITCHOVER.as_slice(), &["--refresh-after"]].concat()).expect_code(0);
    assert_eq!(db.psql("SELECT rows FROM slow").await, "250");
    assert_eq!(before.differences(&fingerprint(db).await), []);
    let analyzed = "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'slow'";
    assert_eq!(db.psql(analyzed).await, "t");
}

#[tokio::test]
async fn a_switchover_killed_behind_its_commit_refreshes_when_it_is_run_again() {
    let (here, release) = plain_installation().await;
    let db = &here.db;
    db.psql("CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM cites_trade_records")
        .await;
    db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    let before = fingerprint(db).await;
    let refresh_after = [SWITCHOVER.as_slice(), &["--refresh-after", "--format", "json"]].concat();
    kill_behind_the_exchange(db, db.command(&refresh_after)).await;
    let populated = "SELECT relispopulated FROM pg_class WHERE relname = 'counts'";
    assert_eq!(db.psql(populated).await, "f");
    let done = db.sterna(&refresh_after).expect_code(0);
    let done: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&done["resumed"], &done["parity_differences"]),
        (&true.into(), &serde_json::json!([]))
    );
    assert_eq!(db.psql("SELECT n FROM counts").await, "250");
    assert_eq!(before.differences(&fingerprint(db).await), []);
}

#[tokio::test]
async fn a_snapshot_that_is_older_than_the_last_writes_is_waited_for() {
    let here = loaded().await;
    let db = &here.db;
    let old = db.connect().await;
    db.psql("UPDATE cites_trade_records SET unit = 'acknowledged' WHERE record_id = '3'").await;
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM species").await.unwrap();
    let refused =
        run(db, &[SWITCHOVER.as_slice(), &["--max-wait", "1s"]].concat()).await.expect_code(7);
    let pid: i32 = old.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    assert!(refused.stderr.contains(&pid.to_string()), "{refused:?}");
    let sql = "SELECT unit FROM cites_trade_records WHERE record_id = '3'";
    let unit: String = old.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(unit, "acknowledged");
    old.batch_execute("COMMIT").await.unwrap();
    db.sterna(&SWITCHOVER).expect_code(0);
}

#[tokio::test]
async fn sessions_with_views_of_their_own_are_no_change() {
    let here = loaded().await;
    let session = here.db.connect().await;
    session
        .batch_execute("CREATE TEMPORARY VIEW mine AS SELECT record_id FROM cites_trade_records")
        .await
        .unwrap();
    let before = fingerprint(&here.db).await;
    here.db.sterna(&SWITCHOVER).expect_code(0);
    session.batch_execute("DROP VIEW mine").await.unwrap();
    assert_eq!(before.differences(&fingerprint(&here.db).await), []);
}

#[tokio::test]
async fn of_two_at_once_one_switches_over_and_the_other_is_refused() {
    let here = loaded().await;
    let both = [(); 2].map(|()| tokio::spawn(run_owned(here.db.command(&SWITCHOVER))));
    let mut codes = Vec::new();
    for one in both {
        codes.push(one.await.unwrap().code);
    }
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(6)]);
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records").await, "250");
}

#[tokio::test]
async fn triggers_that_a_restored_dump_has_left_are_replaced() {
    let (here, release) = plain_installation().await;
    let db = &here.db;
    db.psql(
        "CREATE SCHEMA elsewhere;
        CREATE FUNCTION elsewhere.journal() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE 'of another database'; END $$;
        CREATE TRIGGER \"!sterna_journal\" AFTER INSERT OR UPDATE OR DELETE ON cites_trade_records
            FOR EACH ROW EXECUTE FUNCTION elsewhere.journal()",
    )
    .await;
    db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    db.psql("UPDATE cites_trade_records SET unit = 'x' WHERE record_id = '3'").await;
    db.sterna(&SWITCHOVER).expect_code(0);
}

/// A prepared statement names the table, and reads the new one from the exchange on. If a column
/// that it returns has got another type, the server refuses it, as after any ALTER TABLE, until it is
/// prepared again.
#[tokio::test]
async fn what_an_application_has_prepared_reads_the_new_table() {
    for widened in [false, true] {
        let (here, release) = plain_installation().await;
        here.db.sterna(&["stage", "create"]).expect_code(0);
        let exact = here.file("exact.csv", file_of(&[shipment(&[("Quantity", "1.125")])]));
        let widen = [&*exact, "--all", "--on-inexact", "widen"];
        let load = [&*release, "--all"];
        here.report(0, if widened { &widen } else { &load });
        let session = here.db.connect().await;
        // The server keeps a plan from the sixth execution on.
        let setup = "PREPARE counted AS SELECT count(*)::int FROM cites_trade_records
                WHERE year > $1;
            PREPARE listed AS SELECT quantity::text, quantity FROM cites_trade_records LIMIT 1";
        session.batch_execute(setup).await.unwrap();
        for _ in 0..7 {
            session.batch_execute("EXECUTE counted(0); EXECUTE listed").await.unwrap();
        }
        let count =
            async || -> i32 { session.query_one("EXECUTE counted(0)", &[]).await.unwrap().get(0) };
        assert_eq!(count().await, 200);
        run(&here.db, &SWITCHOVER).await.expect_code(0);
        assert_eq!(count().await, if widened { 1 } else { 250 });
        for _ in 0..2 {
            let listed = session.batch_execute("EXECUTE listed").await;
            let refused = listed.map_err(|error| error.as_db_error().unwrap().message().to_owned());
            let expected = match widened {
                true => Err("cached plan must not change result type".to_owned()),
                false => Ok(()),
            };
            assert_eq!(refused, expected);
        }
        session.batch_execute("DEALLOCATE listed").await.unwrap();
        run(&here.db, &exchanging("rollback")).await.expect_code(0);
        assert_eq!(count().await, 200);
    }
}
