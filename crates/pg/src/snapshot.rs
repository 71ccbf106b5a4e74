//! Snapshots of the database, shared by several sessions.

use super::{CatalogText, ConnInfo, Connection, Session, connect_for, fill};
use sterna_error::Result;

/// An exported snapshot. Other sessions can use it as long as its transaction lasts.
#[derive(Clone, Debug)]
pub struct Snapshot {
    name: String,
}

impl Snapshot {
    /// Begins a read-only transaction with one snapshot, to be ended with COMMIT, and exports
    /// the snapshot.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin(session: &Session) -> Result<Self> {
        let (begun, shared) = futures::join!(begin(session), Snapshot::share(session));
        begun?;
        shared
    }

    /// Exports the snapshot of the session's transaction.
    ///
    /// # Errors
    /// The server's.
    pub async fn share(session: &Session) -> Result<Self> {
        let share = include_str!("../sql/snapshot/share.sql");
        Ok(Snapshot { name: session.query_one(share, &[]).await?.get(0) })
    }

    /// Its name for `SET TRANSACTION SNAPSHOT` and PostgreSQL's programs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens a session for a purpose, set up for catalog queries, in a transaction that uses the snapshot.
    ///
    /// # Errors
    /// The server's, also if the exporting transaction has ended.
    pub async fn open(&self, info: &ConnInfo, purpose: &str) -> Result<Connection> {
        let session = connect_for(info, purpose).await?;
        let name = CatalogText::from_catalog(format!("'{}'", self.name.replace('\'', "''")));
        let see = fill(include_str!("../sql/snapshot/use.sql"), &[("snapshot", &name)]);
        let parts = [
            include_str!("../sql/catalog/session.sql"),
            include_str!("../sql/snapshot/begin.sql"),
            &see,
        ];
        session.batch_execute(&parts.join("\n;\n")).await?;
        Ok(session)
    }
}

/// Begins a read-only transaction with one snapshot, to be ended with COMMIT.
///
/// # Errors
/// The server's.
pub async fn begin(session: &Session) -> Result<()> {
    Ok(session.batch_execute(include_str!("../sql/snapshot/begin.sql")).await?)
}
