//! A partition is replaced while others read and write by way of the partitioned table, while
//! sessions end at any moment; and what is refused before the first write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sterna::pg::connect;

use super::super::exchange::{exchanging, fingerprint_of, names};
use super::super::faults::{STRIKE, strike};
use super::{CATALOG, REFERRING, YEARS, different, exchanged, partitioned};
use crate::cites::{Installation, file_of, shipment};
use crate::server::{Finished, TestDb, major};

const LEAF: &str = "trade_2020";

/// The year 2020 of a table partitioned by year, loaded into staging.
async fn loaded() -> Installation {
    let (here, release) = partitioned("RANGE (year)", "year", YEARS, LEAF).await;
    here.db.psql(&REFERRING.replace("{key}", "year int").replace("{names}", "year")).await;
    here.db.sterna(&["stage", "create", "--table", LEAF]).expect_code(0);
    here.report(0, &[&release, "--all", "--table", LEAF]);
    here
}

#[tokio::test]
async fn no_write_is_lost_and_no_read_fails() {
    let here = loaded().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (info, stopped) = (here.db.info().clone(), Arc::clone(&stop));
    let writer = tokio::spawn(async move {
        let session = connect(&info).await.unwrap();
        let mut written = 0;
        while !stopped.load(Ordering::Relaxed) {
            written += 1;
            // Each is inserted elsewhere, moved here, changed, and every third one moved away.
            let away = if written % 3 == 0 { 2019 } else { 2020 };
            for sql in [
                format!(
                    "INSERT INTO trade (species_id, record_id, year, appendix, taxon, term)
                    SELECT id, 'w{written}', 2018, 'II', scientific_name, 'bodies'
                    FROM species LIMIT 1"
                ),
                format!("UPDATE trade SET year = 2020 WHERE record_id = 'w{written}'"),
                format!("UPDATE trade SET unit = 'kg' WHERE record_id = 'w{written}'"),
                format!("UPDATE trade SET year = {away} WHERE record_id = 'w{written}'"),
            ] {
                // An update that waits for the exchange is routed anew.
                let rows = session.execute(&sql, &[]).await.map_err(|e| format!("{sql}: {e:?}"))?;
                assert_eq!(rows, 1, "{sql}");
            }
        }
        Ok::<u32, String>(written)
    });
    let (info, stopped) = (here.db.info().clone(), Arc::clone(&stop));
    let reader = tokio::spawn(async move {
        let session = connect(&info).await.unwrap();
        let mut reads = 0;
        while !stopped.load(Ordering::Relaxed) {
            for sql in [
                "SELECT count(*) FROM trade WHERE record_id = '3'",
                "SELECT count(*) FROM trade_2020 WHERE record_id = '3'",
                "SELECT count(*) FROM latest WHERE record_id = '3'",
                "SELECT count(*) FROM whole WHERE record_id IN ('3', 'r2021') AND year <> 2021",
            ] {
                let count: i64 = session.query_one(sql, &[]).await.unwrap().get(0);
                assert_eq!(count, 1, "{sql}");
            }
            reads += 1;
        }
        reads
    });
    for command in ["switchover", "rollback", "switchover"] {
        let args = [exchanging(command), vec!["--table", LEAF]].concat();
        let mut command = here.db.command(&args);
        let run = move || Finished::from(command.output().unwrap());
        tokio::task::spawn_blocking(run).await.unwrap().expect_code(0);
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap().unwrap();
    assert!(written > 0 && reader.await.unwrap() > 0);
    let kept = "SELECT count(*), count(*) FILTER (WHERE year = 2019),
            count(*) FILTER (WHERE tableoid = 'trade_2020'::regclass), count(DISTINCT record_id)
        FROM trade WHERE record_id LIKE 'w%' AND unit = 'kg'";
    let away = written / 3;
    let expected = format!("{written}|{away}|{}|{written}", written - away);
    assert_eq!(here.db.psql(kept).await, expected);
}

#[tokio::test]
async fn a_reader_of_the_whole_with_an_old_snapshot_is_waited_for() {
    let (here, release) = partitioned("RANGE (year)", "year", YEARS, LEAF).await;
    let db = &here.db;
    // May read the partitioned table, but none of its partitions.
    let reader = format!("reader_{}", db.name());
    db.psql(&format!(
        "CREATE ROLE {reader} LOGIN; REVOKE ALL ON trade_2020 FROM PUBLIC;
        GRANT SELECT ON trade TO {reader}"
    ))
    .await;
    db.sterna(&["stage", "create", "--table", LEAF]).expect_code(0);
    let old = db.connect().await;
    let begin = format!(
        "SET ROLE {reader}; SET SESSION AUTHORIZATION {reader};
        BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"
    );
    old.batch_execute(&begin).await.unwrap();
    here.report(0, &[&release, "--all", "--table", LEAF]);
    let args = [exchanging("switchover"), vec!["--table", LEAF, "--max-wait", "1s"]].concat();
    let refused = db.sterna(&args).expect_code(7);
    assert!(refused.stderr.contains("older than the load"), "{refused:?}");
    let seen = "SELECT count(*) FROM trade WHERE year = 2020";
    assert_eq!(old.query_one(seen, &[]).await.unwrap().get::<_, i64>(0), 200);
    old.batch_execute("COMMIT; RESET SESSION AUTHORIZATION; RESET ROLE").await.unwrap();
    exchanged(db, LEAF, "switchover");
    db.psql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}")).await;
}

