//! Values of every column type: what is loaded is what PostgreSQL itself makes of
//! the same text, and what is not loaded is rejected for a documented reason.

use std::collections::HashMap;
use std::collections::HashSet;

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use sterna::pg::Connection;

use crate::cites::{Installation, csv_records};

/// A column type, texts that it must take, a grammar of texts that it may take,
/// and the reasons for which texts may be rejected.
struct Type {
    sql: &'static str,
    taken: &'static [&'static str],
    others: &'static [&'static str],
    grammar: &'static str,
    reasons: &'static [&'static str],
}

const fn of(
    sql: &'static str,
    taken: &'static [&'static str],
    others: &'static [&'static str],
    grammar: &'static str,
    reasons: &'static [&'static str],
) -> Type {
    Type { sql, taken, others, grammar, reasons }
}

const WORDS: &str = "[a-zØé雪 '\"\\\\,\n\t]{1,6}";
const WHOLE: &str = "[-+]?0{0,2}[0-9]{1,20}|[-+ ]{0,2}[0-9a-fx_.]{1,4} ?";
const DECIMAL: &str = "[-+]?[0-9]{0,9}\\.?[0-9]{0,5}([eE][-+]?[0-9]{1,2})?";
const INTEGER_REASONS: &[&str] = &["invalid_integer", "out_of_range"];
const DECIMAL_REASONS: &[&str] =
    &["invalid_number", "numeric_scale", "numeric_precision", "out_of_range"];
const FLOAT_REASONS: &[&str] = &["invalid_number", "numeric_precision", "out_of_range"];
const NO_NUMBERS: &[&str] = &[
    "NaN",
    "Infinity",
    "-inf",
    "1e400",
    "1e-400",
    " 1",
    "1 ",
    "0x1A",
    "1,5",
    "1_000",
    "e5",
    ".",
    "--1",
    "٣",
    "1e999999999999",
    "0e1073741822",
    "0e1073741823",
    "0e-20000",
    "1e-20000",
    "0e999999999999",
];

