//! The benchmark's verdict on equal tables, and on worse staging tables.

use serde_json::{Value, json};
use sterna::bench::last;
use sterna::pg::embedded::ModelSchema;

use super::{equal, query, report, run};
use crate::cites::{Installation, file_of, generated, good};
use crate::line::{Line, Pass};
use crate::server::Finished;

#[tokio::test]
async fn equal_tables_pass_and_the_report_keeps_its_contract() {
    let here = equal(20_000).await;
    let found = report(&here, 0, &[] as &[&str]);
    assert_eq!((&found["passed"], &found["compared"]), (&json!(true), &json!(true)));
    let queries = found["queries"].as_array().unwrap();
    assert!(queries.len() >= 10, "{found:#}");
    for query in queries {
        for side in ["production", "staging"] {
            let latency = |name: &str| query[side][name].as_f64().unwrap();
            assert!(latency("count") >= 8.0, "{query:#}");
            let ascending = ["p50_ms", "p95_ms", "p99_ms", "max_ms"].map(latency);
            assert!(ascending.is_sorted() && ascending[0] > 0.0, "{query:#}");
        }
        let ratio = ["ratio_low", "ratio", "ratio_high"].map(|name| query[name].as_f64().unwrap());
        assert!(ratio.is_sorted() && ratio[0] > 0.0, "{query:#}");
        assert_eq!(query["regressed"], json!(false));
        // The same parameters find the same rows.
        assert_eq!(query["production"]["rows"], query["staging"]["rows"], "{query:#}");
        assert!(query["plans"]["staging"]["explain"][0]["Plan"]["Node Type"].is_string());
    }
    let skipped = &found["skipped"][0];
    assert_eq!(skipped["name"], "species-reported-quantity-by-year");
    let reason = skipped["reason"].as_str().unwrap();
    assert!(reason.contains("\"importer_reported_quantity\" does not exist"), "{reason}");
    // The ledger has the same report.
    let oid = "SELECT 'cites_trade_records_staging'::regclass::oid";
    let oid: u32 = here.db.psql(oid).await.parse().unwrap();
    let kept = last(&here.db.connect().await, oid).await.unwrap().unwrap();
    assert_eq!((kept.passed, kept.queries.len()), (true, queries.len()));
    assert_eq!(here.db.psql("SELECT passed, version FROM sterna.bench").await, "t|0.1.0");
}

#[tokio::test]
async fn a_missing_index_is_a_regression_and_its_plans_are_shown() {
    let here = equal(120_000).await;
    here.db.psql("ALTER TABLE cites_trade_records_staging DROP CONSTRAINT cites_trade_records_pkey_staging").await;
    let finished = run(&here, &["--junit", "bench.xml"]).expect_code(5);
    assert!(finished.stderr.contains("error: staging is slower than allowed: "), "{finished:?}");
    let found: Value = serde_json::from_str(&finished.stdout).unwrap();
    let failures = found["failures"].to_string();
    assert!(failures.contains("record-by-id: staging takes"), "{failures}");
    let by_id = query(&found, "record-by-id");
    assert_eq!((&by_id["regressed"], &by_id["plan_changed"]), (&json!(true), &json!(true)));
    let shape = |side: &str| by_id["plans"][side]["shape"].to_string();
    assert!(shape("production").contains("Index Scan using cites_trade_records_pkey on cites"));
    assert!(shape("staging").contains("Seq Scan on cites_trade_records\""), "{}", shape("staging"));
    assert_eq!(query(&found, "yearly-trend")["regressed"], json!(false));
    assert_eq!(here.db.psql("SELECT passed FROM sterna.bench").await, "f");

    let xml = std::fs::read_to_string(here.path("bench.xml")).unwrap();
    let junit = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let suite = &junit.test_suites[0];
    let failed = suite
        .test_cases
        .iter()
        .filter(|case| matches!(case.status, quick_junit::TestCaseStatus::NonSuccess { .. }));
    assert!(failed.map(|case| case.name.as_str()).any(|name| name == "record-by-id"), "{xml}");
    assert_eq!(suite.test_cases.len(), found["queries"].as_array().unwrap().len() + 2, "{xml}");
}

#[tokio::test]
async fn missing_statistics_and_wide_rows_fail() {
    let here = equal(60_000).await;
    here.db
        .psql(
            "DELETE FROM pg_statistic
            WHERE starelid = 'cites_trade_records_staging'::regclass AND staattnum = 4",
        )
        .await;
    let finished = run(&here, &[] as &[&str]).expect_code(5);
    assert!(
        finished
            .stderr
            .contains("no statistics of \"public\".\"cites_trade_records_staging\" for year"),
        "{finished:?}"
    );
    here.db
        .psql(
            "ALTER TABLE cites_trade_records_staging ADD filler char(2000) DEFAULT ' ';
            ALTER TABLE cites_trade_records_staging ALTER filler SET STORAGE PLAIN",
        )
        .await;
    // Rewritten, because otherwise the default would not be stored.
    here.db.psql("VACUUM (FULL, ANALYZE) cites_trade_records_staging").await;
    let found = report(&here, 5, &["--max-regression", "1.1"]);
    assert_eq!(query(&found, "yearly-trend")["regressed"], json!(true), "{found:#}");
}

