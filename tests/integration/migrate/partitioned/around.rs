//! What is refused of partitions, and the commands around the plan.

use serde_json::json;

use super::{DECADE, by_decade, json_of, partitioned, records};
use crate::migrate::Scenario;
use crate::server::major;
use crate::switchover::exchange::names;

/// Before anything is written, a partition is refused whose records cannot be told by their year.
#[tokio::test]
async fn what_a_year_does_not_decide_is_refused() {
    let unbounded = "CREATE TABLE early PARTITION OF cites_trade_records
            FOR VALUES FROM (MINVALUE) TO (2000);
        CREATE TABLE late PARTITION OF cites_trade_records FOR VALUES FROM (2000) TO (2030)
            PARTITION BY HASH (id);
        CREATE TABLE late_0 PARTITION OF late FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE late_1 PARTITION OF late FOR VALUES WITH (MODULUS 2, REMAINDER 1);";
    let scenario = partitioned("RANGE (year)", "year", unbounded).await;
    for (args, code, why) in [
        (&["--partition", "early"][..], 6, "are not a number of years"),
        (&["--year", "1990"], 6, "are not a number of years"),
        (&["--partition", "late_1"], 6, "is a partition by id, year"),
        (&["--year", "2010"], 2, "has no partition for the year 2010"),
        (&["--year", "2040"], 2, "has no partition for the year 2040"),
    ] {
        let refused = scenario.migrate(args).expect_code(code);
        assert!(refused.stderr.contains(why), "{args:?}: {refused:?}");
        let planned = scenario.sterna(&[&["plan"], args].concat()).expect_code(code);
        assert!(planned.stderr.contains(why), "{args:?}: {planned:?}");
    }
    assert_eq!(names(&scenario.here.db).await, scenario.names);
    let scenario = by_decade().await;
    for (years, why) in
        [("2015", "has the years 2010-2019"), ("2010-2020", "has the years 2010-2019")]
    {
        let refused = scenario.migrate(&["--year", years]).expect_code(6);
        assert!(refused.stderr.contains(why), "{years}: {refused:?}");
        assert!(refused.stderr.contains("say --year 2010-2019"), "{years}: {refused:?}");
    }
    assert_eq!(names(&scenario.here.db).await, scenario.names);
    // The partition itself, as for `load`.
    let planned = ["plan", "--table", "trade_2010", "--year", DECADE];
    scenario.sterna(&planned).expect_code(0);
    let refused = scenario.migrate(&["--year", DECADE, "--test-year", "2005"]).expect_code(2);
    assert!(refused.stderr.contains("has no rows of --test-year 2005"), "{refused:?}");
    let plain = Scenario::new().await;
    let refused = plain.migrate(&["--year", "2020"]).expect_code(2);
    assert!(refused.stderr.contains("it is not partitioned by year"), "{refused:?}");
}

/// A function that a bound could call with the rights of sterna's role is never called.
#[tokio::test]
async fn a_bound_by_an_expression_calls_nothing() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    db.psql(
        "CREATE TABLE called (by text);
        CREATE FUNCTION decade(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.called VALUES (current_user);
            RETURN $1 / 10;
        EXCEPTION WHEN read_only_sql_transaction THEN RETURN $1 / 10; END $$;
        CREATE TABLE tricky (LIKE cites_trade_records) PARTITION BY RANGE (year, decade(year));
        CREATE TABLE tricky_2010 PARTITION OF tricky FOR VALUES FROM (2010, 0) TO (2020, 0);",
    )
    .await;
    for args in [["--partition", "tricky_2010"], ["--year", "2010-2019"]] {
        let args = [&args[..], &["--table", "tricky"]].concat();
        let refused = scenario.migrate(&args);
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert_ne!(scenario.sterna(&[&["plan"][..], &args].concat()).code, Some(0));
    }
    assert_eq!(db.psql("SELECT count(*) FROM called").await, "0");
}

/// Nothing in the path that a database sets is called.
#[tokio::test]
async fn an_operator_in_the_path_is_not_used() {
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    db.psql(
        "CREATE TABLE called (by text); CREATE SCHEMA e;
        CREATE FUNCTION e.oideq(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.called VALUES (current_user);
            RETURN pg_catalog.oideq($1, $2);
        EXCEPTION WHEN read_only_sql_transaction THEN RAISE 'called'; END $$;
        CREATE OPERATOR e.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = e.oideq);
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = e, pg_catalog, public',
            current_database()); END $$",
    )
    .await;
    for args in [["--partition", "trade_2010"], ["--year", DECADE]] {
        scenario.sterna(&[&["plan"], &args[..]].concat()).expect_code(0);
        scenario.migrate(&[&args[..], &["--to", "1.2"]].concat()).expect_code(0);
        let back = ["--partition", "trade_2010", "rollback", "1.1"];
        scenario.sterna(&back).expect_code(0);
    }
    assert_eq!(db.psql("SELECT count(*) FROM public.called").await, "0");
}