#[tokio::test]
async fn any_command_may_fail() {
    let here = loaded().await;
    let db = &here.db;
    db.psql(STRIKE).await;
    let (before, catalog) = (fingerprint_of(db, LEAF).await, db.psql(CATALOG).await);
    for (command, back) in [("switchover", "rollback"), ("rollback", "switchover")] {
        let args = [exchanging(command), vec!["--table", LEAF]].concat();
        let mut places = (3..).step_by(14).zip(["raise", "kill", "terminate"].iter().cycle());
        loop {
            let (at, what) = places.next().unwrap();
            let context = format!("{command}, {what} at {at}");
            let Some(finished) = strike(db, &args, at, what).await else { break };
            let expected = (*what != "kill").then_some(1);
            assert_eq!(finished.code, expected, "{context}: {finished:#?}");
            // The one or the other, attached; only its own key may still have to be validated.
            let differences = before.differences(&fingerprint_of(db, LEAF).await);
            let unchecked = differences.iter().all(|d| {
                d.kind == "foreign key" && d.after.iter().any(|now| now.contains("NOT VALID"))
            });
            assert!(unchecked, "{context}: {differences:#?}");
            let rows = db.psql("SELECT count(*) FROM trade WHERE year = 2020").await;
            assert!(["200", "250"].contains(&&*rows), "{context}: {rows}");
            db.psql(
                "BEGIN;
                UPDATE trade SET unit = 'valid' WHERE record_id = '3';
                UPDATE trade SET year = 2019 WHERE record_id = '5';
                UPDATE trade SET year = 2020 WHERE record_id = '5';
                ROLLBACK",
            )
            .await;
            exchanged(db, LEAF, command);
            let different = different(&catalog, &db.psql(CATALOG).await);
            assert_eq!(different, [] as [String; 0], "{context}");
            exchanged(db, LEAF, back);
        }
    }
}

