//! Unusual tables, dependents and values: exchanged and rolled back, or refused before anything
//! is written.

use serde_json::Value;

use super::exchange::{exchanging, fingerprint, names};
use crate::cites::{Installation, file_of, good};
use crate::server::TestDb;

/// 200 rows of trade, and a release of 250 that contains the same records again.
pub(super) async fn plain_installation() -> (Installation, String) {
    let here = Installation::new().await;
    here.db
        .psql(
            "INSERT INTO cites_trade_records
                (species_id, record_id, year, appendix, taxon, term, quantity)
            SELECT s.id, i::text, 2020, 'II', 'Ursus maritimus', 'skins', 1
            FROM species AS s, generate_series(1, 200) AS i
            WHERE s.scientific_name = 'Ursus maritimus'",
        )
        .await;
    let release = here.file("release.csv", file_of(&good(250)));
    (here, release)
}

/// Inserts the record `id`, changes the record 7 and deletes another one.
pub(super) fn writes(id: &str, deleted: &str) -> String {
    format!(
        "INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
        SELECT id, '{id}', 2021, 'I', scientific_name, 'bodies' FROM species LIMIT 1;
        UPDATE cites_trade_records SET unit = 'by {id}' WHERE record_id = '7';
        DELETE FROM cites_trade_records WHERE record_id = '{deleted}'"
    )
}

const WRITTEN: &str = "SELECT string_agg(record_id || coalesce(' ' || unit, ''), ', '
    ORDER BY record_id) FROM cites_trade_records WHERE record_id IN ('7', '8', '9', 'x', 'y')";

/// Runs a command to its end, which must preserve parity.
fn exchanged(db: &TestDb, command: &str) {
    let args = [exchanging(command), vec!["--format", "json"]].concat();
    let done = db.sterna(&args).expect_code(0);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done["parity_differences"], serde_json::json!([]), "{command}: {done:#}");
}

/// A switchover and its rollback, with writes before each, on the plain database with this setup.
pub(super) async fn there_and_back(setup: &str, more_writes: &str) -> Installation {
    let (here, release) = plain_installation().await;
    let db = &here.db;
    db.psql(setup).await;
    let (before, before_names) = (fingerprint(db).await, names(db).await);
    db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    db.psql(&writes("x", "8")).await;
    db.psql(more_writes).await;
    exchanged(db, "switchover");
    assert_eq!(before.differences(&fingerprint(db).await), []);
    assert_eq!(db.psql(WRITTEN).await, "7 by x, 9, x");
    db.psql(&writes("y", "9")).await;
    db.psql(more_writes).await;
    exchanged(db, "rollback");
    assert_eq!(before.differences(&fingerprint(db).await), []);
    assert_eq!(db.psql(WRITTEN).await, "7 by y, x, y");
    db.sterna(&["stage", "drop"]).expect_code(0);
    assert_eq!(names(db).await, before_names);
    here
}

#[tokio::test]
async fn views_of_every_kind() {
    there_and_back(
        "CREATE SCHEMA other;
        CREATE VIEW other.cites_trade_records AS SELECT * FROM public.cites_trade_records;
        CREATE VIEW other.upon AS SELECT * FROM other.cites_trade_records;
        CREATE VIEW texts AS SELECT t.*::text AS text, row_to_json(t) AS json
            FROM cites_trade_records AS t;
        CREATE RECURSIVE VIEW steps (id, n) AS
            SELECT id, 1 FROM cites_trade_records UNION ALL
            SELECT id, n + 1 FROM steps WHERE n < 2;
        CREATE VIEW both_ids AS SELECT id FROM cites_trade_records UNION SELECT id FROM species;
        CREATE VIEW invoker /*15 WITH (security_invoker = true) 15*/ AS SELECT * FROM cites_trade_records;
        CREATE VIEW lateral_counts AS SELECT s.id, c.n FROM species AS s,
            LATERAL (SELECT count(*) AS n FROM cites_trade_records AS t WHERE t.species_id = s.id) AS c;
        CREATE MATERIALIZED VIEW years AS SELECT year, count(*) AS n
            FROM cites_trade_records GROUP BY year;
        CREATE UNIQUE INDEX years_key ON years (year);
        COMMENT ON MATERIALIZED VIEW years IS 'by year';
        CREATE MATERIALIZED VIEW upon_years AS SELECT sum(n) AS n FROM years;
        CREATE VIEW upon_both AS SELECT u.n FROM upon_years AS u, years;
        CREATE MATERIALIZED VIEW empty AS SELECT id FROM cites_trade_records WITH NO DATA",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY years",
    )
    .await;
}

