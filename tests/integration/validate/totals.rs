//! A table is never emptied by accident: the total row count of any table.

use serde_json::json;

use super::{FILL_PRODUCTION, check, failed, validated};
use crate::cites::{Installation, file_of, good, shipment};
use crate::server::Finished;

/// A table with neither species nor years, and a mapping of files to it.
const ANY_TABLE: &str = "CREATE TABLE ports (code text PRIMARY KEY, name text NOT NULL);
     INSERT INTO ports SELECT 'P' || n, 'port ' || n FROM generate_series(1, 100) AS n";
const ANY_MAPPING: &str = "[[format]]\nname = \"ports\"\n\
     [format.columns]\nCode = \"code\"\nName = \"name\"\n";

async fn any_table() -> Installation {
    let here = Installation::new().await;
    here.db.psql(ANY_TABLE).await;
    here.file("m.toml", ANY_MAPPING);
    here
}

fn sterna(here: &Installation, args: &[&str]) -> Finished {
    let mut command = here.db.command(&["--table", "ports"]);
    Finished::from(command.args(args).current_dir(here.folder.path()).output().unwrap())
}

fn ports(count: usize) -> String {
    let lines = (1..=count).map(|n| format!("P{n},port {n}\n"));
    "Code,Name\n".to_owned() + &lines.collect::<String>()
}

#[tokio::test]
async fn a_file_that_was_cut_fails_whatever_the_table_is_about() {
    let here = any_table().await;
    for (rows, limit, code) in [(89, "10", 4), (90, "10", 0), (40, "60", 0), (39, "60", 4)] {
        let file = here.file("p.csv", ports(rows));
        sterna(&here, &["load", &file, "--all", "--mapping", "m.toml"]).expect_code(0);
        let args = ["validate", "--format", "json", "--max-shrinkage", limit];
        let report = sterna(&here, &args).expect_code(code);
        let report = serde_json::from_str(&report.stdout).unwrap();
        let found = check(&report, "rows-shrunk");
        let figures = (&found["expected"], &found["observed"], &found["passed"]);
        assert_eq!(figures, (&json!(100), &json!(rows), &json!(code == 0)), "{report:#}");
        sterna(&here, &["stage", "truncate"]).expect_code(0);
    }
}

#[tokio::test]
async fn an_empty_load_is_never_switched_over() {
    let here = any_table().await;
    let file = here.file("p.csv", ports(0));
    sterna(&here, &["load", &file, "--all", "--mapping", "m.toml"]).expect_code(0);
    // Whatever the limit, an empty table is refused.
    sterna(&here, &["validate", "--max-shrinkage", "100"]).expect_code(4);
    sterna(&here, &["switchover"]).expect_code(4);
    let refused = sterna(&here, &["switchover", "--accept-failed-validation"]).expect_code(6);
    assert!(refused.stderr.contains("\"ports_staging\" is empty"), "{refused:?}");
    assert!(refused.stderr.contains("has 100 rows"), "{refused:?}");
    assert_eq!(here.db.psql("SELECT count(*) FROM ports").await, "100");
    let args = ["migrate", &file, "--mapping", "m.toml", "--accept-failed-validation"];
    sterna(&here, &args).expect_code(6);
    assert_eq!(here.db.psql("SELECT count(*) FROM ports").await, "100");
    // A table that had no rows has none to lose.
    here.db.psql("DROP TABLE IF EXISTS ports_staging; DELETE FROM ports").await;
    sterna(&here, &["rollback", "1.1"]).expect_code(0);
    sterna(&here, &["load", &file, "--all", "--mapping", "m.toml"]).expect_code(0);
    sterna(&here, &["validate"]).expect_code(0);
}

#[tokio::test]
async fn a_year_without_rows_is_said_aloud_and_fails() {
    for sql_type in ["integer", "bigint", "smallint"] {
        let here = Installation::new().await;
        let views = "SELECT string_agg(format('DROP VIEW %s', oid::regclass), '; ')
            FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace";
        here.db.psql(&here.db.psql(views).await).await;
        let altered = format!("ALTER TABLE cites_trade_records ALTER year TYPE {sql_type}");
        here.db.psql(&altered).await;
        let file = here.file("a.csv", file_of(&good(3)));
        let loaded = here.db.sterna(&["load", &file, "--year", "2019,2020", "--format", "json"]);
        assert!(loaded.stderr.contains("no row for 2019"), "{loaded:?}");
        let report: serde_json::Value =
            serde_json::from_str(&loaded.expect_code(0).stdout).unwrap();
        assert_eq!(report["years_without_rows"], json!([2019]));
        let report = validated(&here, 4, &[]);
        assert_eq!(failed(&report), ["year-present"]);
        assert_eq!(check(&report, "year-present")["rows"][0]["year"], 2019);
        validated(&here, 0, &["--year", "2020"]);
    }
}

#[tokio::test]
async fn a_year_that_lost_rows_is_named() {
    let here = Installation::new().await;
    let record = |at: usize| {
        let year = (2018 + at % 2).to_string();
        shipment(&[("Id", &at.to_string()), ("Year", &year)])
    };
    let all: Vec<String> = (0..60).map(record).collect();
    let file = here.file("a.csv", file_of(&all));
    here.report(0, &[&file, "--all"]);
    here.db.psql(FILL_PRODUCTION).await;
    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    let fewer: Vec<String> = (0..60).filter(|at| at % 2 == 0 || *at > 9).map(record).collect();
    let file = here.file("b.csv", file_of(&fewer));
    here.report(0, &[&file, "--all"]);
    let report = validated(&here, 4, &[]);
    assert!(failed(&report).contains(&"year-shrunk"), "{report:#}");
    let row = &check(&report, "year-shrunk")["rows"][0];
    assert_eq!(row, &json!({"year": 2019, "expected": 30, "observed": 25}));
    assert_eq!(check(&report, "rows-shrunk")["passed"], true);
}
