//! A partitioned table is replaced as a whole, with everything that hangs on it and on its
//! partitions, and its rollback undoes all of it but the application's writes.

use serde_json::Value;
use sterna::pg::Connection;
use sterna::table::fingerprint::{Fingerprint, take_beside};

use super::super::exchange::{exchanging, names};
use super::{CATALOG, LEAF, MOVED, REFERRING, ROOT, WRITTEN, YEARS, different, writes};
use crate::cites::{Installation, file_of, good, shipment};
use crate::server::{TestDb, for_server};
use crate::switchover::odd::plain_installation;

/// What the partitioned table has besides that its partitions do not have from it.
const WHOLE: &str = "ALTER TABLE trade ENABLE ROW LEVEL SECURITY, ALTER term SET STATISTICS 150;
    CREATE POLICY recent ON trade FOR SELECT TO anon USING (year > 2000);
    GRANT SELECT, INSERT ON trade TO anon WITH GRANT OPTION;
    GRANT UPDATE (term) ON trade TO authenticated;
    COMMENT ON TABLE trade IS 'All of it.';
    COMMENT ON COLUMN trade.term IS 'Of what.';
    COMMENT ON CONSTRAINT of_species ON trade IS 'A key.';
    COMMENT ON INDEX trade_species IS 'An index.';
    COMMENT ON TRIGGER from_root ON trade IS 'A trigger.';
    CREATE TRIGGER each_time AFTER INSERT ON trade FOR EACH STATEMENT EXECUTE FUNCTION see_all();
    ALTER TABLE trade ENABLE ALWAYS TRIGGER from_root;
    CREATE FUNCTION any_one() RETURNS trade LANGUAGE sql AS 'SELECT * FROM public.trade LIMIT 1';
    CREATE FUNCTION years() RETURNS bigint LANGUAGE sql
        BEGIN ATOMIC SELECT count(DISTINCT year) FROM trade; END;
    CREATE MATERIALIZED VIEW by_year AS SELECT year, count(*) FROM trade GROUP BY year;";

/// The partitioned table in place of the plain one, with these partitions and the rich one `leaf`.
pub(crate) async fn whole(by: &str, key: &str, leaves: &str, leaf: &str) -> Installation {
    let (here, _) = plain_installation().await;
    let root = ROOT.replace("{by}", by).replace("{key}", key);
    let rich = for_server(&LEAF.replace("{leaf}", leaf));
    let see_all = "CREATE FUNCTION see_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RETURN NULL; END $$;";
    for sql in [&root, leaves, &rich, MOVED, see_all, WHOLE] {
        here.db.psql(sql).await;
    }
    here
}

/// The fingerprint of the partitioned table, without what sterna has created next to it.
pub(super) async fn fingerprint(db: &TestDb) -> Fingerprint {
    let session: Connection = db.connect().await;
    session.batch_execute("SET search_path = ''; SET row_security = off").await.unwrap();
    let oids = "SELECT oid FROM pg_class
        WHERE relname IN ('trade', 'trade_staging', 'trade_old') AND relkind = 'p'
        ORDER BY relname";
    let oids: Vec<u32> =
        session.query(oids, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    take_beside(&session, oids[0], &oids[1..]).await.unwrap()
}

/// Runs a command about the partitioned table to its end.
pub(super) fn exchanged(db: &TestDb, command: &str) -> Value {
    let args = [exchanging(command), vec!["--table", "trade", "--format", "json"]].concat();
    let done = db.sterna(&args).expect_code(0);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done["parity_differences"], serde_json::json!([]), "{command}: {done:#}");
    done
}

/// Records of 2020, and those of other years that other tables may refer to.
pub(super) fn release(here: &Installation) -> String {
    let others = ["2018", "2019", "2021", "2022"].map(|year| {
        let id = format!("r{year}");
        shipment(&[("Id", &id), ("Year", year)])
    });
    here.file("whole.csv", file_of(&[good(250), others.to_vec()].concat()))
}

/// The whole table is replaced, and its rollback undoes all of it but the application's writes.
async fn there_and_back(here: &Installation) {
    let (db, release) = (&here.db, release(here));
    let (before, before_names) = (fingerprint(db).await, names(db).await);
    let catalog = db.psql(CATALOG).await;
    let same = async |when: &str| {
        assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0], "{when}");
        assert_eq!(before.differences(&fingerprint(db).await), [], "{when}");
    };
    db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
    same("with staging").await;
    let report = here
        .report(0, &[&release, "--all", "--verify", "--max-rejects", "60%", "--table", "trade"]);
    assert_eq!(report["rows_rejected"], 0, "{report:#}");
    let checked = db.sterna(&["validate", "--all", "--table", "trade", "--format", "json"]);
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    for name in ["structure", "foreign-key.of_species", "required", "load-account"] {
        let checks = checked["checks"].as_array().unwrap().iter();
        let mut these =
            checks.filter(|check| check["name"].as_str().unwrap().starts_with(name)).peekable();
        assert!(these.peek().is_some(), "{name} did not run: {checked:#}");
        assert!(
            these.all(|check| check["passed"] == true && check["skipped"].is_null()),
            "{name}: {checked:#}"
        );
    }
    db.psql(&writes("x", "8")).await;
    db.psql("TRUNCATE seen").await;
    let done = exchanged(db, "switchover");
    assert_eq!(done["rows"].to_string(), db.psql("SELECT count(*) FROM trade").await);
    same("after the switchover").await;
    assert_eq!(db.psql("SELECT count(*) FROM seen").await, "0");
    assert_eq!(db.psql(WRITTEN).await, "7 by x, 9, x");
    db.psql(&writes("y", "9")).await;
    exchanged(db, "rollback");
    same("after the rollback").await;
    assert_eq!(db.psql(WRITTEN).await, "7 by y, x, y");
    // And a second time, with what is left.
    exchanged(db, "switchover");
    same("after the second switchover").await;
    assert_eq!(db.psql(WRITTEN).await, "7 by y, x, y");
    exchanged(db, "rollback");
    db.sterna(&["stage", "drop", "--table", "trade"]).expect_code(0);
    same("in the end").await;
    assert_eq!(names(db).await, before_names);
}

