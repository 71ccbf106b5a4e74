//! Saving a run and comparing a later one with it.

use serde_json::{Value, json};

use super::{equal, query, report, run};

#[tokio::test]
async fn a_saved_run_is_a_baseline() {
    let here = equal(120_000).await;
    let first = report(&here, 0, &["--save", "before.json", "--seconds", "2"]);
    let saved = std::fs::read_to_string(here.path("before.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&saved).unwrap(), first);
    // As every HdrHistogram library writes it: V2, compressed, base64.
    let histogram = query(&first, "record-by-id")["staging"]["histogram_ns"].as_str().unwrap();
    assert!(histogram.starts_with("HISTFAAAA"), "{histogram}");

    let again = report(&here, 0, &["--baseline", "before.json"]);
    let earlier = &query(&again, "record-by-id")["baseline"];
    assert!(earlier["ratio"].as_f64().unwrap() > 0.0 && earlier["production_ratio"].is_number());
    assert_eq!(again["baseline"]["not_compared"], json!([]));
    assert_eq!(again["baseline"]["environment"], first["environment"]);

    here.db.psql("ALTER TABLE cites_trade_records_staging DROP CONSTRAINT cites_trade_records_pkey_staging").await;
    // Without its index the lookup takes some hundred times as long; a busy machine makes
    // nothing ten times slower for as long as this.
    let args = ["--baseline", "before.json", "--max-regression", "10", "--seconds", "2"];
    let slower = run(&here, &args).expect_code(5);
    let slower: Value = serde_json::from_str(&slower.stdout).unwrap();
    let failures = slower["failures"].to_string();
    assert!(
        failures.contains("record-by-id: ") && failures.contains("in the baseline"),
        "{failures}"
    );
    assert_eq!(query(&slower, "record-by-id")["baseline"]["regressed"], json!(true));
    assert_eq!(query(&slower, "latest-year")["baseline"]["regressed"], json!(false));
}

#[tokio::test]
async fn a_file_that_is_no_baseline_is_named() {
    let here = equal(200).await;
    report(&here, 0, &["--save", "good.json"]);
    let good = std::fs::read_to_string(here.path("good.json")).unwrap();
    let cut = good.replace("HISTFAAAA", "HISTFAAA");
    assert_ne!(cut, good);
    for (content, what) in
        [("{}", "not the report of a benchmark"), ("", "EOF"), (cut.as_str(), "histogram_ns")]
    {
        here.file("bad.json", content);
        let failed = run(&here, &["--baseline", "bad.json"]).expect_code(1);
        assert!(failed.stderr.contains("bad.json: ") && failed.stderr.contains(what), "{failed:?}");
    }
    run(&here, &["--baseline", "missing.json"]).expect_code(1);
    let failed = run(&here, &["--save", "no/such/folder.json"]).expect_code(1);
    assert!(failed.stderr.contains("no/such/folder.json"), "{failed:?}");
}
