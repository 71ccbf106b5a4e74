//! Columns that files cannot fill, and those that they do not fill.

use std::collections::HashSet;

use crate::cites::Installation;

const MAPPING: &str = "[[format]]\nname = 'values'\n[format.columns]\nn = 'n'\nv = 'v'\n";

#[tokio::test]
async fn columns_that_cannot_be_filled_are_refused_before_anything_is_written() {
    let here = Installation::new().await;
    let file = here.file("values.csv", "n,v\n1,2\n");
    let mapping = here.file("mapping.toml", MAPPING);
    for (columns, code, why) in [
        ("n integer, v jsonb", 2, "\"v\" of \"public\".\"vals\" is of type jsonb"),
        ("n integer, v interval", 2, "\"v\" of \"public\".\"vals\" is of type interval"),
        ("n integer, v text[]", 2, "is of type text[]"),
        ("n integer, v timestamp", 2, "is of type timestamp without time zone"),
        ("n integer, v integer, w text NOT NULL", 2, "\"w\" of \"public\".\"vals\" is NOT NULL"),
        (
            "n integer, v integer GENERATED ALWAYS AS (n * 2) STORED",
            2,
            "\"v\" of \"public\".\"vals\" is computed",
        ),
        (
            "n integer GENERATED ALWAYS AS IDENTITY, v integer",
            2,
            "\"n\" of \"public\".\"vals\" is computed",
        ),
        ("n integer", 2, "has no column \"v\""),
    ] {
        here.db.psql(&format!("DROP TABLE IF EXISTS vals; CREATE TABLE vals ({columns})")).await;
        let refused = here
            .load(&[&file, "--all", "--table", "vals", "--mapping", &mapping])
            .expect_code(code);
        assert!(refused.stderr.contains(why), "{columns}: {refused:?}");
        assert_eq!(here.db.psql("SELECT to_regclass('vals_staging')").await, "", "{columns}");
    }
    here.db
        .psql(
            "DROP TABLE vals; CREATE VIEW vals AS SELECT 1 AS n, 2 AS v;
        CREATE TABLE parts (n integer, v integer) PARTITION BY RANGE (n);
        CREATE UNLOGGED TABLE unlogged (n integer, v integer)",
        )
        .await;
    for (table, code) in [("vals", 6), ("parts", 6), ("unlogged", 6), ("missing", 2), ("", 2)] {
        let refused =
            here.load(&[&file, "--all", "--table", table, "--mapping", &mapping]).expect_code(code);
        assert!(
            refused.stderr.contains(table) && !refused.stderr.contains("panicked"),
            "{refused:?}"
        );
    }
    let tables = "SELECT string_agg(relname, ' ') FROM pg_class WHERE relname LIKE '%\\_staging' AND relkind = 'r'";
    assert_eq!(here.db.psql(tables).await, "");
}

#[tokio::test]
async fn columns_that_no_field_fills_get_their_default() {
    let here = Installation::new().await;
    here.db.psql(
        "CREATE TABLE vals (n integer, made timestamptz NOT NULL DEFAULT '2001-02-03Z', \"odd \"\" name\" jsonb,
            twice integer GENERATED ALWAYS AS (n * 2) STORED, v text, gone text,
            number bigint GENERATED ALWAYS AS IDENTITY);
        ALTER TABLE vals DROP COLUMN gone",
    ).await;
    let file = here.file("values.csv", "v,n,ignored\nx,21,a\n,,\n");
    let mapping = here.file("mapping.toml", MAPPING);
    let report =
        here.report(0, &[&file, "--all", "--table", "vals", "--mapping", &mapping, "--verify"]);
    assert_eq!(report["verified"], true);
    let rows = here.db.psql("SELECT n, made, twice, v, number FROM vals_staging ORDER BY n").await;
    let rows: HashSet<&str> = rows.lines().collect();
    assert_eq!(
        rows,
        HashSet::from(["21|2001-02-03 00:00:00+00|42|x|1", "|2001-02-03 00:00:00+00|||2"])
    );
}
