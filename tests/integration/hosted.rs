//! A server like a hosted one, and `docs/first-migration.md` on it, literally.

mod page;
mod pgbouncer;
mod project;

use std::io::{Read, Write};
use std::net::TcpListener;

use page::commands;
use pgbouncer::{PgBouncer, Pool};
use project::{Project, ROWS};

use crate::server::Finished;

/// What differs from the page, because it is made up there. Each has to occur in it.
struct Instead {
    said: &'static str,
    meant: String,
}

/// What stands for the page's host, user, figures and addresses.
fn instead(user: &str, project: &Project, health: String) -> Vec<Instead> {
    let port = project.server.port;
    let meant = |said, meant: &str| Instead { said, meant: meant.to_owned() };
    vec![
        meant("db.example.supabase.co", "localhost"),
        meant("PGUSER=postgres ", &format!("PGUSER={user} ")),
        meant("--expect-rows 489107", &format!("--expect-rows {ROWS}")),
        Instead { said: "https://app.example/health", meant: health },
        Instead {
            said: "postgres://web@db/app",
            meant: format!("postgres://web@localhost:{port}/postgres"),
        },
    ]
}

/// Runs the commands of the page one after the other, on the server at this port.
async fn follow(project: &Project, user: &str, port: u16) {
    project.password_file(user, port);
    let before = project.looks().await;
    let adapted = instead(user, project, healthy());
    let mut adapted_anything = vec![false; adapted.len()];
    let mut exported = String::new();
    let mut done = Vec::new();
    for literal in commands("first-migration.md") {
        let mut line = literal.clone();
        for (change, has_changed) in adapted.iter().zip(&mut adapted_anything) {
            *has_changed |= line.contains(change.said);
            line = line.replace(change.said, &change.meant);
        }
        if line.starts_with("export ") {
            exported.push_str(&line);
            exported.push('\n');
        }
        let ended = project.shell(port, &format!("{exported}{line}"));
        check(&line, ended);
        if line.contains("--to 3.3") {
            assert_eq!(project.looks().await, before, "production has only been read");
            assert_eq!(project.rows().await, project.rows_before);
        }
        done.push(line);
    }
    assert!(adapted_anything.iter().all(|has_changed| *has_changed), "{done:#?}");
    assert_eq!(project.rows().await, ROWS.to_string());
    assert_eq!(project.looks().await, before);
    let slow = project.psql("SELECT is_called FROM extensions.slow_ddl_calls").await;
    assert_eq!(slow, "t", "a statement ran longer than the role's own limit");
    // The week is over.
    let cleanup = done.last().unwrap().replace("--older-than 7d", "--older-than 0s");
    project.shell(port, &format!("{exported}{cleanup}")).expect_code(0);
    let old = project.psql("SELECT to_regclass('public.cites_trade_records_old')").await;
    assert_eq!(old, "");
}

/// Whether a command of the page did what the page says.
fn check(line: &str, ended: Finished) {
    let is = |command: &str| line.starts_with(&format!("sterna {command}"));
    // The old table is a few seconds old.
    let ended = ended.expect_code(if is("cleanup") { 6 } else { 0 });
    let said: &[&str] = if is("config show") {
        &["@localhost:"]
    } else if is("inspect") {
        &["ready with --on-inexact widen"]
    } else if is("check pre") {
        &["the limit is 8.0 GB", "the database takes"]
    } else if is("status") {
        &["3.3", "done"]
    } else if is("check post") {
        &["web", " rows in ", ": 200 in "]
    } else if is("cleanup") {
        &["kept for 7 d"]
    } else {
        &[]
    };
    for part in said {
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(text.contains(part), "{line}: {part}: {ended:#?}");
    }
}

/// The URL of an application that is well.
fn healthy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    url
}

#[tokio::test]
async fn the_first_migration_goes_as_its_page_says() {
    let project = Project::new().await;
    follow(&project, "postgres", project.server.port).await;
}

#[tokio::test]
async fn the_page_on_hosted_databases_connects_and_checks() {
    let project = Project::new().await;
    let port = project.server.port;
    project.password_file("postgres", port);
    let mut exported = String::new();
    for literal in commands("hosted.md") {
        let line = literal.replace("db.example.supabase.co", "localhost");
        if line.starts_with("export ") {
            exported.push_str(&line);
            exported.push('\n');
        }
        check(&line, project.shell(port, &format!("{exported}{line}")));
    }
    assert!(exported.contains("localhost"), "{exported}");
}

#[tokio::test]
async fn and_through_a_pooler_in_session_mode() {
    let project = Project::new().await;
    let Some(pooler) = PgBouncer::start(&project.server, Pool::Session, None).await else { return };
    follow(&project, pgbouncer::USER, pooler.port).await;
}

#[tokio::test]
async fn a_pooler_in_another_mode_is_refused_with_the_way_out() {
    let project = Project::new().await;
    for (pool, mode) in
        [(Pool::Transaction, "transaction mode"), (Pool::Statement, "statement mode")]
    {
        for prepared in pool.prepared() {
            let Some(pooler) = PgBouncer::start(&project.server, pool, prepared).await else {
                return;
            };
            refused(&project, &pooler, mode).await;
        }
    }
}

