//! The backup table: a copy of the live table next to it, which only its owner can access. It
//! remains when the old table of a switchover is gone.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::pg::{
    CatalogText, Connection, Mode, Quoted, Session, Table, Transaction, explain_denied, fill,
    interruptible_by,
};
use crate::table::partition;
use crate::table::staging::{self, Pair};

/// The suffix of a backup table's name.
pub const SUFFIX: &str = "_backup";

/// The report of creating a backup table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackupTableReport {
    /// Its name.
    pub backup_table: String,
    /// Its number of rows, the same as the live table's in the same snapshot.
    pub rows: i64,
    /// Whether it replaced the backup table of an earlier run.
    pub replaced: bool,
}

/// Copies the live table. Replaces the copy of an earlier run.
///
/// # Errors
/// Refused if sterna did not create the table of that name; [`Kind::Validation`] if the
/// number of rows differs. Nothing is left of the copy then.
pub async fn create(
    session: &mut Connection,
    pair: &Pair,
    stop: &AtomicBool,
) -> Result<BackupTableReport> {
    session.batch_execute(include_str!("../../sql/catalog/tables-only.sql")).await?;
    let cancel = session.cancel_token();
    let transaction = session.begin(Mode::Snapshot).await?;
    let work = create_in(&transaction, pair);
    let report = interruptible_by(&cancel, stop, work).await.map_err(explain_denied)?;
    transaction.commit().await?;
    Ok(report)
}

async fn create_in(transaction: &Transaction<'_>, pair: &Pair) -> Result<BackupTableReport> {
    let backup = pair.table.with_suffix(SUFFIX)?;
    let replaced = drop_in(transaction, &backup).await?;
    let names: [(&str, &dyn Quoted); 2] = [("backup", &backup), ("table", &pair.table)];
    transaction
        .batch_execute(&fill(include_str!("../../sql/table/backup/create.sql"), &names))
        .await?;
    let oid = find(transaction, &backup)
        .await?
        .ok_or_else(|| Error::database(format!("{backup} does not exist after it was created")))?;
    for row in
        transaction.query(include_str!("../../sql/table/stage/revokes.sql"), &[&vec![oid]]).await?
    {
        transaction.batch_execute(row.get(0)).await?;
    }
    let owner = include_str!("../../sql/switchover/prepare/owner.sql");
    for row in transaction.query(owner, &[&vec![pair.table_oid], &vec![oid]]).await? {
        transaction.batch_execute(row.get(0)).await?;
    }
    let key = include_str!("../../sql/table/backup/primary-key.sql");
    if let Some(row) = transaction.query_opt(key, &[&pair.table_oid]).await? {
        let name = staging::attached_name(row.get(0), SUFFIX)?;
        let definition = CatalogText::from_catalog(row.get::<_, String>(1));
        let names: [(&str, &dyn Quoted); 3] =
            [("backup", &backup), ("name", &name), ("definition", &definition)];
        let add = fill(include_str!("../../sql/table/backup/add-primary-key.sql"), &names);
        transaction.batch_execute(&add).await?;
    }
    let count = fill(include_str!("../../sql/table/backup/count.sql"), &names);
    let row = transaction.query_one(&count, &[]).await?;
    let (had, rows): (i64, i64) = (row.get(0), row.get(1));
    if had != rows {
        let what = format!("{backup} has {rows} rows, and {} has {had}", pair.table);
        return Err(Error::new(Kind::Validation, what));
    }
    let register = include_str!("../../sql/table/backup/register.sql");
    let (schema, name) = (backup.schema.name(), backup.name.name());
    let version = env!("CARGO_PKG_VERSION");
    transaction
        .execute(register, &[&oid, &schema, &name, &pair.table_oid, &rows, &version])
        .await?;
    Ok(BackupTableReport { backup_table: backup.to_string(), rows, replaced })
}

/// Drops the backup table. Returns its name; `None` if there is none.
///
/// # Errors
/// Refused if sterna did not create the table of that name, or if it has been attached to another
/// one; the server's error if something depends on it.
pub async fn drop(session: &mut Connection, table: &Table) -> Result<Option<Table>> {
    let backup = table.with_suffix(SUFFIX)?;
    let transaction = session.transaction().await?;
    let dropped = drop_in(&transaction, &backup).await?;
    transaction.commit().await?;
    Ok(dropped.then_some(backup))
}

/// Refuses if the backup table could not be dropped, because it has been attached to another table.
///
/// # Errors
/// The refusal.
pub async fn refuse_attached(session: &Session, table: &Table) -> Result<()> {
    match find(session, &table.with_suffix(SUFFIX)?).await? {
        Some(oid) => partition::refuse_attached(session, oid).await,
        None => Ok(()),
    }
}

async fn drop_in(transaction: &Transaction<'_>, backup: &Table) -> Result<bool> {
    let Some(oid) = find(transaction, backup).await? else { return Ok(false) };
    let registered = include_str!("../../sql/table/backup/registered.sql");
    if !transaction.query_one(registered, &[&oid]).await?.get::<_, bool>(0) {
        return Err(Error::refused(format!("{backup} exists and was not made by sterna"))
            .hint("rename or drop it; sterna creates its backup table itself"));
    }
    let names: [(&str, &dyn Quoted); 2] = [("backup", backup), ("table", backup)];
    let lock = fill(include_str!("../../sql/switchover/lock-everybody.sql"), &names);
    let drop = fill(include_str!("../../sql/table/backup/drop.sql"), &names);
    // The server runs them in this order, and none after one that fails.
    let (locked, detached, dropped) = futures::join!(
        transaction.batch_execute(&lock),
        partition::refuse_attached(transaction, oid),
        transaction.batch_execute(&drop),
    );
    locked?;
    detached?;
    dropped?;
    transaction.execute(include_str!("../../sql/table/backup/unregister.sql"), &[&oid]).await?;
    Ok(true)
}

/// Finds the OID of the relation with that name.
async fn find(session: &Session, table: &Table) -> Result<Option<u32>> {
    let sql = include_str!("../../sql/catalog/relation.sql");
    let row = session.query_opt(sql, &[&table.schema.name(), &table.name.name()]).await?;
    Ok(row.map(|row| row.get(0)))
}
