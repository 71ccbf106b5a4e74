//! Rows that only the server can refuse: they are rejected with its message, and their neighbours
//! are loaded.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::cites::{Installation, csv_records, file_of, good, shipment};

use super::process::{finished, go_on, pause, signal};

/// Columns of the reject file.
const ID: usize = 0;
const REASON: usize = 24;
const MESSAGE: usize = 26;

const CHECKED: &str = "ALTER TABLE cites_trade_records ADD CONSTRAINT year_ok CHECK (year < 2100)";

/// `count` records; those for which `is_bad` holds have this bad field.
fn records(count: usize, is_bad: impl Fn(usize) -> bool, bad: (&str, &str)) -> String {
    let record = |at: usize| {
        let id = at.to_string();
        let change = if is_bad(at) { bad } else { ("Unit", "kg") };
        shipment(&[("Id", &id), change])
    };
    file_of(&(0..count).map(record).collect::<Vec<_>>())
}

/// Ids of staging's rows, in order.
async fn loaded(here: &Installation) -> Vec<usize> {
    let rows = here.staging().await;
    let mut ids: Vec<usize> =
        rows.iter().map(|r| r[1].as_ref().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// Ids and messages of the reject file, in order.
fn rejected(here: &Installation) -> Vec<(usize, String)> {
    let records = csv_records(&here.path("rejects.csv"));
    assert!(records[1..].iter().all(|record| record[REASON] == "constraint"));
    let pair = |record: &Vec<String>| (record[ID].parse().unwrap(), record[MESSAGE].clone());
    let mut rejected: Vec<_> = records[1..].iter().map(pair).collect();
    rejected.sort();
    rejected
}

fn load(here: &Installation, file: &str, more: &[&str]) -> Value {
    let base = [file, "--all", "--max-rejects", "100%", "--rejects", "rejects.csv", "--verify"];
    let report = here.report(0, &[&base[..], more].concat());
    assert_eq!(report["verified"], true);
    report
}

#[tokio::test]
async fn one_bad_row_or_many_leave_their_neighbours() {
    let here = Installation::new().await;
    here.db.psql(CHECKED).await;
    let cases: [(usize, &dyn Fn(usize) -> bool); 6] = [
        (1_000, &|at| at == 0),
        (1_000, &|at| at == 999),
        (1_000, &|at| at.is_multiple_of(3)),
        (1_000, &|at| (200..420).contains(&at)),
        (300, &|_| true),
        (1, &|_| true),
    ];
    for (count, is_bad) in cases {
        let file = here.file("in.csv", records(count, is_bad, ("Year", "2500")));
        let report = load(&here, &file, &["--batch-size", "250"]);
        let bad: Vec<usize> = (0..count).filter(|at| is_bad(*at)).collect();
        assert_eq!(report["reject_reasons"], json!({"constraint": bad.len()}));
        assert_eq!(loaded(&here).await, (0..count).filter(|at| !is_bad(*at)).collect::<Vec<_>>());
        let rejected = rejected(&here);
        assert_eq!(rejected.iter().map(|(id, _)| *id).collect::<Vec<_>>(), bad);
        for (_, message) in &rejected {
            assert!(message.contains("violates check constraint \"year_ok\""), "{message}");
        }
        let again = load(&here, &file, &["--batch-size", "250", "--resume"]);
        assert_eq!(again["files"], report["files"]);
        here.db.sterna(&["stage", "truncate"]).expect_code(0);
    }
}

#[tokio::test]
async fn a_killed_load_with_refused_rows_comes_to_the_same_account() {
    let here = Installation::new().await;
    here.db.psql(CHECKED).await;
    let file = here.file("in.csv", records(20_000, |at| at % 500 == 7, ("Year", "2500")));
    let options = ["--batch-size", "100", "--resume"];
    let whole = load(&here, &file, &options);
    let refused = rejected(&here);
    here.db.sterna(&["stage", "drop"]).expect_code(0);
    here.db.psql("DROP SCHEMA sterna CASCADE").await;

    let mut args: Vec<String> = vec![file.clone(), "--all".into()];
    args.extend(options.map(str::to_owned));
    args.extend(
        ["--max-rejects", "100%", "--rejects", "rejects.csv", "--verify"].map(str::to_owned),
    );
    let (child, session) = pause(&here, &args).await;
    signal(&child, Signal::SIGKILL);
    finished(child);
    go_on(session).await;
    let again = here.report(0, &args);
    for same in ["rows_loaded", "rows_rejected", "reject_reasons", "checksum", "files", "verified"]
    {
        assert_eq!(again[same], whole[same], "{same}");
    }
    assert_eq!((&again["resumed"], refused), (&json!(true), rejected(&here)));
}

/// Constraints that need an index or another table, each with a bad field.
const KEYS: [(&str, (&str, &str), &str); 4] = [
    (
        "ADD CONSTRAINT permit UNIQUE (import_permit)",
        ("Import.permit.RandomID", "same"),
        "permit_staging",
    ),
    (
        "ADD CONSTRAINT permit UNIQUE (import_permit) DEFERRABLE INITIALLY DEFERRED",
        ("Import.permit.RandomID", "same"),
        "permit_staging",
    ),
    (
        "ADD CONSTRAINT importer FOREIGN KEY (importer) REFERENCES countries NOT VALID",
        ("Importer", "ZZ"),
        "\"importer\"",
    ),
    (
        "ADD CONSTRAINT importer FOREIGN KEY (importer) REFERENCES countries DEFERRABLE INITIALLY DEFERRED",
        ("Importer", "ZZ"),
        "\"importer\"",
    ),
];

#[tokio::test]
async fn keys_in_place_during_the_load_refuse_rows() {
    for (key, bad, name) in KEYS {
        let here = Installation::new().await;
        here.db.psql("CREATE TABLE countries (code text PRIMARY KEY)").await;
        here.db.psql(&format!("ALTER TABLE cites_trade_records {key}")).await;
        let is_bad = |at| at % 40 == 5;
        let file = here.file("in.csv", records(400, is_bad, bad));
        let options =
            ["--batch-size", "150", "--keep-indexes", "--connections", "1", "--workers", "1"];
        let report = load(&here, &file, &options);
        // The first of several equal ones is loaded.
        let first = usize::from(name == "permit_staging");
        assert_eq!(report["reject_reasons"], json!({"constraint": 10 - first}), "{key}");
        let rejected = rejected(&here);
        for (id, message) in &rejected {
            assert!(is_bad(*id) && message.contains(name), "{key}: {id} {message}");
        }
        assert_eq!(loaded(&here).await.len(), 400 - rejected.len());
        let again = load(&here, &file, &[&options[..], &["--resume"]].concat());
        assert_eq!(again["files"], report["files"]);
    }
}

#[tokio::test]
async fn foreign_keys_checked_after_the_load_say_how_to_find_the_rows() {
    // A key that is not validated in production is not validated on staging either.
    let is_foreign = |(key, ..): &(&str, (&str, &str), &str)| {
        key.contains("FOREIGN KEY") && !key.contains("NOT VALID")
    };
    for (key, bad, name) in KEYS.into_iter().filter(is_foreign) {
        let here = Installation::new().await;
        here.db.psql("CREATE TABLE countries (code text PRIMARY KEY)").await;
        here.db.psql(&format!("ALTER TABLE cites_trade_records {key}")).await;
        let file = here.file("in.csv", records(400, |at| at % 40 == 5, bad));
        if key.ends_with("NOT VALID") {
            // What production has not validated is not validated here either.
            assert_eq!(here.report(0, &[&file, "--all"])["rows_loaded"], 400);
            let checked = "SELECT convalidated FROM pg_constraint WHERE conname = 'importer'";
            assert_eq!(here.db.psql(checked).await, "f\nf");
            continue;
        }
        let failed = here.load(&[&file, "--all"]).expect_code(1);
        assert!(failed.stderr.contains(name.trim_matches('"')), "{key}: {failed:?}");
        assert!(failed.stderr.contains("--keep-indexes"), "{key}: {failed:?}");
    }
}

#[tokio::test]
async fn an_error_that_is_not_about_a_row_rejects_none() {
    let here = Installation::new().await;
    here.db
        .psql(
            "CREATE FUNCTION broken(integer) RETURNS boolean LANGUAGE plpgsql AS
            'BEGIN PERFORM no_such_function(); RETURN true; END';
        ALTER TABLE cites_trade_records ADD CHECK (broken(year))",
        )
        .await;
    let file = here.file("in.csv", file_of(&good(10)));
    let failed = here.load(&[&file, "--all", "--max-rejects", "100%"]).expect_code(1);
    assert!(
        failed.stderr.contains("no_such_function") && failed.stderr.contains("42883"),
        "{failed:?}"
    );
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records_staging").await, "0");
}
