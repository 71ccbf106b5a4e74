//! Connection parameters: the server, the user and the password.

mod encryption;
mod endpoint;
mod key_value;
mod libpq;
mod pass_file;
mod resolve;
mod service_file;
mod settings;
mod url;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_postgres::config::{SslMode as DriverSsl, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Table;
use super::spare::Spare;
use super::tls::{Encryption, Identity, Roots, SslMode};
use endpoint::SOCKET_FOLDERS;
pub(super) use endpoint::{Address, Endpoint};
use pass_file::{PassFile, Wanted};

/// The default `application_name`.
const APPLICATION_NAME: &str = "sterna";

/// The default time limit per address, from the first packet to a usable session.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// TCP keepalive: the idle time before the first probe, the interval between probes
/// and their number. A dead server is noticed within a minute, and firewalls that drop
/// idle connections see traffic during a long index build.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;

/// How long sent data may stay unacknowledged before the connection counts as dead.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(60);

/// Connection parameters of a database. `Debug` and [`ConnInfo::display`] never show a
/// password.
#[derive(Clone)]
pub struct ConnInfo {
    /// Tried in this order; never empty.
    endpoints: Vec<Endpoint>,
    /// The driver's configuration, without host, port, password and encryption.
    base: tokio_postgres::Config,
    passwords: Passwords,
    /// The password file, for passwords of other users.
    pass_file: Option<PathBuf>,
    /// `None` for no limit.
    connect_timeout: Option<Duration>,
    ssl_mode: SslMode,
    /// `None` if no endpoint can use TLS.
    tls: Option<MakeRustlsConnect>,
    /// The input of `tls`, for libpq programs that set up TLS themselves.
    roots: Option<Roots>,
    identity: Option<Identity>,
    /// Sessions that are kept for later use, if any are.
    spare: Option<Spare>,
    /// The endpoints whose pooler is known to keep a process for each session.
    keeps_processes: Arc<Mutex<Vec<String>>>,
}

/// The source of the password.
#[derive(Clone)]
enum Passwords {
    /// Given explicitly, for every endpoint.
    Given(Arc<str>),
    /// Looked up when connecting, because it depends on host and database.
    File(Arc<PassFile>),
}

impl ConnInfo {
    /// A server on this machine, reached through the socket in `folder`, without
    /// TLS and without a password.
    #[must_use]
    pub fn unix_socket(folder: &Path, port: u16, user: &str, database: &str) -> Self {
        let mut base = tokio_postgres::Config::new();
        base.user(user).dbname(database).application_name(APPLICATION_NAME);
        ConnInfo {
            endpoints: vec![Endpoint { address: Address::Socket(folder.to_owned()), port }],
            base,
            passwords: Passwords::File(Arc::default()),
            pass_file: None,
            connect_timeout: Some(CONNECT_TIMEOUT),
            ssl_mode: SslMode::Disable,
            tls: None,
            roots: None,
            identity: None,
            spare: None,
            keeps_processes: Arc::default(),
        }
    }

    /// The same, with sessions that are kept when they are closed and used again by whoever
    /// opens the next one. `runtime` drives them and must make progress by itself.
    #[must_use]
    pub fn keeping_sessions(&self, runtime: Handle) -> Self {
        ConnInfo { spare: Some(Spare::new(runtime)), ..self.clone() }
    }

    /// The same, with sessions that belong to the runtime that opens them and are not kept.
    #[must_use]
    pub fn for_own_sessions(&self) -> Self {
        ConnInfo { spare: None, ..self.clone() }
    }

    /// Begins to open up to so many sessions that will be needed soon, if sessions are kept. A
    /// session that [`connect`](super::connect) returned must be open.
    pub fn open_ahead(&self, sessions: usize) {
        if let Some(spare) = &self.spare {
            spare.open_ahead(self, sessions);
        }
    }

    /// Tells later sessions the OID of a table that has been checked, for
    /// [`Connection::noted`](super::Connection::noted), if sessions are kept.
    pub fn note(&self, table: &Table, oid: u32) {
        if let Some(spare) = &self.spare {
            spare.note(table.to_string(), oid);
        }
    }

    /// Closes the sessions that are kept.
    pub async fn close_kept(&self) {
        if let Some(spare) = &self.spare {
            spare.close().await;
        }
    }

    pub(super) fn spare(&self) -> Option<&Spare> {
        self.spare.as_ref()
    }

    /// Whether the pooler at an endpoint is known to keep a process for each session.
    pub(super) fn keeps_processes(&self, endpoint: &Endpoint) -> bool {
        let known = self.keeps_processes.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&self.display_endpoint(endpoint))
    }

    pub(super) fn note_that_it_keeps_processes(&self, endpoint: &Endpoint) {
        let mut known = self.keeps_processes.lock().unwrap_or_else(PoisonError::into_inner);
        known.push(self.display_endpoint(endpoint));
    }

