//! `--comprehensive`: the live table and its surroundings.

use sterna::pg::embedded::ModelSchema;

use super::{check, checks, failed, validated};
use crate::cites::{Installation, file_of, good, shipment};

/// The warnings about the records.
const WARNED: [&str; 2] = ["blank-at-end.term", "listed-code.term"];

/// Records whose summary has lists of more than one entry, and codes that are empty.
fn records() -> Vec<String> {
    let record = |at: usize| {
        let (id, year) = (at.to_string(), (2018 + at % 3).to_string());
        let term = if at.is_multiple_of(4) { "skulls" } else { "skins " };
        let importer = if at.is_multiple_of(5) { "" } else { "DE" };
        shipment(&[
            ("Id", &id),
            ("Year", &year),
            ("Term", term),
            ("Quantity", "1.5"),
            ("Importer", importer),
            ("Exporter", "GL"),
            ("Source", "W"),
        ])
    };
    (0..30).map(record).collect()
}

/// A table that went live by an exchange of names, with a matching summary.
async fn live() -> Installation {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&records()));
    here.report(0, &[&file, "--all"]);
    here.db
        .psql(
            "ALTER TABLE cites_trade_records RENAME TO cites_trade_records_old;
             ALTER TABLE cites_trade_records_staging RENAME TO cites_trade_records",
        )
        .await;
    here.db.sterna(&["summary"]).expect_code(0);
    here
}

#[tokio::test]
async fn the_live_table_passes_and_its_surroundings_are_asked() {
    let here = live().await;
    let report = validated(&here, 0, &["--comprehensive", "--expect-rows", "30"]);
    assert_eq!(failed(&report), WARNED, "{report:#}");
    assert_eq!(report["comprehensive"], true);
    for name in ["species-year-missing", "catalog-parity"] {
        assert!(check(&report, name)["skipped"].is_string(), "{name}");
    }
    let asked = ["records", "quantity", "years", "lists", "distinct"];
    for name in
        asked.map(|name| format!("summary-{name}")).iter().chain(&["dependents-answer".into()])
    {
        assert!(check(&report, name)["skipped"].is_null(), "{name}");
    }
    // Writes by the application are not errors.
    here.db.psql("UPDATE cites_trade_records SET unit = 'kg' WHERE record_id = '3'").await;
    let report = validated(&here, 0, &["--comprehensive"]);
    assert_eq!(failed(&report), [WARNED[0], WARNED[1], "rows-as-loaded", "rows-lost"]);
    assert!(checks(&report).len() > 30);
}

#[tokio::test]
async fn a_summary_that_is_not_of_the_records_is_named() {
    let here = live().await;
    here.db.psql("CREATE TABLE public.kept AS TABLE species_trade_summary").await;
    for (sql, concerned, shown) in [
        (
            "UPDATE species_trade_summary SET total_trade_records = 29
             WHERE total_trade_records > 0",
            &["summary-records"][..],
            r#""expected":30,"observed":29"#,
        ),
        (
            "UPDATE species_trade_summary SET overall_total_quantity = 1
             WHERE total_trade_records > 0",
            &["summary-quantity"],
            r#""observed":1"#,
        ),
        (
            "UPDATE species_trade_summary SET overall_min_year = 2017
             WHERE overall_min_year IS NOT NULL",
            &["summary-records"],
            r#""first_year":2018,"overall_min_year":2017"#,
        ),
        (
            "DELETE FROM species_trade_summary WHERE total_trade_records > 0",
            &[
                "summary-records",
                "summary-quantity",
                "summary-years",
                "summary-lists",
                "summary-distinct",
            ],
            r#""expected":30,"observed":null"#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries =
                 jsonb_set(annual_summaries, '{0,total_records_for_year}', '11')
             WHERE total_trade_records > 0",
            &["summary-years"],
            r#""expected":10,"observed":11"#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries =
                 jsonb_set(annual_summaries, '{0,total_quantity_for_year}', '15.01')
             WHERE total_trade_records > 0",
            &["summary-years"],
            r#""observed_quantity":15.01"#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries = annual_summaries || annual_summaries
             WHERE total_trade_records > 0",
            &["summary-years", "summary-lists"],
            r#""year":2018"#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries = '{}'
             WHERE total_trade_records > 0",
            &["summary-years", "summary-lists"],
            "answer",
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries =
                 jsonb_set(annual_summaries, '{1,terms_summary,0,term}', '\"bodies\"')
             WHERE total_trade_records > 0",
            &["summary-lists"],
            r#""list":"terms","code":"bodies""#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries =
                 jsonb_set(annual_summaries, '{1,importers_summary,0,records}', '9')
             WHERE total_trade_records > 0",
            &["summary-lists"],
            r#""list":"importers","code":"DE""#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries =
                 jsonb_set(annual_summaries, '{2,sources_summary,0,quantity}', '0')
             WHERE total_trade_records > 0",
            &["summary-lists"],
            r#""list":"sources","code":"W""#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries = annual_summaries #- '{0,purposes_summary}'
             WHERE total_trade_records > 0",
            &["summary-lists"],
            r#""list":"purposes","code":"unknown""#,
        ),
        (
            "UPDATE species_trade_summary SET distinct_exporters = '[]'",
            &["summary-distinct"],
            r#""list":"exporters","code":"GL","expected":1,"observed":0"#,
        ),
        (
            "UPDATE species_trade_summary SET distinct_years = distinct_years || '2031'
             WHERE total_trade_records > 0",
            &["summary-distinct"],
            r#""list":"years","code":"2031""#,
        ),
    ] {
        here.db.psql(sql).await;
        fails(&here, sql, concerned, shown);
        here.db
            .psql(
                "DELETE FROM species_trade_summary;
                 INSERT INTO species_trade_summary TABLE public.kept",
            )
            .await;
    }
}

