//! Hostile files by the thousand. A generator decides what each record means before it writes a
//! byte of it, so the expected result is known without reading any file: the oracle shares no
//! code with the loader.
//!
//! `STERNA_FUZZ_SECONDS` and `STERNA_FUZZ_SEED` make the run longer or repeat a load.

mod build;

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cites::{Installation, Row, csv_records};
use build::{Built, Fate, Load};

/// The number of loads in every test run.
const LOADS: u64 = 16;

#[derive(Debug, Default)]
struct Tally {
    loads: u64,
    files: usize,
    records: usize,
    bytes: usize,
    rejected: usize,
}

#[tokio::test]
async fn hostile_files_come_out_as_they_were_built() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seconds = number("STERNA_FUZZ_SECONDS").map(Duration::from_secs);
    let first = number("STERNA_FUZZ_SEED").unwrap_or(1);
    let here = Installation::new().await;
    let begun = Instant::now();
    let mut tally = Tally::default();
    for seed in first.. {
        let is_over = match seconds {
            Some(seconds) => begun.elapsed() >= seconds,
            None => tally.loads == LOADS,
        };
        if is_over {
            break;
        }
        let load = Load::build(seed);
        try_load(&here, seed, &load).await;
        tally.loads += 1;
        tally.files += load.files.len();
        for file in &load.files {
            tally.records += file.records.len();
            tally.bytes += file.bytes.len();
            let is_reject = |fate: &Fate| matches!(fate, Fate::Rejected(_));
            tally.rejected += file.records.iter().filter(|r| is_reject(&r.fate)).count();
        }
    }
    let Tally { loads, files, records, bytes, rejected } = tally;
    println!(
        "{loads} loads from seed {first} on, {files} files, {records} records of {bytes} bytes, \
         {rejected} of them rejects, no disagreement"
    );
}

/// Loads the files, and compares staging, the account and the rejects with what was built.
async fn try_load(here: &Installation, seed: u64, load: &Load) {
    let folder = here.path("in");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in load.containers() {
        fs::File::create(folder.join(name)).unwrap().write_all(&bytes).unwrap();
    }
    let _ = fs::remove_file(here.path("rejects.csv"));
    let mut args = vec!["in", "--all", "--max-rejects", "100%", "--rejects", "rejects.csv"];
    args.extend(load.options.iter().map(String::as_str));
    let again = format!("seed {seed} (STERNA_FUZZ_SEED={seed} repeats it), {args:?}");
    let finished = here.load(&args);
    assert_eq!(finished.code, Some(0), "{again}: {finished:?}");
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    crate::cites::assert_balances(&report);

    let mut rows: Vec<Row> = load.built().filter_map(Built::row).collect();
    rows.sort();
    let staging = here.staging().await;
    if let Some((found, expected)) = staging.iter().zip(&rows).find(|(a, b)| a != b) {
        panic!("{again}: staging has {found:?}, expected {expected:?}");
    }
    assert_eq!(staging.len(), rows.len(), "{again}");
    let count = |is: fn(&Fate) -> bool| load.built().filter(|built| is(&built.fate)).count();
    for (name, expected) in [
        ("rows_read", count(|_| true)),
        ("rows_loaded", rows.len()),
        ("rows_unmapped", count(|fate| matches!(fate, Fate::Unmapped))),
        ("rows_rejected", count(|fate| matches!(fate, Fate::Rejected(_)))),
    ] {
        assert_eq!(report[name], expected, "{again}: {name}");
    }
    let (found, expected) = (rejects(here), load.rejects());
    let differing = found.iter().zip(&expected).find(|(a, b)| a != b);
    assert_eq!((differing, found.len()), (None, expected.len()), "{again}: rejects");
    here.db.sterna(&["stage", "drop"]).expect_code(0);
}

/// File name, line, byte offset and reason of each reject, sorted.
fn rejects(here: &Installation) -> Vec<(String, u64, u64, String)> {
    let path = here.path("rejects.csv");
    if !path.exists() {
        return Vec::new();
    }
    let records = csv_records(&path);
    let at = |name: &str| records[0].iter().position(|field| field == name).unwrap();
    let (file, line) = (at("sterna_file"), at("sterna_line"));
    let (offset, reason) = (at("sterna_byte_offset"), at("sterna_reason"));
    let mut found: Vec<_> = records[1..]
        .iter()
        .map(|r| {
            let name = r[file].rsplit(['/', '!', ':', ' ']).next().unwrap().to_owned();
            let name = name.trim_end_matches(".gz").to_owned();
            (name, r[line].parse().unwrap(), r[offset].parse().unwrap(), r[reason].clone())
        })
        .collect();
    found.sort();
    found
}
