//! A partitioned table, or one partition, is saved and restored by PostgreSQL's own programs.

use serde_json::Value;

use super::{backup, shell, verify};
use crate::cites::Installation;
use crate::server::{Finished, TestDb};
use crate::switchover::partition::whole::whole;
use crate::switchover::partition::{CATALOG, YEARS, different};

/// What the triggers of the table call, which is not in a backup of tables.
const FUNCTIONS: &str = "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RETURN coalesce(NEW, OLD); END';
    CREATE FUNCTION see_all() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';";

/// The rows of each partition of a table, as the server sees them.
pub(crate) fn rows_of(table: &str) -> String {
    format!(
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
            SELECT format('%s: %s rows, %s', tableoid::regclass, count(*),
                md5(string_agg(t::text, ' ' ORDER BY t::text))) AS line
            FROM {table} AS t GROUP BY tableoid) AS lines"
    )
}

/// What the catalog says, except for lines that begin with any of `absent`, OIDs, and what
/// differs if a partition is created as a table of its own and then attached.
async fn catalog(db: &TestDb, absent: &[&str]) -> String {
    let changed = r#""(tgfoid|tgconstrrelid|attislocal|conislocal)": ("[0-9]+"|true|false)"#;
    let said =
        db.psql(&format!("SELECT regexp_replace(({CATALOG}), '{changed}', '\\1', 'g')")).await;
    let lines = said.lines().filter(|line| !absent.iter().any(|start| line.starts_with(start)));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is not in a backup of tables: publications, views, extended statistics, and comments on
/// constraints that a partition has from the table above.
const NOT_SAVED: [&str; 5] = [
    "publi",
    "view",
    "statistics",
    "comment table constraint amount on public.trade_",
    "comment table constraint of_species on public.trade_",
];

/// Storage parameters, replica identity and statistics targets, and comments on what is neither a
/// table nor a column.
const NOT_COPIED: [&str; 5] =
    ["class trade_2", "column trade", "comment index", "comment table constraint", "index by_id"];

/// Saves `table` by each method, restores it into an empty database, and compares rows and
/// catalog.
async fn saved_and_restored(place: &Installation, table: &str) {
    for method in ["pg-dump", "copy"] {
        let taken = backup(place, method, &["--method", method, "--table", table]).expect_code(0);
        let taken: Value = serde_json::from_str(&taken.stdout).unwrap();
        assert_eq!(taken["verified"], true);
        verify(place, method, &["--restore"]).expect_code(0);
        let copy = TestDb::empty().await;
        copy.psql(FUNCTIONS).await;
        let restore = match method {
            "pg-dump" => {
                "pg_restore --exit-on-error --single-transaction -d $PGDATABASE backup.dump"
            }
            _ => "psql -qf restore.sql && psql -qf attached.sql",
        };
        shell(&place.path(method), restore, &copy).expect_code(0);
        let rows = rows_of("trade");
        assert_eq!(copy.psql(&rows).await, place.db.psql(&rows).await, "{method}");
        let absent = match method {
            "pg-dump" => NOT_SAVED.to_vec(),
            _ => [&NOT_SAVED[..], &NOT_COPIED].concat(),
        };
        let (before, after) = (catalog(&place.db, &absent).await, catalog(&copy, &absent).await);
        assert_eq!(different(&before, &after), [] as [String; 0], "{method}");
    }
}

#[tokio::test]
async fn a_table_by_range_is_restored_with_all_partitions() {
    let place = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    saved_and_restored(&place, "trade").await;
}

#[tokio::test]
async fn a_table_by_hash_is_restored_with_all_partitions() {
    let leaves = "CREATE TABLE trade_0 PARTITION OF trade
            FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE trade_1 PARTITION OF trade FOR VALUES WITH (MODULUS 3, REMAINDER 1);
        CREATE TABLE trade_2 PARTITION OF trade FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        INSERT INTO trade (species_id, record_id, year, appendix, taxon, term)
            SELECT id, 'h' || y, y, 'II', scientific_name, 'skins'
            FROM species, generate_series(2000, 2019) AS y
            WHERE scientific_name = 'Ursus maritimus';";
    let place = whole("HASH (year)", "year", leaves, "trade_2").await;
    saved_and_restored(&place, "trade").await;
}

/// Two levels, a default partition, and names that need quotes; `trade` is in `public`.
const ODD: &str = r#"CREATE SCHEMA "Par.ts";
    CREATE TABLE "Tra""de.x" (id uuid DEFAULT gen_random_uuid(), species_id uuid NOT NULL
            REFERENCES species ON DELETE CASCADE,
        year int CONSTRAINT "Years" CHECK (year > 1974), term text, n int GENERATED ALWAYS AS (year * 2) STORED,
        number serial, own int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id, year, term)) PARTITION BY RANGE (year);
    CREATE TABLE "Par.ts"."P $2024 a""b" PARTITION OF "Tra""de.x" FOR VALUES FROM (2024) TO (2025);
    CREATE TABLE "$2023" PARTITION OF "Tra""de.x" FOR VALUES FROM (2023) TO (2024)
        PARTITION BY LIST (term);
    CREATE TABLE "Skins*" (own int NOT NULL, number int NOT NULL, term text NOT NULL, year int NOT NULL, id uuid NOT NULL,
        n int GENERATED ALWAYS AS (year * 2) STORED, species_id uuid NOT NULL, CONSTRAINT "Years" CHECK (year > 1974));
    ALTER TABLE "$2023" ATTACH PARTITION "Skins*" FOR VALUES IN ('skins', 'it''s');
    CREATE TABLE "rest|of_it" PARTITION OF "$2023" DEFAULT;
    CREATE TABLE "Rest" PARTITION OF "Tra""de.x" DEFAULT;
    CREATE INDEX ON "Tra""de.x" (species_id);
    CREATE INDEX "only ""here" ON "Skins*" (year) WHERE term > 'a';
    INSERT INTO "Tra""de.x" (species_id, year, term)
        SELECT s.id, 2020 + i % 6, (ARRAY['skins', 'it''s', 'live'])[1 + i % 3]
        FROM species AS s, generate_series(1, 50) AS i"#;