#[tokio::test]
async fn what_does_not_fit_the_live_table_is_named() {
    let here = live().await;
    for (sql, undo, concerned, shown) in [
        (
            "SET check_function_bodies = off;
             CREATE FUNCTION public.unasked() RETURNS void LANGUAGE sql AS
             $$ DELETE FROM public.cites_trade_records WHERE gone $$",
            "DROP FUNCTION public.unasked",
            &["dependents-answer"][..],
            "gone",
        ),
        (
            "CREATE SEQUENCE public.behind;
             ALTER TABLE cites_trade_records ALTER year SET DEFAULT nextval('public.behind')",
            "DROP SEQUENCE public.behind CASCADE",
            &["sequence-ahead.year"],
            r#""observed":2020"#,
        ),
    ] {
        here.db.psql(sql).await;
        fails(&here, sql, concerned, shown);
        here.db.psql(undo).await;
    }
}

/// A validation after `sql` fails these checks and no others, and the first of them shows what is
/// wrong.
#[track_caller]
fn fails(here: &Installation, sql: &str, concerned: &[&str], shown: &str) {
    let report = validated(here, 4, &["--comprehensive"]);
    let mut expected = [&WARNED[..], concerned].concat();
    expected.sort_unstable();
    assert_eq!(failed(&report), expected, "{sql}\n{report:#}");
    let rows = check(&report, concerned[0])["rows"].to_string();
    assert!(rows.contains(shown), "{rows}");
}

#[tokio::test]
async fn functions_are_asked_as_the_application_asks_them() {
    let here = live().await;
    here.db
        .psql(
            "SET search_path = public;
             CREATE FUNCTION records() RETURNS bigint LANGUAGE sql STABLE AS
             $$ SELECT count(*) FROM cites_trade_records $$;
             CREATE FUNCTION forget() RETURNS void LANGUAGE sql AS
             $$ DELETE FROM cites_trade_records $$;
             CREATE FUNCTION any_of(VARIADIC ids uuid[]) RETURNS SETOF record LANGUAGE sql STABLE
             SET search_path = 'public' AS
             $$ SELECT id, year FROM cites_trade_records WHERE id = ANY (ids) $$",
        )
        .await;
    assert_eq!(failed(&validated(&here, 0, &["--comprehensive"])), WARNED);
    let count = "SELECT count(*) FROM public.cites_trade_records";
    let rows: i64 = here.db.connect().await.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!(rows, 30);
}

#[tokio::test]
async fn what_both_sides_reported_is_summarised_and_held_against_the_summary() {
    let here = Installation::with_schema(ModelSchema::ReportedQuantities).await;
    let header = "Year,App.,Taxon,Class,Order,Family,Genus,Importer,Exporter,Origin,\
                  Importer reported quantity,Exporter reported quantity,Term,Unit,Purpose,Source";
    let record = "2012,II,Ursus maritimus,Mammalia,Carnivora,Ursidae,Ursus,DE,GL,,,3,skins,,T,W";
    let file = here.file("c.csv", format!("{header}\n{record}\n{record}\n"));
    here.report(0, &[&file, "--all"]);
    here.db.sterna(&["validate"]).expect_code(0);
    here.db.sterna(&["switchover"]).expect_code(0);
    here.db.sterna(&["summary"]).expect_code(0);
    assert_eq!(failed(&validated(&here, 0, &["--comprehensive"])), [""; 0]);
    here.db.psql("UPDATE species_trade_summary SET overall_total_quantity = 0").await;
    let report = validated(&here, 4, &["--comprehensive"]);
    assert_eq!(failed(&report), ["summary-quantity"], "{report:#}");
}

#[tokio::test]
async fn grants_and_policies_have_to_be_as_before_the_switchover() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all"]);
    here.db.sterna(&["validate"]).expect_code(0);
    here.db.sterna(&["switchover"]).expect_code(0);
    here.db.sterna(&["summary"]).expect_code(0);
    let report = validated(&here, 0, &["--comprehensive"]);
    assert_eq!(failed(&report), [""; 0], "{report:#}");
    assert!(check(&report, "catalog-parity")["skipped"].is_null());
    for (sql, undo, shown) in [
        (
            "REVOKE SELECT ON cites_trade_records FROM anon",
            "GRANT SELECT ON cites_trade_records TO anon",
            "privilege",
        ),
        (
            "CREATE POLICY open ON cites_trade_records FOR SELECT USING (true)",
            "DROP POLICY open ON cites_trade_records",
            "policy",
        ),
        (
            "DROP INDEX idx_cites_trade_year",
            "CREATE INDEX idx_cites_trade_year ON cites_trade_records (year)",
            "idx_cites_trade_year",
        ),
    ] {
        here.db.psql(sql).await;
        let report = validated(&here, 4, &["--comprehensive"]);
        assert_eq!(failed(&report), ["catalog-parity"], "{sql}\n{report:#}");
        let rows = check(&report, "catalog-parity")["rows"].to_string();
        assert!(rows.contains(shown), "{rows}");
        here.db.psql(undo).await;
    }
    assert_eq!(failed(&validated(&here, 0, &["--comprehensive"])), [""; 0]);
}
