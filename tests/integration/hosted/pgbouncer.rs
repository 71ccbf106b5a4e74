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
const SESSIONS: u32 = 15;

const LEFT_OUT: &str = "\n*** SKIPPED: pgbouncer is not installed, so nothing is tested behind a \
                        real pooler ***\n";

/// When a client's server session is free for another client.
#[derive(Clone, Copy)]
pub(super) enum Pool {
    Session,
    Transaction,
    Statement,
}

/// A running pooler, stopped when dropped.
pub(super) struct PgBouncer {
    child: Child,
    folder: tempfile::TempDir,
    pub(super) port: u16,
}

impl PgBouncer {
    /// A pooler with the server's certificate; `None` if it is not installed, which is said on
    /// stderr.
    pub(super) async fn start(server: &Server, pool: Pool) -> Option<Self> {
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
        let conf = format!(
            "[databases]
postgres = host=127.0.0.1 port={server_port} user=postgres password={PASSWORD}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = {mode}
default_pool_size = {SESSIONS}
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

/// Packages put it where ordinary users do not look.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}