#[tokio::test]
async fn a_table_by_range() {
    // One partition has its columns in another order, and defaults of its own.
    let leaves = "DO $$ BEGIN EXECUTE (
            SELECT 'CREATE TABLE trade_2019 (' || string_agg(format('%I %s%s%s', attname,
                format_type(atttypid, atttypmod), ' DEFAULT ' || pg_get_expr(adbin, adrelid),
                CASE WHEN attnotnull THEN ' NOT NULL' END), ', ' ORDER BY attnum DESC)
                || ', CONSTRAINT amount CHECK (quantity >= 0))'
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = 'trade'::regclass AND attnum > 0
        ); END $$;
        ALTER TABLE trade_2019 ALTER unit SET DEFAULT 'kg';
        ALTER TABLE trade ATTACH PARTITION trade_2019 FOR VALUES FROM (2019) TO (2020);";
    let years: Vec<&str> = YEARS.lines().filter(|line| !line.contains("trade_2019")).collect();
    let leaves = [leaves, &years.join("\n")].concat();
    let here = whole("RANGE (year)", "year", &leaves, "trade_2020").await;
    here.db.psql(&REFERRING.replace("{key}", "year int").replace("{names}", "year")).await;
    here.db
        .psql(
            "CREATE TABLE loose_notes AS SELECT gen_random_uuid() AS id, 1999 AS year;
            ALTER TABLE loose_notes
                ADD CONSTRAINT loose FOREIGN KEY (id, year) REFERENCES trade NOT VALID",
        )
        .await;
    there_and_back(&here).await;
    let notes =
        "SELECT count(*), count(t.id) FROM notes AS n LEFT JOIN trade AS t USING (id, year)";
    assert_eq!(here.db.psql(notes).await, "2|2");
    for refused in [
        "INSERT INTO notes VALUES (gen_random_uuid(), 2020)",
        "UPDATE trade SET id = gen_random_uuid() WHERE record_id = '3'",
    ] {
        here.db.try_psql(refused).await.unwrap_err();
    }
    here.db.psql("DELETE FROM trade WHERE record_id = '3'").await;
    assert_eq!(here.db.psql(notes).await, "1|1");
}

#[tokio::test]
async fn a_table_by_list_whose_records_fit_no_partition() {
    let leaves = "CREATE TABLE trade_i PARTITION OF trade FOR VALUES IN ('I');
        CREATE TABLE trade_ii PARTITION OF trade FOR VALUES IN ('II');";
    let here = whole("LIST (appendix)", "appendix", leaves, "trade_ii").await;
    let appendix = shipment(&[("Id", "none"), ("Appendix", "III")]);
    here.file("none.csv", file_of(&[appendix]));
    there_and_back(&here).await;
    here.db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
    let rejects = here.path("rejects.csv").display().to_string();
    let none = here.path("none.csv").display().to_string();
    let report = here.report(
        0,
        &[&none, "--all", "--table", "trade", "--max-rejects", "100%", "--rejects", &rejects],
    );
    assert_eq!(report["reject_reasons"]["constraint"], 1, "{report:#}");
    let said = std::fs::read_to_string(&rejects).unwrap();
    assert!(said.contains("no partition of relation"), "{said}");
}

#[tokio::test]
async fn a_table_by_hash() {
    let leaves = "CREATE TABLE trade_0 PARTITION OF trade
            FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE trade_1 PARTITION OF trade FOR VALUES WITH (MODULUS 3, REMAINDER 1);
        CREATE TABLE trade_2 PARTITION OF trade FOR VALUES WITH (MODULUS 3, REMAINDER 2);";
    let here = whole("HASH (year)", "year", leaves, "trade_2").await;
    there_and_back(&here).await;
}