#[tokio::test]
async fn what_is_not_supported_is_refused_before_the_first_write() {
    for (since, setup, table, reason) in [
        (
            14,
            "CREATE TABLE trade_2030 PARTITION OF trade FOR VALUES FROM (2030) TO (2031)
                PARTITION BY RANGE (year)",
            "trade_2030",
            "not an ordinary table",
        ),
        (
            14,
            "CREATE TABLE notes (id uuid, year int, CONSTRAINT note_of FOREIGN KEY (id, year)
                REFERENCES trade) PARTITION BY LIST (year)",
            LEAF,
            "the foreign key note_of on public.notes, which is partitioned, refers to public.trade",
        ),
        (
            14,
            "CREATE TABLE places (code text PRIMARY KEY) PARTITION BY LIST (code);
            ALTER TABLE trade ADD CONSTRAINT place FOREIGN KEY (importer) REFERENCES places",
            LEAF,
            "its foreign key place refers to the partitioned table public.places",
        ),
        (
            14,
            "CREATE INDEX of_taxa ON ONLY trade (taxon)",
            LEAF,
            "the index public.of_taxa of public.trade has no counterpart",
        ),
        (
            14,
            "CREATE INDEX twice ON trade_2020 (species_id)",
            LEAF,
            "its index public.twice is equal to public.trade_2020_species_id_idx",
        ),
        (
            14,
            "CREATE TABLE by_decade (LIKE trade) PARTITION BY RANGE ((year / 10));
            CREATE TABLE decade PARTITION OF by_decade FOR VALUES FROM (1) TO (300);
            ALTER TABLE decade ADD PRIMARY KEY (id)",
            "decade",
            "public.by_decade is partitioned by an expression",
        ),
        (
            14,
            "ALTER TABLE trade ADD CONSTRAINT sterna_partition CHECK (year > 0)",
            LEAF,
            "public.trade has a constraint of its own named sterna_partition",
        ),
        (
            17,
            "ALTER TABLE trade ADD number bigint GENERATED BY DEFAULT AS IDENTITY",
            LEAF,
            "its column number is an identity of the partitioned table",
        ),
    ] {
        if major() < since {
            continue;
        }
        let (here, release) = partitioned("RANGE (year)", "year", YEARS, LEAF).await;
        here.db.psql(setup).await;
        let before = names(&here.db).await;
        let refused = here.db.sterna(&["stage", "create", "--table", table]).expect_code(6);
        assert!(refused.stderr.contains(reason), "{reason}: {refused:?}");
        // A load would create staging as well.
        let refused = here.load(&[&*release, "--all", "--table", table]).expect_code(6);
        assert!(refused.stderr.contains(reason), "{reason}: {refused:?}");
        let checked = here.db.sterna(&["check", "pre", "--disk-space-checked", "--table", table]);
        let said = [&*checked.stdout, &*checked.stderr].concat();
        assert!(said.contains(reason), "{reason}: {checked:?}");
        assert_eq!(names(&here.db).await, before, "{reason}");
    }
}

#[tokio::test]
async fn a_key_that_is_switched_off_is_not_switched_on() {
    let here = loaded().await;
    let db = &here.db;
    let off = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D' AND tgisinternal";
    for table in ["notes", "trade_2019"] {
        db.psql(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).await;
        let before = db.psql(off).await;
        let args = [exchanging("switchover"), vec!["--table", LEAF]].concat();
        let refused = db.sterna(&args).expect_code(6);
        assert!(refused.stderr.contains("on public.notes is switched off"), "{refused:?}");
        assert_eq!(db.psql(off).await, before);
        db.psql(&format!("ALTER TABLE {table} ENABLE TRIGGER ALL")).await;
    }
    exchanged(db, LEAF, "switchover");
}

