//! A partitioned table is replaced as a whole while others write, while sessions end at any
//! moment, and after its partitions have changed; and what is refused before the first write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sterna::pg::connect;

use super::super::exchange::{exchanging, names};
use super::super::faults::{STRIKE, strike};
use super::whole::{exchanged, fingerprint, release, whole};
use super::{CATALOG, REFERRING, YEARS, different};
use crate::cites::{Installation, file_of, shipment};
use crate::server::Finished;

/// A table partitioned by year, loaded into staging.
pub(super) async fn loaded() -> Installation {
    let here = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    here.db.psql(&REFERRING.replace("{key}", "year int").replace("{names}", "year")).await;
    here.db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
    let release = release(&here);
    here.report(0, &[&release, "--all", "--table", "trade"]);
    here
}

#[tokio::test]
async fn no_write_is_lost() {
    let here = loaded().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (info, stopped) = (here.db.info().clone(), Arc::clone(&stop));
    let writer = tokio::spawn(async move {
        let session = connect(&info).await.unwrap();
        let mut written = 0;
        while !stopped.load(Ordering::Relaxed) {
            written += 1;
            // Each is inserted, moved to another partition, changed, and every third one moved on.
            let away = if written % 3 == 0 { 2019 } else { 2020 };
            for sql in [
                format!(
                    "INSERT INTO trade (species_id, record_id, year, appendix, taxon, term)
                    SELECT id, 'w{written}', 2018, 'II', scientific_name, 'bodies'
                    FROM species LIMIT 1"
                ),
                format!("UPDATE trade SET year = 2020 WHERE record_id = 'w{written}'"),
                format!("UPDATE trade_2020 SET unit = 'kg' WHERE record_id = 'w{written}'"),
                format!("UPDATE trade SET year = {away} WHERE record_id = 'w{written}'"),
            ] {
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
        let args = [exchanging(command), vec!["--table", "trade"]].concat();
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
async fn any_command_may_fail() {
    let here = loaded().await;
    let db = &here.db;
    db.psql(STRIKE).await;
    let (before, catalog) = (fingerprint(db).await, db.psql(CATALOG).await);
    for (command, back) in [("switchover", "rollback"), ("rollback", "switchover")] {
        let args = [exchanging(command), vec!["--table", "trade"]].concat();
        let mut places = (3..).step_by(67).zip(["raise", "kill", "terminate"].iter().cycle());
        loop {
            let (at, what) = places.next().unwrap();
            let context = format!("{command}, {what} at {at}");
            let Some(finished) = strike(db, &args, at, what).await else { break };
            let expected = (*what != "kill").then_some(1);
            assert_eq!(finished.code, expected, "{context}: {finished:#?}");
            // The one or the other; only a partition's own key may still have to be validated.
            let differences = before.differences(&fingerprint(db).await);
            let unchecked = differences.iter().all(|d| {
                d.kind.ends_with("foreign key")
                    && d.after.iter().any(|now| now.contains("NOT VALID"))
            });
            assert!(unchecked, "{context}: {differences:#?}");
            let rows = db.psql("SELECT count(*) FROM trade").await;
            assert!(["204", "254"].contains(&&*rows), "{context}: {rows}");
            db.psql(
                "BEGIN;
                UPDATE trade SET unit = 'valid' WHERE record_id = '3';
                UPDATE trade SET year = 2019 WHERE record_id = '5';
                UPDATE trade SET year = 2020 WHERE record_id = '5';
                ROLLBACK",
            )
            .await;
            exchanged(db, command);
            let different = different(&catalog, &db.psql(CATALOG).await);
            assert_eq!(different, [] as [String; 0], "{context}");
            exchanged(db, back);
        }
    }
}

#[tokio::test]
async fn the_old_table_goes_with_the_next_release_or_by_cleanup() {
    let here = loaded().await;
    let (db, release) = (&here.db, release(&here));
    let catalog = db.psql(CATALOG).await;
    exchanged(db, "switchover");
    for args in [&["stage", "create"][..], &["load", &release, "--all"]] {
        db.sterna(&[args, &["--table", "trade"]].concat()).expect_code(0);
    }
    exchanged(db, "switchover");
    assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0]);
    // What others attach to the old table is theirs.
    db.psql(
        "CREATE TABLE theirs (LIKE trade INCLUDING CONSTRAINTS);
        ALTER TABLE trade_old ATTACH PARTITION theirs FOR VALUES FROM (1900) TO (1901)",
    )
    .await;
    let cleanup = ["cleanup", "--older-than", "0s", "--table", "trade"];
    let refused = db.sterna(&cleanup).expect_code(6);
    assert!(
        refused.stderr.contains("ALTER TABLE public.trade_old DETACH PARTITION public.theirs"),
        "{refused:?}"
    );
    db.psql("ALTER TABLE trade_old DETACH PARTITION theirs; DROP TABLE theirs").await;
    db.sterna(&cleanup).expect_code(0);
    assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0]);
    let left = "SELECT count(*) FROM pg_class WHERE relname ~ '_(old|staging)$'
        AND relnamespace = 'public'::regnamespace";
    assert_eq!(db.psql(left).await, "0");
    assert_eq!(db.psql("SELECT count(*) FROM sterna.staging").await, "0");
}

#[tokio::test]
async fn partitions_that_change_meanwhile_are_not_overlooked() {
    let here = loaded().await;
    let db = &here.db;
    let run = |command: &str| db.sterna(&[exchanging(command), vec!["--table", "trade"]].concat());
    let catalog = db.psql(CATALOG).await;
    let add = "CREATE TABLE trade_2030 PARTITION OF trade FOR VALUES FROM (2030) TO (2031)";
    db.psql(add).await;
    let refused = run("switchover").expect_code(6);
    assert!(refused.stderr.contains("was altered during the run"), "{refused:?}");
    let drop = "ALTER TABLE trade DETACH PARTITION trade_2030; DROP TABLE trade_2030";
    db.psql(drop).await;
    exchanged(db, "switchover");
    db.psql(add).await;
    db.psql(
        "INSERT INTO trade (species_id, record_id, year, appendix, taxon, term)
            SELECT id, 'later', 2030, 'II', scientific_name, 'bodies' FROM species LIMIT 1",
    )
    .await;
    let detach = "ALTER TABLE public.trade DETACH PARTITION public.trade_2030";
    let refused = run("rollback").expect_code(6);
    assert!(refused.stderr.contains(detach), "{refused:?}");
    db.psql(detach).await;
    db.psql("DELETE FROM notes WHERE year = 2019; ALTER TABLE trade DETACH PARTITION trade_2019")
        .await;
    let attach = "ALTER TABLE public.trade ATTACH PARTITION public.trade_2019 FOR VALUES FROM (2019) TO (2020)";
    let refused = run("rollback").expect_code(6);
    assert!(refused.stderr.contains(attach), "{refused:?}");
    db.psql(attach).await;
    exchanged(db, "rollback");
    db.psql("ALTER TABLE trade ATTACH PARTITION trade_2030 FOR VALUES FROM (2030) TO (2031)").await;
    assert_eq!(db.psql("SELECT record_id FROM trade WHERE year = 2030").await, "later");
    db.psql(drop).await;
    assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0]);
}

