//! What others keep of a partitioned table that is replaced as a whole: partitions that they
//! detach, attach or add, tables that refer to one partition, and names that are theirs.

use super::super::exchange::{exchanging, names};
use super::whole::{exchanged, release, whole};
use super::whole_among_others::loaded;
use super::{CATALOG, YEARS, different};
use crate::cites::Installation;
use crate::server::TestDb;

const CLEANUP: [&str; 5] = ["cleanup", "--older-than", "0s", "--table", "trade"];

fn create(db: &TestDb) {
    db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
}

fn load(here: &Installation) {
    here.report(0, &[&release(here), "--all", "--table", "trade"]);
}

#[tokio::test]
async fn a_partition_that_was_kept_is_not_dropped_later() {
    let here = loaded().await;
    let db = &here.db;
    exchanged(db, "switchover");
    let own = "SELECT string_agg(s.table_name, ' ' ORDER BY s.table_name),
            bool_and(s.table_name = c.relname AND s.schema_name = 'public')
        FROM sterna.staging AS s JOIN pg_class AS c ON c.oid = s.relid";
    let all = "trade_2019_old trade_2020_old trade_old trade_rest_old";
    assert_eq!(db.psql(own).await, format!("{all}|t"));
    db.psql(
        "ALTER TABLE trade_old DETACH PARTITION trade_2019_old;
        ALTER TABLE trade_2019_old RENAME TO kept",
    )
    .await;
    let rows = "SELECT count(*) FROM kept";
    let before = db.psql(rows).await;
    // Its indexes have the names that those of the next old table get.
    let refused = db.sterna(&["stage", "create", "--table", "trade"]).expect_code(6);
    assert!(refused.stderr.contains("public.trade_2019_pkey_old"), "{refused:?}");
    let checked = db.sterna(&["check", "pre", "--disk-space-checked", "--table", "trade"]);
    assert!(checked.stdout.contains("trade_2019_pkey_old"), "{checked:?}");
    db.psql(
        "DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'kept'::regclass
            LOOP EXECUTE format('ALTER INDEX %s RENAME TO %I', name, 'kept_' || md5(name)); END LOOP;
        END $$",
    )
    .await;
    create(db);
    load(&here);
    exchanged(db, "switchover");
    assert_eq!(db.psql(rows).await, before);
    // It has left the old table of then, and is not one of this one's.
    db.psql(
        "ALTER TABLE trade_old DETACH PARTITION trade_2019_old; DROP TABLE trade_2019_old;
        ALTER TABLE trade_old ATTACH PARTITION kept FOR VALUES FROM (2019) TO (2020)",
    )
    .await;
    let detach = "ALTER TABLE public.trade_old DETACH PARTITION public.kept";
    let refused = db.sterna(&CLEANUP).expect_code(6);
    assert!(refused.stderr.contains(detach), "{refused:?}");
    db.psql(detach).await;
    create(db);
    load(&here);
    db.psql("ALTER TABLE trade_old ATTACH PARTITION kept FOR VALUES FROM (2019) TO (2020)").await;
    let run = [exchanging("switchover"), vec!["--table", "trade"]].concat();
    let refused = db.sterna(&run).expect_code(6);
    assert!(refused.stderr.contains(detach), "{refused:?}");
    assert_eq!(db.psql(rows).await, before);
    db.psql(detach).await;
    exchanged(db, "switchover");
    db.sterna(&CLEANUP).expect_code(0);
    assert_eq!(db.psql(rows).await, before);
    assert_eq!(db.psql("SELECT count(*) FROM sterna.staging").await, "0");
}

#[tokio::test]
async fn a_detached_partition_of_staging_is_not_taken_for_staging_of_its_own() {
    let here = loaded().await;
    let db = &here.db;
    db.psql("ALTER TABLE trade_staging DETACH PARTITION trade_2020_staging").await;
    let rows = "SELECT count(*) FROM trade_2020_staging";
    let before = db.psql(rows).await;
    for command in [&["stage", "drop"][..], &["stage", "truncate"], &["stage", "create"]] {
        let refused = db.sterna(&[command, &["--table", "trade_2020"]].concat()).expect_code(6);
        assert!(refused.stderr.contains("was not made by sterna"), "{command:?}: {refused:?}");
    }
    db.sterna(&["stage", "drop", "--table", "trade"]).expect_code(0);
    assert_eq!(db.psql(rows).await, before);
    assert_eq!(db.psql("SELECT count(*) FROM sterna.staging").await, "0");
}

#[tokio::test]
async fn a_detached_partition_is_not_recorded_any_more() {
    let here = loaded().await;
    let db = &here.db;
    let detach = "DELETE FROM notes WHERE year = 2019;
        ALTER TABLE trade DETACH PARTITION trade_2019";
    let attach = "ALTER TABLE trade ATTACH PARTITION trade_2019 FOR VALUES FROM (2019) TO (2020)";
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!sterna%'";
    let write = "INSERT INTO trade_2019 (species_id, record_id, year, appendix, taxon, term)
        SELECT id, gen_random_uuid(), 2019, 'II', scientific_name, 'bodies' FROM species LIMIT 1";
    // While staging is there.
    db.psql(detach).await;
    db.psql(write).await;
    db.sterna(&["stage", "drop", "--table", "trade"]).expect_code(0);
    assert_eq!(db.psql(triggers).await, "0");
    db.psql(write).await;
    db.psql(attach).await;
    // While the old table is there.
    create(db);
    load(&here);
    exchanged(db, "switchover");
    db.psql(detach).await;
    db.sterna(&CLEANUP).expect_code(0);
    assert_eq!(db.psql(triggers).await, "0");
    db.psql(write).await;
    db.psql(attach).await;
    // And while writes are recorded for a rollback alone, which needs the partition.
    create(db);
    load(&here);
    exchanged(db, "switchover");
    db.psql(detach).await;
    let refused = db.sterna(&["stage", "create", "--table", "trade"]).expect_code(6);
    let checked = db.sterna(&["check", "pre", "--disk-space-checked", "--table", "trade"]);
    for said in [&refused.stderr, &checked.stdout] {
        assert!(said.contains("the counterpart of public.trade_2019_old"), "{said}");
        assert!(said.contains("cleanup --older-than 0s`"), "{said}");
    }
    load(&here);
    exchanged(db, "switchover");
    db.psql(write).await;
    let on_it = "SELECT count(*) FROM pg_trigger
        WHERE tgname LIKE '!sterna%' AND tgrelid = 'trade_2019'::regclass";
    assert_eq!(db.psql(on_it).await, "0");
    assert_eq!(db.psql("SELECT count(*) FROM trade_2019").await, "2");
}