#[tokio::test]
async fn a_table_with_partitions_of_partitions() {
    let long = "x".repeat(60);
    let leaves = format!(
        "CREATE TABLE trade_ii PARTITION OF trade FOR VALUES IN ('II')
            PARTITION BY RANGE (year);
        CREATE TABLE trade_ii_2020 (LIKE trade INCLUDING DEFAULTS,
            CONSTRAINT amount CHECK (quantity >= 0),
            CONSTRAINT species_of_2020 FOREIGN KEY (species_id) REFERENCES species (id)
                ON DELETE CASCADE DEFERRABLE);
        ALTER TABLE trade_ii ATTACH PARTITION trade_ii_2020 FOR VALUES FROM (2020) TO (2021);
        CREATE INDEX only_of_ii ON trade_ii (importer);
        CREATE TABLE trade_ii_rest PARTITION OF trade_ii DEFAULT PARTITION BY RANGE (year);
        CREATE TABLE {long} PARTITION OF trade_ii_rest DEFAULT;
        CREATE TABLE trade_rest PARTITION OF trade DEFAULT;
        ALTER TABLE trade_ii RENAME CONSTRAINT of_species TO species_of_ii;
        ALTER TABLE trade_ii_rest RENAME CONSTRAINT of_species TO species_of_rest;
        COMMENT ON CONSTRAINT species_of_rest ON trade_ii_rest IS 'From two levels above.';
        ALTER TABLE trade_ii_2020 ADD CONSTRAINT of_species
            FOREIGN KEY (species_id) REFERENCES species (id) ON UPDATE CASCADE;"
    );
    let key = "year, appendix";
    let here = whole("LIST (appendix)", key, &leaves, "trade_ii_2020").await;
    let columns = "year int, appendix text";
    here.db.psql(&REFERRING.replace("{key}", columns).replace("{names}", key)).await;
    there_and_back(&here).await;
}

#[tokio::test]
async fn an_identity_that_the_partitions_have_from_the_table() {
    let leaves = "ALTER TABLE trade ADD number bigint GENERATED BY DEFAULT AS IDENTITY;
        ALTER TABLE cites_trade_records ADD number bigint;
        UPDATE cites_trade_records SET number = record_id::bigint;
        CREATE TABLE trade_rest PARTITION OF trade DEFAULT;";
    let here = whole("RANGE (year)", "year", leaves, "trade_rest").await;
    let kept = "SELECT count(*) FILTER (WHERE number::text = record_id),
            count(*) FILTER (WHERE number > 1000000), count(DISTINCT number) FROM trade";
    here.db.psql("SELECT setval(pg_get_serial_sequence('trade', 'number'), 1000000)").await;
    there_and_back(&here).await;
    assert_eq!(here.db.psql(kept).await, "198|2|200");
    exchanged_with(&here, &release(&here)).await;
    assert_eq!(here.db.psql(kept).await, "198|56|254");
}

/// Loads these files for the whole table, and exchanges it.
async fn exchanged_with(here: &Installation, release: &str) {
    here.db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
    here.report(0, &[release, "--all", "--verify", "--table", "trade"]);
    exchanged(&here.db, "switchover");
}

/// A row that the release has in another year keeps its id and its values as well.
#[tokio::test]
async fn values_that_the_files_do_not_fill_follow_a_row_to_another_partition() {
    let here = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    let (db, release) = (&here.db, release(&here));
    db.psql(
        "ALTER TABLE trade ADD note text NOT NULL DEFAULT 'none', ADD CHECK (note <> '');
        UPDATE trade SET note = 'note ' || record_id;
        ALTER TABLE trade_2020 ALTER note SET DEFAULT 'of 2020',
            ADD CONSTRAINT noted CHECK (note NOT IN ('', 'bad'));
        ALTER TABLE trade_2019 ALTER note DROP DEFAULT;
        UPDATE trade SET year = 2019 WHERE record_id IN ('7', '8')",
    )
    .await;
    let id = db.psql("SELECT id FROM trade WHERE record_id = '7'").await;
    let before = fingerprint(db).await;
    db.sterna(&["stage", "create", "--table", "trade"]).expect_code(0);
    db.psql("DELETE FROM trade WHERE record_id IN ('8', '9')").await;
    here.report(0, &[&release, "--all", "--verify", "--table", "trade"]);
    db.psql("UPDATE trade SET note = 'later' WHERE record_id = '10'").await;
    let checked = db.sterna(&["validate", "--all", "--table", "trade"]);
    assert!(!checked.stdout.contains("structure  failed"), "{checked:?}");
    exchanged(db, "switchover");
    assert_eq!(before.differences(&fingerprint(db).await), []);
    let moved = "SELECT tableoid::regclass, id, note FROM trade WHERE record_id = '7'";
    assert_eq!(db.psql(moved).await, format!("trade_2020|{id}|note 7"));
    let notes = "SELECT count(*), count(*) FILTER (WHERE note = 'note ' || record_id),
            count(*) FILTER (WHERE note = 'none'), count(*) FILTER (WHERE note = 'later'),
            count(*) FILTER (WHERE record_id IN ('8', '9'))
        FROM trade";
    // The row of 2019 was deleted; that of 2020 has another key.
    assert_eq!(db.psql(notes).await, "253|202|50|1|1");
    exchanged(db, "rollback");
    assert_eq!(before.differences(&fingerprint(db).await), []);
}
