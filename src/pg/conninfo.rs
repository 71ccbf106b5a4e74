//! Where the server is and who asks.

use std::path::Path;

use crate::error::Result;

/// How to reach a database. Its `Debug` and [`ConnInfo::display`] never show a password.
#[derive(Clone)]
pub struct ConnInfo {
    config: tokio_postgres::Config,
}

impl ConnInfo {
    /// A server on this machine, reached through the socket in `folder`, without TLS.
    #[must_use]
    pub fn unix_socket(folder: &Path, port: u16, user: &str, database: &str) -> Self {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(folder)
            .port(port)
            .user(user)
            .dbname(database);
        ConnInfo { config }
    }

    /// The same server and user, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other
    }

    /// The driver's form.
    pub(crate) fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }
}

/// An open connection: a client and the task that drives it.
pub struct Connection {
    client: tokio_postgres::Client,
}

impl std::ops::Deref for Connection {
    type Target = tokio_postgres::Client;
    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

impl std::ops::DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.client
    }
}

/// Opens a connection; must be called inside a tokio runtime.
///
/// # Errors
/// Where the server cannot be reached or refuses.
pub async fn connect(info: &ConnInfo) -> Result<Connection> {
    let (client, connection) = info.config().connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(Connection { client })
}
