//! Whether the application works: queries, endpoints, counters.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::{failed, finding, findings};
use crate::cites::{Installation, file_of, good};
use crate::server::{Finished, TestDb, flush_counts};

fn post(db: &TestDb, args: &[&str]) -> Finished {
    db.sterna(&[&["check", "post", "--format", "json"], args].concat())
}

/// A role that logs in without a password and has the application's rights. [`gone`] drops it,
/// because roles belong to the whole server.
async fn application(db: &TestDb) -> String {
    let role = format!("{}_app", db.name());
    db.psql(&format!("CREATE ROLE {role} LOGIN IN ROLE anon")).await;
    role
}

async fn gone(db: &TestDb, role: &str) {
    db.psql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// An installation after a switchover.
async fn switched() -> Installation {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&good(50)));
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&file, "--all"]);
    here.db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    here
}

#[tokio::test]
async fn after_a_switchover_the_application_is_well() {
    let here = switched().await;
    let app = application(&here.db).await;
    let report = findings(&post(&here.db, &["--as-role", &app]).expect_code(0));
    assert_eq!(failed(&report, "error"), Vec::<String>::new());
    assert_eq!(failed(&report, "warning"), Vec::<String>::new(), "{report:#}");
    for query in [
        "species-overview",
        "latest-trade",
        "trade-routes",
        "records-by-year",
        "species-by-year",
        "quantities",
        "species-with-trade",
    ] {
        let found = finding(&report, &format!("query-{query}"));
        assert!(found["detail"].as_str().unwrap().contains(" rows in "), "{found}");
    }
    assert!(finding(&report, "role")["detail"].as_str().unwrap().contains(&app));
    assert!(finding(&report, "rollback")["detail"].as_str().unwrap().contains("possible"));
    gone(&here.db, &app).await;
}

#[tokio::test]
async fn without_a_login_of_the_application_nothing_is_asked() {
    let here = switched().await;
    let db = &here.db;
    // `anon` cannot log in here, as on hosted platforms.
    let report = findings(&post(db, &[]).expect_code(0));
    assert_eq!(failed(&report, "warning"), ["role"], "{report:#}");
    let detail = finding(&report, "role")["detail"].as_str().unwrap();
    assert!(detail.contains("cannot log in"), "{detail}");
    let detail = finding(&report, "query-trade-routes")["detail"].as_str().unwrap();
    assert!(detail.starts_with("parsed, not run"), "{detail}");
    db.psql("REVOKE SELECT ON trade_routes FROM anon").await;
    let report = findings(&post(db, &[]).expect_code(4));
    assert_eq!(failed(&report, "error"), ["query-trade-routes"], "{report:#}");
    here.file("q.sql", "SELECT * FROM {table}");
    let folder = here.folder.path().to_str().unwrap();
    let report = findings(&post(db, &["--queries", folder]).expect_code(0));
    assert_eq!(failed(&report, "warning"), ["role", "query-q"], "{report:#}");
    // The migrator itself, or a role with all its rights, is not an application.
    let url = format!(
        "host={} port={} user={} dbname={}",
        crate::server::shared().socket_folder().display(),
        crate::server::shared().port(),
        crate::server::shared().user(),
        db.name()
    );
    let report = findings(&post(db, &["--application-url", &url]).expect_code(4));
    let detail = finding(&report, "role")["detail"].as_str().unwrap();
    assert!(detail.contains("all rights of the role that migrates"), "{detail}");
    let elsewhere = url.replace(db.name(), "postgres");
    let refused = post(db, &["--application-url", &elsewhere]);
    assert!(!refused.stdout.contains("rows in"), "{refused:?}");
}

#[tokio::test]
async fn a_login_takes_on_the_role_that_cannot_log_in() {
    let here = switched().await;
    let login = application(&here.db).await;
    let url = format!(
        "host={} port={} user={login} dbname={}",
        crate::server::shared().socket_folder().display(),
        crate::server::shared().port(),
        here.db.name()
    );
    here.file("q.sql", "SELECT current_user, session_user FROM {table} LIMIT 1");
    let folder = here.folder.path().to_str().unwrap();
    let args = ["--application-url", &url, "--as-role", "anon", "--queries", folder];
    let report = findings(&post(&here.db, &args).expect_code(0));
    let detail = finding(&report, "role")["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("\"anon\", which {login} takes on")), "{detail}");
    assert!(failed(&report, "warning").is_empty(), "{report:#}");
    gone(&here.db, &login).await;
}

