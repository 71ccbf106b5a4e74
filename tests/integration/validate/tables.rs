//! Tables of several kinds: first loads, loads of one year, synonyms, and installations with
//! other columns.

use serde_json::json;
use sterna::pg::embedded::ModelSchema;

use super::{FILL_PRODUCTION, check, checks, failed, validated};
use crate::cites::{Installation, file_of, good, shipment};

#[tokio::test]
async fn a_first_load_passes_and_says_how_many_rows_it_has() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all"]);
    let report = validated(&here, 0, &["--expect-rows", "30"]);
    assert_eq!(failed(&report), [""; 0]);
    let expected = check(&report, "rows-expected");
    assert_eq!((&expected["expected"], &expected["observed"]), (&json!(30), &json!(30)));
    assert_eq!((&report["rows"], &report["comprehensive"]), (&json!(30), &json!(false)));
    for field in ["name", "severity", "passed", "expected", "observed", "detail"] {
        assert!(checks(&report).iter().all(|check| check.get(field).is_some()), "{field}");
    }
    let report = validated(&here, 4, &["--expect-rows", "31"]);
    assert_eq!(failed(&report), ["rows-expected"]);
    assert_eq!(check(&report, "rows-expected")["detail"], "expected 31, found 30");
    let text = here.db.sterna(&["validate", "--expect-rows", "31"]).expect_code(4);
    assert!(text.stdout.lines().nth(1).unwrap().contains("ERROR"), "{}", text.stdout);
    assert!(text.stderr.contains("rows-expected") && text.stderr.contains("hint:"), "{text:?}");
}

#[tokio::test]
async fn without_staging_there_is_nothing_to_validate() {
    let here = Installation::new().await;
    let refused = here.db.sterna(&["validate"]).expect_code(6);
    assert!(refused.stderr.contains("sterna load"), "{refused:?}");
    here.db.sterna(&["stage", "create"]).expect_code(0);
    let report = validated(&here, 4, &[]);
    assert!(failed(&report).contains(&"load-complete"), "{report:#}");
}

#[tokio::test]
async fn a_load_of_one_year_is_compared_with_that_year() {
    let here = Installation::new().await;
    let record =
        |at: usize| shipment(&[("Id", &at.to_string()), ("Year", &(2010 + at % 10).to_string())]);
    let file = here.file("y.csv", file_of(&(0..100).map(record).collect::<Vec<_>>()));
    here.report(0, &[&file, "--all"]);
    here.db.psql(FILL_PRODUCTION).await;
    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    here.report(0, &[&file, "--year", "2015"]);
    for args in [&["--year", "2015"][..], &[]] {
        let report = validated(&here, 0, args);
        assert_eq!((failed(&report), &report["years"]), (vec![], &json!([2015])));
    }
    let report = validated(&here, 4, &["--all"]);
    assert_eq!(
        failed(&report),
        [
            "quantity-lost.quantity",
            "rows-shrunk",
            "species-year-missing",
            "species-year-shrunk",
            "year-shrunk"
        ]
    );
    assert_eq!(check(&report, "species-year-missing")["observed"], 9);
    let report = validated(&here, 4, &["--year", "2014"]);
    assert_eq!(
        failed(&report),
        [
            "quantity-lost.quantity",
            "species-year-missing",
            "year-asked",
            "year-present",
            "year-shrunk"
        ]
    );
}

#[tokio::test]
async fn synonyms_that_the_load_was_given_are_accepted_without_their_file() {
    let here = Installation::new().await;
    let synonyms =
        here.file("s.csv", "synonym,scientific_name\nThalarctos maritimus,Ursus maritimus\n");
    let file = here.file("a.csv", file_of(&[shipment(&[("Taxon", "Thalarctos maritimus")])]));
    here.report(0, &[&file, "--all", "--synonyms", &synonyms]);
    std::fs::remove_file(&synonyms).unwrap();
    assert_eq!(failed(&validated(&here, 0, &[])), [""; 0]);
    here.db.psql("UPDATE sterna.load_run SET arguments = arguments - 'synonym_names'").await;
    let report = validated(&here, 4, &[]);
    assert_eq!(failed(&report), ["taxon-of-species"]);
}

