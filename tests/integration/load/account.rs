//! Every record read is loaded, rejected, unmapped or filtered: which of these, by policy, and
//! what the report says about it.

use serde_json::{Value, json};

use crate::cites::{Installation, file_of, generated, good, header, plain_decimal};
use crate::cites::{Row, rows_of, shipment};

/// The columns of [`Row`] that tests look at.
const RECORD_ID: usize = 1;
const QUANTITY: usize = 10;

#[track_caller]
fn counts(report: &Value) -> [u64; 5] {
    ["rows_read", "rows_loaded", "rows_rejected", "rows_unmapped", "rows_filtered"]
        .map(|name| report[name].as_u64().unwrap())
}

/// Ten records, four of which do not fit `numeric(10,2)`.
fn quantities() -> Vec<(&'static str, Option<&'static str>)> {
    vec![
        ("150", Some("150")),
        ("0.5", Some("0.5")),
        ("12.3400", Some("12.34")),
        ("1E+5", Some("100000")),
        ("", None),
        ("-7.25", Some("-7.25")),
        ("0.048", Some("0.05")),
        ("2.345", Some("2.35")),
        ("-0.005", Some("-0.01")),
        ("3.3E+8", None),
    ]
}

fn quantity_file() -> String {
    let records = quantities()
        .into_iter()
        .enumerate()
        .map(|(at, (quantity, _))| shipment(&[("Id", &at.to_string()), ("Quantity", quantity)]));
    file_of(&records.collect::<Vec<_>>())
}

