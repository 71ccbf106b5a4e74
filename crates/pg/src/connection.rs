//! Opening, driving and closing a session.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_postgres::AsyncMessage;
use tokio_postgres::error::SqlState;

use super::Table;
use super::cancel::CancelToken;
use super::conninfo::{Address, ConnInfo, Endpoint};
use super::diagnosis;
use super::last_message::{AsItIs, LastMessage};
use super::pooler;
use super::session::{Mode, Session, Transaction};
use super::socket::{Cause, Way, addresses};
use super::spare::Spare;
use super::supported::{check_attributes, check_version};
use super::tls::Encryption;
use sterna_error::{Error, Result};

/// An open session: a client and the task that drives it.
///
/// Dropping it ends the session on the server soon afterwards; [`Connection::close`]
/// waits until the termination is sent.
pub struct Connection {
    session: Session,
    driver: JoinHandle<()>,
    pub(super) way: Way,
    /// Whether the server has ended the session.
    is_ended: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
    /// The id of the session's server process, if it is known to be its own.
    process: Option<i32>,
    round_trip: Duration,
    deadlock_timeout_ms: i64,
    /// Where it goes when it is closed, if it is to be used again.
    home: Option<Spare>,
}

impl Connection {
    /// The endpoint that the session is connected to.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.way.endpoint
    }

    /// The address that the endpoint's name resolved to.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.way.ip
    }

    /// Whether the server is on this machine: at a socket or a loopback address.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match &self.way.endpoint.address {
            Address::Socket(_) => true,
            Address::Tcp { .. } => self.way.ip.is_some_and(|ip| ip.is_loopback()),
        }
    }

    /// Whether either side is known to have ended the session.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed) || self.session.client().is_closed()
    }

    /// The id of the session's own server process. A pooler reports made-up ones, so `None`
    /// until it is known that the pooler keeps a process for the session.
    pub(super) fn process(&self) -> Option<i32> {
        self.process
    }

    /// Gives the session its settings, which belong to it alone: `process` is its own.
    pub(super) async fn own(self, process: i32) -> Result<Self> {
        pooler::set_up(&self.session, process).await?;
        Ok(Connection { process: Some(process), ..self })
    }

    /// The round trip time measured when the session began.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// The server's `deadlock_timeout` when the session began, in milliseconds.
    #[must_use]
    pub fn deadlock_timeout_ms(&self) -> i64 {
        self.deadlock_timeout_ms
    }

    /// The OID of a table, if an earlier session was told it ([`ConnInfo::note`]).
    #[must_use]
    pub fn noted(&self, table: &Table) -> Option<u32> {
        self.home.as_ref()?.noted(&table.to_string())
    }

    /// A counter of the bytes received and sent.
    #[must_use]
    pub fn carried(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.carried)
    }

    /// A token that cancels the running statement of this session.
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken::new(self.session.client().cancel_token(), self.way.clone())
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// The server's.
    pub async fn transaction(
        &mut self,
    ) -> std::result::Result<Transaction<'_>, tokio_postgres::Error> {
        self.begin(Mode::ReadCommitted).await
    }

    /// Begins a transaction in this mode.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin(
        &mut self,
        mode: Mode,
    ) -> std::result::Result<Transaction<'_>, tokio_postgres::Error> {
        Transaction::begin(&mut self.session, mode).await
    }

    /// Begins a transaction, runs statements without parameters in the same message, and sends
    /// queries with it, which must only read: if the transaction could not begin, they ran
    /// without it.
    ///
    /// # Errors
    /// The error of the first statement that failed.
    pub async fn transaction_with<T>(
        &mut self,
        first: &str,
        reads: impl AsyncFnOnce(&Session) -> T,
    ) -> std::result::Result<(Transaction<'_>, T), tokio_postgres::Error> {
        Transaction::begin_with(&mut self.session, first, reads).await
    }

    /// Runs queries that all see one snapshot, in one round trip. `reads` must send all of them
    /// when it is first polled: a later one would run after COMMIT, outside the snapshot.
    ///
    /// # Errors
    /// The server's.
    pub async fn snapshot<T>(
        &mut self,
        reads: impl AsyncFnOnce(&Session) -> T,
    ) -> std::result::Result<T, tokio_postgres::Error> {
        let session = &self.session;
        let (begun, read, ended) = futures::join!(
            session.batch_execute(Mode::ReadOnlySnapshot.begin()),
            reads(session),
            session.batch_execute("COMMIT"),
        );
        begun?;
        ended?;
        Ok(read)
    }

    /// Has the session kept for others when it is closed.
    pub(super) fn at_home(self, home: Spare) -> Self {
        Connection { home: Some(home), ..self }
    }

    /// Has the session end when it is closed, even if its [`ConnInfo`] keeps sessions.
    #[must_use]
    pub fn leave_home(self) -> Self {
        Connection { home: None, ..self }
    }

    /// Ends the session and waits until the termination message is sent; or keeps it, if its
    /// [`ConnInfo`] does.
    ///
    /// # Errors
    /// If the task that drives the session failed.
    pub async fn close(self) -> Result<()> {
        let this = match &self.home {
            Some(home) => home.clone().keep(self),
            None => Some(self),
        };
        let Some(Connection { session, driver, .. }) = this else { return Ok(()) };
        drop(session);
        driver.await.map_err(|error| Error::database("the session's task failed").caused_by(error))
    }
}