const TYPES: &[Type] = &[
    of(
        "uuid",
        &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
        &[
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ],
        "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-g]{4}-[0-9a-f]{12}",
        &["invalid_uuid"],
    ),
    of("text", &["a", " a ", "\\N", "NULL", "\r\n", "Ørn 雪", "\u{1}"], &[], WORDS, &[]),
    of("varchar", &["a"], &[], WORDS, &[]),
    of("varchar(3)", &["abc", "雪雪雪", "a  "], &["abcd", "ab  "], WORDS, &["value_too_long"]),
    of("char(4)", &["abcd", "ab", "雪"], &["abcde", "ab   "], WORDS, &["value_too_long"]),
    of("smallint", &["-32768", "32767", "+1", "007"], NO_NUMBERS, "-?[0-9]{4,6}", INTEGER_REASONS),
    of("integer", &["-2147483648", "2147483647"], NO_NUMBERS, WHOLE, INTEGER_REASONS),
    of(
        "bigint",
        &["-9223372036854775808", "9223372036854775807"],
        NO_NUMBERS,
        WHOLE,
        INTEGER_REASONS,
    ),
    of(
        "numeric",
        &["3.3E+8", "1e-400", "0.0480", "-0.0", "00012.5", ".5", "5.", "1e400"],
        NO_NUMBERS,
        DECIMAL,
        &["invalid_number", "out_of_range"],
    ),
    of(
        "numeric(10,2)",
        &["99999999.99", "-0.50", "1E+5", "12.3000"],
        NO_NUMBERS,
        DECIMAL,
        DECIMAL_REASONS,
    ),
    of("numeric(4)", &["9999", "1.0"], NO_NUMBERS, DECIMAL, DECIMAL_REASONS),
    of("numeric(5,-2)", &["1200", "9999900", "0", "1e3"], NO_NUMBERS, DECIMAL, DECIMAL_REASONS),
    of("numeric(2,4)", &["0.0012", "-0.0099"], NO_NUMBERS, DECIMAL, DECIMAL_REASONS),
    of(
        "real",
        &["0.1", "16777216", "1e-45", "3.4028235e38", "-0"],
        NO_NUMBERS,
        DECIMAL,
        FLOAT_REASONS,
    ),
    of(
        "double precision",
        &["0.1", "1e308", "5e-324", "1.7976931348623157e308", "-0.0"],
        NO_NUMBERS,
        DECIMAL,
        FLOAT_REASONS,
    ),
    of(
        "boolean",
        &["t", "false", "TRUE", "yes", "Off", "1", "0"],
        &["tr", "2", " t", "o", "wahr"],
        "[tfynTRUEalsoe]{1,5}",
        &["invalid_boolean"],
    ),
    of(
        "date",
        &["2024-02-29", "0001-01-01", "9999-12-31"],
        &[
            "2023-02-29",
            "1/2/2024",
            "20240229",
            "infinity",
            "today",
            "2024-2-9",
            "0000-01-01",
            "10000-01-01",
        ],
        "[0-9]{4}-[01][0-9]-[0-3][0-9]",
        &["invalid_date", "out_of_range"],
    ),
    of(
        "timestamptz",
        &["2024-12-31T23:59:59Z", "2024-12-31 23:59:59.123456+05:30", "1999-01-01 00:00:00-08"],
        &[
            "2024-12-31",
            "2024-12-31 10:00",
            "now",
            "infinity",
            "2016-12-31T23:59:60Z",
            "2024-12-31T24:00:00Z",
            "2024-12-31T23:59:59.1234567Z",
            "2024-12-31T23:59:59+01[Europe/Paris]",
            "2024-12-31T23:59:59,5Z",
            "-000001-01-01T00:00:00Z",
            "+002024-01-01T00:00:00Z",
            "0000-06-01T00:00:00Z",
            "20241231T235959Z",
            "2024-12-31T23Z",
            "2024-12-31t23:59:59z",
            "2024-12-31T23:59:59+01:00:30",
            "0001-01-01T00:00:00+10",
            "9999-12-31T23:59:59-10",
            "2024-12-31T23:59:59-00:00",
            "2024-12-31T2359Z",
        ],
        "20[0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,7})?(Z|[-+][01][0-9](:?[0-6][0-9])?)",
        &["invalid_timestamp", "out_of_range"],
    ),
];

const MAPPING: &str = "[[format]]\nname = 'values'\n[format.columns]\nn = 'n'\nv = 'v'\n";

fn texts(of: &Type) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let grammar = string_regex(of.grammar).unwrap();
    let generated = (0..300).map(|_| grammar.new_tree(&mut runner).unwrap().current());
    let given = of.taken.iter().chain(of.others).map(|text| (*text).to_owned());
    given.chain(generated).filter(|text| !text.is_empty()).collect()
}

fn file_of_texts(texts: &[String]) -> String {
    let lines = texts
        .iter()
        .enumerate()
        .map(|(n, text)| format!("{n},\"{}\"\n", text.replace('"', "\"\"")));
    format!("n,v\n{}", lines.collect::<String>())
}

