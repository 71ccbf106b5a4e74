//! Connecting: encryption, certificates, passwords, and error messages.

mod ended;
mod kept;
mod production;
pub(crate) mod server;

use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa};
use server::{PASSWORD, Server};
use sterna::pg::{ConnInfo, Connection, Fault, classify, connect};
use sterna::{Error, Result};

use crate::server::{Finished, STERNA};

/// Resolves with the server's folder as home and no other environment.
fn resolve(server: &Server, url: &str) -> Result<ConnInfo> {
    let home = server.file("").display().to_string();
    ConnInfo::resolve(Some(url), &|name| (name == "HOME").then(|| home.clone()))
}

/// Connects as `user` to `host`, with these further parameters.
async fn open(server: &Server, user: &str, host: &str, query: &str) -> Result<Connection> {
    let url = format!("postgres://{user}@{host}:{}/postgres?{query}", server.port);
    connect(&resolve(server, &url)?).await
}

/// What the server says about the session's encryption.
async fn encrypted(session: &Connection) -> bool {
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    session.query_one(sql, &[]).await.unwrap().get(0)
}

/// Whether a connection succeeds, and if so, whether it is encrypted.
async fn outcome(server: &Server, user: &str, host: &str, query: &str) -> Option<bool> {
    match open(server, user, host, query).await {
        Ok(session) => Some(encrypted(&session).await),
        Err(_) => None,
    }
}

fn refusal(result: Result<Connection>) -> (Error, String) {
    let error = result.map(drop).unwrap_err();
    let hint = error.next_step().unwrap_or_default().to_owned();
    (error, hint)
}

#[tokio::test]
async fn every_sslmode_with_tls_at_the_server() {
    let server = Server::start(true).await;
    let root = format!("&sslrootcert={}", server.file("root.crt").display());
    let (right, wrong) = ("localhost", "127.0.0.1");
    for (mode, host, root, expected) in [
        ("disable", right, "", Some(false)),
        ("allow", right, "", Some(false)),
        ("prefer", right, "", Some(true)),
        ("require", right, "", Some(true)),
        ("require", wrong, "", Some(true)),
        ("require", wrong, &root, Some(true)),
        ("verify-ca", wrong, &root, Some(true)),
        ("verify-full", right, &root, Some(true)),
        ("verify-full", wrong, &root, None),
        ("verify-ca", right, "", None),
    ] {
        let query = format!("sslmode={mode}{root}");
        assert_eq!(outcome(&server, "postgres", host, &query).await, expected, "{query} {host}");
    }
    let default = outcome(&server, "postgres", "localhost", "").await;
    assert_eq!(default, Some(true), "sslmode defaults to prefer");
    let (error, hint) =
        refusal(open(&server, "postgres", wrong, &format!("sslmode=verify-full{root}")).await);
    assert!(hint.contains("subject alternative names"), "{error} / {hint}");
    assert_eq!(classify(&error), Fault::Other);
    let socket = format!("host={} user=postgres sslmode=require", server.file("").display());
    let info = resolve(&server, &format!("{socket} port={}", server.port)).unwrap();
    assert!(!encrypted(&connect(&info).await.unwrap()).await, "no TLS over a socket");
}

