//! A user's own queries, good and bad.

use serde_json::json;

use super::{equal, query, report, run};

#[tokio::test]
async fn own_queries_are_measured_beside_the_others() {
    let here = equal(2_000).await;
    std::fs::create_dir(here.path("own")).unwrap();
    here.file(
        "own/with-species.sql",
        "-- meaning: a join\n-- parameters: taxon, year\nSELECT t.id FROM {trade} t JOIN {species} s \
        ON s.id = t.species_id WHERE t.taxon = $1 AND t.year = $2 AND s.description IS NULL;",
    );
    here.file("own/elsewhere.sql", "SELECT FROM {trade}, {no_such_table}");
    here.file("own/drawn-from-nothing.sql", "-- parameters: shoe_size\nSELECT $1 FROM {trade}");
    here.file("own/readme.txt", "not a query");
    let found = report(&here, 0, &["--queries", "own", "--seed", "3"]);
    let own = query(&found, "with-species");
    assert!(own["staging"]["rows"].as_u64().unwrap() >= 8, "{own:#}");
    assert_eq!(own["meaning"], json!("a join"));
    let skipped = found["skipped"].to_string();
    assert!(skipped.contains("there is no \\\"public\\\".\\\"no_such_table\\\""), "{skipped}");
    assert!(skipped.contains("has no column \\\"shoe_size\\\""), "{skipped}");
}

#[tokio::test]
async fn what_takes_too_long_is_cut_off_and_counts_against_staging_alone() {
    let here = equal(200).await;
    std::fs::create_dir(here.path("own")).unwrap();
    here.file("own/both.sql", "SELECT pg_sleep(60) FROM {trade} LIMIT 1");
    let limited = ["--queries", "own", "--time-limit", "1s"];
    let failed = run(&here, &limited).expect_code(1);
    let said = "error: own/both.sql: production does not answer within 1 s";
    assert!(
        failed.stderr.starts_with(said) && failed.stderr.contains("--time-limit"),
        "{failed:?}"
    );
    let asleep = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    assert_eq!(here.db.psql(asleep).await, "0");
    // The table name is in a literal here, which sterna cannot know.
    let text = "SELECT pg_sleep(CASE WHEN '{trade}' LIKE '%staging%' THEN 60 ELSE 0 END)
        FROM {trade} LIMIT 1";
    here.file("own/both.sql", text);
    let found = report(&here, 5, &limited);
    let cut = query(&found, "both");
    assert_eq!((&cut["timed_out"], &cut["regressed"]), (&json!(true), &json!(true)));
    assert!(found["failures"][0].as_str().unwrap().contains("both: staging was cut off"));
}

#[tokio::test]
async fn a_bad_query_ends_the_run_and_names_its_file() {
    let here = equal(200).await;
    let before = here.db.psql("SELECT count(*) FROM cites_trade_records").await;
    for (number, (text, code, what)) in [
        ("SELECT FORM {trade}", 1, "syntax error"),
        ("SELECT nothing FROM {trade}", 1, "column \"nothing\" does not exist"),
        ("SELECT id FROM {trade}; DELETE FROM {trade}", 1, "multiple commands"),
        ("DELETE FROM {trade}", 1, "returns no columns"),
        ("DELETE FROM {trade} RETURNING id", 1, "read-only transaction"),
        ("WITH gone AS (DELETE FROM {trade} RETURNING id) SELECT 1 FROM gone", 1, "read-only"),
        ("SELECT id FROM {trade} WHERE year = $1", 1, "takes 1 parameters and its header lists 0"),
        ("-- parameters: id\nSELECT id FROM {trade}", 1, "takes 0 parameters"),
        ("SELECT year / (year - year) FROM {trade}", 1, "division by zero"),
        ("SELECT 1", 1, "does not use {trade}"),
        ("-- name: record-by-id\nSELECT FROM {trade}", 1, "sql/bench/record-by-id.sql"),
        ("-- budget_ms: -1\nSELECT FROM {trade}", 1, "not a number above 0"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = format!("bad-{number}");
        std::fs::create_dir(here.path(&folder)).unwrap();
        here.file(&format!("{folder}/mine.sql"), text);
        let failed = run(&here, &["--queries", &folder]).expect_code(code);
        let named = format!("error: {folder}/mine.sql: ");
        assert!(failed.stderr.starts_with(&named) && failed.stderr.contains(what), "{failed:?}");
    }
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records").await, before);
    let failed = run(&here, &["--queries", "nowhere"]).expect_code(1);
    assert!(failed.stderr.contains("nowhere"), "{failed:?}");
    std::fs::create_dir(here.path("empty")).unwrap();
    run(&here, &["--queries", "empty"]).expect_code(2);
}