#[tokio::test]
async fn writes_that_a_rollback_does_not_keep_are_saved() {
    let here = loaded().await;
    let db = &here.db;
    exchanged(db, "switchover");
    db.psql(
        "INSERT INTO trade (species_id, record_id, year, appendix, taxon, term)
            SELECT id, 'later', 2021, 'II', scientific_name, 'bodies' FROM species LIMIT 1;
        UPDATE trade SET unit = 'later' WHERE record_id = '4';
        DELETE FROM trade WHERE record_id = 'r2018'",
    )
    .await;
    db.sterna(&["rollback", "--keep", "none", "--table", "trade"]).expect_code(0);
    let found =
        "SELECT count(*) FROM trade WHERE 'later' IN (record_id, unit) OR record_id = 'r2018'";
    assert_eq!(db.psql(found).await, "1");
    let left = "SELECT string_agg(sterna_operation || ' ' || record_id, ', ' ORDER BY record_id)
        FROM trade_left";
    assert_eq!(db.psql(left).await, "update 4, insert later, delete r2018");
}

#[tokio::test]
async fn a_row_of_a_partition_with_other_columns_and_a_truncated_partition_are_recorded() {
    let leaves =
        "CREATE TABLE trade_2021 (gone int, LIKE trade INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        ALTER TABLE trade_2021 DROP gone, DROP term;
        ALTER TABLE trade_2021 ADD term text NOT NULL;
        ALTER TABLE trade ATTACH PARTITION trade_2021 FOR VALUES FROM (2021) TO (2022);";
    let here = whole("RANGE (year)", "year", &[leaves, YEARS].concat(), "trade_2020").await;
    let db = &here.db;
    let before = fingerprint(db).await;
    db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
    let release = release(&here);
    here.report(0, &[&release, "--all", "--table", "trade"]);
    db.psql("DELETE FROM trade WHERE record_id = 'r2021'").await;
    let gone = "SELECT record_id, year, term FROM sterna.deleted_rows(NULL::public.trade)";
    assert_eq!(db.psql(gone).await, "r2021|2021|skins");
    exchanged(db, "switchover");
    assert_eq!(before.differences(&fingerprint(db).await), []);
    assert_eq!(db.psql("SELECT count(*) FROM trade WHERE record_id = 'r2021'").await, "0");
    db.psql("TRUNCATE trade_2020").await;
    let refused = db.sterna(&["rollback", "--table", "trade"]).expect_code(6);
    assert!(refused.stderr.contains("was truncated since the switchover"), "{refused:?}");
}