#[tokio::test]
async fn the_plan_shows_the_tree_and_the_partition() {
    let scenario = by_decade().await;
    let shown = scenario.sterna(&["plan", scenario.release()]).expect_code(0);
    assert!(shown.stdout.contains("PARTITION BY RANGE (year)"), "{shown:?}");
    assert!(shown.stdout.contains("trade_2010_staging"), "{shown:?}");
    if major() < 18 {
        assert!(shown.stdout.contains("locked: step 4.2 validates foreign keys"), "{shown:?}");
    }
    let shown = ["plan", scenario.release(), "--year", DECADE, "--format", "json"];
    let shown = json_of(&scenario.sterna(&shown).expect_code(0));
    assert_eq!(shown["table"], "\"public\".\"trade_2010\"");
    let rows = |step: &str| {
        let steps = shown["steps"].as_array().unwrap().iter();
        steps.into_iter().find(|s| s["step"] == step).unwrap()["estimated_rows"].clone()
    };
    assert_eq!(rows("3.2"), json!(records(&scenario, 2010..=2019)));
    assert_eq!(rows("2.1"), json!(records(&scenario, 2019..=2019)));
    let switchover = shown["steps"].as_array().unwrap().iter().find(|s| s["step"] == "4.2");
    let switchover = switchover.unwrap().to_string();
    assert!(switchover.contains("DETACH PARTITION") && switchover.contains("ATTACH PARTITION"));
}

/// The application's queries are timed on both trees, and their plans compared by name.
#[tokio::test]
async fn queries_are_timed_on_a_partitioned_table() {
    let scenario = by_decade().await;
    let load = ["load", scenario.release(), "--all"];
    scenario.sterna(&load).expect_code(0);
    let args = ["bench", "--format", "json", "--seconds", "0", "--max-regression", "100"];
    let timed = json_of(&scenario.sterna(&args).expect_code(0));
    assert_eq!(timed["queries"].as_array().unwrap().len(), 13);
    let sizes = &timed["production_table"];
    assert!(sizes["pages"].as_u64().unwrap() > 0, "{sizes:#}");
    assert_eq!(sizes["estimated_rows"], 1500.0);
    assert!(!sizes["columns_with_statistics"].as_array().unwrap().is_empty(), "{sizes:#}");
    let shapes = timed["queries"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|query| query["plans"]["staging"]["shape"].as_array().unwrap());
    for line in shapes {
        assert!(!line.as_str().unwrap().contains("_staging"), "{line}");
    }
}

/// Indexes of all partitions are checked and rebuilt.
#[tokio::test]
async fn indexes_of_partitions_are_checked_and_rebuilt() {
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    db.psql(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'trade_2010_year_idx'::regclass",
    )
    .await;
    let found = scenario.sterna(&["reindex"]).expect_code(4);
    assert!(found.stderr.contains("trade_2010_year_idx"), "{found:?}");
    let node = "SELECT relfilenode FROM pg_class WHERE relname = 'trade_2000_year_idx'";
    let before = db.psql(node).await;
    let done = scenario.sterna(&["reindex", "--invalid", "--format", "json"]).expect_code(0);
    assert_eq!(json_of(&done)["rebuilt"], json!(["trade_2010_year_idx"]));
    assert_eq!(db.psql(node).await, before);
    let done = json_of(&scenario.sterna(&["reindex", "--all", "--format", "json"]).expect_code(0));
    assert_eq!(done["rebuilt"].as_array().unwrap().len(), 6 * 3, "{done:#}");
    assert_ne!(db.psql(node).await, before);
    // An index of the whole table is that of each partition.
    let before = db.psql(node).await;
    let one = ["reindex", "--index", "cites_trade_records_year_idx"];
    scenario.sterna(&one).expect_code(0);
    assert_ne!(db.psql(node).await, before);
    assert_eq!(names(db).await, scenario.names);
}

/// A key whose validation would lock others out for too long is found before the load.
#[tokio::test]
async fn a_key_that_takes_too_long_is_refused_before_the_first_step() {
    if major() >= 18 {
        return; // They are validated after the exchange there.
    }
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    db.psql(
        "CREATE TABLE many (id uuid, year integer,
            FOREIGN KEY (id, year) REFERENCES cites_trade_records);
        INSERT INTO many SELECT t.id, t.year FROM cites_trade_records AS t, generate_series(1, 400);
        DO $$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I SET deadlock_timeout = 3',
            current_user, current_database()); END $$",
    )
    .await;
    let before = names(db).await;
    for args in [vec!["plan"], scenario.migration(&[])] {
        let refused = scenario.sterna(&args).expect_code(6);
        assert!(refused.stderr.contains("takes longer than the"), "{args:?}: {refused:?}");
        assert!(refused.stderr.contains("deadlock_timeout"), "{args:?}: {refused:?}");
    }
    assert_eq!(names(db).await, before);
}