#[tokio::test]
async fn what_the_application_would_run_into_is_an_error() {
    for (sql, name) in [
        ("REVOKE SELECT ON trade_routes FROM anon", "query-trade-routes"),
        ("REVOKE SELECT ON cites_trade_records FROM anon", "query-latest-trade"),
        ("ALTER TABLE cites_trade_records ENABLE ROW LEVEL SECURITY", "query-quantities"),
        (
            "UPDATE pg_index SET indisvalid = false
             WHERE indexrelid = 'idx_cites_trade_year'::regclass",
            "indexes",
        ),
        (
            "UPDATE sterna.switchover SET to_validate = '{\"ALTER TABLE x VALIDATE\"}'",
            "foreign-keys",
        ),
        (
            "CREATE SEQUENCE n; ALTER TABLE cites_trade_records ADD n int DEFAULT nextval('n');
             UPDATE cites_trade_records SET n = 1000",
            "sequences",
        ),
    ] {
        let here = switched().await;
        here.db.psql(sql).await;
        let app = application(&here.db).await;
        let report = findings(&post(&here.db, &["--as-role", &app]).expect_code(4));
        gone(&here.db, &app).await;
        let errors = failed(&report, "error");
        if name == "query-quantities" {
            // The view reads with its owner's rights and still finds rows; the table does not.
            assert!(errors.contains(&"query-latest-trade".to_owned()), "{errors:?}");
        } else {
            assert!(errors.contains(&name.to_owned()), "{sql}: {errors:?}");
        }
    }
}

#[tokio::test]
async fn writes_that_nobody_notes_down_are_a_warning() {
    let here = switched().await;
    here.db.psql("ALTER TABLE cites_trade_records DISABLE TRIGGER USER").await;
    let report = findings(&post(&here.db, &[]).expect_code(0));
    assert_eq!(failed(&report, "warning"), ["role", "rollback"]);
}

#[tokio::test]
async fn own_queries_are_asked_and_cannot_write() {
    let here = switched().await;
    let folder = here.path("queries");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    post(&here.db, &["--queries", folder]).expect_code(2);
    let app = application(&here.db).await;
    here.db.psql(&format!("GRANT DELETE ON cites_trade_records TO {app}")).await;
    here.file("queries/a.sql", "SELECT * FROM {table} LIMIT 1");
    let args = ["--queries", folder, "--as-role", &app];
    let report = findings(&post(&here.db, &args).expect_code(0));
    assert_eq!(
        finding(&report, "query-a")["detail"].as_str().unwrap().split(' ').next(),
        Some("1")
    );
    here.file("queries/b.sql", "DELETE FROM {table} RETURNING *");
    here.file("queries/c.sql", "SELECT 1 WHERE false");
    here.file("queries/d.sql", "SELECT pg_sleep(60)");
    let args = ["--queries", folder, "--as-role", &app, "--time-limit", "1s"];
    let report = findings(&post(&here.db, &args).expect_code(4));
    assert_eq!(failed(&report, "error"), ["query-b", "query-c", "query-d"]);
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records").await, "50");
    post(&here.db, &["--as-role", "no_such_role"]).expect_code(2);
    gone(&here.db, &app).await;
}

/// A server that gives each connection the next of these answers.
fn endpoint(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/rest/v1/species?apikey=secret", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(answer.as_bytes());
        }
        // The last connection gets no answer.
        let _silent = listener.accept();
        std::thread::sleep(std::time::Duration::from_secs(30));
    });
    url
}

#[tokio::test]
async fn endpoints_have_to_answer_in_time_and_their_keys_are_not_shown() {
    let db = TestDb::new().await;
    let url = endpoint(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ]);
    let asked = || post(&db, &["--health-url", &url, "--time-limit", "1s"]);
    let well = findings(&asked().expect_code(0));
    assert!(finding(&well, "endpoint")["detail"].as_str().unwrap().contains(": 200 in"));
    for why in ["status 503", "timeout"] {
        let finished = asked().expect_code(4);
        let found = findings(&finished);
        let detail = finding(&found, "endpoint")["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{detail}");
        assert!(!format!("{finished:?}").contains("secret"), "{finished:?}");
    }
}

#[tokio::test]
async fn what_the_server_has_counted_since_the_switchover_is_told() {
    let here = switched().await;
    let db = &here.db;
    // As if there had been two deadlocks fewer then.
    db.psql("UPDATE sterna.switchover_activity SET deadlocks = deadlocks - 2").await;
    let report = findings(&post(db, &[]).expect_code(0));
    assert_eq!(failed(&report, "warning"), ["role", "deadlocks"]);
    assert!(finding(&report, "deadlocks")["detail"].as_str().unwrap().starts_with('2'));
    let mut connections = Vec::new();
    for _ in 0..60 {
        let session = db.connect().await;
        session.batch_execute("BEGIN; SELECT 1; ROLLBACK").await.unwrap();
        connections.push(session.close());
    }
    for closing in connections {
        closing.await.unwrap();
    }
    db.psql(flush_counts()).await;
    crate::server::eventually("rollbacks to be counted", || {
        let report = findings(&post(db, &[]));
        failed(&report, "warning").contains(&"rollbacks".to_owned())
    });
    db.psql(&format!("SELECT pg_stat_reset(); {}", flush_counts())).await;
    let report = findings(&post(db, &[]).expect_code(0));
    assert_eq!(finding(&report, "activity")["severity"], "info");
}
