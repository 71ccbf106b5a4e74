//! What the ledger stores of a validation, and when it no longer applies to the rows.

use std::sync::atomic::AtomicBool;

use sterna::pg::{Table, catalog};
use sterna::validate::{Carried, ValidateOptions, last, validate};

use crate::cites::{Installation, file_of, good, shipment};

#[tokio::test]
async fn a_validation_holds_until_a_row_is_touched() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(30)));
    let table = Table::new("public", "cites_trade_records").unwrap();
    let staging = table.with_suffix("_staging").unwrap();
    let options = ValidateOptions::new(table);
    let set = "UPDATE cites_trade_records_staging SET unit = 'kg' WHERE record_id = '7'";
    let lost = "DELETE FROM cites_trade_records_staging WHERE record_id = '7'";
    let added = "INSERT INTO cites_trade_records_staging (species_id, year, appendix, taxon, term)
        SELECT species_id, year, appendix, taxon, term FROM cites_trade_records_staging LIMIT 1";
    for (sql, why) in [
        (set, "1 rows were added or changed"),
        (lost, "29 rows, and had 30"),
        (added, "1 rows were added or changed"),
        ("UPDATE sterna.load_run SET state = 'failed' WHERE state = 'loaded'", "other loads"),
    ] {
        here.report(0, &[&file, "--all"]);
        let session = here.db.connect().await;
        let oid = catalog::relation(&session, &staging).await.unwrap().unwrap().oid;
        assert_eq!(last(&session, oid).await.unwrap(), None);
        let report = validate(here.db.info(), &options, &AtomicBool::new(false)).await.unwrap();
        let stored = last(&session, oid).await.unwrap().unwrap();
        assert!(stored.passed && report.passed && !stored.comprehensive);
        assert_eq!(stored.id.to_string(), report.id);
        assert_eq!(stored.is_outdated(&session, &staging, Carried::default()).await.unwrap(), None);

        here.db.psql("VACUUM FREEZE cites_trade_records_staging").await;
        assert_eq!(stored.is_outdated(&session, &staging, Carried::default()).await.unwrap(), None);

        here.db.psql(sql).await;
        let outdated =
            stored.is_outdated(&session, &staging, Carried::default()).await.unwrap().unwrap();
        assert!(outdated.contains(why), "{sql}: {outdated}");
        here.db.sterna(&["stage", "drop"]).expect_code(0);
    }
}

#[tokio::test]
async fn rows_that_are_appended_outdate_it() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(3)));
    let bad = here.file("b.csv", file_of(&[shipment(&[("Id", "x")])]));
    here.report(0, &[&file, "--all"]);
    here.db.sterna(&["validate"]).expect_code(0);
    let session = here.db.connect().await;
    let staging = Table::new("public", "cites_trade_records_staging").unwrap();
    let oid = catalog::relation(&session, &staging).await.unwrap().unwrap().oid;
    let stored = last(&session, oid).await.unwrap().unwrap();
    here.load(&[&bad, "--all", "--append"]);
    let outdated = stored.is_outdated(&session, &staging, Carried::default()).await.unwrap();
    assert!(outdated.unwrap().contains("other loads"));
}

#[tokio::test]
async fn rows_that_no_load_wrote_are_never_validated() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(3)));
    here.report(0, &[&file, "--all"]);
    let add = "INSERT INTO cites_trade_records_staging (species_id, year, appendix, taxon, term)
        SELECT species_id, year, appendix, taxon, term FROM cites_trade_records_staging LIMIT 1";
    here.db.psql(add).await;
    let table = Table::new("public", "cites_trade_records").unwrap();
    let staging = table.with_suffix("_staging").unwrap();
    let stop = AtomicBool::new(false);
    validate(here.db.info(), &ValidateOptions::new(table), &stop).await.unwrap();
    let session = here.db.connect().await;
    let oid = catalog::relation(&session, &staging).await.unwrap().unwrap().oid;
    let stored = last(&session, oid).await.unwrap().unwrap();
    let outdated = stored.is_outdated(&session, &staging, Carried::default()).await.unwrap();
    assert_eq!(outdated.as_deref(), Some("1 of its rows were not written by a load"));
}
