//! The transport to a server: a socket, with TLS if both sides want it.
//!
//! The driver could open it too, but then [`super::last_message`] could not be put between
//! the driver and the socket.

use std::error::Error;
use std::io;
use std::net::IpAddr;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::conninfo::{Address, Endpoint};
use super::tls::Encryption;

/// The SSLRequest message: a length and a number in place of the protocol version.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The reason why a session could not be opened: an [`io::Error`] or the driver's error.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// A bidirectional byte stream.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// One way to connect to a server.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) endpoint: Endpoint,
    /// The address that the endpoint's name resolves to; `None` for a socket.
    pub(super) ip: Option<IpAddr>,
    pub(super) encryption: Encryption,
    /// `None` if TLS is never used.
    pub(super) tls: Option<MakeRustlsConnect>,
    /// The driver's settings, including those of the socket.
    pub(super) config: tokio_postgres::Config,
}

impl Way {
    /// Opens a connection; also returns its channel binding.
    pub(super) async fn open(&self) -> Result<(Box<dyn Duplex>, ChannelBinding), Cause> {
        let mut socket = self.socket().await?;
        let Address::Tcp { host, .. } = &self.endpoint.address else {
            return Ok((socket, ChannelBinding::none()));
        };
        if self.encryption == Encryption::None || !self.is_offered_tls(&mut socket).await? {
            return Ok((socket, ChannelBinding::none()));
        }
        let mut tls = self.tls.clone().ok_or("TLS is not set up")?;
        let connector = MakeTlsConnect::<Box<dyn Duplex>>::make_tls_connect(&mut tls, host)?;
        let stream = connector.connect(socket).await?;
        let binding = stream.channel_binding();
        Ok((Box::new(stream), binding))
    }

    async fn socket(&self) -> io::Result<Box<dyn Duplex>> {
        let port = self.endpoint.port;
        let ip = match (&self.endpoint.address, self.ip) {
            (Address::Socket(folder), _) => {
                let path = folder.join(format!(".s.PGSQL.{port}"));
                return Ok(Box::new(UnixStream::connect(path).await?));
            }
            (Address::Tcp { .. }, Some(ip)) => ip,
            (Address::Tcp { .. }, None) => return Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        let stream = TcpStream::connect((ip, port)).await?;
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        #[cfg(target_os = "linux")]
        if let Some(limit) = self.config.get_tcp_user_timeout() {
            socket.set_tcp_user_timeout(Some(*limit))?;
        }
        if self.config.get_keepalives() {
            let mut keepalive = TcpKeepalive::new().with_time(self.config.get_keepalives_idle());
            if let Some(interval) = self.config.get_keepalives_interval() {
                keepalive = keepalive.with_interval(interval);
            }
            if let Some(retries) = self.config.get_keepalives_retries() {
                keepalive = keepalive.with_retries(retries);
            }
            socket.set_tcp_keepalive(&keepalive)?;
        }
        Ok(Box::new(stream))
    }

    /// Requests TLS; returns false if the server has none and it is not required.
    async fn is_offered_tls(&self, socket: &mut Box<dyn Duplex>) -> io::Result<bool> {
        socket.write_all(&TLS_REQUEST).await?;
        match socket.read_u8().await? {
            b'S' => Ok(true),
            b'N' if self.encryption == Encryption::Offered => Ok(false),
            b'N' => {
                let what = "server does not support TLS";
                Err(io::Error::new(io::ErrorKind::Unsupported, what))
            }
            // An error message; not shown, because anyone can forge it before TLS.
            _ => Err(io::Error::other("the server did not answer the request for TLS")),
        }
    }
}

/// The addresses to try; `None` for a socket, which has none.
///
/// Names are resolved here and not by the driver, which would continue with the next
/// address after a refused password and report its failure instead.
pub(super) async fn addresses(endpoint: &Endpoint) -> io::Result<Vec<Option<IpAddr>>> {
    let host = match &endpoint.address {
        Address::Socket(_) => return Ok(vec![None]),
        Address::Tcp { ip: Some(ip), .. } => return Ok(vec![Some(*ip)]),
        Address::Tcp { host, .. } => host,
    };
    let found = tokio::net::lookup_host((host.as_str(), endpoint.port)).await?;
    Ok(found.map(|address| Some(address.ip())).collect())
}
