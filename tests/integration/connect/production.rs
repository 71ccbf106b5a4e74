//! How a connection to production is protected, as the program is configured.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};

use super::Server;
use crate::server::{Finished, sterna};

/// Runs `sterna status` on that database, in a folder with this `sterna.toml`.
fn status(url: &str, settings: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sterna.toml"), settings).unwrap();
    let mut command = sterna(&["status"]);
    command.current_dir(folder.path()).env("DATABASE_URL", url);
    Finished::from(command.output().unwrap())
}

#[test]
fn production_elsewhere_is_not_asked_where_others_could_listen() {
    // An unassigned address.
    let url = |query: &str| format!("postgres://u@192.0.2.1/d?connect_timeout=1{query}");
    for mode in ["", "&sslmode=disable", "&sslmode=allow", "&sslmode=prefer"] {
        let refused = status(&url(mode), "production = true\n").expect_code(6);
        assert!(refused.stderr.contains("may be reached without encryption"), "{refused:?}");
        assert!(refused.stderr.contains("sslmode=verify-full"), "{refused:?}");
        status(&url(mode), "").expect_code(1);
    }
    status(&url("&sslmode=require"), "production = true\n").expect_code(1);
    status("postgres://u@127.0.0.1:1/d", "production = true\n").expect_code(1);
}

#[tokio::test]
async fn a_session_that_is_not_encrypted_against_the_wish_is_told() {
    let server = Server::start(false).await;
    let port = behind_broken_tls(server.port);
    let url = |mode: &str| format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode={mode}");
    let warned = status(&url("prefer"), "").expect_code(0);
    for words in ["TLS with", "failed, so the session is not encrypted", "sslmode=require"] {
        assert!(warned.stderr.contains(words), "{words}: {warned:?}");
    }
    let plain = status(&url("disable"), "").expect_code(0);
    assert!(!plain.stderr.contains("TLS"), "{plain:?}");
    status(&url("require"), "").expect_code(1);
}

/// A port that leads to the server; it answers yes to a TLS request, but does not provide TLS.
fn behind_broken_tls(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut first = [0; 8];
                client.read_exact(&mut first)?;
                if first == *b"\0\0\0\x08\x04\xd2\x16\x2f" {
                    client.write_all(b"S")?;
                    client.read_exact(&mut [0; 5])?;
                    return client.write_all(b"no handshake");
                }
                let mut server = TcpStream::connect(("127.0.0.1", server))?;
                server.write_all(&first)?;
                let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
                std::thread::spawn(move || {
                    copy(&mut answers, &mut back).and_then(|_| back.shutdown(Shutdown::Both))
                });
                copy(&mut client, &mut server)?;
                server.shutdown(Shutdown::Both)
            });
        }
    });
    port
}