/// The definitions of a table, its partitions and their indexes and keys.
fn definitions_of(table: &str) -> String {
    format!(
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
            SELECT concat_ws(' ', relid, parentrelid, pg_get_expr(relpartbound, oid)) AS line
            FROM pg_partition_tree('{table}') JOIN pg_class ON oid = relid
            UNION ALL SELECT concat_ws(' ', indexrelid::regclass, inhparent::regclass,
                pg_get_indexdef(indexrelid), indisvalid)
            FROM pg_partition_tree('{table}') JOIN pg_index ON indrelid = relid
            LEFT JOIN pg_inherits ON inhrelid = indexrelid
            UNION ALL SELECT concat_ws(' ', relid, conname, pg_get_constraintdef(oid), convalidated)
            FROM pg_partition_tree('{table}') JOIN pg_constraint ON conrelid = relid
        ) AS lines"
    )
}

#[tokio::test]
async fn names_that_need_quotes_and_two_levels() {
    let place = Installation::new().await;
    place.db.psql(ODD).await;
    let whole = r#""Tra""de.x""#;
    let parts = [("P $2024 a\"b", r#""Par.ts"."P $2024 a""b""#), ("Skins*", r#""Skins*""#)];
    for (number, method) in ["pg-dump", "copy"].into_iter().enumerate() {
        let restore = match method {
            "pg-dump" => {
                "psql -c 'CREATE SCHEMA \"Par.ts\"' && pg_restore --exit-on-error -d $PGDATABASE backup.dump"
            }
            _ => {
                "psql -c 'CREATE SCHEMA \"Par.ts\"' && psql -qf restore.sql && psql -qf attached.sql"
            }
        };
        let args = ["--method", method, "--table", "Tra\"de.x"];
        backup(&place, method, &args).expect_code(0);
        verify(&place, method, &["--restore"]).expect_code(0);
        let copy = TestDb::empty().await;
        shell(&place.path(method), restore, &copy).expect_code(0);
        for sql in [rows_of(whole), definitions_of(whole)] {
            assert_eq!(copy.psql(&sql).await, place.db.psql(&sql).await, "{method}");
        }
        let numbered = format!(
            "INSERT INTO {whole} (species_id, year, term) SELECT id, 2023, 'skins'
            FROM species LIMIT 1 RETURNING number > 2000, own > 2000"
        );
        assert_eq!(copy.psql(&numbered).await, "t|t", "{method}");
        for (part, quoted) in parts {
            let name = format!("{}{number}", part.len());
            backup(&place, &name, &[&args[..], &["--partition", part]].concat()).expect_code(0);
            verify(&place, &name, &["--restore"]).expect_code(0);
            let copy = TestDb::empty().await;
            shell(&place.path(&name), restore, &copy).expect_code(0);
            for sql in [rows_of(quoted), definitions_of(quoted)] {
                assert_eq!(copy.psql(&sql).await, place.db.psql(&sql).await, "{method}");
            }
            // It is a partition of the same table there, and the only one.
            let count = |table: &str| format!("SELECT count(*) FROM {table}");
            let rows = place.db.psql(&count(quoted)).await;
            assert_eq!(copy.psql(&count(whole)).await, rows, "{method}");
        }
    }
}

#[tokio::test]
async fn a_dropped_partition_is_restored_to_its_place() {
    let place = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    backup(&place, "saved", &["--table", "trade_2020"]).expect_code(0);
    let absent = [&NOT_SAVED[..], &["comment function", "comment type"]].concat();
    let (rows, before) = (rows_of("trade"), catalog(&place.db, &absent).await);
    let before = (place.db.psql(&rows).await, before);
    place.db.psql("DROP TABLE trade_2020 CASCADE").await;
    let line = "pg_restore --list backup.dump | grep -E 'trade_2020|only_here|by_id' >entries
        grep -vE ' ATTACH | TRIGGER ' entries >table-entries
        grep -E ' ATTACH | TRIGGER ' entries >attach-entries
        for entries in table-entries attach-entries; do
            pg_restore -e -1 -L $entries -d $PGDATABASE backup.dump || exit
        done";
    shell(&place.path("saved"), line, &place.db).expect_code(0);
    assert_eq!(place.db.psql(&rows).await, before.0);
    assert_eq!(different(&before.1, &catalog(&place.db, &absent).await), [] as [String; 0]);
}

#[tokio::test]
async fn what_is_above_a_partition_is_saved_and_what_is_beside_it_is_not() {
    let place = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    let taken = backup(&place, "saved", &["--table", "trade_2020"]).expect_code(0);
    let taken: Value = serde_json::from_str(&taken.stdout).unwrap();
    let tables = taken["tables"].as_array().unwrap().iter();
    let names: Vec<_> = tables.map(|table| table["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["trade", "species", "species_trade_summary", "trade_2020"]);
    assert_eq!(
        (&taken["tables"][0]["partitioned"], &taken["tables"][0]["rows"]),
        (&true.into(), &0.into())
    );
    assert_eq!(taken["target"], "\"public\".\"trade_2020\"");
    for (table, code) in [("trade_2020", true), ("trade", false)] {
        let checked = place.db.sterna(&["check", "pre", "--format", "json", "--table", table]);
        let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
        let mut checks = checked["checks"].as_array().unwrap().iter();
        let found = checks.find(|check| check["name"] == "backup").unwrap();
        assert_eq!(found["passed"], code, "{table}: {found}");
    }
}

#[tokio::test]
async fn rows_that_cannot_be_saved_are_refused_before_anything_is_written() {
    let db = TestDb::empty().await;
    db.psql(
        "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER far FOREIGN DATA WRAPPER none;
        CREATE TABLE afar (id int, year int) PARTITION BY RANGE (year);
        CREATE FOREIGN TABLE afar_1 PARTITION OF afar FOR VALUES FROM (1) TO (2) SERVER far;
        CREATE TABLE afar_2 PARTITION OF afar FOR VALUES FROM (2) TO (3);
        CREATE TYPE kind AS ENUM ('a', 'b');
        CREATE TABLE kinds (kind kind) PARTITION BY HASH (kind);
        CREATE TABLE kinds_0 PARTITION OF kinds FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE kinds_1 PARTITION OF kinds FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO kinds VALUES ('a'), ('b'), ('a');
        CREATE TABLE lines (id int, year int) PARTITION BY RANGE (year);
        CREATE TABLE \"1\n\\! touch here\" PARTITION OF lines FOR VALUES FROM (1) TO (2)",
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = db.command(&[&["backup", "--out", "saved"], args].concat());
        Finished::from(command.current_dir(folder.path()).output().unwrap())
    };
    for (args, why) in [
        (["--table", "afar"].as_slice(), "\"afar_1\" is a foreign table"),
        (&["--table", "kinds", "--method", "copy"], "by a hash of an enum"),
        (&["--table", "lines", "--method", "copy"], "has a line end"),
    ] {
        let refused = run(args).expect_code(6);
        assert!(refused.stderr.contains(why), "{refused:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{args:?}");
    }
    for table in ["afar_2", "kinds", "lines"] {
        run(&["--table", table]).expect_code(0);
        std::fs::remove_dir_all(folder.path().join("saved")).unwrap();
    }
    // A row of an enum may be in another partition afterwards.
    run(&["--table", "kinds", "--full"]).expect_code(0);
    let verify =
        db.command(&["backup", "verify", "--restore", "saved"]).current_dir(folder.path()).output();
    Finished::from(verify.unwrap()).expect_code(0);
}