    /// The same server, whose pooler may treat another user or database otherwise.
    fn of_others(&self) -> Self {
        ConnInfo { keeps_processes: Arc::default(), ..self.for_own_sessions() }
    }

    /// The same server and user with another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut other = self.of_others();
        other.base.dbname(name);
        other
    }

    /// The same server and database with another user. The first user's password is never
    /// sent for the other one, whose password is looked up in the password file.
    #[must_use]
    pub fn with_user(&self, name: &str) -> Self {
        let mut other = self.of_others();
        other.base.user(name);
        if let Passwords::Given(_) = self.passwords {
            let file = self.pass_file.as_deref().map(PassFile::read).unwrap_or_default();
            other.passwords = Passwords::File(Arc::new(file));
        }
        other
    }

    /// The same with another `application_name` (see `pg_stat_activity`).
    #[must_use]
    pub fn with_application_name(&self, name: &str) -> Self {
        let mut other = self.for_own_sessions();
        other.base.application_name(name);
        other
    }

    /// The database user.
    #[must_use]
    pub fn user(&self) -> &str {
        self.base.get_user().unwrap_or_default()
    }

    /// The name of the database.
    #[must_use]
    pub fn database(&self) -> &str {
        self.base.get_dbname().unwrap_or_default()
    }

    /// `user@host:port/database`, for messages; contains no secrets.
    #[must_use]
    pub fn display(&self) -> String {
        let hosts: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        self.describe(&hosts.join(","))
    }

    /// As [`ConnInfo::display`], with only one endpoint.
    pub(super) fn display_endpoint(&self, endpoint: &Endpoint) -> String {
        self.describe(&endpoint.to_string())
    }

    fn describe(&self, hosts: &str) -> String {
        format!("{}@{hosts}/{}", self.user(), self.database())
    }

    pub(super) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    pub(super) fn connect_timeout(&self) -> Option<Duration> {
        self.connect_timeout
    }

    pub(super) fn tls(&self) -> Option<&MakeRustlsConnect> {
        self.tls.as_ref()
    }

    /// The encryption to try first at an endpoint, and the one to try next.
    pub(super) fn attempts(&self, endpoint: &Endpoint) -> (Encryption, Option<Encryption>) {
        match endpoint.address {
            // A socket cannot be eavesdropped on, and the server offers no TLS there.
            Address::Socket(_) => SslMode::Disable.attempts(),
            Address::Tcp { .. } => self.ssl_mode.attempts(),
        }
    }

    /// Whether a session could cross a network without encryption.
    #[must_use]
    pub fn may_be_overheard(&self) -> bool {
        let leaves = |endpoint: &Endpoint| match &endpoint.address {
            Address::Socket(_) => false,
            Address::Tcp { ip: Some(ip), .. } => !ip.is_loopback(),
            Address::Tcp { host, ip: None } => {
                let ip = host.parse::<IpAddr>();
                host != "localhost" && !ip.is_ok_and(|ip| ip.is_loopback())
            }
        };
        self.ssl_mode < SslMode::Require && self.endpoints.iter().any(leaves)
    }

    /// Whether there is a password to send to this endpoint.
    pub(super) fn has_password(&self, endpoint: &Endpoint) -> bool {
        self.password(endpoint).is_some()
    }

    /// The driver's configuration for an endpoint. The driver gets a connection that is
    /// already encrypted as needed.
    pub(super) fn driver_config(&self, endpoint: &Endpoint) -> tokio_postgres::Config {
        let mut config = self.base.clone();
        if let Some(password) = self.password(endpoint) {
            config.password(password);
        }
        config.ssl_mode(DriverSsl::Require).ssl_negotiation(SslNegotiation::Direct);
        config
    }

    fn password(&self, endpoint: &Endpoint) -> Option<Vec<u8>> {
        let file = match &self.passwords {
            Passwords::Given(password) => return Some(password.as_bytes().to_vec()),
            Passwords::File(file) => file,
        };
        let folder;
        let host = match &endpoint.address {
            Address::Tcp { host, .. } => host,
            Address::Socket(path) => {
                folder = path.to_string_lossy();
                if SOCKET_FOLDERS.contains(&folder.as_ref()) { "localhost" } else { &folder }
            }
        };
        let (port, database, user) = (endpoint.port, self.database(), self.user());
        file.password(Wanted { host, port, database, user })
    }
}

impl fmt::Debug for ConnInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnInfo").field(&self.display()).field(&self.ssl_mode).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_needs_neither_tls_nor_password() {
        let info = ConnInfo::unix_socket(Path::new("/run/x"), 5433, "u", "d");
        assert_eq!(info.display(), "u@/run/x:5433/d");
        assert_eq!(info.with_database("e").display(), "u@/run/x:5433/e");
        assert_eq!(info.attempts(&info.endpoints[0]), (Encryption::None, None));
        assert!(!info.has_password(&info.endpoints[0]));
        let named = info.with_application_name("x");
        let config = named.driver_config(&info.endpoints[0]);
        assert_eq!(config.get_application_name(), Some("x"));
    }
}
