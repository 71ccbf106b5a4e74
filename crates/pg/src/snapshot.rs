//! One state of the database, seen by several sessions.

use super::{CatalogText, ConnInfo, Connection, Session, connect, fill};
use sterna_error::Result;

/// What a session sees and others can see too, for as long as its transaction lasts.
#[derive(Clone, Debug)]
pub struct Snapshot {
    name: String,
}

impl Snapshot {
    /// Begins a transaction that sees one state all along, to be ended by COMMIT, and lets
    /// others see it.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin(session: &Session) -> Result<Self> {
        let (begun, shared) = futures::join!(begin(session), Snapshot::share(session));
        begun?;
        shared
    }

    /// Lets others see what a transaction sees.
    ///
    /// # Errors
    /// The server's.
    pub async fn share(session: &Session) -> Result<Self> {
        let share = include_str!("../../../sql/snapshot/share.sql");
        Ok(Snapshot { name: session.query_one(share, &[]).await?.get(0) })
    }

    /// What a driver or a program of PostgreSQL's names it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens a session for catalogs and tables, in a transaction that sees it.
    ///
    /// # Errors
    /// The server's, also where the transaction that shares it is over.
    pub async fn open(&self, info: &ConnInfo) -> Result<Connection> {
        let session = connect(info).await?;
        let name = CatalogText::from_catalog(format!("'{}'", self.name.replace('\'', "''")));
        let see = fill(include_str!("../../../sql/snapshot/use.sql"), &[("snapshot", &name)]);
        let parts = [
            include_str!("../../../sql/catalog/session.sql"),
            include_str!("../../../sql/snapshot/begin.sql"),
            &see,
        ];
        session.batch_execute(&parts.join("\n;\n")).await?;
        Ok(session)
    }
}

/// Begins a transaction that sees one state all along, to be ended by COMMIT.
///
/// # Errors
/// The server's.
pub async fn begin(session: &Session) -> Result<()> {
    Ok(session.batch_execute(include_str!("../../../sql/snapshot/begin.sql")).await?)
}
