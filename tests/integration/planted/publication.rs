//! Publications that would send sterna's own tables to a subscriber.

use super::Planted;
use crate::server::has;

#[tokio::test]
async fn a_subscriber_is_not_given_tables_that_it_does_not_have() {
    let planted = Planted::new().await;
    let in_database = planted.here.db.name().to_owned();
    let mut publications = vec!["FOR ALL TABLES"];
    if has(15, "publications of whole schemas") {
        publications.push("FOR TABLES IN SCHEMA public");
    }
    for publication in publications {
        planted.psql(&format!("CREATE PUBLICATION everything {publication}")).await;
        // Nobody subscribes to it.
        planted.sterna(None, &["stage", "create"]).expect_code(0);
        planted.sterna(None, &["stage", "drop"]).expect_code(0);
        planted.psql("DROP SCHEMA sterna CASCADE").await;
        let slot = format!("reader_of_{in_database}");
        let made = format!("SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')");
        planted.psql(&made).await;
        for args in [
            ["stage", "create"].as_slice(),
            &["load", "in.csv", "--all"],
            &["migrate", "in.csv"],
            &["backup", "--out", "b"],
        ] {
            let refused = planted.sterna(None, args).expect_code(6);
            assert!(
                refused.stderr.contains("publication everything") && refused.stderr.contains(&slot),
                "{args:?}: {refused:?}"
            );
        }
        assert_eq!(planted.psql("SELECT to_regnamespace('sterna') IS NULL").await, "t");
        let checked = planted.sterna(None, &["check", "pre", "--format", "json"]).expect_code(6);
        assert!(checked.stdout.contains("publication everything"), "{checked:?}");
        planted.psql(&format!("SELECT pg_drop_replication_slot('{slot}')")).await;
        planted.psql("DROP PUBLICATION everything").await;
    }
    planted.end().await;
}
