//! One partition is replaced: by RANGE, LIST and HASH, and one two levels down. PostgreSQL's own
//! catalog, read here beyond the program's fingerprint, says the same before and after.

mod among_others;
mod attached;
pub(crate) mod whole;
mod whole_among_others;
mod whole_kept;

use serde_json::Value;

use super::exchange::{exchanging, fingerprint_of, names};
use super::odd::plain_installation;
use crate::cites::{Installation, file_of, good, shipment};
use crate::server::{TestDb, for_server, major};

/// A partitioned table `trade`, without partitions, with keys, indexes, triggers and a
/// publication of its own. `{by}` is how, `{key}` the column to add to its keys.
const ROOT: &str = "CREATE TABLE trade (LIKE cites_trade_records INCLUDING DEFAULTS)
        PARTITION BY {by};
    ALTER TABLE trade ADD CONSTRAINT trade_key PRIMARY KEY (id, {key}),
        ADD CONSTRAINT trade_record UNIQUE ({key}, record_id),
        ADD CONSTRAINT amount CHECK (quantity >= 0),
        ADD CONSTRAINT of_species FOREIGN KEY (species_id) REFERENCES species (id)
            ON DELETE CASCADE DEFERRABLE;
    CREATE INDEX trade_species ON trade (species_id);
    CREATE INDEX trade_terms ON trade (lower(term)) WHERE unit IS NULL;
    CREATE STATISTICS trade_terms_units ON term, unit FROM trade;
    CREATE TABLE seen (what text, record_id text);
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.seen VALUES (TG_NAME || ' ' || TG_OP,
            CASE TG_OP WHEN 'DELETE' THEN OLD.record_id ELSE NEW.record_id END);
        RETURN coalesce(NEW, OLD);
    END $$;
    CREATE TRIGGER from_root AFTER INSERT OR UPDATE OR DELETE ON trade
        FOR EACH ROW EXECUTE FUNCTION see();
    CREATE TRIGGER muted BEFORE INSERT ON trade FOR EACH ROW EXECUTE FUNCTION see();
    CREATE CONSTRAINT TRIGGER at_last AFTER INSERT ON trade
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see();
    CREATE PUBLICATION by_root FOR TABLE trade WITH (publish_via_partition_root);
    CREATE VIEW whole AS SELECT * FROM trade;";

/// What only the partition `{leaf}` has.
const LEAF: &str = "ALTER TABLE {leaf} SET (fillfactor = 90), ALTER term SET STATISTICS 200,
        ADD CONSTRAINT named CHECK (term <> '') NOT VALID,
        ADD CONSTRAINT of_one_species FOREIGN KEY (species_id) REFERENCES species (id)
            ON UPDATE CASCADE;
    CREATE INDEX only_here ON {leaf} (exporter);
    CREATE UNIQUE INDEX by_id ON {leaf} (id);
    ALTER TABLE {leaf} REPLICA IDENTITY USING INDEX by_id;
    CREATE STATISTICS leaf_stats ON term, purpose FROM {leaf};
    CREATE TRIGGER from_leaf BEFORE UPDATE ON {leaf} FOR EACH ROW EXECUTE FUNCTION see();
    ALTER TABLE {leaf} ENABLE ROW LEVEL SECURITY, DISABLE TRIGGER muted;
    CREATE POLICY everything ON {leaf} TO anon USING (true);
    GRANT SELECT ON {leaf} TO anon WITH GRANT OPTION;
    GRANT UPDATE (unit) ON {leaf} TO authenticated;
    CREATE PUBLICATION by_leaf FOR TABLE {leaf} /*15 (id, record_id) 15*/;
    CREATE VIEW latest AS SELECT * FROM {leaf};
    CREATE FUNCTION one() RETURNS {leaf} LANGUAGE sql AS 'SELECT * FROM public.{leaf} LIMIT 1';
    COMMENT ON TABLE {leaf} IS 'One part.';
    COMMENT ON COLUMN {leaf}.term IS 'Of what.';
    COMMENT ON CONSTRAINT amount ON {leaf} IS 'From above.';
    COMMENT ON INDEX only_here IS 'Here.';
    COMMENT ON TRIGGER from_leaf ON {leaf} IS 'Here too.';";