/// What the owner attached would be written to, and its triggers would run with the rights of the
/// role that loads.
#[tokio::test]
async fn the_owner_cannot_attach_a_partition_while_rows_come_in() {
    let here = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    let (db, release) = (&here.db, release(&here));
    let role = format!("owner_of_{}", db.info().database());
    db.psql(&format!(
        "CREATE ROLE {role}; GRANT CREATE, USAGE ON SCHEMA public TO {role};
        DO $$ DECLARE part regclass; BEGIN
            FOR part IN SELECT relid FROM pg_partition_tree('trade') LOOP
                EXECUTE format('ALTER TABLE %s OWNER TO {role}', part);
            END LOOP;
        END $$;
        CREATE TABLE planted (LIKE trade);
        ALTER TABLE planted OWNER TO {role}"
    ))
    .await;
    let owners =
        "SELECT string_agg(DISTINCT relkind::text || ':' || pg_get_userbyid(relowner), ' ')
        FROM pg_partition_tree('trade_staging'), pg_class WHERE oid = relid";
    let theirs = format!("p:{role} r:{role}");
    let attach = format!(
        "SET ROLE {role};
        ALTER TABLE trade_staging ATTACH PARTITION planted FOR VALUES FROM (1900) TO (1901)"
    );
    let closed = async |when: &str| {
        assert_eq!(db.psql(owners).await, format!("p:postgres r:{role}"), "{when}");
        let refused = db.try_psql(&attach).await.unwrap_err();
        assert!(refused.to_string().contains("must be owner"), "{when}: {refused}");
    };
    here.report(0, &[&release, "--all", "--table", "trade"]);
    closed("loaded").await;
    exchanged(db, "switchover");
    assert_eq!(db.psql(&owners.replace("_staging", "")).await, theirs);
    exchanged(db, "rollback");
    assert_eq!(db.psql(owners).await, theirs);
    let more = here.file("more.csv", file_of(&[shipment(&[("Id", "m"), ("Year", "2021")])]));
    here.report(0, &[&more, "--all", "--append", "--table", "trade"]);
    closed("appended").await;
    exchanged(db, "switchover");
    assert_eq!(db.psql(&owners.replace("_staging", "")).await, theirs);
}