#[tokio::test]
async fn the_systems_root_certificates_are_used_on_request() {
    let server = Server::start(true).await;
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    server.certificates.issue_self_signed("other", &params);
    let url = format!("postgres://postgres@localhost:{}/postgres?sslrootcert=system", server.port);
    // The variable is where OpenSSL, and so the system, looks for its certificates.
    for (roots, code) in [("root.crt", 0), ("other.crt", 1)] {
        let mut status = Command::new(STERNA);
        status.args(["status", "--database-url", &url]).env("SSL_CERT_FILE", server.file(roots));
        let done = Finished::from(status.env_remove("SSL_CERT_DIR").output().unwrap());
        assert_eq!(done.code, Some(code), "{roots}: {done:?}");
        assert_eq!(done.stderr.contains("UnknownIssuer"), code == 1, "{roots}: {done:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let server = Server::start(true).await;
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "another authority");
    server.certificates.issue_self_signed("other", &params);
    let other = format!("&sslrootcert={}", server.file("other.crt").display());
    for mode in ["require", "verify-ca", "verify-full"] {
        let query = format!("sslmode={mode}{other}");
        let (error, hint) = refusal(open(&server, "postgres", "localhost", &query).await);
        assert!(error.to_string().contains("UnknownIssuer"), "{mode}: {error}");
        assert!(hint.contains("sslrootcert"), "{mode}: {hint}");
    }
    let prefer = format!("sslmode=prefer{other}");
    assert_eq!(outcome(&server, "postgres", "localhost", &prefer).await, Some(true));

    // The default location works like the parameter, and makes `require` verify, too.
    std::fs::create_dir(server.file(".postgresql")).unwrap();
    std::fs::copy(server.file("root.crt"), server.file(".postgresql/root.crt")).unwrap();
    let full = outcome(&server, "postgres", "localhost", "sslmode=verify-full").await;
    assert_eq!(full, Some(true));
    std::fs::copy(server.file("other.crt"), server.file(".postgresql/root.crt")).unwrap();
    assert_eq!(outcome(&server, "postgres", "localhost", "sslmode=require").await, None);
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_when_it_is_the_root() {
    let server = Server::start(true).await;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    server.certificates.issue_self_signed("own", &params);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    server.certificates.issue_self_signed("old", &params);
    for (name, expected) in [("old", None), ("own", Some(true))] {
        server.show_certificate(name).await;
        let root = server.file(&format!("{name}.crt"));
        let query = format!("sslmode=verify-full&sslrootcert={}", root.display());
        let seen = outcome(&server, "postgres", "localhost", &query).await;
        assert_eq!(seen, expected, "{name}");
    }
    let root = server.file("root.crt");
    let query = format!("sslmode=verify-ca&sslrootcert={}", root.display());
    assert_eq!(outcome(&server, "postgres", "localhost", &query).await, None);
}

#[tokio::test]
async fn every_sslmode_without_tls_at_the_server() {
    let server = Server::start(false).await;
    let root = format!("&sslrootcert={}", server.file("root.crt").display());
    for mode in ["disable", "allow", "prefer"] {
        let query = format!("sslmode={mode}");
        assert_eq!(outcome(&server, "postgres", "localhost", &query).await, Some(false), "{mode}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let query = format!("sslmode={mode}{root}");
        let (error, hint) = refusal(open(&server, "postgres", "localhost", &query).await);
        assert!(error.to_string().contains("does not support TLS"), "{error}");
        assert!(hint.contains("sslmode=prefer"), "{hint}");
    }
}

#[tokio::test]
async fn allow_and_prefer_take_what_the_server_admits() {
    let server = Server::start(true).await;
    for (user, mode, expected) in [
        ("tls_only", "disable", None),
        ("tls_only", "allow", Some(true)),
        ("plain_only", "prefer", Some(false)),
        ("plain_only", "require", None),
    ] {
        let query = format!("sslmode={mode}");
        assert_eq!(outcome(&server, user, "localhost", &query).await, expected, "{user} {mode}");
    }
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let server = Server::start(true).await;
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "with_key");
    server.certificates.issue("client", params);
    let (crt, key) = (server.file("client.crt"), server.file("client.key"));
    let query = format!("sslmode=require&sslcert={}&sslkey={}", crt.display(), key.display());
    assert_eq!(outcome(&server, "with_key", "localhost", &query).await, Some(true));
    assert_eq!(outcome(&server, "with_key", "localhost", "sslmode=require").await, None);
}

#[tokio::test]
async fn passwords_come_from_the_file_and_stay_out_of_messages() {
    let server = Server::start(true).await;
    let url = |password: &str, database: &str| {
        format!("postgres://with_password{password}@localhost:{}/{database}", server.port)
    };
    let attempt = async |url: String| connect(&resolve(&server, &url)?).await;

    let (error, hint) = refusal(attempt(url("", "postgres")).await);
    assert!(error.to_string().contains("password missing"), "{error}");
    assert!(hint.contains(".pgpass"), "{hint}");

    let escaped = PASSWORD.replace('\\', r"\\").replace(':', r"\:");
    server.write(".pgpass", &format!("localhost:{}:postgres:*:{escaped}\n", server.port));
    assert!(encrypted(&attempt(url("", "postgres")).await.unwrap()).await);

    let (error, hint) = refusal(attempt(url(":s3cret", "postgres")).await);
    assert_eq!(error.sqlstate(), Some("28P01"));
    let place = format!("could not connect to with_password@localhost:{}/postgres: ", server.port);
    assert!(error.to_string().starts_with(&place), "{error}");
    assert!(!format!("{error} {error:?} {hint}").contains("s3cret"), "{error} / {hint}");
    assert!(hint.contains("PGPASSWORD"), "{hint}");

    server.write(".pgpass", &format!("localhost:*:*:*:{escaped}\n"));
    let (error, hint) = refusal(attempt(url("", "nowhere")).await);
    assert_eq!(error.sqlstate(), Some("3D000"));
    assert!(hint.contains("createdb \"nowhere\""), "{hint}");
}

#[tokio::test]
async fn a_password_is_bound_to_the_encryption_where_that_is_required() {
    let server = Server::start(true).await;
    let user = format!("with_password:{}", PASSWORD.replace(':', "%3A").replace('\\', "%5C"));
    let required = "channel_binding=require";
    for (user, query, expected) in [
        (user.as_str(), format!("sslmode=require&{required}"), Some(true)),
        (&user, "sslmode=disable".to_owned(), Some(false)),
        (&user, format!("sslmode=disable&{required}"), None),
        // A server that asks for no password proves nothing.
        ("postgres", format!("sslmode=require&{required}"), None),
        ("postgres", "sslmode=require&channel_binding=prefer".to_owned(), Some(true)),
    ] {
        let seen = outcome(&server, user, "localhost", &query).await;
        assert_eq!(seen, expected, "{user} {query}");
    }
}

#[tokio::test]
async fn the_next_host_is_tried_unless_the_password_is_wrong() {
    let server = Server::start(true).await;
    let port = server.port;
    let reach = async |user: &str| {
        let url = format!("postgres://{user}@localhost:1,localhost:{port}/postgres");
        connect(&resolve(&server, &url)?).await
    };
    assert!(reach("postgres").await.is_ok());
    let (error, _) = refusal(reach("with_password:wrong").await);
    assert_eq!(error.sqlstate(), Some("28P01"));
    let nobody = resolve(&server, "postgres://postgres@localhost:1/postgres").unwrap();
    let (error, hint) = refusal(connect(&nobody).await);
    assert_eq!(classify(&error), Fault::Transient);
    assert!(hint.contains("pg_isready -h localhost -p 1"), "{error} / {hint}");
}

#[tokio::test]
async fn a_session_has_its_settings_and_knows_its_end() {
    let server = Server::start(true).await;
    let admin = server.ready().await;
    admin
        .batch_execute(
            "ALTER ROLE postgres SET statement_timeout = 7;
             ALTER ROLE postgres SET DateStyle = German;
             DO $$ BEGIN
                 IF current_setting('transaction_timeout', true) IS NOT NULL THEN
                     ALTER ROLE postgres SET transaction_timeout = '7s';
                 END IF;
             END $$",
        )
        .await
        .unwrap();
    let query = "application_name=a%20test&options=-c%20search_path%3Dx";
    let session = open(&server, "postgres", "localhost", query).await.unwrap();
    for (name, expected) in [
        ("statement_timeout", "0"),
        ("client_connection_check_interval", "2s"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "60000"),
        ("DateStyle", "ISO, YMD"),
        ("application_name", "a test"),
        ("search_path", "x"),
    ] {
        let row = session.query_one("SELECT current_setting($1)", &[&name]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), expected, "{name}");
    }
    // Servers before 17 do not have this setting.
    let limit = "SELECT coalesce(current_setting('transaction_timeout', true), '0')";
    assert_eq!(session.query_one(limit, &[]).await.unwrap().get::<_, &str>(0), "0");

    let token = session.cancel_token();
    let (slept, cancelled) = tokio::join!(session.batch_execute("SELECT pg_sleep(30)"), async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        token.cancel().await
    });
    cancelled.unwrap();
    let error = Error::from(slept.unwrap_err());
    assert_eq!((error.sqlstate(), classify(&error)), (Some("57014"), Fault::Transient));

    let pid: i32 = session.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    assert!(!session.is_closed());
    admin.execute("SELECT pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
    let error = Error::from(session.batch_execute("SELECT 1").await.unwrap_err());
    assert_eq!((error.sqlstate(), classify(&error)), (Some("57P01"), Fault::Transient), "{error}");
    assert!(session.is_closed());
    session.close().await.unwrap();
}