/// A table that refers to the partitioned one by `{key}`, and to two of its records.
const REFERRING: &str = "CREATE TABLE notes (id uuid, {key},
        CONSTRAINT note_of FOREIGN KEY (id, {names}) REFERENCES trade ON DELETE CASCADE);
    COMMENT ON CONSTRAINT note_of ON notes IS 'From below.';
    INSERT INTO notes SELECT id, {names} FROM trade WHERE record_id IN ('3', 'r2019');";

/// Puts the 200 records of the plain table into the partitioned one, which replaces it.
const MOVED: &str = "INSERT INTO trade SELECT * FROM cites_trade_records;
    DROP TABLE cites_trade_records CASCADE;
    TRUNCATE seen;";

/// Everything that the catalog says about the partitioned table and all below it, except OIDs,
/// file nodes, sizes, and what sterna has created next to it.
pub(crate) const CATALOG: &str = "WITH part AS (
        SELECT relid::oid AS part_id, relid::text AS name FROM pg_partition_tree('trade')
    ), piece AS (
        SELECT part_id, name FROM part
        UNION ALL
        SELECT i.indexrelid, part.name || ' ' || i.indexrelid::regclass
        FROM pg_index AS i JOIN part ON part.part_id = i.indrelid
    ), said (what, text) AS (
        SELECT 'class ' || name, to_jsonb(c) - '{oid,relname,relfilenode,relpages,reltuples,relallvisible,relallfrozen,reltype,reltoastrelid,relfrozenxid,relminmxid,relpartbound,relacl,relchecks,relhastriggers,relhasrules}'::text[]
            || jsonb_build_object('bound', pg_get_expr(relpartbound, c.oid), 'checks', relchecks,
                'rights', ARRAY(SELECT unnest(relacl)::text ORDER BY 1))
        FROM pg_class AS c JOIN piece ON part_id = c.oid
        UNION ALL
        SELECT 'parent ' || inhrelid::regclass, to_jsonb(inhparent::regclass::text || inhseqno || inhdetachpending)
        FROM pg_inherits JOIN piece ON part_id = inhrelid
        UNION ALL
        -- That of a hash partition has the OID of the partitioned table.
        SELECT 'rows ' || name, to_jsonb(regexp_replace(pg_get_partition_constraintdef(part_id), '''[0-9]+''::oid', '', 'g')) FROM part
        UNION ALL
        SELECT format('column %s.%s', name, attname), to_jsonb(a) - '{attrelid,attmissingval,attcacheoff}'::text[]
        FROM pg_attribute AS a JOIN piece ON part_id = attrelid WHERE attnum > 0
        UNION ALL
        SELECT format('default %s.%s', name, adnum), to_jsonb(pg_get_expr(adbin, adrelid))
        FROM pg_attrdef AS d JOIN part ON part.part_id = adrelid
        UNION ALL
        SELECT 'index ' || indexrelid::regclass, to_jsonb(i) - '{indexrelid,indrelid,indexprs,indpred,indcheckxmin}'::text[]
            || jsonb_build_object('definition', pg_get_indexdef(indexrelid))
        FROM pg_index AS i JOIN part ON part_id = indrelid
        UNION ALL
        SELECT format('constraint %s.%s', conrelid::regclass, conname), to_jsonb(c) - '{oid,conrelid,confrelid,conindid,conparentid,conbin}'::text[]
            -- Of a key with a parent, this says only how it was made. A partition has no heirs.
            - CASE WHEN conparentid <> 0 AND contype IN ('p', 'u', 'f') THEN 'connoinherit' ELSE '' END
            || jsonb_build_object('definition', pg_get_constraintdef(c.oid), 'index', conindid::regclass::text,
                'parent', (SELECT p.conrelid::regclass || '.' || p.conname FROM pg_constraint AS p WHERE p.oid = c.conparentid))
        FROM pg_constraint AS c LEFT JOIN part ON part_id = conrelid
        WHERE part_id IS NOT NULL OR conrelid = to_regclass('notes')
        UNION ALL
        SELECT format('trigger %s.%s', name, CASE WHEN tgconstraint = 0 OR NOT tgisinternal THEN tgname::text
                ELSE (SELECT conname FROM pg_constraint AS c WHERE c.oid = tgconstraint) || tgfoid::regproc END),
            to_jsonb(t) - '{oid,tgrelid,tgname,tgparentid,tgconstrindid,tgconstraint,tgqual}'::text[]
            || jsonb_build_object('parent', (SELECT CASE WHEN p.tgisinternal THEN '' ELSE p.tgname END || p.tgrelid::regclass FROM pg_trigger AS p WHERE p.oid = tgparentid),
                'definition', CASE WHEN tgisinternal THEN NULL ELSE pg_get_triggerdef(t.oid) END)
        FROM pg_trigger AS t JOIN part ON part.part_id = tgrelid WHERE tgname NOT LIKE '!sterna%'
        UNION ALL
        -- The triggers of foreign keys on the table that they refer to.
        SELECT 'referred', to_jsonb(array_agg(format('%s.%s: %s %s', c.conrelid::regclass, c.conname, tgfoid::regproc, tgenabled)
            ORDER BY c.conrelid::regclass::text, c.conname, tgfoid))
        FROM pg_trigger AS t JOIN pg_constraint AS c ON c.oid = tgconstraint JOIN part ON part.part_id = c.conrelid
        WHERE tgrelid = 'species'::regclass
        UNION ALL
        SELECT format('policy %s.%s', name, polname), to_jsonb(pg_get_expr(polqual, polrelid) || polroles::regrole[]::text)
        FROM pg_policy JOIN part ON part_id = polrelid
        UNION ALL
        SELECT format('published %s.%s', pubname, tablename), to_jsonb(t) FROM pg_publication_tables AS t
        UNION ALL
        SELECT 'published by ' || prpubid, to_jsonb(prrelid::regclass::text) FROM pg_publication_rel JOIN part ON part.part_id = prrelid
        UNION ALL
        SELECT 'statistics ' || stxname, to_jsonb(name || pg_get_statisticsobjdef(s.oid)) FROM pg_statistic_ext AS s JOIN part ON part.part_id = stxrelid
        UNION ALL
        SELECT 'comment ' || o.type || ' ' || o.identity, to_jsonb(description)
        FROM pg_description, LATERAL pg_identify_object(classoid, objoid, objsubid) AS o
        WHERE objoid >= 16384 AND o.identity !~ '_(old|staging)'
        UNION ALL
        SELECT 'view ' || viewname, to_jsonb(definition) FROM pg_views WHERE schemaname = 'public'
        UNION ALL
        SELECT 'sequence ' || seqrelid::regclass, to_jsonb(s) - 'seqrelid' FROM pg_sequence AS s
        WHERE seqrelid::regclass::text !~ '^sterna[.]|_(staging|old)(_|$)'
    )
    SELECT string_agg(what || ': ' || coalesce(text::text, 'nothing'), E'\\n' ORDER BY what, text::text) FROM said";

/// Lines that only one of two texts has.
pub(crate) fn different(before: &str, after: &str) -> Vec<String> {
    let only = |these: &str, those: &str, sign: &str| -> Vec<String> {
        let absent = these.lines().filter(|line| !those.lines().any(|other| other == *line));
        absent.map(|line| format!("{sign} {line}")).collect()
    };
    [only(before, after, "-"), only(after, before, "+")].concat()
}

/// The partitioned table in place of the plain one, with `leaves` and the rich partition `leaf`.
pub(crate) async fn partitioned(
    by: &str,
    key: &str,
    leaves: &str,
    leaf: &str,
) -> (Installation, String) {
    let (here, release) = plain_installation().await;
    let root = ROOT.replace("{by}", by).replace("{key}", key);
    let rich = for_server(&LEAF.replace("{leaf}", leaf));
    for sql in [&root, leaves, &rich, MOVED] {
        here.db.psql(sql).await;
    }
    (here, release)
}

/// Runs a command about the partition to its end.
fn exchanged(db: &TestDb, leaf: &str, command: &str) -> Value {
    let args = [exchanging(command), vec!["--table", leaf, "--format", "json"]].concat();
    let done = db.sterna(&args).expect_code(0);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done["parity_differences"], serde_json::json!([]), "{command}: {done:#}");
    done
}

/// Writes through the partitioned table: a new record, a changed one, a deleted one.
fn writes(id: &str, deleted: &str) -> String {
    format!(
        "INSERT INTO trade (species_id, record_id, year, appendix, taxon, term)
        SELECT id, '{id}', 2020, 'II', scientific_name, 'bodies' FROM species LIMIT 1;
        UPDATE trade SET unit = 'by {id}' WHERE record_id = '7';
        DELETE FROM trade WHERE record_id = '{deleted}'"
    )
}

const WRITTEN: &str = "SELECT string_agg(record_id || coalesce(' ' || unit, ''), ', '
    ORDER BY record_id) FROM trade WHERE record_id IN ('7', '8', '9', 'x', 'y')";

/// A partition is replaced, and its rollback undoes all of it but the application's writes.
async fn there_and_back(here: &Installation, release: &str, leaf: &str, rejected: u64) {
    let db = &here.db;
    let (before, before_names) = (fingerprint_of(db, leaf).await, names(db).await);
    let catalog = db.psql(CATALOG).await;
    let same = async |when: &str| {
        assert_eq!(different(&catalog, &db.psql(CATALOG).await), [] as [String; 0], "{when}");
        assert_eq!(before.differences(&fingerprint_of(db, leaf).await), [], "{when}");
    };
    db.sterna(&["stage", "create", "--table", leaf]).expect_code(0);
    same("with staging").await;
    let report =
        here.report(0, &[release, "--all", "--verify", "--max-rejects", "60%", "--table", leaf]);
    assert_eq!(report["rows_rejected"], rejected, "{report:#}");
    if rejected > 0 {
        assert_eq!(report["reject_reasons"]["constraint"], rejected, "{report:#}");
    }
    let checked = db.sterna(&["validate", "--all", "--table", leaf, "--format", "json"]);
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    for name in ["structure", "foreign-key of_species", "required"] {
        let checks = checked["checks"].as_array().unwrap().iter();
        let failed = checks.filter(|check| {
            check["name"].as_str().unwrap().starts_with(name) && check["passed"] == false
        });
        assert_eq!(failed.count(), 0, "{checked:#}");
    }
    db.psql(&writes("x", "8")).await;
    db.psql("TRUNCATE seen").await;
    let done = exchanged(db, leaf, "switchover");
    assert_eq!(done["rows"].to_string(), db.psql(&format!("SELECT count(*) FROM {leaf}")).await);
    same("after the switchover").await;
    assert_eq!(db.psql("SELECT count(*) FROM seen").await, "0");
    assert_eq!(db.psql(WRITTEN).await, "7 by x, 9, x");
    db.psql(&writes("y", "9")).await;
    exchanged(db, leaf, "rollback");
    same("after the rollback").await;
    assert_eq!(db.psql(WRITTEN).await, "7 by y, x, y");
    // And a second time, with what is left.
    exchanged(db, leaf, "switchover");
    same("after the second switchover").await;
    assert_eq!(db.psql(WRITTEN).await, "7 by y, x, y");
    exchanged(db, leaf, "rollback");
    db.sterna(&["stage", "drop", "--table", leaf]).expect_code(0);
    same("in the end").await;
    assert_eq!(names(db).await, before_names);
}

pub(crate) const YEARS: &str =
    "CREATE TABLE trade_2019 PARTITION OF trade FOR VALUES FROM (2019) TO (2020);
    CREATE TABLE trade_2020 PARTITION OF trade FOR VALUES FROM (2020) TO (2021);
    CREATE TABLE trade_rest PARTITION OF trade DEFAULT;
    COMMENT ON CONSTRAINT of_species ON trade_2020 IS 'From above as well.';
    INSERT INTO trade (species_id, record_id, year, appendix, taxon, term)
        SELECT id, 'r' || y, y, 'II', scientific_name, 'skins'
        FROM species, generate_series(2018, 2022) AS y
        WHERE scientific_name = 'Ursus maritimus' AND y <> 2020;";

#[tokio::test]
async fn one_year_of_a_table_by_range() {
    let (here, _) = partitioned("RANGE (year)", "year", YEARS, "trade_2020").await;
    let others = ["2019", "2021"].map(|year| shipment(&[("Id", year), ("Year", year)]));
    let release = here.file("mixed.csv", file_of(&[good(250), others.to_vec()].concat()));
    here.db.psql(&REFERRING.replace("{key}", "year int").replace("{names}", "year")).await;
    there_and_back(&here, &release, "trade_2020", 2).await;
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
async fn one_value_of_a_table_by_list() {
    let leaves = "CREATE TABLE trade_i PARTITION OF trade FOR VALUES IN ('I');
        CREATE TABLE trade_ii PARTITION OF trade FOR VALUES IN ('II', 'III');";
    let (here, release) = partitioned("LIST (appendix)", "appendix", leaves, "trade_ii").await;
    there_and_back(&here, &release, "trade_ii", 0).await;
}

#[tokio::test]
async fn one_remainder_of_a_table_by_hash() {
    let leaves = "CREATE TABLE trade_0 PARTITION OF trade
            FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE trade_1 PARTITION OF trade FOR VALUES WITH (MODULUS 3, REMAINDER 1);
        CREATE TABLE trade_2 PARTITION OF trade FOR VALUES WITH (MODULUS 3, REMAINDER 2);";
    let (here, release) = partitioned("HASH (year)", "year", leaves, "trade_2").await;
    // Records of one year all have the same remainder.
    let place = "SELECT tableoid::regclass FROM trade LIMIT 1";
    assert_eq!(here.db.psql(place).await, "trade_2");
    there_and_back(&here, &release, "trade_2", 0).await;
}

#[tokio::test]
async fn a_partition_two_levels_down() {
    let leaves = "CREATE TABLE trade_ii PARTITION OF trade FOR VALUES IN ('II')
            PARTITION BY RANGE (year);
        CREATE TABLE trade_ii_2020 (LIKE trade INCLUDING DEFAULTS,
            CONSTRAINT amount CHECK (quantity >= 0),
            CONSTRAINT species_of_2020 FOREIGN KEY (species_id) REFERENCES species (id)
                ON DELETE CASCADE DEFERRABLE);
        ALTER TABLE trade_ii ATTACH PARTITION trade_ii_2020 FOR VALUES FROM (2020) TO (2021);
        CREATE TABLE trade_ii_rest PARTITION OF trade_ii DEFAULT PARTITION BY RANGE (year);
        CREATE TABLE trade_ii_rest_skins PARTITION OF trade_ii_rest DEFAULT;
        CREATE TABLE trade_rest PARTITION OF trade DEFAULT;";
    let key = "year, appendix";
    let (here, release) = partitioned("LIST (appendix)", key, leaves, "trade_ii_2020").await;
    let columns = "year int, appendix text";
    here.db.psql(&REFERRING.replace("{key}", columns).replace("{names}", key)).await;
    there_and_back(&here, &release, "trade_ii_2020", 0).await;
}

#[tokio::test]
async fn the_default_partition() {
    let leaves = "CREATE TABLE trade_2019 PARTITION OF trade FOR VALUES FROM (2019) TO (2020);
        CREATE TABLE trade_rest PARTITION OF trade DEFAULT;";
    let (here, release) = partitioned("RANGE (year)", "year", leaves, "trade_rest").await;
    there_and_back(&here, &release, "trade_rest", 0).await;
}

#[tokio::test]
async fn the_only_partition() {
    let leaves = "CREATE TABLE trade_rest PARTITION OF trade DEFAULT;";
    let (here, release) = partitioned("RANGE (year)", "year", leaves, "trade_rest").await;
    there_and_back(&here, &release, "trade_rest", 0).await;
}

#[tokio::test]
async fn a_partition_with_an_identity_of_its_own() {
    if major() >= 17 {
        return;
    }
    let leaves = "ALTER TABLE trade ADD number bigint;
        ALTER TABLE cites_trade_records ADD number bigint;
        UPDATE cites_trade_records SET number = record_id::bigint;
        CREATE TABLE trade_2020 (LIKE trade INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        ALTER TABLE trade_2020 ALTER number SET NOT NULL;
        ALTER TABLE trade_2020 ALTER number ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 1000);
        ALTER TABLE trade ATTACH PARTITION trade_2020 FOR VALUES FROM (2020) TO (2021);";
    let (here, release) = partitioned("RANGE (year)", "year", leaves, "trade_2020").await;
    here.db.psql("ALTER TABLE ONLY trade ALTER number SET DEFAULT 5").await;
    there_and_back(&here, &release, "trade_2020", 0).await;
}
