//! Tables that look like ordinary ones, but whose rows an extension keeps elsewhere: in shards of
//! Citus, or in chunks of TimescaleDB.

use super::{Connection, Ident};
use sterna_error::Result;

/// Where the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// In the table itself.
    None,
    /// In shards of Citus, by the hash of this column.
    Hash(Ident),
    /// Elsewhere, in this way.
    Other(String),
}

impl Distribution {
    /// How a table is distributed, in a database that has these extensions. Asks the server only
    /// about extensions that are there.
    ///
    /// # Errors
    /// If the catalog cannot be read.
    pub(super) async fn of(
        session: &Connection,
        oid: u32,
        extensions: &[String],
    ) -> Result<Distribution> {
        for extension in extensions {
            let found = match extension.as_str() {
                "citus" => citus(session, oid).await?,
                _ => timescaledb(session, oid).await?,
            };
            if found != Distribution::None {
                return Ok(found);
            }
        }
        Ok(Distribution::None)
    }

    /// Whether the rows are not in the table itself.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        *self != Distribution::None
    }

    /// What kind of table it is, in words; `None` for one that has its rows itself.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        match self {
            Distribution::None => None,
            Distribution::Hash(column) => {
                Some(format!("distributed by Citus, by the hash of {column}"))
            }
            Distribution::Other(kind) => Some(kind.clone()),
        }
    }
}

async fn citus(session: &Connection, oid: u32) -> Result<Distribution> {
    let sql = include_str!("../sql/distribution/citus.sql");
    let Some(row) = session.query_opt(sql, &[&oid]).await? else { return Ok(Distribution::None) };
    let (method, reference, column): (i8, bool, Option<String>) =
        (row.get(0), row.get(1), row.get(2));
    Ok(match (method as u8, column) {
        (b'h', Some(column)) => Distribution::Hash(Ident::new(column)?),
        _ if reference => Distribution::Other("a reference table of Citus".to_owned()),
        (b'n', _) => Distribution::Other("a table managed by Citus".to_owned()),
        (method, _) => Distribution::Other(format!(
            "distributed by Citus, by the method {}",
            char::from(method)
        )),
    })
}

async fn timescaledb(session: &Connection, oid: u32) -> Result<Distribution> {
    let sql = include_str!("../sql/distribution/timescaledb.sql");
    let found = session.query_opt(sql, &[&oid]).await?;
    Ok(found.map_or(Distribution::None, |_| {
        Distribution::Other("a hypertable of TimescaleDB".to_owned())
    }))
}
