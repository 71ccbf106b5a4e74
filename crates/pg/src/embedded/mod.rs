//! A temporary PostgreSQL server, removed when the process ends.
//!
//! For the demo, rehearsals, tests and benchmarks: [`Embedded::start`] creates a
//! cluster in a private temporary folder and starts a server that listens only on
//! a unix socket in that folder. A small shell process, the watchdog, stops the
//! server and removes the folder as soon as this process ends for whatever reason;
//! only killing the watchdog itself leaves them behind.

mod folders;
mod options;
mod sandbox;
mod schema;
mod watchdog;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::{ConnInfo, Ident, connect, programs};
use folders::{Account, Folders};
use sterna_error::{Error, Result};
use watchdog::Watchdog;

pub use options::{Durability, Options};
pub use schema::ModelSchema;

/// A database that exists in every cluster.
const MAINTENANCE_DATABASE: &str = "postgres";
/// Used only in the name of the socket file: the server does not listen on TCP.
const PORT: u16 = 5432;
/// How long the sessions of a killed server may take to end.
const ORPHANS_LIMIT: Duration = Duration::from_secs(10);
/// Includes crash recovery after an immediate stop.
const STARTUP_LIMIT: Duration = Duration::from_secs(120);
const STARTUP_POLL: Duration = Duration::from_millis(10);
const LOG_TAIL_LINES: usize = 15;

const CREATE_DATABASE: &str = include_str!("../../sql/embedded/create-database.sql");

/// How to stop the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Ends sessions and writes a shutdown checkpoint.
    Fast,
    /// Ends at once, as after a crash; the next start runs recovery.
    Immediate,
}

/// A running server; dropping it stops the server and removes its folder.
///
/// Its methods block; in async code call them only where blocking is allowed.
#[derive(Debug)]
pub struct Embedded {
    watchdog: Watchdog,
    folders: Folders,
    bin_folder: PathBuf,
    superuser: String,
    is_sandboxed: bool,
}

impl Embedded {
    /// Creates a cluster and starts its server. Takes about a second.
    ///
    /// # Errors
    /// If the programs are missing, no folder can hold the cluster, a setting is
    /// invalid, or the server does not start; the last error contains the end of its log.
    pub fn start(options: &Options) -> Result<Self> {
        let bin_folder = match options.major {
            None => programs::find()?,
            Some(major) => programs::server(major)?,
        };
        let account = Account::for_server()?;
        let folders = Folders::create(&account)?;
        let settings = options.to_conf(folders.socket())?;
        let sandbox = match options.sandboxed {
            true => sandbox::sandbox(&folders, &bin_folder, &account),
            false => Ok(Vec::new()),
        };
        let sandbox = sandbox.unwrap_or_else(|why| {
            tracing::warn!("the embedded server runs without a sandbox: {why}");
            Vec::new()
        });
        let superuser = &options.superuser;
        let watchdog = Watchdog::start(&folders, &bin_folder, superuser, &account, &sandbox)?;
        // From now on the watchdog removes the folders, not their guards.
        let superuser = superuser.clone();
        let is_sandboxed = !sandbox.is_empty();
        let folders = folders.keep();
        let mut server = Embedded { watchdog, folders, bin_folder, superuser, is_sandboxed };
        server.init(&settings)?;
        server.start_again()?;
        Ok(server)
    }

    fn init(&mut self, settings: &str) -> Result<()> {
        let status = self.watchdog.ask("initdb")?;
        if status != "0" {
            return Err(self.failed(&format!("initdb failed with exit status {status}")));
        }
        let path = self.folders.data().join("postgresql.conf");
        // Appended, not replaced, to keep the settings that initdb determined and the owner.
        let mut text = fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        text.push_str(settings);
        fs::write(&path, text).map_err(|e| Error::file(&path, e))
    }