fn loaded_quantities(rows: &[Row]) -> Vec<(String, Option<String>)> {
    let pair = |row: &Row| (row[RECORD_ID].clone().unwrap(), row[QUANTITY].clone());
    rows.iter().map(pair).collect()
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_rejected_unless_asked_otherwise() {
    let here = Installation::new().await;
    let file = here.file("q.csv", quantity_file());
    let report = here.report(3, &[&file, "--all", "--verify"]);
    assert_eq!(counts(&report), [10, 6, 4, 0, 0]);
    assert_eq!(report["reject_reasons"], json!({"numeric_precision": 1, "numeric_scale": 3}));
    assert_eq!((&report["state"], &report["verified"]), (&json!("rejected"), &json!(true)));
    let expected: Vec<_> = quantities()
        .into_iter()
        .enumerate()
        .take(6)
        .map(|(at, (text, _))| (at.to_string(), (!text.is_empty()).then(|| plain_decimal(text))))
        .collect();
    assert_eq!(loaded_quantities(&here.staging().await), expected);
}

#[tokio::test]
async fn rounding_is_postgresqls_own() {
    let here = Installation::new().await;
    let file = here.file("q.csv", quantity_file());
    let report = here.report(3, &[&file, "--all", "--on-inexact", "round"]);
    assert_eq!(counts(&report), [10, 9, 1, 0, 0]);
    assert_eq!(report["rows_rounded"], 3);
    for (at, quantity) in loaded_quantities(&here.staging().await) {
        let (text, rounded) = quantities()[at.parse::<usize>().unwrap()];
        assert_eq!(quantity.as_deref(), rounded, "{text}");
        if let Some(quantity) = quantity {
            let server = here.db.psql(&format!("SELECT '{text}'::numeric(10,2)")).await;
            assert_eq!(quantity, plain_decimal(&server), "{text}");
        }
    }
}

#[tokio::test]
async fn widening_keeps_every_digit() {
    let here = Installation::new().await;
    let text = generated(4_000, 5);
    let file = here.file("g.csv", &text);
    let args = [&file, "--all", "--on-inexact", "widen", "--verify", "--batch-size", "700"];
    let report = here.report(0, &args);
    assert_eq!(counts(&report), [4_000, 4_000, 0, 0, 0]);
    assert_eq!((&report["verified"], &report["batches"]), (&json!(true), &json!(6)));
    assert_eq!(here.staging().await, rows_of(&text));
    let kind = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = 'cites_trade_records_staging'::regclass AND attname = 'quantity'";
    assert_eq!(here.db.psql(kind).await, "numeric");
}

#[tokio::test]
async fn a_limit_on_rejects_is_a_number_or_a_share() {
    for (limit, code) in [("4", 0), ("3", 3), ("40%", 0), ("39.9%", 3), ("100%", 0)] {
        let here = Installation::new().await;
        let file = here.file("q.csv", quantity_file());
        let report = here.report(code, &[&file, "--all", "--max-rejects", limit]);
        assert_eq!(report["state"], if code == 0 { "loaded" } else { "rejected" }, "{limit}");
        if code == 3 {
            let again = here.report(0, &[&file, "--all", "--max-rejects", "4", "--resume"]);
            assert_eq!(again["run_id"], report["run_id"]);
            assert_eq!((&again["state"], &again["resumed"]), (&json!("loaded"), &json!(true)));
            assert_eq!(again["rejects_file"], report["rejects_file"]);
        }
        let keys = "SELECT count(*) FROM pg_constraint
            WHERE conrelid = 'cites_trade_records_staging'::regclass AND contype = 'p'";
        assert_eq!(here.db.psql(keys).await, "1");
    }
}

#[tokio::test]
async fn years_are_selected_by_lists_and_ranges() {
    let here = Installation::new().await;
    let years = ["1999", "2000", "2001", "2002", "2010", "x", "2011.5", "99999999999"];
    let records = years
        .iter()
        .enumerate()
        .map(|(at, year)| shipment(&[("Id", &at.to_string()), ("Year", year)]));
    let file = here.file("y.csv", file_of(&records.collect::<Vec<_>>()));
    for (selected, loaded) in [
        (&["--year", "2000"][..], &["1"][..]),
        (&["--year", "2000-2001,2010"], &["1", "2", "4"]),
        (&["--year", "1999", "--year", "2002"], &["0", "3"]),
        (&["--year", "1800-1900"], &[]),
    ] {
        let mut args = vec![file.as_str(), "--max-rejects", "3"];
        args.extend(selected);
        let report = here.report(0, &args);
        let filtered = 5 - loaded.len() as u64;
        assert_eq!(counts(&report), [8, loaded.len() as u64, 3, 0, filtered], "{selected:?}");
        let reasons = json!({"invalid_integer": 2, "out_of_range": 1});
        assert_eq!(report["reject_reasons"], reasons);
        let ids: Vec<_> = here.staging().await.into_iter().map(|r| r[RECORD_ID].clone()).collect();
        assert_eq!(ids.into_iter().flatten().collect::<Vec<_>>(), loaded, "{selected:?}");
        assert_eq!(here.db.sterna(&["stage", "truncate"]).code, Some(0));
    }
    for wrong in [&["--year", "2020-2015"][..], &["--year", "x"], &["--all", "--year", "2020"], &[]]
    {
        let mut args = vec![file.as_str()];
        args.extend(wrong);
        here.load(&args).expect_code(2);
    }
}

#[tokio::test]
async fn taxa_without_a_species_are_skipped_rejected_or_fail_the_load() {
    let here = Installation::new().await;
    let mut records = good(2);
    for at in 0..60 {
        // The higher the number, the more often it occurs.
        let name = format!("Genus species{at:02}");
        let record = |copy| shipment(&[("Id", &format!("{at}-{copy}")), ("Taxon", &name)]);
        records.extend((0..=at).map(record));
    }
    let unmapped: u64 = (1..=60).sum();
    let file = here.file("t.csv", file_of(&records));
    let report = here.report(0, &[&file, "--all"]);
    assert_eq!(counts(&report), [unmapped + 2, 2, 0, unmapped, 0]);
    let named = report["unmapped_taxa"].as_array().unwrap();
    let expected =
        (10..60).rev().map(|at| json!({"taxon": format!("Genus species{at:02}"), "rows": at + 1}));
    assert_eq!(named, &expected.collect::<Vec<_>>());

    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    let report = here.report(3, &[&file, "--all", "--on-unmapped", "reject"]);
    assert_eq!(counts(&report), [unmapped + 2, 2, unmapped, 0, 0]);
    assert_eq!(report["reject_reasons"], json!({"unmapped_taxon": unmapped}));

    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    let failed = here.load(&[&file, "--all", "--on-unmapped", "fail"]).expect_code(3);
    assert!(
        failed.stderr.contains(&format!("{file}: line 4: the taxon \"Genus species00\"")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn synonyms_map_names_and_a_bad_file_of_them_is_refused() {
    let here = Installation::new().await;
    let names = ["Thalarctos maritimus", "THALARCTOS  maritimus", "Thalarctos polaris"];
    let records = names
        .iter()
        .enumerate()
        .map(|(at, name)| shipment(&[("Id", &at.to_string()), ("Taxon", name)]));
    let file = here.file("s.csv", file_of(&records.collect::<Vec<_>>()));
    let good = "synonym,scientific_name\nThalarctos maritimus,Ursus maritimus\n";
    let synonyms = here.file("good.csv", good);
    let report = here.report(0, &[&file, "--all", "--synonyms", &synonyms]);
    assert_eq!(counts(&report), [3, 2, 0, 1, 0]);
    for row in here.staging().await {
        assert_eq!(row[0].as_deref(), Some("Ursus maritimus"));
    }
    // The rows depend on the synonyms: a resumed load needs the same ones.
    let refused = here.load(&[&file, "--all", "--resume"]).expect_code(6);
    assert!(refused.stderr.contains("synonyms"), "{refused:?}");

    here.db.sterna(&["stage", "drop"]).expect_code(0);
    for (text, why) in [
        ("", "header"),
        ("a,b\nx,y\n", "line 1: the header has to be synonym,scientific_name"),
        ("synonym,scientific_name\nx,Nemo nemo\n", "line 2: \"Nemo nemo\" is not the name"),
        (
            "synonym,scientific_name\nFalco rusticolus,Ursus maritimus\n",
            "line 2: \"Falco rusticolus\" is itself",
        ),
        (
            "synonym,scientific_name\nx,Ursus maritimus\nx,Falco rusticolus\n",
            "line 3: \"x\" stands for two",
        ),
        ("synonym,scientific_name\nx,Ursus maritimus,y\n", "line 2: 3 fields"),
        ("synonym,scientific_name\n,Ursus maritimus\n", "line 2"),
    ] {
        let synonyms = here.file("bad.csv", text);
        let refused = here.load(&[&file, "--all", "--synonyms", &synonyms]).expect_code(2);
        assert!(
            refused.stderr.contains("bad.csv") && refused.stderr.contains(why),
            "{text:?}: {refused:?}"
        );
    }
    let missing = here.load(&[&file, "--all", "--synonyms", "missing.csv"]).expect_code(1);
    assert!(missing.stderr.contains("missing.csv"), "{missing:?}");
    assert_eq!(here.db.psql("SELECT to_regclass('cites_trade_records_staging')").await, "");
}

#[tokio::test]
async fn the_report_has_every_field_of_the_contract() {
    let here = Installation::new().await;
    let first = here.file("a.csv", file_of(&good(3)));
    let second = here.file("b.csv", header() + "\n");
    let report = here.report(0, &[&first, &second, "--all"]);
    let numbers = [
        "rows_read",
        "rows_loaded",
        "rows_rejected",
        "rows_unmapped",
        "rows_filtered",
        "rows_rounded",
        "bytes_read",
        "batches",
        "peak_memory_bytes",
    ];
    for name in numbers {
        assert!(report[name].is_u64(), "{name}: {report:#}");
    }
    for name in ["seconds", "load_seconds", "index_seconds", "verify_seconds", "rows_per_second"] {
        assert!(report[name].is_f64(), "{name}: {report:#}");
    }
    assert_eq!(report["run_id"].as_str().unwrap().len(), 36);
    let checksum = report["checksum"].as_str().unwrap();
    assert!(checksum.len() == 16 && checksum.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(report["rejects_file"].is_null() && report["verified"].is_null(), "{report:#}");
    assert_eq!(report["unmapped_taxa"], json!([]));
    assert_eq!(report["reject_reasons"], json!({}));
    let sizes: u64 = [&first, &second].iter().map(|f| std::fs::metadata(f).unwrap().len()).sum();
    assert_eq!(report["bytes_read"], sizes);
    let files: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), counts(file)))
        .collect();
    assert_eq!(files, [(first.as_str(), [3, 3, 0, 0, 0]), (second.as_str(), [0; 5])]);
    let verified = here.report(0, &[&first, &second, "--all", "--resume", "--verify"]);
    assert_eq!((&verified["verified"], &verified["checksum"]), (&json!(true), &report["checksum"]));
}
