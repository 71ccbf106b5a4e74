//! The ledger's version.

mod upgrade;

use crate::server::TestDb;

#[tokio::test]
async fn a_newer_ledger_is_refused_by_every_command_that_opens_it() {
    let db = TestDb::new().await;
    db.sterna(&["stage", "create"]).expect_code(0);
    let recorded = "SELECT version, program FROM sterna.ledger";
    let version = sterna::ledger::VERSION;
    assert_eq!(db.psql(recorded).await, format!("{version}|{}", env!("CARGO_PKG_VERSION")));
    db.psql(&format!("INSERT INTO sterna.ledger VALUES ({}, '9.8.7')", version + 1)).await;
    for args in
        [["stage", "drop"].as_slice(), &["status"], &["report", "--out", "r"], &["rollback"]]
    {
        let refused = db.sterna(args).expect_code(6);
        for words in [
            &format!("version {}", version + 1),
            &format!("version {version}"),
            "use sterna 9.8.7 or a newer one",
        ] {
            assert!(refused.stderr.contains(words), "{args:?}: {words}: {refused:?}");
        }
    }
    let checked = db.sterna(&["check", "pre", "--format", "json"]).expect_code(6);
    assert!(checked.stdout.contains("use sterna 9.8.7"), "{checked:?}");
    assert_eq!(db.psql("SELECT count(*) FROM sterna.staging").await, "1");
}
