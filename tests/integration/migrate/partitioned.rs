//! The plan for a partitioned table, and for one of its partitions.

mod around;

use std::time::Instant;

use serde_json::{Value, json};

use super::kills::moments;
use super::{QUICK, ROWS, Scenario, state};
use crate::server::Finished;
use crate::switchover::exchange::names;

/// The trade table, partitioned with `{by}` and with `{key}` in its primary key, has the rows of
/// the plain one.
const PARTITIONED: &str = "ALTER TABLE cites_trade_records RENAME TO flat;
    CREATE TABLE cites_trade_records (LIKE flat INCLUDING DEFAULTS) PARTITION BY {by};
    ALTER TABLE cites_trade_records ADD PRIMARY KEY (id, {key}),
        ADD FOREIGN KEY (species_id) REFERENCES species (id) ON DELETE CASCADE;
    CREATE INDEX ON cites_trade_records (species_id);
    CREATE INDEX ON cites_trade_records (year);";

/// A partition for each ten years.
const DECADES: &str =
    "DO $$ DECLARE y integer; BEGIN FOR y IN SELECT generate_series(1970, 2020, 10) LOOP
        EXECUTE format('CREATE TABLE trade_%s PARTITION OF cites_trade_records
            FOR VALUES FROM (%s) TO (%s)', y, y, y + 10);
    END LOOP; END $$;";

/// How often a run is killed, if STERNA_TEST_KILLS does not say otherwise.
const KILLS: u32 = 6;

const FILLED: &str = "INSERT INTO cites_trade_records SELECT * FROM flat; DROP TABLE flat CASCADE;
    CREATE VIEW by_year AS SELECT year, count(*) FROM cites_trade_records GROUP BY year;
    ANALYZE cites_trade_records";

/// The years of the partition that is replaced, and all other rows of the table.
pub(crate) const DECADE: &str = "2010-2019";
const OTHERS: &str = "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t.id))
    FROM cites_trade_records AS t WHERE year NOT BETWEEN 2010 AND 2019";

async fn partitioned(by: &str, key: &str, partitions: &str) -> Scenario {
    let scenario = Scenario::new().await;
    let root = PARTITIONED.replace("{by}", by).replace("{key}", key);
    for sql in [&root, partitions, FILLED] {
        scenario.here.db.psql(sql).await;
    }
    let (rows, names) = (scenario.here.db.psql(ROWS).await, names(&scenario.here.db).await);
    Scenario { rows, names, ..scenario }
}

pub(crate) async fn by_decade() -> Scenario {
    partitioned("RANGE (year)", "year", DECADES).await
}

/// Everything is as it was, and the ledger records no writes any more.
async fn assert_as_before(scenario: &Scenario) {
    let db = &scenario.here.db;
    assert_eq!(db.psql(ROWS).await, scenario.rows);
    assert_eq!(names(db).await, scenario.names);
    assert_eq!(db.psql("SELECT count(*) FROM sterna.journaled").await, "0");
}

/// The records of the release of these years.
fn records(scenario: &Scenario, years: std::ops::RangeInclusive<i32>) -> usize {
    let text = std::fs::read_to_string(scenario.release()).unwrap();
    let year = |line: &str| line.split(',').nth(1).unwrap().parse::<i32>().unwrap();
    text.lines().skip(1).filter(|line| years.contains(&year(line))).count()
}

fn json_of(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

#[tokio::test]
async fn the_whole_table_and_all_the_way_back() {
    let mut scenario = by_decade().await;
    let kept = "SELECT count(*) FROM cites_trade_records AS t JOIN was ON was.id = t.id
        AND was.record_id = t.record_id";
    scenario
        .here
        .db
        .psql("CREATE TABLE was AS SELECT id, record_id FROM cites_trade_records")
        .await;
    scenario.names = names(&scenario.here.db).await;
    let db = &scenario.here.db;
    let done = json_of(&scenario.migrate(&["--expect-rows", "2000"]).expect_code(0));
    assert_eq!(done["state"], "finished");
    for step in ["1.1", "1.2", "2.1", "2.2", "3.2", "3.3", "4.1", "4.2", "4.3", "5.1", "5.2"] {
        assert_eq!(state(&done, step), "done", "{step}");
    }
    assert_eq!(db.psql("SELECT count(*) FROM cites_trade_records").await, "2000");
    assert_eq!(db.psql("SELECT count(*) FROM cites_trade_records_backup").await, "1500");
    assert_eq!(db.psql(kept).await, "1500");
    let summary = "SELECT sum(total_trade_records) FROM species_trade_summary";
    assert_eq!(db.psql(summary).await, "2000");
    let back = json_of(&scenario.sterna(&["rollback", "1.1", "--format", "json"]).expect_code(0));
    assert_eq!(back["parity_differences"], json!([]), "{back:#}");
    assert_as_before(&scenario).await;
}

/// Of the files, only the records of the partition are loaded, and of the database, only the
/// partition and the summary of the whole table change.
#[tokio::test]
async fn the_partition_of_some_years_and_all_the_way_back() {
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    let (others, expected) = (db.psql(OTHERS).await, records(&scenario, 2010..=2019));
    let stopped = scenario.migrate(&["--year", DECADE, "--to", "3.3"]).expect_code(0);
    let next = json_of(&stopped)["next_command"].as_str().unwrap().to_owned();
    assert!(next.contains("--table trade_2010") && next.contains("--year 2010-2019"), "{next}");
    let words: Vec<_> = next.split_whitespace().skip(1).collect();
    let done = json_of(&scenario.sterna(&words).expect_code(0));
    let loaded = done["steps"].as_array().unwrap().iter().find(|s| s["step"] == "3.2").unwrap();
    assert_eq!(loaded["rows"], json!(expected), "{loaded:#}");
    assert_eq!(loaded["detail"]["rows_rejected"], 0, "{loaded:#}");
    let now = "SELECT count(*) FROM cites_trade_records WHERE year BETWEEN 2010 AND 2019";
    assert_eq!(db.psql(now).await, expected.to_string());
    assert_eq!(db.psql(OTHERS).await, others);
    // The summary counts the whole table.
    let summary = "SELECT sum(total_trade_records) = (SELECT count(*) FROM cites_trade_records)
        FROM species_trade_summary";
    assert_eq!(db.psql(summary).await, "t");
    // Whoever leaves out the partition is told of it.
    let shown = scenario.sterna(&["status"]).expect_code(0).stdout;
    assert!(shown.contains("add --partition trade_2010 to see it"), "{shown}");
    let refused = scenario.sterna(&["rollback"]).expect_code(6).stderr;
    assert!(refused.contains("add --partition trade_2010 to roll it back"), "{refused}");
    let back = ["--partition", "trade_2010", "rollback", "1.1", "--format", "json"];
    let back = json_of(&scenario.sterna(&back).expect_code(0));
    assert_eq!(back["parity_differences"], json!([]), "{back:#}");
    assert_as_before(&scenario).await;
}

/// A partition of one year needs only that year, whether it is named or not.
#[tokio::test]
async fn a_partition_named_and_one_of_a_single_year() {
    let years = "CREATE TABLE trade_2020 PARTITION OF cites_trade_records FOR VALUES IN (2020);
        CREATE TABLE trade_rest PARTITION OF cites_trade_records DEFAULT;";
    let scenario = partitioned("LIST (year)", "year", years).await;
    let expected = records(&scenario, 2020..=2020).to_string();
    let now = "SELECT count(*) FROM cites_trade_records WHERE year = 2020";
    for chosen in [["--year", "2020"], ["--partition", "trade_2020"], ["--table", "trade_2020"]] {
        let done = json_of(&scenario.migrate(&chosen).expect_code(0));
        assert_eq!(done["state"], "finished", "{chosen:?}");
        assert_eq!(scenario.here.db.psql(now).await, expected, "{chosen:?}");
    }
    let refused = scenario.migrate(&["--partition", "trade_rest"]).expect_code(6);
    assert!(refused.stderr.contains("are not a number of years"), "{refused:?}");
}

/// The summary counts what is in the table, in whatever order runs on partitions are rolled back, and
/// whether they have recomputed it or not.
#[tokio::test]
async fn the_summary_is_that_of_the_rows_whichever_partition_goes_back() {
    let counts = "SELECT count(*) FROM species_trade_summary AS s WHERE s.total_trade_records
        <> (SELECT count(*) FROM cites_trade_records AS t WHERE t.species_id = s.species_id)";
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    let first = |more: &[&str]| {
        scenario.migrate(&[&["--year", "2000-2009"], more].concat()).expect_code(0);
    };
    let back = |partition: &str| {
        let back = ["--partition", partition, "rollback", "switchover"];
        scenario.sterna(&back).expect_code(0).stdout
    };
    for (to, recomputes) in [("5.2", true), ("4.3", true)] {
        first(&["--to", to]);
        scenario.migrate(&["--year", DECADE]).expect_code(0);
        assert_eq!(db.psql(counts).await, "0", "both, to {to}");
        let said = back("trade_2000");
        assert_eq!(said.contains("the summary was recomputed"), recomputes, "{said}");
        assert_eq!(db.psql(counts).await, "0", "one back, to {to}");
        let said = back("trade_2010");
        assert!(said.contains("the summary was recomputed"), "{said}");
        assert_eq!(db.psql(counts).await, "0", "two back, to {to}");
        for partition in ["trade_2000", "trade_2010"] {
            scenario.sterna(&["--partition", partition, "rollback", "1.1"]).expect_code(0);
        }
    }
    // A run that recomputes it again after another one's exchange, as one of its steps.
    first(&["--to", "5.1"]);
    scenario.migrate(&["--year", DECADE, "--to", "4.3"]).expect_code(0);
    scenario.sterna(&["--partition", "trade_2000", "summary"]).expect_code(0);
    let foreseen = ["--partition", "trade_2010", "rollback", "switchover", "--dry-run"];
    let foreseen = scenario.sterna(&foreseen).expect_code(0).stdout;
    assert!(foreseen.contains("the summary would be recomputed"), "{foreseen}");
    assert!(back("trade_2010").contains("the summary was recomputed"));
    assert_eq!(db.psql(counts).await, "0");
    // Nothing brings back what it counted.
    let undone = scenario.sterna(&["summary", "--undo"]).expect_code(6);
    assert!(undone.stderr.contains("followed the rollback of a partition"), "{undone:?}");
    for partition in ["trade_2000", "trade_2010"] {
        scenario.sterna(&["--partition", partition, "rollback", "1.1"]).expect_code(0);
    }
    assert_eq!(db.psql(counts).await, "0");
    // By single commands as well.
    first(&["--to", "4.1"]);
    scenario.sterna(&["--partition", "trade_2000", "switchover"]).expect_code(0);
    scenario.sterna(&["summary"]).expect_code(0);
    assert_eq!(db.psql(counts).await, "0");
    assert!(back("trade_2000").contains("the summary was recomputed"));
    assert_eq!(db.psql(counts).await, "0");
}

/// A summary that cannot be recomputed keeps nobody from going back.
#[tokio::test]
async fn a_summary_of_others_does_not_keep_a_partition_from_going_back() {
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    let stranger = format!("stranger_{}", std::process::id());
    scenario.migrate(&["--year", "2000-2009", "--to", "4.3"]).expect_code(0);
    scenario.sterna(&["summary"]).expect_code(0);
    db.psql(&format!(
        "CREATE ROLE {stranger}; ALTER TABLE species_trade_summary OWNER TO {stranger}"
    ))
    .await;
    let back = ["--partition", "trade_2000", "rollback", "switchover"];
    let back = scenario.sterna(&back).expect_code(0);
    assert!(back.stdout.contains("the summary counts rows of this run"), "{back:?}");
    assert!(back.stderr.contains("could not be recomputed"), "{back:?}");
    scenario.sterna(&["--partition", "trade_2000", "rollback", "1.1"]).expect_code(0);
    db.psql(&format!(
        "REASSIGN OWNED BY {stranger} TO CURRENT_USER; DROP OWNED BY {stranger}; DROP ROLE {stranger}"
    ))
    .await;
    scenario.sterna(&["summary"]).expect_code(0);
}

/// What belongs to all rows is looked for beside the whole table, and what is printed names a
/// partition whose name others have as well.
#[tokio::test]
async fn a_partition_in_another_schema() {
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    db.psql(
        "CREATE SCHEMA s2; ALTER TABLE trade_2010 SET SCHEMA s2;
        CREATE TABLE trade_2010 PARTITION OF cites_trade_records FOR VALUES FROM (2030) TO (2040)",
    )
    .await;
    let before = (db.psql(ROWS).await, names(db).await);
    let stopped = scenario.migrate(&["--year", DECADE, "--to", "3.3"]).expect_code(0);
    let next = json_of(&stopped)["next_command"].as_str().unwrap().to_owned();
    let words: Vec<_> = next.split_whitespace().skip(1).collect();
    scenario.sterna(&words).expect_code(0);
    let summary = "SELECT sum(total_trade_records) = (SELECT count(*) FROM cites_trade_records)
        FROM species_trade_summary";
    assert_eq!(db.psql(summary).await, "t");
    scenario.sterna(&["--schema", "s2", "--table", "trade_2010", "rollback", "1.1"]).expect_code(0);
    assert_eq!((db.psql(ROWS).await, names(db).await), before);
}

/// A run on a partition leaves everything else to others, and refuses to be two.
#[tokio::test]
async fn runs_on_two_partitions_do_not_meet() {
    let scenario = by_decade().await;
    scenario.migrate(&["--year", "2000-2009", "--to", "3.3"]).expect_code(0);
    let other = scenario.migrate(&["--year", DECADE]).expect_code(0);
    assert_eq!(json_of(&other)["state"], "finished");
    let again = scenario.migrate(&["--year", "2000-2009"]).expect_code(6);
    assert!(again.stderr.contains("--table trade_2000"), "{again:?}");
    let whole = scenario.migrate(&[]).expect_code(6);
    assert!(whole.stderr.contains("is being replaced by itself"), "{whole:?}");
    let resumed = ["--year", "2000-2009", "--resume"];
    let resumed = [&["migrate", scenario.release()], &QUICK[..], &resumed].concat();
    scenario.sterna(&resumed).expect_code(0);
    for partition in ["trade_2000", "trade_2010"] {
        scenario.sterna(&["--partition", partition, "rollback", "1.1"]).expect_code(0);
    }
    assert_as_before(&scenario).await;
}

/// Killed at any moment, a run leaves all of the old table or all of the new one, and is resumed
/// or rolled back.
async fn killed(chosen: &[&str], table: &[&str], migrated: usize) {
    let scenario = by_decade().await;
    let db = &scenario.here.db;
    let all = "SELECT count(*) FROM cites_trade_records";
    let args = chosen;
    let begun = Instant::now();
    scenario.migrate(args).expect_code(0);
    let duration = begun.elapsed();
    assert_eq!(db.psql(all).await, migrated.to_string());
    let back = [table, &["rollback", "1.1", "--progress", "never"]].concat();
    scenario.sterna(&back).expect_code(0);
    for (kill, moment) in moments(duration, KILLS).enumerate() {
        scenario.kill(&scenario.migration(args), moment);
        let count = db.psql(all).await;
        assert!(["1500".to_owned(), migrated.to_string()].contains(&count), "{moment:?}: {count}");
        let status = scenario.sterna(&[table, &["status", "--format", "json"]].concat());
        let status = json_of(&status.expect_code(0));
        if kill % 2 == 0 {
            match status["state"].as_str() {
                Some("finished") => {}
                Some("running") => {
                    drop(scenario.migrate(&[args, &["--resume"]].concat()).expect_code(0));
                }
                _ => drop(scenario.migrate(args).expect_code(0)),
            }
            assert_eq!(db.psql(all).await, migrated.to_string(), "{moment:?}");
        }
        let has_begun = kill % 2 == 0 || !status.is_null() && status["state"] != "rolled_back";
        scenario.sterna(&back).expect_code(if has_begun { 0 } else { 6 });
        assert_as_before(&scenario).await;
    }
}

#[tokio::test]
async fn killed_runs_on_the_whole_table_are_resumed_or_rolled_back() {
    killed(&[], &[], 2000).await;
}

#[tokio::test]
async fn killed_runs_on_a_partition_are_resumed_or_rolled_back() {
    let scenario = by_decade().await;
    let others = "SELECT count(*) FROM cites_trade_records WHERE year NOT BETWEEN 2010 AND 2019";
    let others: usize = scenario.here.db.psql(others).await.parse().unwrap();
    let migrated = others + records(&scenario, 2010..=2019);
    killed(&["--year", DECADE], &["--partition", "trade_2010"], migrated).await;
}
