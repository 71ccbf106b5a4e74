//! Values of every column type, with the server as the oracle: what is loaded equals what
//! PostgreSQL itself makes of the same text, and is reported as rounded if it was; what is
//! rejected is refused by PostgreSQL as well, or is not in the table in `docs/loading.md` of accepted forms.
//!
//! Some thousands of texts per type; `script/oracle` tries more.

mod texts;
mod types;

use serde_json::Value;

use self::texts::Texts;
use self::types::{SCALES_SINCE_15, TYPES, Type};
use crate::cites::{Installation, csv_records};
use crate::server::has;

const MAPPING: &str = "[[format]]\nname = 'values'\n[format.columns]\nn = 'n'\nv = 'v'\n";

/// What the server makes of a text, NULL if it refuses it, and whether it prints a float as the
/// text has it, whatever the number of digits.
///
/// The exact value of a float is its mantissa times a power of two, and a power of two below
/// one is a power of five, shifted by as many decimal places.
const ORACLE: &str = "
    CREATE SCHEMA oracle;
    CREATE TABLE oracle.powers AS
        WITH RECURSIVE power (k, two, five) AS (
            SELECT 0, 1::numeric, 1::numeric
            UNION ALL SELECT k + 1, two * 2, five * 5 FROM power WHERE k < 1100
        ) SELECT * FROM power;
    CREATE INDEX ON oracle.powers (k);
    CREATE FUNCTION oracle.exact(value float8) RETURNS numeric LANGUAGE plpgsql AS $$
    DECLARE
        bits bigint := ('x' || encode(float8send(abs(value)), 'hex'))::bit(64)::bigint;
        exponent integer := greatest(bits >> 52, 1) - 1075;
        mantissa numeric := (bits & (1::bigint << 52) - 1)
            + CASE WHEN bits >> 52 > 0 THEN 1::bigint << 52 ELSE 0 END;
        power oracle.powers;
    BEGIN
        SELECT * INTO power FROM oracle.powers WHERE k = abs(exponent);
        RETURN sign(value)::numeric * mantissa * CASE WHEN exponent >= 0 THEN power.two
            ELSE power.five * ('1e' || exponent)::numeric END;
    END $$;
    -- NULL where it is too small for a numeric.
    CREATE FUNCTION oracle.number(input text) RETURNS numeric LANGUAGE plpgsql AS $$
    DECLARE number numeric;
    BEGIN
        number := input;
        RETURN number;
    EXCEPTION WHEN data_exception THEN RETURN NULL;
    END $$;
    CREATE FUNCTION oracle.is_printed(value float8, shortest text, text numeric) RETURNS boolean
    LANGUAGE sql AS $$
        SELECT shortest::numeric = text OR far < 1 OR far = 1 AND last % 2 = 0
        FROM (
            SELECT abs(oracle.exact(value) - text) * 2 / unit AS far, trunc(text / unit) AS last
            FROM (SELECT ('1e' || CASE
                WHEN text <> trunc(text) THEN -min_scale(text)
                ELSE length(trunc(text)::text) - length(rtrim(trunc(text)::text, '0')) END
            )::numeric AS unit) AS u
        ) AS f
    $$";

/// How many texts per type, and the seed that they are made from.
fn size() -> (usize, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    (
        number("STERNA_ORACLE_TEXTS").unwrap_or(3_000) as usize,
        number("STERNA_ORACLE_SEED").unwrap_or(7),
    )
}

fn file_of_texts(texts: &[String]) -> String {
    let line = |(n, text): (usize, &String)| format!("{n},\"{}\"\n", text.replace('"', "\"\""));
    format!("n,v\n{}", texts.iter().enumerate().map(line).collect::<String>())
}

/// Has the server parse all texts; `oracle.texts` holds the results.
async fn ask(here: &Installation, of: &Type, texts: &[String]) {
    let setup = format!(
        "DROP TABLE IF EXISTS vals, vals_staging, oracle.texts;
        DROP FUNCTION IF EXISTS oracle.read;
        CREATE TABLE vals (n integer, v {0});
        CREATE FUNCTION oracle.read(input text) RETURNS {0} LANGUAGE plpgsql AS $$
        DECLARE v {0};
        BEGIN
            v := input;
            RETURN v;
        EXCEPTION WHEN data_exception THEN RETURN NULL;
        END $$;
        CREATE TABLE oracle.texts (n integer, text text, v {0}, inexact boolean)",
        of.sql
    );
    here.db.psql(&setup).await;
    let session = here.db.connect().await;
    let insert = "INSERT INTO oracle.texts (n, text, v)
        SELECT $2 + n - 1, text, oracle.read(text)
        FROM unnest($1::text[]) WITH ORDINALITY AS t (text, n)";
    for (part, texts) in texts.chunks(5_000).enumerate() {
        session.execute(insert, &[&texts, &((part * 5_000) as i64)]).await.unwrap();
    }
    let judge = format!("UPDATE oracle.texts SET inexact = {} WHERE v IS NOT NULL", of.inexact);
    session.batch_execute(&judge).await.unwrap();
}