impl Deref for Connection {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

/// Opens a session at the first endpoint that answers; needs a tokio runtime. Takes one that
/// was kept if there is one ([`ConnInfo::keeping_sessions`]).
///
/// # Errors
/// `could not connect to user@host:port/database`, with the cause and a hint. An
/// error that every server in the list would return, such as a wrong password, ends
/// the search. Refused if a pooler shares the session with others.
pub async fn connect(info: &ConnInfo) -> Result<Connection> {
    match info.spare() {
        Some(spare) => spare.session(info).await,
        None => pooler::owned(info, open_any(info).await?).await,
    }
}

/// Opens a session at the first endpoint that answers. Behind a pooler, it has no settings, and
/// changes none.
pub(super) async fn open_any(info: &ConnInfo) -> Result<Connection> {
    let mut servers = info.endpoints().iter().peekable();
    loop {
        let Some(endpoint) = servers.next() else {
            return Err(Error::usage("the list of servers is empty"));
        };
        match connect_endpoint(info, endpoint).await {
            Err(error) if servers.peek().is_some() && !is_final(&error) => {
                tracing::warn!("{error}");
            }
            result => return result,
        }
    }
}

fn is_final(error: &Error) -> bool {
    error.sqlstate().is_some_and(|code| code.starts_with("28") || code.starts_with("3D"))
}

/// Tries every address that the endpoint's name resolves to.
async fn connect_endpoint(info: &ConnInfo, endpoint: &Endpoint) -> Result<Connection> {
    let mut last = None;
    let found = addresses(endpoint).await;
    for ip in found.map_err(|cause| diagnosis::not_reached(info, endpoint, cause))? {
        let opened = Box::pin(open(info, endpoint, ip));
        let result = match info.connect_timeout() {
            None => opened.await,
            Some(limit) => match tokio::time::timeout(limit, opened).await {
                Ok(result) => result,
                Err(_) => {
                    let what = format!("no answer within {} s", limit.as_secs());
                    let cause = io::Error::new(io::ErrorKind::TimedOut, what);
                    Err(diagnosis::not_reached(info, endpoint, cause))
                }
            },
        };
        match result {
            Err(error) if !is_final(&error) => last = Some(error),
            result => return result,
        }
    }
    Err(last.unwrap_or_else(|| {
        let cause = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        diagnosis::not_reached(info, endpoint, cause)
    }))
}

/// Opens a session at one address, with the encryption that both sides agree on.
async fn open(info: &ConnInfo, endpoint: &Endpoint, ip: Option<IpAddr>) -> Result<Connection> {
    let (first, second) = info.attempts(endpoint);
    let mut way = Way {
        endpoint: endpoint.clone(),
        ip,
        encryption: first,
        tls: info.tls().cloned(),
        config: info.driver_config(endpoint),
    };
    let mut opened = begin(&way).await;
    if let (Err(cause), Some(second)) = (&opened, second)
        && wants_other(&**cause)
    {
        match diagnosis::tls_cause(&**cause) {
            Some(why) if second == Encryption::None => tracing::warn!(
                "TLS with {} failed, so the session is not encrypted ({why}); sslmode=require \
                 refuses that",
                info.display_endpoint(endpoint)
            ),
            _ => tracing::debug!(?second, "retrying with another encryption: {cause}"),
        }
        way.encryption = second;
        opened = begin(&way).await;
    }
    let failed = |cause| diagnosis::could_not_connect(info, endpoint, cause);
    let Begun { client, connection, is_ended, carried, process } = opened.map_err(failed)?;
    check_version(info, connection.parameter("server_version"))?;
    let driver = tokio::spawn(drive(connection));
    let session = Session::new(client);
    let prepared = async {
        check_attributes(session.client(), way.config.get_target_session_attrs()).await?;
        let asked = Instant::now();
        let (set, backend) =
            futures::join!(pooler::set_up(&session, process), pooler::backend(&session));
        set?;
        Ok((asked.elapsed(), backend?))
    };
    let (round_trip, backend) = prepared.await.map_err(failed)?;
    let is_direct = backend.process == process.to_string();
    let process = is_direct.then_some(process);
    let deadlock_timeout_ms = backend.deadlock_timeout_ms;
    Ok(Connection {
        session,
        driver,
        way,
        is_ended,
        carried,
        process,
        round_trip,
        deadlock_timeout_ms,
        home: None,
    })
}

type Driver = tokio_postgres::Connection<LastMessage, LastMessage>;

/// A new session and the state of its connection.
struct Begun {
    client: tokio_postgres::Client,
    connection: Driver,
    is_ended: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
    process: i32,
}

/// Connects one way.
async fn begin(way: &Way) -> Result<Begun, Cause> {
    let is_ended = Arc::default();
    let stream = LastMessage::new(way.open().await?, Arc::clone(&is_ended));
    let (carried, process) = (stream.carried(), stream.process());
    let (client, connection) = way.config.connect_raw(stream, AsItIs).await?;
    let process = process.load(Ordering::Relaxed);
    Ok(Begun { client, connection, is_ended, carried, process })
}

/// Whether another encryption may help: the handshake failed, or no line of
/// `pg_hba.conf` admits this kind of connection.
fn wants_other(cause: &(dyn std::error::Error + 'static)) -> bool {
    let code = cause.downcast_ref().and_then(tokio_postgres::Error::code);
    diagnosis::tls_cause(cause).is_some()
        || code == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// Processes messages until the session ends.
async fn drive(mut connection: Driver) {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => tracing::debug!(
                severity = notice.severity(),
                code = notice.code().code(),
                "server notice: {}",
                notice.message()
            ),
            Ok(_) => {}
            Err(error) => {
                let name = connection.parameter("application_name").unwrap_or_default();
                tracing::warn!("a session was lost ({name}): {}", Error::from(error));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[tokio::test]
    async fn a_missing_socket_is_named_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let info = ConnInfo::unix_socket(folder.path(), 5432, "u", "d");
        let error = connect(&info).await.map(drop).unwrap_err();
        let expected = format!("could not connect to u@{}:5432/d", folder.path().display());
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(error.next_step().unwrap().contains("no server listens"), "{error}");
        assert_eq!(super::super::classify(&error), super::super::Fault::Transient);
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let _silent = tokio::net::UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let text = format!("host={} user=u dbname=d connect_timeout=1", folder.path().display());
        let info = ConnInfo::resolve(Some(&text), &|_| None).unwrap();
        let error = connect(&info).await.map(drop).unwrap_err();
        assert!(error.to_string().ends_with("no answer within 1 s"), "{error}");
        assert_eq!(super::super::classify(&error), super::super::Fault::Transient);
    }
}