#[tokio::test]
async fn widening_is_accepted_only_where_it_was_asked_for() {
    let here = Installation::new().await;
    let file = here.file("q.csv", file_of(&[shipment(&[("Quantity", "0.048")])]));
    here.report(0, &[&file, "--all", "--on-inexact", "widen"]);
    assert_eq!(failed(&validated(&here, 0, &[])), [""; 0]);
    here.db.sterna(&["stage", "drop"]).expect_code(0);
    let file = here.file("r.csv", file_of(&good(1)));
    here.report(0, &[&file, "--all"]);
    here.db.psql("ALTER TABLE cites_trade_records_staging ALTER quantity TYPE numeric").await;
    let report = validated(&here, 4, &[]);
    assert!(failed(&report).contains(&"structure"), "{report:#}");
    assert_eq!(check(&report, "structure")["rows"][0]["name"], "quantity");
}

#[tokio::test]
async fn tabulations_are_checked_by_the_columns_that_they_fill() {
    let here = Installation::with_schema(ModelSchema::ReportedQuantities).await;
    let header = "Year,App.,Taxon,Class,Order,Family,Genus,Importer,Exporter,Origin,\
                  Importer reported quantity,Exporter reported quantity,Term,Unit,Purpose,Source";
    let good = "2012,II,Ursus maritimus,Mammalia,Carnivora,Ursidae,Ursus,DE,GL,,1,0,skins,,T,W";
    let file = here.file("c.csv", format!("{header}\n{good}\n{good}\n"));
    here.report(0, &[&file, "--all", "--verify"]);
    let report = validated(&here, 0, &[]);
    assert_eq!(failed(&report), [""; 0], "{report:#}");
    assert!(check(&report, "record-id-present")["skipped"].is_string());
    assert!(check(&report, "quantity-positive")["skipped"].is_string());
    here.db.psql("UPDATE cites_trade_records_staging SET exporter_reported_quantity = -1").await;
    let report = validated(&here, 4, &[]);
    assert!(failed(&report).contains(&"reported-quantity.exporter_reported_quantity"));
}

#[tokio::test]
async fn names_are_looked_up_where_the_load_was_told_to() {
    let here = Installation::new().await;
    here.db
        .psql(
            "CREATE TABLE animals (code uuid PRIMARY KEY DEFAULT gen_random_uuid(), label text NOT NULL);
             INSERT INTO animals (label) VALUES ('Ursus maritimus'), ('Lynx lynx');
             CREATE TABLE trade (
                 id uuid PRIMARY KEY, animal uuid NOT NULL REFERENCES animals,
                 name text NOT NULL, year integer NOT NULL, record_id text
             )",
        )
        .await;
    let mapping = here.file(
        "mapping.toml",
        r#"[[format]]
        name = "own"
        record_id = "No"
        row_id = "id"
        year = "When"
        lookup = { field = "Who", column = "animal", table = "animals", key = "label", value = "code" }
        [format.columns]
        "No" = "record_id"
        "Who" = "name"
        "When" = "year""#,
    );
    let file = here.file("own.csv", "No,Who,When\n1,Ursus maritimus,2020\n2,lynx  LYNX,2021\n");
    here.report(0, &[&file, "--all", "--table", "trade", "--mapping", &mapping]);
    std::fs::remove_file(&mapping).unwrap();
    let report = validated(&here, 0, &["--table", "trade"]);
    assert_eq!(failed(&report), [""; 0], "{report:#}");
    here.db.psql("INSERT INTO trade SELECT * FROM trade_staging").await;
    here.db
        .psql("UPDATE trade_staging SET animal = (SELECT code FROM animals WHERE label = 'Lynx lynx')")
        .await;
    let report = validated(&here, 4, &["--table", "trade"]);
    let failed = failed(&report);
    assert!(failed.contains(&"taxon-of-species") && failed.contains(&"species-year-missing"));
    let (taxon, lost) =
        (check(&report, "taxon-of-species"), check(&report, "species-year-missing"));
    assert_eq!(taxon["rows"][0]["name"], "Ursus maritimus");
    assert_eq!(lost["rows"][0]["species"], "Ursus maritimus");
}

#[tokio::test]
async fn names_that_need_quotes_are_found_in_the_catalog() {
    let here = Installation::new().await;
    here.db
        .psql(
            "CREATE SCHEMA \"Up\"; ALTER TABLE species SET SCHEMA \"Up\";
             ALTER TABLE cites_trade_records SET SCHEMA \"Up\"",
        )
        .await;
    let file = here.file("a.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all", "--schema", "Up"]);
    let report = validated(&here, 0, &["--schema", "Up"]);
    assert_eq!(check(&report, "statistics")["passed"], json!(true), "{report:#}");
}