/// What the server makes of a text by itself; `None` where it refuses it.
async fn server_texts(client: &Connection, texts: &[String]) -> Vec<Option<String>> {
    let sql =
        "SELECT as_value(text) FROM unnest($1::text[]) WITH ORDINALITY AS t(text, n) ORDER BY n";
    client.query(sql, &[&texts]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Text of each row of staging by number.
async fn staging_texts(client: &Connection) -> HashMap<usize, Option<String>> {
    let rows = client.query("SELECT n, v::text FROM vals_staging", &[]).await.unwrap();
    rows.iter().map(|row| (row.get::<_, i32>(0) as usize, row.get(1))).collect()
}

/// Loads all texts into a column of a type; returns texts, staging and report.
async fn load_all(
    here: &Installation,
    of: &Type,
    policy: &str,
) -> (Vec<String>, HashMap<usize, Option<String>>, Value) {
    let setup = format!(
        "DROP TABLE IF EXISTS vals, vals_staging, probe;
        CREATE TABLE vals (n integer, v {0}); CREATE TABLE probe (v {0});
        CREATE OR REPLACE FUNCTION as_value(input text) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE result text;
        BEGIN
            EXECUTE format('INSERT INTO probe VALUES (%L) RETURNING v::text', input) INTO result;
            RETURN result;
        EXCEPTION WHEN data_exception THEN RETURN NULL;
        END $$",
        of.sql
    );
    here.db.psql(&setup).await;
    let texts = texts(of);
    let file = here.file("values.csv", file_of_texts(&texts));
    let mapping = here.file("mapping.toml", MAPPING);
    let args = [
        &file,
        "--all",
        "--table",
        "vals",
        "--mapping",
        &mapping,
        "--verify",
        "--on-inexact",
        policy,
        "--max-rejects",
        "100%",
        "--rejects",
        "rejects.csv",
    ];
    let report = here.report(0, &args);
    assert_eq!(report["verified"], true, "{}", of.sql);
    let staging = staging_texts(&here.db.connect().await).await;
    (texts, staging, report)
}

#[tokio::test]
async fn values_are_those_that_the_server_reads() {
    let here = Installation::new().await;
    for of in TYPES {
        let (texts, staging, report) = load_all(&here, of, "reject").await;
        let server = server_texts(&here.db.connect().await, &texts).await;
        for (n, text) in texts.iter().enumerate() {
            match staging.get(&n) {
                Some(value) => assert_eq!(*value, server[n], "{} from {text:?}", of.sql),
                None => assert!(!of.taken.contains(&text.as_str()), "{} refuses {text:?}", of.sql),
            }
        }
        for reason in report["reject_reasons"].as_object().unwrap().keys() {
            assert!(of.reasons.contains(&reason.as_str()), "{}: {reason}", of.sql);
        }
        let in_file = if staging.len() == texts.len() {
            0
        } else {
            csv_records(&here.path("rejects.csv")).len() - 1
        };
        assert_eq!(staging.len() + in_file, texts.len(), "{}", of.sql);
    }
}

#[tokio::test]
async fn rounded_values_are_those_that_the_server_rounds() {
    let here = Installation::new().await;
    for of in TYPES.iter().filter(|of| {
        of.sql.starts_with("numeric") || of.sql == "real" || of.sql.starts_with("double")
    }) {
        let (texts, staging, report) = load_all(&here, of, "round").await;
        let server = server_texts(&here.db.connect().await, &texts).await;
        for (n, text) in texts.iter().enumerate() {
            match staging.get(&n) {
                Some(value) => assert_eq!(*value, server[n], "{} from {text:?}", of.sql),
                // What is left: overflow, and what is no number of a column of amounts.
                None => assert!(
                    server[n].is_none() || NO_NUMBERS.contains(&text.as_str()),
                    "{} refuses {text:?}, which the server reads as {:?}",
                    of.sql,
                    server[n]
                ),
            }
        }
        assert!(
            // These two hold every one of the decimals generated.
            ["numeric", "double precision"].contains(&of.sql)
                || report["rows_rounded"].as_u64() > Some(0),
            "{}: {report:#}",
            of.sql
        );
    }
}

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
        ("n integer, v integer, w text NOT NULL", 2, "\"w\" of \"public\".\"vals\" refuses NULL"),
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
        CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9);
        CREATE UNLOGGED TABLE unlogged (n integer, v integer)",
        )
        .await;
    for (table, code) in
        [("vals", 6), ("parts", 6), ("part", 6), ("unlogged", 6), ("missing", 2), ("", 2)]
    {
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
