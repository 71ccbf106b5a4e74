//! Memory is bounded in bytes: neither many nor long names, values and records make it grow.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::cites::{Installation, header, shipment};

const MOST: u64 = 128 << 20;

/// A gzip file of these lines.
fn gz(here: &Installation, name: &str, lines: impl Iterator<Item = String>) -> String {
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    here.file(name, file.finish().unwrap())
}

#[track_caller]
fn is_small(report: &Value) {
    let peak = report["peak_memory_bytes"].as_u64().unwrap();
    assert!(peak < MOST, "{} MiB", peak >> 20);
}

#[tokio::test]
async fn names_without_a_species_may_be_long() {
    let here = Installation::new().await;
    let names = (0..200).map(|at| format!("{at} {}", "x".repeat(400_000)));
    let records = names.map(|name| shipment(&[("Taxon", &name)]));
    let file = gz(&here, "in.csv.gz", std::iter::once(header()).chain(records));
    let report = here.report(0, &[&file, "--all"]);
    assert_eq!(report["rows_unmapped"], 200);
    is_small(&report);
}

#[tokio::test]
async fn codes_that_are_on_no_list_may_be_long() {
    let here = Installation::new().await;
    let codes = (0..400).map(|at| format!("{at} {}", "x".repeat(400_000)));
    let records = codes.map(|code| shipment(&[("Unit", &code), ("Term", &code)]));
    let file = gz(&here, "in.csv.gz", std::iter::once(header()).chain(records));
    let mut command = here.db.command(&["inspect", &file, "--format", "json"]);
    let output = command.current_dir(here.folder.path()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rows_loaded"], 400);
    is_small(&report);
}

#[tokio::test]
async fn records_may_be_long_and_quoted() {
    let here = Installation::new().await;
    let long = format!("\"{}\"", "quoted \"\"words\"\" ".repeat(20_000));
    let records = (0..300).map(|at| {
        let id = at.to_string();
        shipment(&[("Id", &id), ("Export.permit.RandomID", &long)])
    });
    let file = gz(&here, "in.csv.gz", std::iter::once(header()).chain(records));
    let report = here.report(0, &[&file, "--all", "--verify"]);
    assert_eq!(report["rows_loaded"], 300);
    is_small(&report);
}

#[tokio::test]
async fn the_server_pads_what_is_short_for_its_column() {
    let here = Installation::new().await;
    here.db.psql("CREATE TABLE wide (n integer, v char(100000), w char(3))").await;
    let mapping = "[[format]]\nname = 'wide'\n[format.columns]\nn = 'n'\nv = 'v'\nw = 'w'\n";
    let mapping = here.file("m.toml", mapping);
    let rows = (0..2_000).map(|at| format!("{at},v{at}  ,  w"));
    let file = gz(&here, "in.csv.gz", std::iter::once("n,v,w".to_owned()).chain(rows));
    let args = [&file, "--all", "--table", "wide", "--mapping", &mapping, "--verify"];
    let report = here.report(0, &args);
    assert_eq!((&report["rows_loaded"], &report["verified"]), (&json!(2_000), &json!(true)));
    is_small(&report);
    let rows = "SELECT count(*) FROM wide_staging WHERE v = 'v' || n AND w = '  w'
        AND octet_length(v) = 100000 AND octet_length(w) = 3";
    assert_eq!(here.db.psql(rows).await, "2000");
}

#[tokio::test]
async fn a_small_file_does_not_fill_the_disk_with_rejects() {
    let here = Installation::new().await;
    let lines = std::iter::repeat_n("x".to_owned(), 600_000);
    let file = gz(&here, "in.csv.gz", std::iter::once(header()).chain(lines));
    let report = here.report(3, &[&file, "--all", "--rejects", "r.csv"]);
    assert_eq!(report["rows_rejected"], 600_000);
    is_small(&report);
    let written = report["rejects_written"].as_u64().unwrap();
    let bytes = std::fs::metadata(here.path("r.csv")).unwrap().len();
    assert!((64 << 20..65 << 20).contains(&bytes), "{bytes}");
    let lines = std::fs::read_to_string(here.path("r.csv")).unwrap().lines().count() as u64;
    assert_eq!(lines, written + 1);
    assert!(written < 600_000);
    let failed = here.load(&[&file, "--all", "--rejects", "r.csv", "--resume"]).expect_code(3);
    assert!(failed.stderr.contains(&format!("r.csv has {written} of them")), "{failed:?}");
}
