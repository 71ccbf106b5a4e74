//! A production database with every feature that a table can have: see `tests/fixtures/rich.sql`.

use sterna::pg::embedded::ModelSchema;

use crate::cites::{Installation, file_of, good, insert_species};
use crate::server::{Finished, TestDb};

/// The files of the fixture, which alternate with those of the model.
const TABLE: &str = include_str!("../fixtures/rich.sql");
const DEPENDENTS: &str = include_str!("../fixtures/rich-dependents.sql");
const ROWS: &str = include_str!("../fixtures/rich-rows.sql");

/// A database with the rich trade table, everything that depends on it, and no rows.
pub(crate) async fn rich() -> TestDb {
    let db = TestDb::empty().await;
    let [platform, species, _, around] = ModelSchema::Production.parts();
    for sql in [platform, species, TABLE, around, DEPENDENTS] {
        db.psql(sql).await;
    }
    db
}

/// The 43 species, 2,580 rows of trade (a few older than the check on the year
/// allows, a few with a parent), 258 annotations and 43 disputes about them.
pub(crate) async fn fill(db: &TestDb) {
    db.psql(&insert_species()).await;
    db.psql(ROWS).await;
}

#[tokio::test]
async fn the_fixture_holds_what_it_says() {
    let db = rich().await;
    fill(&db).await;
    let counts = "SELECT
        (SELECT count(*) FROM cites_trade_records),
        (SELECT count(*) FROM cites_trade_records WHERE year < 1975),
        (SELECT count(*) FROM cites_trade_records WHERE parent_id IS NOT NULL),
        (SELECT count(*) FROM trade_annotations),
        (SELECT count(*) FROM trade_disputes),
        (SELECT count(*) FROM trade_log)";
    assert_eq!(db.psql(counts).await, "2580|43|43|258|43|0");
    // There are triggers in all states, and rules in all but the rare ones.
    let states = "SELECT string_agg(DISTINCT tgenabled::text, '' ORDER BY tgenabled::text)
        FROM pg_trigger WHERE tgrelid = 'cites_trade_records'::regclass AND NOT tgisinternal";
    assert_eq!(db.psql(states).await, "ADOR");
    let owner = "SELECT rolname, rolsuper FROM pg_class AS c JOIN pg_roles AS r ON r.oid = relowner
        WHERE c.oid = 'cites_trade_records'::regclass";
    assert_eq!(db.psql(owner).await, "trade_owner|f");
    // Its triggers and rules fire for writers.
    db.psql("UPDATE cites_trade_records SET appendix = 'N' WHERE record_id = 'R1-3'").await;
    let logged = "SELECT string_agg(what, ', ' ORDER BY what) FROM trade_log";
    assert_eq!(db.psql(logged).await, "Trade always UPDATE, rule UPDATE, trade_at_the_end UPDATE");
}

#[tokio::test]
async fn the_fixture_can_be_loaded_and_its_triggers_do_not_fire() {
    let here = Installation { db: rich().await, folder: tempfile::tempdir().unwrap() };
    fill(&here.db).await;
    let file = here.file("in.csv", file_of(&good(2000)));
    let report = here.report(0, &[&file, "--all", "--verify"]);
    assert_eq!(report["rows_loaded"], 2000, "{report:#}");
    assert_eq!(here.staging().await.len(), 2000);
    assert_eq!(here.db.psql("SELECT count(*) FROM trade_log").await, "0");
}

#[tokio::test]
async fn its_owner_can_load_it() {
    let here = Installation { db: rich().await, folder: tempfile::tempdir().unwrap() };
    fill(&here.db).await;
    let file = here.file("in.csv", file_of(&good(500)));
    let mut command = here.command(&[&file, "--all", "--verify"]);
    Finished::from(command.env("PGUSER", "trade_owner").output().unwrap()).expect_code(0);
    assert_eq!(here.staging().await.len(), 500);
}