#[tokio::test]
async fn its_owner_needs_the_partitioned_table_as_well() {
    let (here, release) = partitioned("RANGE (year)", "year", YEARS, LEAF).await;
    let db = &here.db;
    let clerk = format!("clerk_{}", db.name());
    db.psql(&format!(
        "CREATE ROLE {clerk} LOGIN BYPASSRLS; GRANT CREATE ON SCHEMA public TO {clerk};
        DO $$ BEGIN EXECUTE 'GRANT CREATE, TEMPORARY ON DATABASE ' || quote_ident(current_database())
            || ' TO {clerk}'; END $$;
        GRANT SELECT, REFERENCES ON species TO {clerk};
        ALTER TABLE trade_2020 OWNER TO {clerk}; ALTER VIEW latest OWNER TO {clerk};
        ALTER STATISTICS leaf_stats OWNER TO {clerk};
        ALTER FUNCTION one() OWNER TO {clerk}; ALTER PUBLICATION by_leaf OWNER TO {clerk}"
    ))
    .await;
    let run = |args: &[&str]| {
        let args = [args, &["--table", LEAF]].concat();
        Finished::from(db.command(&args).env("PGUSER", &clerk).output().unwrap())
    };
    let refused = run(&["stage", "create"]).expect_code(6);
    let reason = "it is a partition of public.trade, which belongs to another role";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    db.psql(&format!(
        "ALTER TABLE trade OWNER TO {clerk};
        CREATE TABLE notes (id uuid, year int, FOREIGN KEY (id, year) REFERENCES trade)"
    ))
    .await;
    let refused = run(&["stage", "create"]).expect_code(6);
    let reason = "the table public.notes, which belongs to another role, refers to public.trade";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    db.psql("DROP TABLE notes").await;
    let catalog = db.psql(CATALOG).await;
    run(&["stage", "create"]).expect_code(0);
    run(&["load", &release, "--all"]).expect_code(0);
    for command in ["switchover", "rollback", "switchover"] {
        run(&exchanging(command)).expect_code(0);
        assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0], "{command}");
    }
    run(&["cleanup", "--older-than", "0s"]).expect_code(0);
    assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0]);
    assert_eq!(db.psql("SELECT to_regclass('trade_2020_old') IS NULL").await, "t");
    db.psql(&format!(
        "REASSIGN OWNED BY {clerk} TO postgres; DROP OWNED BY {clerk}; DROP ROLE {clerk}"
    ))
    .await;
}

#[tokio::test]
async fn a_column_is_not_widened_in_one_partition() {
    let (here, _) = partitioned("RANGE (year)", "year", YEARS, LEAF).await;
    let before = names(&here.db).await;
    let record = file_of(&[shipment(&[("Quantity", "1.2345")])]);
    let release = here.file("precise.csv", record);
    let load = [&*release, "--all", "--on-inexact", "widen", "--table", LEAF];
    let refused = here.load(&load).expect_code(6);
    assert!(refused.stderr.contains("cannot be widened in one partition alone"), "{refused:?}");
    assert_eq!(names(&here.db).await, before);
}

#[tokio::test]
async fn the_table_and_its_partition_name_the_partition() {
    let db = TestDb::empty().await;
    db.psql(
        "CREATE SCHEMA archive; CREATE SCHEMA other;
        CREATE TABLE trade (id int, year int, PRIMARY KEY (id, year)) PARTITION BY RANGE (year);
        CREATE TABLE trade_old_years PARTITION OF trade DEFAULT PARTITION BY RANGE (year);
        CREATE TABLE archive.trade_2019 PARTITION OF trade_old_years
            FOR VALUES FROM (2019) TO (2020);
        CREATE TABLE trade_2020 PARTITION OF trade FOR VALUES FROM (2020) TO (2021);
        CREATE TABLE other.trade_2020 PARTITION OF trade FOR VALUES FROM (2021) TO (2022)",
    )
    .await;
    let create = |table: &str, partition: &str| {
        db.sterna(&["stage", "create", "--table", table, "--partition", partition])
    };
    for (table, partition, said) in [
        ("trade", "trade_2091", "did you mean trade_2019?"),
        ("trade", "x", "it has 4 partitions"),
        ("trade", "trade_2020", "in several schemas"),
        ("trade_2020", "trade_2019", "name the partitioned table with --table"),
    ] {
        let refused = create(table, partition).expect_code(2);
        assert!(refused.stderr.contains(said), "{table} {partition}: {refused:?}");
    }
    assert_eq!(db.psql("SELECT to_regnamespace('sterna')").await, "");
    // What is on no table looks for no partition.
    db.sterna(&["completions", "bash", "--partition", "x"]).expect_code(0);
    create("trade", "trade_2019").expect_code(0);
    assert_eq!(
        db.psql("SELECT 'archive.trade_2019_staging'::regclass").await,
        "archive.trade_2019_staging"
    );
}