#[tokio::test]
async fn routines_triggers_rules_and_policies_elsewhere() {
    there_and_back(
        "CREATE FUNCTION all_of() RETURNS SETOF cites_trade_records LANGUAGE sql STABLE
            AS 'SELECT * FROM public.cites_trade_records';
        CREATE FUNCTION upon() RETURNS SETOF cites_trade_records LANGUAGE sql
            BEGIN ATOMIC SELECT * FROM all_of(); END;
        CREATE VIEW upon_all AS SELECT * FROM all_of();
        CREATE FUNCTION many(VARIADIC cites_trade_records[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION one(OUT t cites_trade_records) LANGUAGE sql
            AS 'SELECT t FROM public.cites_trade_records AS t LIMIT 1';
        CREATE PROCEDURE mark() LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
            UPDATE cites_trade_records SET origin = 'XX' WHERE record_id = '11'; END;
        CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE elsewhere (id uuid);
        CREATE CONSTRAINT TRIGGER later AFTER INSERT ON elsewhere FROM cites_trade_records
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pass();
        CREATE RULE also AS ON INSERT TO elsewhere
            DO ALSO UPDATE cites_trade_records SET origin = 'YY' WHERE record_id = '12';
        ALTER TABLE elsewhere ENABLE ROW LEVEL SECURITY;
        CREATE POLICY known ON elsewhere
            USING (EXISTS (SELECT FROM cites_trade_records AS t WHERE t.id = elsewhere.id));
        CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF pg_trigger_depth() = 1 THEN
                UPDATE public.cites_trade_records SET purpose = 'T' WHERE id = NEW.id;
            END IF; RETURN NULL; END $$;
        CREATE TRIGGER again AFTER INSERT OR UPDATE ON cites_trade_records
            FOR EACH ROW EXECUTE FUNCTION again();
        CREATE TRIGGER changed BEFORE UPDATE ON cites_trade_records FOR EACH ROW
            WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION pass();
        CREATE TABLE ddl (tag text);
        CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql
            AS 'BEGIN INSERT INTO public.ddl VALUES (tg_tag); END';
        CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION log_ddl()",
        "CALL mark(); INSERT INTO elsewhere SELECT id FROM cites_trade_records LIMIT 2",
    )
    .await;
}

#[tokio::test]
async fn rights_that_went_through_many_hands() {
    there_and_back(
        "REVOKE ALL ON cites_trade_records FROM anon, authenticated, service_role;
        ALTER TABLE cites_trade_records ADD entry bigint GENERATED BY DEFAULT AS IDENTITY;
        REVOKE ALL ON SEQUENCE cites_trade_records_entry_seq FROM anon, authenticated, service_role;
        REVOKE UPDATE ON SEQUENCE cites_trade_records_entry_seq FROM CURRENT_USER;
        GRANT USAGE ON SEQUENCE cites_trade_records_entry_seq TO service_role WITH GRANT OPTION;
        GRANT SELECT ON cites_trade_records TO service_role WITH GRANT OPTION;
        GRANT UPDATE (unit) ON cites_trade_records TO anon WITH GRANT OPTION;
        SET ROLE service_role;
        GRANT SELECT ON cites_trade_records TO authenticated WITH GRANT OPTION;
        GRANT USAGE ON SEQUENCE cites_trade_records_entry_seq TO authenticated WITH GRANT OPTION;
        SET ROLE authenticated;
        GRANT USAGE ON SEQUENCE cites_trade_records_entry_seq TO PUBLIC;
        GRANT SELECT ON cites_trade_records TO PUBLIC;
        GRANT SELECT (id, year) ON cites_trade_records TO anon;
        RESET ROLE;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        CREATE PUBLICATION everything FOR ALL TABLES;
        /*15 CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public 15*/",
        "SELECT 1",
    )
    .await;
}

#[tokio::test]
async fn foreign_keys_in_every_direction() {
    let here = there_and_back(
        "ALTER TABLE cites_trade_records ADD CONSTRAINT id_and_year UNIQUE (id, year);
        ALTER TABLE cites_trade_records ADD parent uuid
            REFERENCES cites_trade_records ON DELETE CASCADE;
        CREATE TABLE restricting (id int PRIMARY KEY,
            record uuid REFERENCES cites_trade_records ON DELETE RESTRICT);
        CREATE TABLE deferring (other int REFERENCES restricting, record uuid
            REFERENCES cites_trade_records ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE unchecked (record uuid);
        ALTER TABLE unchecked ADD FOREIGN KEY (record) REFERENCES cites_trade_records NOT VALID;
        CREATE TABLE two_columns (record uuid, year int, FOREIGN KEY (record, year)
            REFERENCES cites_trade_records (id, year) MATCH FULL);
        CREATE SEQUENCE next_id",
        // The children of a row that the other table gets from the journal.
        "INSERT INTO restricting SELECT nextval('next_id'), id FROM cites_trade_records
            WHERE record_id IN ('x', 'y');
        INSERT INTO deferring SELECT r.id, record FROM restricting AS r;
        INSERT INTO two_columns SELECT id, year FROM cites_trade_records WHERE record_id = 'x'",
    )
    .await;
    let refused = here.db.try_psql("DELETE FROM cites_trade_records WHERE record_id = 'y'").await;
    // RESTRICT has a code of its own from PostgreSQL 18 on.
    assert!(matches!(refused.unwrap_err().sqlstate(), Some("23001" | "23503")));
}

#[tokio::test]
async fn names_and_columns_beyond_the_ordinary() {
    let here = there_and_back(
        r#"ALTER TABLE cites_trade_records ADD gone int, ADD stays text DEFAULT 'd';
        ALTER TABLE cites_trade_records DROP gone;
        ALTER TABLE cites_trade_records ADD "select" text, ADD "Ünï ""q"" ✓" int DEFAULT 3,
            ADD r int, ADD n int, ADD o int, ADD t text, ADD entry text, ADD target text;
        CREATE INDEX "I X" ON cites_trade_records ("Ünï ""q"" ✓");
        CREATE INDEX i2345678901234567890123456789012345678901234567890123456789012
            ON cites_trade_records (term);
        CREATE INDEX i23456789012345678901234567890123456789012345678901234567890123
            ON cites_trade_records (unit);
        CREATE TABLE "Ch ""x" ("Ref" uuid REFERENCES cites_trade_records);
        INSERT INTO "Ch ""x" SELECT id FROM cites_trade_records WHERE record_id = '17';
        DO $$ BEGIN FOR i IN 1..100 LOOP
            EXECUTE format('ALTER TABLE cites_trade_records ADD c%s text DEFAULT %L', i, i);
        END LOOP; END $$"#,
        r#"UPDATE cites_trade_records SET "Ünï ""q"" ✓" = 9, r = 1, n = 2, o = 3, t = 'T',
            "select" = 's', c99 = NULL WHERE record_id = '12'"#,
    )
    .await;
    let row = r#"SELECT "Ünï ""q"" ✓", r, n, o, t, "select", c99, c98, stays
        FROM cites_trade_records WHERE record_id = '12'"#;
    assert_eq!(here.db.psql(row).await, "9|1|2|3|T|s||98|d");
}

#[tokio::test]
async fn values_of_every_type_are_carried_over_exactly() {
    let written =
        "UPDATE cites_trade_records SET j = '{\"a\" :  1}', x = xmlparse(content 'x <a/>'),
        p = '(1.1,2)', b = '\\x00ff5c27', rg = '[1,4)', a = ARRAY['a,b', '\"q\"', NULL, '{}', '\\'],
        e = 'b c', d = 'dom', c = ROW(1, 'x,\"y\"')::pair, cs = ARRAY[ROW(NULL, '')::pair],
        f = 0.1::float8 + 0.2, iv = '1 mon -2 days 3.5 secs', ts = '2020-01-02 03:04:05.123456+05',
        dt = 'infinity', m = 12.34, bits = B'10101', nu = 1e30, ch = 'ab', unit = E'é\\n\\t\\\\'
        WHERE record_id = '30'";
    let here = there_and_back(
        "CREATE TYPE word AS ENUM ('a', 'b c'); CREATE DOMAIN filled AS text CHECK (VALUE <> '');
        CREATE TYPE pair AS (a int, b text);
        ALTER TABLE cites_trade_records ADD j json, ADD x xml, ADD p point, ADD b bytea,
            ADD rg int4range, ADD a text[], ADD e word, ADD d filled, ADD c pair, ADD cs pair[],
            ADD f float8, ADD iv interval, ADD ts timestamptz, ADD dt date, ADD m money,
            ADD bits bit(5), ADD g int GENERATED ALWAYS AS (year + 1) STORED, ADD nu numeric,
            ADD ch char(5)",
        &format!(
            "SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Tokyo';
            SET extra_float_digits = 0; SET bytea_output = 'escape'; {written}"
        ),
    )
    .await;
    let db = &here.db;
    let values = "SELECT j, x, p, b, rg, a, e, d, c, cs, f, iv, ts AT TIME ZONE 'UTC', dt, m, bits,
        g, nu, ch, unit FROM cites_trade_records WHERE record_id = '30'";
    let carried = db.psql(values).await;
    db.psql(written).await;
    assert_eq!(db.psql(values).await, carried);
}

#[tokio::test]
async fn what_is_not_supported_is_refused_before_the_first_write() {
    for (setup, reason) in [
        ("CREATE DOMAIN row_domain AS cites_trade_records", "row_domain"),
        ("CREATE TABLE holder (held cites_trade_records)", "holder"),
        ("CREATE TABLE holder (held cites_trade_records[])", "holder"),
        ("CREATE TYPE holder AS (a int, held cites_trade_records)", "holder"),
        ("CREATE VIEW rows AS SELECT t FROM cites_trade_records AS t", "rows"),
        ("CREATE TABLE heir () INHERITS (cites_trade_records)", "child table"),
        (
            "CREATE TABLE parts (id int, record uuid REFERENCES cites_trade_records)
                PARTITION BY RANGE (id)",
            "partitioned",
        ),
        (
            "ALTER TABLE cites_trade_records ADD CONSTRAINT whole
                CHECK (cites_trade_records IS DISTINCT FROM NULL)",
            "whole row",
        ),
        (
            "CREATE FUNCTION digest(cites_trade_records) RETURNS int LANGUAGE sql IMMUTABLE
                AS 'SELECT 1';
            CREATE INDEX by_digest ON cites_trade_records (digest(cites_trade_records))",
            "by_digest",
        ),
        (
            "ALTER PUBLICATION supabase_realtime DROP TABLE cites_trade_records;
            ALTER TABLE cites_trade_records SET UNLOGGED",
            "unlogged",
        ),
        (
            "ALTER TABLE cites_trade_records DROP CONSTRAINT cites_trade_records_pkey CASCADE",
            "primary key",
        ),
    ] {
        let (here, _) = plain_installation().await;
        here.db.psql(setup).await;
        let before = names(&here.db).await;
        let refused = here.db.sterna(&["stage", "create"]).expect_code(6);
        assert!(refused.stderr.contains(reason), "{reason}: {refused:?}");
        assert_eq!(names(&here.db).await, before, "{reason}");
    }
}

#[tokio::test]
async fn three_in_a_row_leave_the_names_of_one() {
    for cleans in [true, false] {
        let (here, release) = plain_installation().await;
        let db = &here.db;
        let before = fingerprint(db).await;
        let mut first = None;
        for turn in 0..3 {
            db.sterna(&["stage", "create"]).expect_code(0);
            here.report(0, &[&release, "--all"]);
            db.psql(&writes(&format!("w{turn}"), "8")).await;
            exchanged(db, "switchover");
            assert_eq!(before.differences(&fingerprint(db).await), []);
            let leftovers = "SELECT (SELECT count(*) FROM sterna.journaled),
                (SELECT count(*) FROM sterna.carrying), (SELECT count(*) FROM sterna.staging),
                (SELECT count(*) FROM pg_class WHERE relname LIKE 'journal\\_%' AND relkind = 'r')";
            // Of the tables beside it, only the old one is left.
            assert_eq!(db.psql(leftovers).await, "1|1|1|1");
            let now = names(db).await;
            assert_eq!(*first.get_or_insert_with(|| now.clone()), now);
            if cleans && turn < 2 {
                db.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
            }
        }
        // Each carried over what was written before it.
        let written = "SELECT count(*) FROM cites_trade_records WHERE record_id = 'w2'";
        assert_eq!(db.psql(written).await, "1");
        exchanged(db, "rollback");
        assert_eq!(before.differences(&fingerprint(db).await), []);
        assert_eq!(db.psql(written).await, "1");
    }
}

#[tokio::test]
async fn what_stops_a_rollback_says_what_to_do() {
    let here = Installation::new().await;
    let db = &here.db;
    db.sterna(&["stage", "create"]).expect_code(0);
    let file = here.file("in.csv", file_of(&good(3)));
    here.report(0, &[&file, "--all"]);
    db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    db.psql("CREATE INDEX later ON cites_trade_records (term)").await;
    let refused = db.sterna(&["rollback", "switchover"]).expect_code(6);
    assert!(refused.stderr.contains("index public.later"), "{refused:?}");
    assert!(refused.stderr.contains("do the same to the old one as well"), "{refused:?}");
    db.psql("CREATE INDEX later_old ON cites_trade_records_old (term)").await;
    db.psql("TRUNCATE cites_trade_records").await;
    let refused = db.sterna(&["rollback", "switchover"]).expect_code(6);
    assert!(refused.stderr.contains("was truncated since the switchover"), "{refused:?}");
    assert!(refused.stderr.contains("INSERT ... SELECT"), "{refused:?}");
}
