//! Which writes since a switchover go along when it is rolled back. What stays behind is
//! saved in a table beside the live one, and never lost.

use serde::Serialize;
use uuid::Uuid;

use super::Exchange;
use crate::error::{Error, Result};
use crate::pg::{ConnInfo, Quoted, Session, Table, Transaction, connect, fill};

/// What the name of the table ends in that has what stays behind.
const SUFFIX: &str = "_left";

/// Which writes since the switchover go along. Rows that others refer to always do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Keep {
    /// No others: the old table comes back as it was at the switchover
    None,
    /// Rows that were inserted
    Inserted,
    /// All of them
    #[default]
    All,
}

impl Keep {
    /// As it is typed, and as the ledger has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Keep::None => "none",
            Keep::Inserted => "inserted",
            Keep::All => "all",
        }
    }

    fn parse(name: &str) -> Self {
        let all = [Keep::None, Keep::Inserted];
        all.into_iter().find(|keep| keep.name() == name).unwrap_or(Keep::All)
    }
}

/// What was written since the switchover, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Inserted.
    pub inserted: i64,
    /// Changed.
    pub updated: i64,
    /// Deleted.
    pub deleted: i64,
    /// Changed rows that the old table has not: rows of the new release, which would come
    /// into the old table with what was written to them.
    pub only_in_new: i64,
    /// Rows that only the new table has and that other tables refer to: they go along.
    pub referred: i64,
}

impl Written {
    /// How many rows go along.
    #[must_use]
    pub fn kept(&self, keep: Keep) -> i64 {
        self.referred
            + match keep {
                Keep::All => self.inserted + self.updated + self.deleted,
                Keep::Inserted => self.inserted,
                Keep::None => 0,
            }
    }

    /// How many stay behind.
    #[must_use]
    pub fn left(&self, keep: Keep) -> i64 {
        self.kept(Keep::All) - self.kept(keep)
    }
}

/// Decides in the ledger which writes go along, and makes the table for the others; what an
/// earlier attempt has saved there is saved again. Rows of the new release that other tables
/// refer to go along. Returns that table.
///
/// # Errors
/// Refused where an earlier attempt has carried more over than is to go along now: what the
/// old table has got cannot be told from what it had.
pub(super) async fn settle(
    transaction: &Transaction<'_>,
    exchange: &Exchange,
    keep: Keep,
) -> Result<Option<Table>> {
    let Exchange { table, live, incoming, .. } = exchange;
    let refer = include_str!("../../sql/switchover/keep/refer.sql");
    let settled = include_str!("../../sql/switchover/keep/settled.sql");
    let row = transaction.query_one(settled, &[live]).await?;
    let (before, entries) = (Keep::parse(row.get(0)), row.get::<_, i64>(1));
    let name: Option<(String, String)> = row.get::<_, Option<String>>(2).zip(row.get(3));
    let left = name.map(|(schema, name)| Table::new(schema, name)).transpose()?;
    if before == keep && (left.is_some() || keep == Keep::All) {
        transaction.query(refer, &[live, incoming]).await?;
        return Ok(left);
    }
    if before > keep && entries > 0 {
        let (before, old) = (before.name(), exchange.incoming_table()?);
        return Err(Error::refused(format!(
            "an earlier attempt with --keep {before} has carried {entries} writes over to {old} \
             already"
        ))
        .hint(format!("go on with --keep {before}")));
    }
    if let Some(left) = left {
        drop(transaction, &left).await?;
    }
    let (left, oid) = match keep {
        Keep::All => (None, None),
        _ => {
            let left = unused(transaction, table).await?;
            let oid = create(transaction, exchange, &left).await?;
            (Some(left), Some(oid))
        }
    };
    let settle = include_str!("../../sql/switchover/keep/settle.sql");
    transaction.execute(settle, &[live, &keep.name(), &oid]).await?;
    transaction.query(refer, &[live, incoming]).await?;
    Ok(left)
}

/// A name that is free: an earlier rollback may have left something behind as well.
async fn unused(transaction: &Transaction<'_>, table: &Table) -> Result<Table> {
    let mut number = 1;
    loop {
        let suffix = if number == 1 { SUFFIX.to_owned() } else { format!("{SUFFIX}_{number}") };
        let name = table.with_suffix(&suffix)?;
        if find(transaction, &name).await?.is_none() {
            return Ok(name);
        }
        number += 1;
    }
}

async fn find(transaction: &Transaction<'_>, table: &Table) -> Result<Option<u32>> {
    let sql = include_str!("../../sql/catalog/relation.sql");
    let row = transaction.query_opt(sql, &[&table.schema.name(), &table.name.name()]).await?;
    Ok(row.map(|row| row.get(0)))
}

async fn create(transaction: &Transaction<'_>, exchange: &Exchange, left: &Table) -> Result<u32> {
    let names: [(&str, &dyn Quoted); 2] = [("left", left), ("table", &exchange.table)];
    let create = fill(include_str!("../../sql/switchover/keep/create.sql"), &names);
    transaction.batch_execute(&create).await?;
    let made = find(transaction, left).await?;
    let oid = made.ok_or_else(|| Error::database(format!("{left} was not made")))?;
    for row in transaction.query(include_str!("../../sql/table/stage/revokes.sql"), &[&oid]).await?
    {
        transaction.batch_execute(row.get(0)).await?;
    }
    let owner = include_str!("../../sql/switchover/prepare/owner.sql");
    for row in transaction.query(owner, &[&exchange.live, &oid]).await? {
        transaction.batch_execute(row.get(0)).await?;
    }
    Ok(oid)
}

async fn drop(session: &Session, left: &Table) -> Result<()> {
    let names: [(&str, &dyn Quoted); 1] = [("left", left)];
    let drop = fill(include_str!("../../sql/switchover/keep/drop.sql"), &names);
    Ok(session.batch_execute(&drop).await?)
}

/// Says before anything happens what becomes of the writes since.
pub(super) fn announce(written: &Written, keep: Keep) {
    let Written { inserted, updated, deleted, only_in_new, referred } = written;
    if inserted + updated + deleted + referred == 0 {
        return;
    }
    tracing::info!(
        "since the switchover {inserted} rows were inserted, {updated} updated, {deleted} deleted; \
         by --keep {} {} of them go along and {} are saved beside",
        keep.name(),
        written.kept(keep),
        written.left(keep)
    );
    if keep == Keep::All && *only_in_new > 0 {
        tracing::warn!(
            "{only_in_new} rows of the new release were written to, and are inserted into the old \
             table with that; --keep inserted or none leaves them"
        );
    }
}

/// Where the rollback of a switchover has left something behind, and how many rows. A table
/// without any goes.
///
/// # Errors
/// The server's.
pub(super) async fn left_behind(info: &ConnInfo, switchover: Uuid) -> Result<Option<(Table, i64)>> {
    let session = connect(info).await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    let left = find_left(&session, switchover).await?;
    session.close().await?;
    Ok(left)
}

async fn find_left(session: &Session, switchover: Uuid) -> Result<Option<(Table, i64)>> {
    let sql = include_str!("../../sql/switchover/keep/left.sql");
    let Some(row) = session.query_opt(sql, &[&switchover]).await? else { return Ok(None) };
    let left = Table::new(row.get::<_, String>(0), row.get::<_, String>(1))?;
    let names: [(&str, &dyn Quoted); 1] = [("left", &left)];
    let count = fill(include_str!("../../sql/switchover/keep/count.sql"), &names);
    match session.query_one(&count, &[]).await?.get(0) {
        0 => drop(session, &left).await.map(|()| None),
        rows => Ok(Some((left, rows))),
    }
}
