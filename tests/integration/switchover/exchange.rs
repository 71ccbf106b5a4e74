//! The exchange on the table with all features: forwards and back.

use sterna::pg::Connection;
use sterna::table::fingerprint::{Fingerprint, take_beside};

use crate::cites::{Installation, header};
use crate::rich::{fill, rich};
use crate::server::TestDb;

/// The rich database with rows, and a release that contains the same records again.
pub(crate) async fn rich_installation() -> (Installation, String) {
    let here = Installation { db: rich().await, folder: tempfile::tempdir().unwrap() };
    fill(&here.db).await;
    // Older than the check allows: the release cannot contain them.
    here.db
        .psql(
            "DELETE FROM trade_annotations AS a USING cites_trade_records AS t
             WHERE t.id = a.record AND t.year < 1975",
        )
        .await;
    let release = here.file("release.csv", release_of(&here.db).await);
    (here, release)
}

/// The records of production from 1975 on, as a shipment file.
pub(super) async fn release_of(db: &TestDb) -> String {
    let rows = "SELECT concat_ws(',', record_id, year, appendix, taxon,
            coalesce(class, ''), coalesce(order_name, ''), coalesce(family, ''),
            coalesce(genus, ''), term, quantity::text, coalesce(unit, ''),
            coalesce(importer, ''), coalesce(exporter, ''), coalesce(origin, ''),
            coalesce(purpose, ''), coalesce(source, ''), coalesce(reporter_type, ''), '', '', '')
        FROM cites_trade_records WHERE year >= 1975 ORDER BY record_id";
    format!("{}\n{}\n", header(), db.psql(rows).await)
}

/// The arguments of `switchover` or `rollback`: these tests are about the exchange, not about
/// whether the rows are right.
pub(super) fn exchanging(command: &str) -> Vec<&str> {
    match command {
        "switchover" => vec![command, "--accept-failed-validation"],
        _ => vec![command],
    }
}

/// The fingerprint of the live table, without what sterna has created next to it.
pub(crate) async fn fingerprint(db: &TestDb) -> Fingerprint {
    fingerprint_of(db, "cites_trade_records").await
}

/// The same of another table.
pub(crate) async fn fingerprint_of(db: &TestDb, table: &str) -> Fingerprint {
    let session: Connection = db.connect().await;
    session.batch_execute("SET search_path = ''; SET row_security = off").await.unwrap();
    let oids = "SELECT c.oid FROM pg_class AS c
        WHERE starts_with(c.relname, $1) AND c.relkind = 'r'
        ORDER BY c.relname = $1 DESC";
    let oids: Vec<u32> =
        session.query(oids, &[&table]).await.unwrap().iter().map(|row| row.get(0)).collect();
    take_beside(&session, oids[0], &oids[1..]).await.unwrap()
}

/// Every name in the database that is not the server's or the ledger's own.
pub(crate) async fn names(db: &TestDb) -> String {
    db.psql(
        "SELECT string_agg(name, E'\\n' ORDER BY name) FROM (
            SELECT relkind::text || ' ' || oid::regclass AS name FROM pg_class
            WHERE relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'sterna', 'pg_toast')
            UNION ALL SELECT 'f ' || oid::regprocedure FROM pg_proc
            WHERE pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'sterna')
            UNION ALL SELECT 'c ' || conrelid::regclass || ' ' || conname FROM pg_constraint WHERE conrelid <> 0
                AND connamespace::regnamespace::text <> 'sterna' AND connamespace::regnamespace::text <> 'pg_catalog'
            UNION ALL SELECT 't ' || tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 's ' || stxname FROM pg_statistic_ext
        ) AS named",
    )
    .await
}

