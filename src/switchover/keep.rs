//! Which writes since a switchover its rollback keeps. The others are never lost: they are
//! saved in a table next to the live one.

use serde::Serialize;
use uuid::Uuid;

use super::Exchange;
use crate::error::{Error, Result};
use crate::pg::{Quoted, Session, Table, Transaction, fill};

/// Suffix of the table with the writes that are not kept.
const SUFFIX: &str = "_left";

/// Which writes since the switchover a rollback keeps. Rows that others refer to always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Keep {
    /// None, except rows that others refer to: the old table comes back as it was
    None,
    /// Inserted rows
    Inserted,
    /// All writes
    #[default]
    All,
}

impl Keep {
    /// The name on the command line and in the ledger.
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

/// Numbers of rows that were written since the switchover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Inserted.
    pub inserted: i64,
    /// Changed.
    pub updated: i64,
    /// Deleted.
    pub deleted: i64,
    /// Updated rows that the old table does not have: rows of the new release, which keeping
    /// the write would insert into the old table.
    pub only_in_new: i64,
    /// Rows that only the new table has and that other tables refer to; always kept.
    pub referred: i64,
}

impl Written {
    /// How many rows are kept.
    #[must_use]
    pub fn kept(&self, keep: Keep) -> i64 {
        self.referred
            + match keep {
                Keep::All => self.inserted + self.updated + self.deleted,
                Keep::Inserted => self.inserted,
                Keep::None => 0,
            }
    }

    /// How many rows are not kept.
    #[must_use]
    pub fn left(&self, keep: Keep) -> i64 {
        self.kept(Keep::All) - self.kept(keep)
    }
}

/// Records in the ledger which writes are kept, and creates the table for the others; what an
/// earlier attempt has saved there is saved again. Rows of the new release that other tables
/// refer to are kept. Returns that table.
///
/// # Errors
/// Refused if an earlier attempt has carried over more than is to be kept now: in the old
/// table, those writes can no longer be distinguished from its own rows.
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
        .hint(format!("continue with --keep {before}")));
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

/// Returns an unused name: an earlier rollback may have left such a table as well.
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
    let oid = made.ok_or_else(|| Error::database(format!("{left} was not created")))?;
    for row in
        transaction.query(include_str!("../../sql/table/stage/revokes.sql"), &[&vec![oid]]).await?
    {
        transaction.batch_execute(row.get(0)).await?;
    }
    let owner = include_str!("../../sql/switchover/prepare/owner.sql");
    for row in transaction.query(owner, &[&vec![exchange.live], &vec![oid]]).await? {
        transaction.batch_execute(row.get(0)).await?;
    }
    Ok(oid)
}

async fn drop(session: &Session, left: &Table) -> Result<()> {
    let names: [(&str, &dyn Quoted); 1] = [("left", left)];
    let drop = fill(include_str!("../../sql/switchover/keep/drop.sql"), &names);
    Ok(session.batch_execute(&drop).await?)
}

/// Logs, before anything is changed, what happens to the writes since the switchover.
pub(super) fn announce(written: &Written, keep: Keep) {
    let Written { inserted, updated, deleted, only_in_new, referred } = written;
    if inserted + updated + deleted + referred == 0 {
        return;
    }
    tracing::info!(
        "since the switchover {inserted} rows were inserted, {updated} updated, {deleted} deleted; \
         with --keep {}, {} of them are kept and {} are saved in a separate table",
        keep.name(),
        written.kept(keep),
        written.left(keep)
    );
    if keep == Keep::All && *only_in_new > 0 {
        tracing::warn!(
            "{only_in_new} rows of the new release were written to, and are inserted into the old \
             table; --keep inserted or --keep none leaves them out"
        );
    }
}

/// Returns the table with the writes that the rollback of a switchover did not keep, and the
/// number of its rows. Drops the table if it is empty.
///
/// # Errors
/// The server's errors.
pub(super) async fn left_behind(
    session: &Session,
    switchover: Uuid,
) -> Result<Option<(Table, i64)>> {
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
