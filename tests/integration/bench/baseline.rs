//! Saving a run and comparing a later one with it.

use serde_json::{Value, json};

use super::{equal, query, report, run};

#[tokio::test]
async fn a_saved_run_is_a_baseline() {
    let here = equal(2_000).await;
    std::fs::create_dir(here.path("own")).unwrap();
    // As slow as there are slow rows, so that the result does not depend on the machine.
    let text = "SELECT pg_sleep(0.5 * count(*) FILTER (WHERE taxon = 'slow')) FROM {trade}";
    here.file("own/planted.sql", text);
    let own = ["--queries", "own"];
    let first = report(&here, 0, &[&own[..], &["--save", "before.json"]].concat());
    let saved = std::fs::read_to_string(here.path("before.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&saved).unwrap(), first);
    // The format of every HdrHistogram library: V2, compressed, base64.
    let histogram = query(&first, "record-by-id")["staging"]["histogram_ns"].as_str().unwrap();
    assert!(histogram.starts_with("HISTFAAAA"), "{histogram}");

    let again = report(&here, 0, &[&own[..], &["--baseline", "before.json"]].concat());
    let earlier = &query(&again, "record-by-id")["baseline"];
    assert!(earlier["ratio"].as_f64().unwrap() > 0.0 && earlier["production_ratio"].is_number());
    assert_eq!(again["baseline"]["not_compared"], json!([]));
    assert_eq!(again["baseline"]["environment"], first["environment"]);

    let slow = "UPDATE cites_trade_records_staging SET taxon = 'slow'
        WHERE id = (SELECT min(id::text)::uuid FROM cites_trade_records_staging)";
    here.db.psql(slow).await;
    let args = [&own[..], &["--baseline", "before.json", "--max-regression", "5"]].concat();
    let slower = run(&here, &args).expect_code(5);
    let slower: Value = serde_json::from_str(&slower.stdout).unwrap();
    let failures = slower["failures"].to_string();
    assert!(failures.contains("planted: ") && failures.contains("in the baseline"), "{failures}");
    assert_eq!(query(&slower, "planted")["baseline"]["regressed"], json!(true));
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