#[tokio::test]
async fn nothing_but_the_rows_changes_and_nothing_at_all_after_a_rollback() {
    let (here, release) = rich_installation().await;
    let db = &here.db;
    let (before, before_names) = (fingerprint(db).await, names(db).await);
    db.sterna(&["stage", "create"]).expect_code(0);
    assert_eq!(before.differences(&fingerprint(db).await), []);
    let report = here.report(0, &[&release, "--all", "--verify"]);
    let loaded = report["rows_loaded"].as_i64().unwrap();
    assert!(loaded > 2000);

    let done =
        db.sterna(&["switchover", "--accept-failed-validation", "--format", "json"]).expect_code(0);
    let done: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done["parity_differences"], serde_json::json!([]), "{done:#}");
    assert_eq!(done["exceptions"], serde_json::json!([]));
    assert_eq!(done["rows"], loaded);
    assert_eq!(before.differences(&fingerprint(db).await), []);
    let count = "SELECT count(*) FROM cites_trade_records";
    assert_eq!(db.psql(count).await, loaded.to_string());
    db.psql("INSERT INTO trade_annotations (record) SELECT id FROM cites_trade_records LIMIT 1")
        .await;

    let back = db.sterna(&["rollback"]).expect_code(0);
    assert!(back.stdout.contains("rolled back"), "{back:?}");
    assert_eq!(before.differences(&fingerprint(db).await), []);
    assert_eq!(db.psql(count).await, "2580");
    db.sterna(&["stage", "drop"]).expect_code(0);
    assert_eq!(before.differences(&fingerprint(db).await), []);
    assert_eq!(names(db).await, before_names);
}

#[tokio::test]
async fn writes_are_carried_over_both_ways() {
    let (here, release) = rich_installation().await;
    let db = &here.db;
    db.sterna(&["stage", "create"]).expect_code(0);
    db.psql(
        "UPDATE cites_trade_records SET notes = 'written before the load' WHERE record_id = 'R1-3'",
    )
    .await;
    db.psql("DELETE FROM cites_trade_records WHERE record_id = 'R1-5'").await;
    here.report(0, &[&release, "--all"]);
    db.psql(
        "UPDATE cites_trade_records SET unit = 'written after it' WHERE record_id = 'R1-4';
         DELETE FROM cites_trade_records WHERE record_id = 'R1-7';
         INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term, revision)
         SELECT species_id, 'N-1', 2020, 'II', taxon, 'new', 77777 FROM cites_trade_records WHERE record_id = 'R2-1';
         DELETE FROM trade_annotations WHERE record IN (SELECT id FROM cites_trade_records WHERE record_id LIKE 'R9-%');
         DELETE FROM trade_disputes WHERE record IN (SELECT id FROM cites_trade_records WHERE record_id LIKE 'R9-%');
         DELETE FROM species WHERE id = (SELECT species_id FROM cites_trade_records WHERE record_id = 'R9-1')",
    )
    .await;
    let journal = db.psql("SELECT 'sterna.journal_' || relid FROM sterna.journaled").await;
    let written = db.psql(&format!("SELECT count(*) FROM {journal}")).await;
    let done =
        db.sterna(&["switchover", "--accept-failed-validation", "--format", "json"]).expect_code(0);
    let done: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done["replayed_rows"].to_string(), written, "{done:#}");
    let recorded = "SELECT replayed, carried_back FROM sterna.switchover";
    assert_eq!(db.psql(recorded).await, format!("{written}|"));
    let state = "SELECT string_agg(record_id || ' ' || coalesce(notes, '') || ' ' || coalesce(unit, ''), ', ' ORDER BY record_id)
        FROM cites_trade_records WHERE record_id IN ('R1-3', 'R1-4', 'R1-5', 'R1-7', 'N-1') OR record_id LIKE 'R9-%'";
    // The files do not fill the notes, so they are unchanged.
    let expected = "N-1 it's \"new\" , R1-3 written before the load , \
        R1-4 note note note note  written after it";
    assert_eq!(db.psql(state).await, expected);

    db.psql(
        "UPDATE cites_trade_records SET notes = 'after the switchover' WHERE record_id = 'R1-4';
         DELETE FROM cites_trade_records WHERE record_id = 'R1-6';
         INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term, revision)
         SELECT species_id, 'N-2', 2021, 'II', taxon, 'new', 77778 FROM cites_trade_records WHERE record_id = 'R2-1'",
    )
    .await;
    db.sterna(&["rollback", "switchover"]).expect_code(0);
    assert_eq!(db.psql(recorded).await, format!("{written}|3"));
    let state = "SELECT string_agg(record_id || ' ' || notes || ' ' || coalesce(unit, ''), ', ' ORDER BY record_id)
        FROM cites_trade_records WHERE record_id IN ('R1-4', 'R1-6', 'N-1', 'N-2')";
    let expected =
        "N-1 it's \"new\" , N-2 it's \"new\" , R1-4 after the switchover written after it";
    assert_eq!(db.psql(state).await, expected);
}
