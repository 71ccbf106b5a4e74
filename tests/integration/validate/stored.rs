//! What the ledger stores of a validation, and when it no longer applies to the rows.

use sterna::pg::{Table, catalog};
use sterna::validate::{Carried, ValidateOptions, last, validate};
use sterna::watch::Watch;

use super::{check, checks, validated};
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
        (set, "1 row added or changed"),
        (lost, "29 rows, and had 30"),
        (added, "1 row added or changed"),
        ("UPDATE sterna.load_run SET state = 'failed' WHERE state = 'loaded'", "other loads"),
    ] {
        here.report(0, &[&file, "--all"]);
        let session = here.db.connect().await;
        let oid = catalog::relation(&session, &staging).await.unwrap().unwrap().oid;
        assert_eq!(last(&session, oid).await.unwrap(), None);
        let report = validate(here.db.info(), &options, &Watch::default()).await.unwrap();
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
    validate(here.db.info(), &ValidateOptions::new(table), &Watch::default()).await.unwrap();
    let session = here.db.connect().await;
    let oid = catalog::relation(&session, &staging).await.unwrap().unwrap().oid;
    let stored = last(&session, oid).await.unwrap().unwrap();
    let outdated = stored.is_outdated(&session, &staging, Carried::default()).await.unwrap();
    assert_eq!(outdated.as_deref(), Some("1 of its rows did not come from a load"));
}

#[tokio::test]
async fn rows_are_read_back_once_unless_something_has_touched_them() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(30)));
    let table = "cites_trade_records_staging";
    let how = |code: i32| {
        let report = validated(&here, code, &[]);
        check(&report, "equal-to-files")["detail"].as_str().unwrap().to_owned()
    };
    let (read, counted) = ("nothing is wrong", "an earlier proof read the rows back");
    // A load that verified has read the rows already.
    here.report(0, &[&file, "--all", "--verify"]);
    assert!(how(0).starts_with(counted));
    here.db.psql(&format!("VACUUM (FREEZE, ANALYZE) {table}")).await;
    assert!(how(0).starts_with(counted));
    // The same values in another place, and in columns of another type or number.
    for rewrite in [
        format!("VACUUM FULL {table}"),
        format!("CLUSTER {table} USING cites_trade_records_pkey_staging"),
    ] {
        here.db.psql(&rewrite).await;
        assert_eq!(how(0), read, "{rewrite}");
        assert!(how(0).starts_with(counted), "{rewrite}");
    }
    here.db
        .psql(&format!("ALTER TABLE {table} DROP COLUMN unit, ADD COLUMN unit text DEFAULT 'kg'"))
        .await;
    assert!(how(4).contains("with sum"), "the values are others, although no row was written");
    here.db.sterna(&["stage", "drop"]).expect_code(0);

    // Rows of a later load were not read by the proof of the first one.
    here.report(0, &[&file, "--all", "--verify"]);
    let more = here.file("b.csv", file_of(&[shipment(&[("Id", "31")])]));
    here.report(0, &[&more, "--all", "--append"]);
    assert_eq!(how(0), read);
    assert!(how(0).starts_with(counted));
    // As many rows by the same transactions, but not those that were proved.
    here.db.psql("UPDATE sterna.load_batch SET checksum = checksum + 1").await;
    here.db.psql("UPDATE sterna.load_run SET checksum = checksum + 1").await;
    assert!(how(4).contains("with sum"));

    let report = validated(&here, 4, &[]);
    let count = |severity: &str| {
        let failed = checks(&report).iter().filter(|check| check["passed"] == false);
        failed.filter(|check| check["severity"] == severity).count()
    };
    let counted = |severity: &str| match count(severity) {
        1 => format!(" 1 {severity},"),
        number => format!(" {number} {severity}s,"),
    };
    let counts = counted("error") + &counted("warning");
    let said = here.db.sterna(&["validate"]).expect_code(4).stdout;
    assert!(count("error") > 0 && said.contains(&counts), "{said}");
}
