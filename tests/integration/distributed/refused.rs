//! Commands refuse such a table before they write anything. The catalog of the extension is
//! planted on an ordinary server, as far as sterna reads it.

use crate::check::{finding, findings};
use crate::cites::{Installation, file_of, good};
use crate::server::Finished;

/// Makes the server look as if it had an extension.
const EXTENSION: &str = "INSERT INTO pg_extension
    SELECT 99999, '{name}', 10, 11, false, '1.0', NULL, NULL";

const CITUS: &str = "SET allow_system_table_mods = on;
    CREATE TABLE pg_catalog.pg_dist_partition (
        logicalrelid regclass, partmethod \"char\", partkey text, colocationid integer,
        repmodel \"char\"
    );
    CREATE FUNCTION pg_catalog.column_to_column_name(regclass, text) RETURNS text
    LANGUAGE sql AS 'SELECT $2';";

const TIMESCALEDB: &str = "CREATE SCHEMA _timescaledb_catalog;
    CREATE TABLE _timescaledb_catalog.hypertable (schema_name name, table_name name);";

/// An installation on a server with an extension, whose catalog says this.
async fn with(extension: &str, catalog: &str, says: &str) -> Installation {
    let here = Installation::new().await;
    let added = EXTENSION.replace("{name}", extension);
    here.db.psql(&format!("{catalog} {added}; {says}")).await;
    here
}

/// What only a table that Citus distributes by a hash is taken for.
const OF_SHARDS: [&[&str]; 8] = [
    &["stage", "create"],
    &["stage", "truncate"],
    &["stage", "drop"],
    &["load", "in.csv", "--all"],
    &["validate", "--all"],
    &["switchover", "--accept-failed-validation"],
    &["rollback", "switchover"],
    &["cleanup", "--older-than", "0s"],
];

/// Every command that writes is refused with this text, and has written nothing.
async fn is_refused(here: &Installation, text: &str, also: &[&[&str]]) {
    let file = here.file("in.csv", file_of(&good(5)));
    let out = here.path("out").display().to_string();
    let commands: [&[&str]; 8] = [
        &["validate", "--comprehensive"],
        &["bench"],
        &["backup", "--method", "copy", "--out", &out],
        &["reindex"],
        &["summary"],
        &["prune", "--keep", "1"],
        &["migrate", &file],
        &["rehearse", &file],
    ];
    for command in commands.iter().chain(also) {
        let mut run = here.db.command(command);
        run.current_dir(here.folder.path());
        let refused = Finished::from(run.output().unwrap()).expect_code(6);
        assert!(refused.stderr.contains(text), "{command:?}: {refused:#?}");
        assert_eq!(here.db.psql("SELECT to_regnamespace('sterna')").await, "", "{command:?}");
    }
    if !also.is_empty() {
        let looked = here.db.sterna(&["check", "pre", "--format", "json"]).expect_code(6);
        let found = findings(&looked);
        let supported = finding(&found, "supported");
        assert_eq!(supported["passed"], false, "{supported}");
        assert!(supported["detail"].as_str().unwrap().contains(text), "{supported}");
    }
    let tables =
        "SELECT count(*) FROM pg_class WHERE relname LIKE 'cites_trade_records!_%' ESCAPE '!'
        AND relkind = 'r'";
    assert_eq!(here.db.psql(tables).await, "0");
}

#[tokio::test]
async fn a_table_that_citus_distributes() {
    let says = "INSERT INTO pg_catalog.pg_dist_partition
        VALUES ('cites_trade_records', 'h', 'id', 1, 's')";
    let here = with("citus", CITUS, says).await;
    is_refused(&here, "is distributed by Citus, by the hash of \"id\"", &[]).await;
}

#[tokio::test]
async fn a_reference_table_of_citus() {
    let says = "INSERT INTO pg_catalog.pg_dist_partition
        VALUES ('cites_trade_records', 'n', NULL, 1, 't')";
    let here = with("citus", CITUS, says).await;
    is_refused(&here, "is a reference table of Citus", &OF_SHARDS).await;
}

#[tokio::test]
async fn a_hypertable() {
    let says = "INSERT INTO _timescaledb_catalog.hypertable
        VALUES ('public', 'cites_trade_records')";
    let here = with("timescaledb", TIMESCALEDB, says).await;
    is_refused(&here, "is a hypertable of TimescaleDB", &OF_SHARDS).await;
}

/// A table that the extension does not know is replaced as on any other server.
#[tokio::test]
async fn an_ordinary_table_beside_them() {
    let says = "INSERT INTO pg_catalog.pg_dist_partition VALUES ('species', 'n', NULL, 1, 't')";
    let here = with("citus", CITUS, says).await;
    let file = here.file("in.csv", file_of(&good(5)));
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&file, "--all"]);
    here.db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records").await, "5");
}

/// A staging table that somebody has distributed is neither filled nor dropped.
#[tokio::test]
async fn a_staging_table_that_was_distributed() {
    let here = with("citus", CITUS, "SELECT 1").await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    let says = "INSERT INTO pg_catalog.pg_dist_partition
        VALUES ('cites_trade_records_staging', 'h', 'id', 1, 's')";
    here.db.psql(says).await;
    let file = here.file("in.csv", file_of(&good(5)));
    let commands: [&[&str]; 4] = [
        &["load", &file, "--all"],
        &["stage", "truncate"],
        &["stage", "drop"],
        &["switchover", "--accept-failed-validation"],
    ];
    for command in commands {
        let refused = here.db.sterna(command).expect_code(6);
        assert!(refused.stderr.contains("by the hash of \"id\""), "{command:?}: {refused:#?}");
    }
}