#[tokio::test]
async fn what_is_not_supported_is_refused_before_the_first_write() {
    // A load need not refuse what only the exchange meets, if `is_loaded`.
    for (is_loaded, setup, reason) in [
        (
            false,
            "ALTER TABLE trade_2019 SET UNLOGGED",
            "its partition public.trade_2019 is unlogged",
        ),
        (
            true,
            "CREATE TABLE notes (id uuid, year int, CONSTRAINT note_of FOREIGN KEY (id, year)
                REFERENCES trade) PARTITION BY LIST (year)",
            "the table public.notes, which refers to it, is partitioned",
        ),
        (
            false,
            "CREATE TABLE places (code text PRIMARY KEY) PARTITION BY LIST (code);
            ALTER TABLE trade ADD CONSTRAINT place FOREIGN KEY (importer) REFERENCES places",
            "the foreign key place on public.trade refers to public.places, which is partitioned",
        ),
        (
            // Nor what it refuses for another reason.
            true,
            "ALTER TABLE trade ADD before_id uuid, ADD before_year int, ADD CONSTRAINT before
                FOREIGN KEY (before_id, before_year) REFERENCES trade",
            "the foreign key before on public.trade refers to public.trade",
        ),
        (
            true,
            "CREATE INDEX of_taxa ON ONLY trade (taxon)",
            "the index public.of_taxa is not valid",
        ),
        (
            false,
            "CREATE INDEX twice ON trade_2020 (species_id)",
            "the index public.twice is equal to public.trade_2020_species_id_idx",
        ),
        (false, "CREATE TABLE trade_2019_staging ()", "public.trade_2019_staging"),
        (false, "CREATE TABLE trade_2019_old ()", "public.trade_2019_old"),
    ] {
        let here = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
        let release = release(&here);
        let db = &here.db;
        db.psql(setup).await;
        let before = names(db).await;
        let refused = db.sterna(&["stage", "create", "--table", "trade"]).expect_code(6);
        assert!(refused.stderr.contains(reason), "{reason}: {refused:?}");
        if !is_loaded {
            // A load would create staging as well.
            let refused = here.load(&[&*release, "--all", "--table", "trade"]).expect_code(6);
            assert!(refused.stderr.contains(reason), "{reason}: {refused:?}");
        }
        let checked = db.sterna(&["check", "pre", "--disk-space-checked", "--table", "trade"]);
        let said = [&*checked.stdout, &*checked.stderr].concat().replace('"', "");
        assert!(said.contains(reason), "{reason}: {checked:?}");
        assert_eq!(names(db).await, before, "{reason}");
        assert_eq!(db.psql("SELECT count(*) FROM sterna.journaled").await, "0", "{reason}");
    }
}

#[tokio::test]
async fn the_whole_and_one_partition_are_not_replaced_at_a_time() {
    let here = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    let db = &here.db;
    db.sterna(&["stage", "create", "--table", "trade_2019"]).expect_code(0);
    let refused = db.sterna(&["stage", "create", "--table", "trade"]).expect_code(6);
    let reason = "its partition public.trade_2019 is being replaced by itself";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    db.sterna(&["stage", "drop", "--table", "trade_2019"]).expect_code(0);
    db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
    let refused = db.sterna(&["stage", "create", "--table", "trade_2019"]).expect_code(6);
    let reason = "public.trade_2019_staging is a part of public.trade_staging";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    let checked = db.sterna(&["check", "pre", "--disk-space-checked", "--table", "trade_2019"]);
    assert!(checked.stdout.contains("public.trade is being replaced as a whole"), "{checked:?}");
    db.sterna(&["stage", "drop", "--table", "trade"]).expect_code(0);
    db.sterna(&["stage", "create", "--table", "trade_2019"]).expect_code(0);
}