async fn refused(project: &Project, pooler: &PgBouncer, mode: &str) {
    project.password_file(pgbouncer::USER, pooler.port);
    let exported =
        format!("export PGHOST=localhost PGUSER={} PGDATABASE=postgres", pgbouncer::USER);
    let run = |line: &str| {
        let line = format!("chmod 600 ~/.pgpass; {exported} PGSSLMODE=require; {line}");
        project.shell(pooler.port, &line)
    };
    let url = format!(
        "postgres://{}@localhost:{}/postgres?sslmode=require&pgbouncer=true",
        pgbouncer::USER,
        pooler.port
    );
    for line in [
        "sterna migrate download.zip --on-inexact widen",
        "sterna backup --out backup",
        "sterna rehearse download.zip --on-inexact widen",
        "sterna inspect download.zip",
        "sterna species missing download.zip",
        "sterna stage create",
        "sterna load download.zip --all",
        "sterna validate --all",
        "sterna bench",
        "sterna switchover",
        "sterna rollback",
        "sterna reindex",
        "sterna summary",
        "sterna report --out report",
        "sterna cleanup",
        "sterna prune --keep 1",
        "sterna check post",
        "sterna status",
        &format!("sterna plan --database-url '{url}'"),
    ] {
        let refused = run(line).expect_code(6);
        let said = format!("pooler in {mode}");
        assert!(refused.stderr.contains(&said), "{line}: {refused:#?}");
        assert!(refused.stderr.contains("port 5432 instead of 6543"), "{line}: {refused:#?}");
    }
    let found = run("sterna check pre --disk-limit 8GB").expect_code(6);
    assert!(found.stdout.contains(&format!("behind a pooler in {mode}")), "{found:#?}");
    assert_eq!(project.psql("SELECT to_regnamespace('sterna')").await, "");
    // The next client of the pool finds every server session as it was. Its own name is psql's, and
    // what the pooler itself has prepared is its own affair.
    // Before 15, it looks for the password in the home that the system knows.
    let psql = crate::server::shared().bin_folder().join("psql");
    let psql = format!("PGPASSFILE=$HOME/.pgpass {}", psql.display());
    let others = "-XAt -c \"SELECT 'set ' || name FROM pg_settings
        WHERE source = 'session' AND name <> 'application_name'
        UNION ALL SELECT name FROM pg_prepared_statements WHERE name NOT LIKE 'PGBOUNCER%'
        UNION ALL SELECT 'listens' FROM pg_listening_channels()
        UNION ALL SELECT 'locks' FROM pg_locks
        WHERE pid = pg_backend_pid() AND locktype = 'advisory'\"";
    if mode.starts_with("transaction") {
        for _ in 0..2 * pgbouncer::SESSIONS {
            let found = run(&format!("{psql} {others}")).expect_code(0);
            assert_eq!(found.stdout, "", "{mode}");
        }
    }
}

#[tokio::test]
async fn what_the_platform_keeps_to_itself_is_found_before() {
    let project = Project::new().await;
    let port = project.server.port;
    project.password_file("postgres", port);
    let run = |exported: &str, line: &str| {
        let always = "export PGHOST=localhost PGUSER=postgres PGDATABASE=postgres \
                      PGSSLMODE=verify-full";
        project.shell(port, &format!("chmod 600 ~/.pgpass; {always} {exported}; {line}"))
    };
    let unknown = run("", "sterna status").expect_code(2);
    assert!(unknown.stderr.contains("sslrootcert"), "{unknown:#?}");
    // The publication that the table is in belongs to the platform.
    project.psql("ALTER PUBLICATION supabase_realtime OWNER TO supabase_admin").await;
    let line = "sterna check pre download.zip --disk-limit 8GB";
    let root = "PGSSLROOTCERT=$HOME/prod-ca-2021.crt";
    let found = run(root, line).expect_code(6);
    let rights = found.stdout.lines().find(|line| line.contains("publication supabase_realtime"));
    assert!(rights.is_some_and(|line| line.contains("have its owner take")), "{found:#?}");
    // Not after hours of loading.
    let migrate = "sterna migrate download.zip --on-inexact widen";
    let refused = run(root, migrate).expect_code(6);
    assert!(refused.stderr.contains("publication supabase_realtime"), "{refused:#?}");
    assert_eq!(project.psql("SELECT to_regnamespace('sterna')").await, "");
    let warned = run(root, &format!("{migrate} --to 1.2")).expect_code(0);
    assert!(warned.stderr.contains("publication supabase_realtime"), "{warned:#?}");
    let short = run(root, "sterna check pre --disk-limit 1MB").expect_code(6);
    assert!(short.stdout.contains("the limit is 1.0 MB"), "{short:#?}");
    let unsaid = run(root, "sterna check pre").expect_code(6);
    assert!(unsaid.stdout.contains("--disk-limit"), "{unsaid:#?}");
}