/// Loads all texts into a column of a type.
fn load(here: &Installation, of: &Type, texts: &[String], policy: &str) -> Value {
    let file = here.file("values.csv", file_of_texts(texts));
    let mapping = here.file("mapping.toml", MAPPING);
    let base = [&file, "--all", "--table", "vals", "--mapping", &mapping, "--verify"];
    let more = ["--on-inexact", policy, "--max-rejects", "100%", "--rejects", "rejects.csv"];
    let report = here.report(0, &[&base[..], &more].concat());
    assert_eq!(report["verified"], true, "{}", of.sql);
    for reason in report["reject_reasons"].as_object().unwrap().keys() {
        assert!(of.reasons.contains(&reason.as_str()), "{}: {reason}", of.sql);
    }
    report
}

/// The first texts that meet a condition, and how many there are.
async fn wrong(here: &Installation, of: &Type, policy: &str, condition: &str) -> String {
    let sql = format!(
        "SELECT count(*), array_agg(row_to_json(t)::text ORDER BY n) FILTER (WHERE at <= 5) FROM (
            SELECT o.n, o.text, o.v::text AS server, s.v::text AS stored, inexact, row_number() OVER () AS at
            FROM oracle.texts AS o LEFT JOIN vals_staging AS s USING (n)
            WHERE {}
        ) AS t HAVING count(*) > 0",
        condition
            .replace("{form}", &format!("o.text ~ '{}'", of.form))
            .replace("{policy}", &format!("'{policy}'"))
    );
    here.db.psql(&sql).await
}

#[tokio::test]
async fn values_are_those_that_the_server_reads_and_no_others_are_refused() {
    let here = Installation::new().await;
    here.db.psql(ORACLE).await;
    let (count, seed) = size();
    let every_scale = has(15, "every scale of numeric");
    for of in TYPES.iter().filter(|of| every_scale || !SCALES_SINCE_15.contains(&of.sql)) {
        let texts = Texts::of(of, seed).all(of, count);
        ask(&here, of, &texts).await;
        for policy in ["reject", "round"] {
            let report = load(&here, of, &texts, policy);
            let all = report["rows_read"].as_u64().unwrap();
            assert_eq!(all, texts.len() as u64);
            for (what, condition) in [
                ("stored, though the server refuses it", "s.n IS NOT NULL AND o.v IS NULL"),
                (
                    "stored as another value",
                    "s.n IS NOT NULL AND (o.v::text, pg_column_size(o.v))
                        IS DISTINCT FROM (s.v::text, pg_column_size(s.v))",
                ),
                ("of a form that docs/loading.md lacks", "s.n IS NOT NULL AND NOT {form}"),
                (
                    "refused, though docs/loading.md has its form",
                    "s.n IS NULL AND o.v IS NOT NULL AND {form}
                        AND NOT (o.inexact AND {policy} = 'reject')",
                ),
                ("altered", "s.n IS NOT NULL AND o.inexact AND {policy} = 'reject'"),
            ] {
                let found = wrong(&here, of, policy, condition).await;
                assert_eq!(found, "", "{} ({policy}): {what}", of.sql);
            }
            let rounded = "SELECT count(*) FROM oracle.texts AS o
                INNER JOIN vals_staging AS s USING (n) WHERE o.inexact";
            let rounded = here.db.psql(rounded).await;
            assert_eq!(report["rows_rounded"].to_string(), rounded, "{} ({policy})", of.sql);
            let taken = format!("SELECT count(*) FROM vals_staging WHERE n < {}", of.taken.len());
            assert_eq!(here.db.psql(&taken).await, of.taken.len().to_string(), "{}", of.sql);
            let rejected = report["rows_rejected"].as_u64().unwrap() as usize;
            if rejected > 0 {
                let records = csv_records(&here.path("rejects.csv"));
                assert_eq!(records.len() - 1, rejected, "{}", of.sql);
            }
            here.db.psql("DROP TABLE vals_staging").await;
        }
    }
}