#[tokio::test]
async fn a_partition_added_since_the_switchover_is_named_at_once() {
    let here = loaded().await;
    let db = &here.db;
    exchanged(db, "switchover");
    db.psql("CREATE TABLE trade_2030 PARTITION OF trade FOR VALUES FROM (2030) TO (2031)").await;
    let before = names(db).await;
    let refused = db.sterna(&["stage", "create", "--table", "trade"]).expect_code(6);
    let checked = db.sterna(&["check", "pre", "--disk-space-checked", "--table", "trade"]);
    for said in [&refused.stderr, &checked.stdout] {
        assert!(said.contains("public.trade_2030"), "{said}");
        assert!(said.contains("cleanup --older-than 0s`"), "{said}");
    }
    assert_eq!(names(db).await, before);
    db.sterna(&CLEANUP).expect_code(0);
    create(db);
    load(&here);
    exchanged(db, "switchover");
    exchanged(db, "rollback");
    // Or it is detached until the exchange.
    exchanged(db, "switchover");
    db.psql("CREATE TABLE trade_2031 PARTITION OF trade FOR VALUES FROM (2031) TO (2032)").await;
    db.sterna(&["stage", "create", "--table", "trade"]).expect_code(6);
    db.psql("ALTER TABLE trade DETACH PARTITION trade_2031").await;
    create(db);
}

#[tokio::test]
async fn names_that_the_exchange_needs_are_found_before_the_load() {
    let here = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    let release = release(&here);
    let db = &here.db;
    let (schema, catalog) = (names(db).await, db.psql(CATALOG).await);
    for (taken, name, free) in [
        ("CREATE TABLE trade_old ()", "public.trade_old", "DROP TABLE trade_old"),
        ("CREATE VIEW trade_2019_old AS SELECT 1", "trade_2019_old", "DROP VIEW trade_2019_old"),
        (
            "CREATE INDEX trade_2019_pkey_old ON species (id)",
            "public.trade_2019_pkey_old",
            "DROP INDEX trade_2019_pkey_old",
        ),
        (
            "CREATE INDEX trade_species_staging ON species (id)",
            "public.trade_species_staging",
            "DROP INDEX trade_species_staging",
        ),
        ("CREATE SEQUENCE only_here_old", "public.only_here_old", "DROP SEQUENCE only_here_old"),
        (
            "CREATE STATISTICS leaf_stats_old ON id, scientific_name FROM species",
            "public.leaf_stats_old",
            "DROP STATISTICS leaf_stats_old",
        ),
        (
            "CREATE DOMAIN trade_rest_staging AS text",
            "public.trade_rest_staging",
            "DROP DOMAIN trade_rest_staging",
        ),
    ] {
        db.psql(taken).await;
        let before = names(db).await;
        let refused = db.sterna(&["stage", "create", "--table", "trade"]).expect_code(6);
        assert!(refused.stderr.contains(name), "{taken}: {refused:?}");
        let refused = here.load(&[&*release, "--all", "--table", "trade"]).expect_code(6);
        assert!(refused.stderr.contains(name), "{taken}: {refused:?}");
        let checked = db.sterna(&["check", "pre", "--disk-space-checked", "--table", "trade"]);
        let said = checked.stdout.replace('"', "");
        assert!(said.contains(name), "{taken}: {checked:?}");
        assert_eq!(names(db).await, before, "{taken}");
        db.psql(free).await;
    }
    assert_eq!(names(db).await, schema);
    create(db);
    load(&here);
    let checked = db.sterna(&["check", "pre", "--disk-space-checked", "--table", "trade"]);
    assert!(!checked.stdout.contains("needs these names"), "{checked:?}");
    exchanged(db, "switchover");
    // Those of the old table become free.
    create(db);
    load(&here);
    exchanged(db, "switchover");
    db.sterna(&CLEANUP).expect_code(0);
    assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0]);
}

#[tokio::test]
async fn a_table_that_refers_to_one_partition_keeps_its_rows() {
    let here = loaded().await;
    let db = &here.db;
    exchanged(db, "switchover");
    // Only the new release has this record.
    db.psql(
        "CREATE TABLE marks (id uuid REFERENCES trade_2020 (id));
        INSERT INTO marks SELECT id FROM trade_2020 WHERE record_id = '230'",
    )
    .await;
    let foreseen = db.sterna(&["rollback", "switchover", "--dry-run", "--table", "trade"]);
    let foreseen = foreseen.expect_code(0);
    assert!(foreseen.stdout.contains("1 row kept"), "{foreseen:?}");
    exchanged(db, "rollback");
    let both = "SELECT count(*), count(t.id) FROM marks AS m LEFT JOIN trade AS t USING (id)";
    assert_eq!(db.psql(both).await, "1|1");
    assert_eq!(db.psql("SELECT count(*) FROM trade_2020").await, "201");
}