    /// Starts the server after [`Embedded::stop`], and waits until it accepts
    /// connections. Does nothing while it runs.
    ///
    /// # Errors
    /// If it exits during startup, or takes longer than two minutes.
    pub fn start_again(&mut self) -> Result<()> {
        if self.is_running()? {
            return Ok(());
        }
        let mut server = self.watchdog.ask("start")?;
        let deadline = Instant::now() + STARTUP_LIMIT;
        let orphans_gone_by = Instant::now() + ORPHANS_LIMIT;
        while !self.is_ready(&server) {
            if !self.is_running()? {
                // Sessions of a killed postmaster keep its shared memory for a moment,
                // and a new server does not start until they are gone.
                if self.log_tail().contains("shared memory block")
                    && Instant::now() < orphans_gone_by
                {
                    thread::sleep(STARTUP_POLL);
                    server = self.watchdog.ask("start")?;
                    continue;
                }
                return Err(self.failed("the embedded server ended while starting"));
            }
            if Instant::now() > deadline {
                let limit = STARTUP_LIMIT.as_secs();
                return Err(
                    self.failed(&format!("the embedded server took over {limit} s to start"))
                );
            }
            thread::sleep(STARTUP_POLL);
        }
        Ok(())
    }

    /// Whether the postmaster's lock file says that it accepts connections, the same
    /// check as `pg_ctl --wait`. The process id is compared because the file may be
    /// left over from a server that was killed.
    fn is_ready(&self, server: &str) -> bool {
        let lock_file = fs::read_to_string(self.folders.data().join("postmaster.pid"));
        let lock_file = lock_file.unwrap_or_default();
        let mut lines = lock_file.lines().map(str::trim);
        lines.next() == Some(server) && lines.nth(6) == Some("ready")
    }

    fn is_running(&mut self) -> Result<bool> {
        Ok(self.watchdog.ask("alive")? == "yes")
    }

    /// Stops the server and waits until it exits; [`Embedded::start_again`] can restart it.
    ///
    /// # Errors
    /// If the server exits with an error; the error contains the end of its log.
    pub fn stop(&mut self, mode: StopMode) -> Result<()> {
        let status = self.watchdog.ask(match mode {
            StopMode::Fast => "fast",
            StopMode::Immediate => "immediate",
        })?;
        match status.as_str() {
            "0" => Ok(()),
            _ => Err(self.failed(&format!("the embedded server ended with exit status {status}"))),
        }
    }

    /// Connection parameters of `database` as the superuser.
    #[must_use]
    pub fn conninfo(&self, database: &str) -> ConnInfo {
        self.conninfo_of(self.user(), database)
    }

    /// Connection parameters of `database` as another role, which needs no password either.
    #[must_use]
    pub fn conninfo_of(&self, role: &str, database: &str) -> ConnInfo {
        ConnInfo::unix_socket(self.socket_folder(), self.port(), role, database)
    }

    /// Whether the server is isolated from this machine and the network.
    #[must_use]
    pub fn is_sandboxed(&self) -> bool {
        self.is_sandboxed
    }

    /// Creates a database as a copy of `template`, or of the server's default template.
    ///
    /// # Errors
    /// The server's, for example if a session is connected to the template.
    pub async fn create_database(&self, name: &Ident, template: Option<&Ident>) -> Result<()> {
        let template = template.map(Ident::name);
        let client = connect(&self.conninfo(MAINTENANCE_DATABASE)).await?;
        // The query quotes the names and returns the statement, which cannot run in
        // a transaction.
        let row = client.query_one(CREATE_DATABASE, &[&name.name(), &template]).await?;
        Ok(client.batch_execute(row.try_get(0)?).await?)
    }

    /// The folder of the socket: the value for `PGHOST`.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.folders.socket()
    }

    /// The port: the value for `PGPORT`.
    #[must_use]
    pub fn port(&self) -> u16 {
        PORT
    }

    /// The superuser, who needs no password: the value for `PGUSER`.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.superuser
    }

    /// The folder of the server's programs.
    #[must_use]
    pub fn bin_folder(&self) -> &Path {
        &self.bin_folder
    }

    /// The cluster's data folder.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folders.data()
    }

    /// The server's private folder. Its contents are removed with the server,
    /// however this process ends.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folders.main()
    }

    /// The last lines of the log of initdb and the server.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = fs::read(self.folders.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }

    fn failed(&self, what: &str) -> Error {
        Error::database(format!("{what}; the end of its log:\n{}", self.log_tail()))
    }
}
