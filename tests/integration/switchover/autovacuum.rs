//! An autovacuum of the table, which must not make readers and writers wait.

use std::time::Duration;

use sterna::pg::embedded::{Embedded, ModelSchema, Options};
use sterna::pg::{Ident, connect};

use crate::cites::{file_of, good, insert_species};
use crate::server::{Finished, sterna};

/// Works on the table for minutes: each page costs it a pause.
const SLOW: &str = "ALTER TABLE cites_trade_records SET (
        autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
    INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
    SELECT s.id, i::text, 2020, 'II', 'Ursus maritimus', 'skins'
    FROM species AS s, generate_series(1, 5000) AS i WHERE s.scientific_name = 'Ursus maritimus'";
const AT_WORK: &str =
    "SELECT count(*) FROM pg_stat_activity AS a INNER JOIN pg_locks AS l USING (pid)
    WHERE a.backend_type = 'autovacuum worker' AND l.granted
        AND l.relation = 'cites_trade_records'::regclass";

#[tokio::test]
async fn an_autovacuum_is_asked_to_make_way() {
    let options = Options::default().set("autovacuum", "off").set("autovacuum_naptime", "1s");
    let server = Embedded::start(&options).unwrap();
    server.create_database(&Ident::new("trade").unwrap(), None).await.unwrap();
    let session = connect(&server.conninfo("trade")).await.unwrap();
    ModelSchema::Production.install(&session).await.unwrap();
    session.batch_execute(&insert_species()).await.unwrap();
    session.batch_execute(SLOW).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.csv"), file_of(&good(5000))).unwrap();
    let run = |args: &[&str]| {
        let mut command = sterna(args);
        command.env("PGHOST", server.socket_folder()).env("PGPORT", server.port().to_string());
        command.env("PGDATABASE", "trade").env("PGUSER", server.user()).current_dir(folder.path());
        Finished::from(command.output().unwrap()).expect_code(0)
    };
    run(&["stage", "create"]);
    run(&["load", "in.csv", "--all"]);
    session.batch_execute("UPDATE cites_trade_records SET unit = 'kg'").await.unwrap();
    let set = async |setting: &str| {
        session.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
        session.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    set("autovacuum = on").await;
    for turn in 0.. {
        if session.query_one(AT_WORK, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            break;
        }
        assert!(turn < 400, "no autovacuum comes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Further ones run as rarely as usual.
    set("autovacuum_naptime = '1min'").await;
    run(&["switchover", "--accept-failed-validation", "--max-wait", "30s"]);
    let units = "SELECT count(*) FILTER (WHERE unit = 'kg') FROM cites_trade_records";
    assert_eq!(session.query_one(units, &[]).await.unwrap().get::<_, i64>(0), 5000);
}