#[tokio::test]
async fn without_rows_in_production_only_budgets_count() {
    let here = Installation::new().await;
    here.report(0, &[&here.file("in.csv", generated(2_000, 1)), "--all", "--on-inexact", "widen"]);
    let found = report(&here, 0, &[] as &[&str]);
    assert_eq!((&found["passed"], &found["compared"]), (&json!(true), &json!(false)));
    let trend = query(&found, "yearly-trend");
    assert_eq!((&trend["production"], &trend["ratio"]), (&json!(null), &json!(null)));
    assert!(trend["staging"]["count"].as_u64().unwrap() >= 8);
    // Only a budget can fail here, and it does.
    std::fs::create_dir(here.path("own")).unwrap();
    here.file("own/slow.sql", "-- budget_ms: 0.5\nSELECT pg_sleep(0.01) FROM {trade} LIMIT 1");
    let finished = run(&here, &["--queries", "own"]).expect_code(5);
    assert!(
        finished.stderr.contains("slow: staging takes 1")
            && finished.stderr.contains("the budget is 0.5 ms"),
        "{finished:?}"
    );
}

#[tokio::test]
async fn the_other_installation_has_queries_of_its_own() {
    let here = Installation::with_schema(ModelSchema::ReportedQuantities).await;
    let header = "Year,App.,Taxon,Class,Order,Family,Genus,Importer,Exporter,Origin,\
        Importer reported quantity,Exporter reported quantity,Term,Unit,Purpose,Source";
    let record = "2020,II,Ursus maritimus,,,,,US,CA,,1,2,skins,,P,W";
    here.report(0, &[&here.file("in.csv", format!("{header}\n{record}\n")), "--all"]);
    let found = report(&here, 0, &[] as &[&str]);
    let quantities = &query(&found, "species-reported-quantity-by-year")["staging"];
    assert_eq!(quantities["rows"], quantities["count"]);
    assert_eq!(found["skipped"][0]["name"], "species-quantity-by-year");
}

#[tokio::test]
async fn there_must_be_something_to_measure() {
    let here = Installation::new().await;
    let refused = run(&here, &[] as &[&str]).expect_code(6);
    assert!(
        refused.stderr.contains("_staging\" does not exist")
            && refused.stderr.contains("sterna load")
    );
    here.db.sterna(&["stage", "create"]).expect_code(0);
    let refused = run(&here, &[] as &[&str]).expect_code(6);
    assert!(refused.stderr.contains("_staging\" is empty"), "{refused:?}");
    here.report(0, &[&here.file("in.csv", file_of(&good(5))), "--all"]);
    let session = here.db.connect().await;
    session.batch_execute("SELECT pg_advisory_lock(1)").await.unwrap();
    let wrong = run(&here, &["--max-regression", "0.5"]).expect_code(2);
    assert!(wrong.stderr.contains("not between 1 and 1000"), "{wrong:?}");
}

/// A connection with 10 ms latency in each direction, which hides what the server sees.
#[tokio::test]
async fn a_query_that_became_slower_is_found_at_any_distance() {
    let here = equal(2_000).await;
    std::fs::create_dir(here.path("own")).unwrap();
    // Staging is the only one with such a year. The client sees 22 and 50 ms, less than three times as
    // much; and a busy machine may add some milliseconds to both.
    here.db.psql("UPDATE cites_trade_records_staging SET year = 1801 WHERE year = 2000").await;
    let sleeps = "SELECT pg_sleep(CASE WHEN EXISTS (SELECT FROM {trade} WHERE year = 1801)
        THEN 0.03 ELSE 0.002 END)";
    here.file("own/sleeps.sql", sleeps);
    let line = Line::new(|_, _| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        Pass::On
    });
    let mut command = here.db.command(&["bench", "--format", "json", "--seconds", "0"]);
    command.args(["--queries", "own", "--max-regression", "3"]).env("PGHOST", line.host());
    let finished = Finished::from(command.current_dir(here.folder.path()).output().unwrap());
    let finished = finished.expect_code(5);
    let found: Value = serde_json::from_str(&finished.stdout).unwrap();
    let sleeps = query(&found, "sleeps");
    assert_eq!(sleeps["regressed"], json!(true), "{sleeps:#}");
    // No second is enough for the fewest rounds of a verdict, which is told.
    assert_eq!(
        (&found["seconds_limit"], &found["fewest_rounds_took_longer"]),
        (&json!(0.0), &json!(true))
    );
    // The latency is part of what the client sees, but of nothing that is compared.
    for side in ["production", "staging"] {
        let of = |figure: &Value| figure.as_f64().unwrap();
        let seen = of(&sleeps[format!("{side}_answer_ms")]);
        assert!(seen > 10.0 + of(&sleeps[side]["p50_ms"]) / 2.0, "{sleeps:#}");
    }
}
