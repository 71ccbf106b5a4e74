//! Behind a pooler in transaction mode, whatever needs a session is refused before it acts.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::cites::{file_of, good};
use crate::server::{Finished, TestDb, shared};

/// Which of the free server sessions the next transaction gets.
#[derive(Clone, Copy)]
enum Next {
    LastFreed,
    FirstFreed,
}

/// A pooler of a few server sessions, in transaction mode; returns its port.
async fn pooler(db: &TestDb, sessions: usize, next: Next) -> u16 {
    let mut free = Vec::new();
    for _ in 0..sessions {
        free.push(server_session(db.name()).await);
    }
    let free = Arc::new(Mutex::new(free));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let free = Arc::clone(&free);
            tokio::spawn(async move { serve(client, &free, next).await });
        }
    });
    port
}

async fn server_session(database: &str) -> UnixStream {
    let socket = shared().socket_folder().join(format!(".s.PGSQL.{}", shared().port()));
    let mut server = UnixStream::connect(socket).await.unwrap();
    let mut startup = 196_608_u32.to_be_bytes().to_vec();
    for text in ["user", shared().user(), "database", database, ""] {
        startup.extend_from_slice(text.as_bytes());
        startup.push(0);
    }
    let length = u32::try_from(startup.len() + 4).unwrap();
    server.write_all(&[&length.to_be_bytes()[..], &startup].concat()).await.unwrap();
    while message(&mut server).await.unwrap()[0] != b'Z' {}
    server
}

/// A whole message: its type, its length, its body.
async fn message(from: &mut (impl AsyncReadExt + Unpin)) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 5];
    from.read_exact(&mut bytes).await.ok()?;
    let length = u32::from_be_bytes(bytes[1..].try_into().unwrap()) as usize;
    bytes.resize(1 + length, 0);
    from.read_exact(&mut bytes[5..]).await.ok()?;
    Some(bytes)
}

async fn serve(mut client: TcpStream, free: &Mutex<Vec<UnixStream>>, next: Next) -> Option<()> {
    loop {
        let length = client.read_u32().await.ok()? as usize;
        let mut rest = vec![0; length - 4];
        client.read_exact(&mut rest).await.ok()?;
        if rest[..4] == 196_608_u32.to_be_bytes() {
            break;
        }
        client.write_all(b"N").await.ok()?;
    }
    let version = b"S\0\0\0\x18server_version\x0015.0\0";
    let ready = b"Z\0\0\0\x05I";
    client.write_all(&[&b"R\0\0\0\x08\0\0\0\0"[..], version, ready].concat()).await.ok()?;
    loop {
        let mut request = message(&mut client).await?;
        if request[0] == b'X' {
            return None;
        }
        let mut server = loop {
            let taken = {
                let mut free = free.lock().unwrap();
                match next {
                    Next::LastFreed => free.pop(),
                    Next::FirstFreed if free.is_empty() => None,
                    Next::FirstFreed => Some(free.remove(0)),
                }
            };
            match taken {
                Some(server) => break server,
                None => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        };
        loop {
            server.write_all(&request).await.ok()?;
            // Messages without an answer are followed by one that has an answer.
            if matches!(request[0], b'Q' | b'S') {
                let mut answer = message(&mut server).await?;
                while answer[0] != b'Z' {
                    client.write_all(&answer).await.ok()?;
                    answer = message(&mut server).await?;
                }
                client.write_all(&answer).await.ok()?;
                if answer[5] == b'I' {
                    break;
                }
            }
            request = message(&mut client).await?;
        }
        free.lock().unwrap().push(server);
    }
}

fn through(port: u16, db: &TestDb, args: &[&str]) -> std::process::Command {
    let mut command = db.command(args);
    command.env("PGHOST", "127.0.0.1").env("PGPORT", port.to_string());
    command.env("PGSSLMODE", "disable");
    command
}

/// What the next client of the pooler finds set in its session.
fn settings_of_others(port: u16, db: &TestDb) -> String {
    let mut psql = std::process::Command::new(shared().bin_folder().join("psql"));
    psql.args(["-XAt", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", shared().user()]);
    let set = "SELECT name FROM pg_settings WHERE source = 'session'";
    psql.args(["-d", db.name(), "-c", set]).env("PGSSLMODE", "disable");
    Finished::from(psql.output().unwrap()).expect_code(0).stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_needs_a_session_is_refused_with_the_way_out() {
    let db = TestDb::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.csv");
    std::fs::write(&file, file_of(&good(10))).unwrap();
    let file = file.to_str().unwrap();
    let out = folder.path().join("backup");
    let out = out.to_str().unwrap();
    for (sessions, next) in
        [(1, Next::LastFreed), (3, Next::LastFreed), (2, Next::FirstFreed), (3, Next::FirstFreed)]
    {
        let port = pooler(&db, sessions, next).await;
        for args in [
            &["load", file, "--all"][..],
            &["switchover"],
            &["rollback"],
            &["stage", "create"],
            &["validate"],
            &["summary"],
            &["inspect", file],
            &["plan"],
            &["status"],
            &["report", "--out", out],
            &["check", "post"],
            &["backup", "--out", out],
            &["migrate", file],
        ] {
            let refused = Finished::from(through(port, &db, args).output().unwrap());
            assert_eq!(refused.code, Some(6), "{args:?}: {refused:?}");
            assert!(refused.stderr.contains("pooler in transaction mode"), "{refused:?}");
            assert!(refused.stderr.contains("port 5432 instead of 6543"), "{refused:?}");
            for _ in 0..sessions {
                assert_eq!(settings_of_others(port, &db), "", "{args:?}");
            }
        }
    }
    assert_eq!(db.psql("SELECT to_regnamespace('sterna')").await, "", "nothing was written");
}
