//! PgBouncer in front of the server, if it is installed.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpStream;

use super::project::PASSWORD;
use crate::connect::server::{Server, as_account, free_port, own};
use crate::server::PATIENCE;

/// The pooler's name for the server's `postgres`, as a hosted one has it.
pub(super) const USER: &str = "postgres.abcdefghijklmnopqrst";
/// The server sessions of a small hosted project.
pub(super) const SESSIONS: u32 = 15;

const LEFT_OUT: &str = "\n*** SKIPPED: pgbouncer is not installed, so nothing is tested behind a \
                        real pooler ***\n";

/// When a client's server session is free for another client.
#[derive(Clone, Copy)]
pub(super) enum Pool {
    Session,
    Transaction,
    Statement,
}

impl Pool {
    /// Every way in which a pooler of this mode treats prepared statements: it forgets whose they
    /// are, or follows each client's through its server sessions, from PgBouncer 1.21 on.
    pub(super) fn prepared(self) -> Vec<Option<u32>> {
        let follows = version().is_some_and(|version| version >= (1, 21));
        match self {
            Pool::Transaction if follows => vec![Some(0), Some(200)],
            _ => vec![None],
        }
    }
}

/// A running pooler, stopped when dropped.
pub(super) struct PgBouncer {
    child: Child,
    folder: tempfile::TempDir,
    pub(super) port: u16,
}

impl PgBouncer {
    /// A pooler with the server's certificate, that follows so many prepared statements of a
    /// client, if that is given; `None` if it is not installed, which is said on stderr.
    pub(super) async fn start(server: &Server, pool: Pool, prepared: Option<u32>) -> Option<Self> {
        let Some(program) = program() else {
            // Not eprintln, whose output cargo shows only if the test fails.
            let _ = std::io::stderr().write_all(LEFT_OUT.as_bytes());
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["server.crt", "server.key", "root.crt"] {
            std::fs::copy(server.file(name), at(name)).unwrap();
        }
        let port = free_port();
        let (server_port, users, log) = (server.port, at("users"), at("log"));
        let (crt, key, root) = (at("server.crt"), at("server.key"), at("root.crt"));
        let mode = match pool {
            Pool::Session => "session",
            Pool::Transaction => "transaction",
            Pool::Statement => "statement",
        };
        let prepared = prepared.map(|most| format!("max_prepared_statements = {most}"));
        let prepared = prepared.unwrap_or_default();
        let conf = format!(
            "[databases]
postgres = host=127.0.0.1 port={server_port} user=postgres password={PASSWORD}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = {mode}
default_pool_size = {SESSIONS}
; Each transaction gets another server session.
server_round_robin = 1
{prepared}
auth_type = scram-sha-256
auth_file = {users}
client_tls_sslmode = require
client_tls_cert_file = {crt}
client_tls_key_file = {key}
server_tls_sslmode = verify-ca
server_tls_ca_file = {root}
logfile = {log}
"
        );
        std::fs::write(at("users"), format!("\"{USER}\" \"{PASSWORD}\"\n")).unwrap();
        std::fs::write(at("pgbouncer.ini"), conf).unwrap();
        own(folder.path());
        let mut command = as_account(&program);
        let child = command.arg(at("pgbouncer.ini")).stderr(Stdio::null()).spawn().unwrap();
        let pooler = PgBouncer { child, folder, port };
        pooler.wait().await;
        Some(pooler)
    }

    async fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            assert!(begun.elapsed() < PATIENCE, "{}", log.unwrap_or_default());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// The version that is installed.
fn version() -> Option<(u32, u32)> {
    let said = std::process::Command::new(program()?).arg("--version").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let mut numbers = said.split_whitespace().nth(1)?.split('.').map(|n| n.parse().unwrap());
    Some((numbers.next()?, numbers.next()?))
}

/// Packages put it where ordinary users do not look.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}
