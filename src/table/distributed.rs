//! Tables that Citus distributes by the hash of a column, and what follows from that. sterna speaks
//! only to the coordinator.
//!
//! - Staging is distributed like the table, in the same shard ranges on the same nodes.
//! - A batch and its ledger row are one transaction, which Citus commits in two phases; the
//!   coordinator must not confirm one that it could lose ([`SESSION`]).
//! - The `xmin` of a row is a worker's: which batch wrote it is not known. So rows are proved as a
//!   whole, and no batch is ever taken out again: if an index cannot be built, all rows are loaded
//!   again with the indexes in place, and the server refuses the records that violate them.
//! - Triggers are not supported, so writes during the run are not recorded. Instead, a copy of the
//!   table is taken when staging is made: what differs from it later has been written since.

use tokio_postgres::error::{DbError, SqlState};

use crate::error::{Error, Result};
use crate::pg::{self, CatalogText, Distribution, Fault, Quoted, Session, Table, fill};

/// Makes a session that writes rows wait for the coordinator's disk.
pub(crate) const SESSION: &str = include_str!("../../sql/distribution/session.sql");

/// Reads all rows for the proof.
pub(crate) const COPY_OUT: &str = include_str!("../../sql/distribution/copy-out.sql");

/// The class of an error of a COPY. Citus reports what a worker says as an internal error, with the
/// worker's message and, if it is about a row, its detail. It reports a lost connection to a worker
/// as an I/O error, or by the last message of its session.
pub(crate) fn classify(error: &Error) -> Fault {
    let code = error.sqlstate().unwrap_or_default();
    let said = error.postgres().and_then(tokio_postgres::Error::as_db_error);
    match said.and_then(DbError::detail) {
        Some(_) if code == SqlState::INTERNAL_ERROR.code() => Fault::DataRefused,
        None if code == SqlState::INTERNAL_ERROR.code() => Fault::Transient,
        _ if code == SqlState::IO_ERROR.code() => Fault::Transient,
        _ => pg::classify(error),
    }
}

/// Distributes a new, empty staging table as the live one is, and makes the copy that its later
/// writes are found by.
///
/// # Errors
/// Those of Citus.
pub(crate) async fn create(
    session: &Session,
    staging: (&Table, u32),
    (table, oid): (&Table, u32),
    distribution: &Distribution,
) -> Result<()> {
    distribute(session, staging, (oid, distribution)).await?;
    copy(session, (table, oid), distribution, &base_of(oid)?).await
}

/// The copy of a live table as it was when its staging table was made.
///
/// # Errors
/// None in practice: the name is short.
pub(crate) fn base_of(oid: u32) -> Result<Table> {
    Table::new("sterna", format!("base_{oid}"))
}

/// Copies a distributed table, on the workers, to a table with the same shards. A copy that exists
/// stays as it is. A table without a primary key, which cannot be replaced, is not copied.
///
/// # Errors
/// Those of the server.
pub(crate) async fn copy(
    session: &Session,
    (table, oid): (&Table, u32),
    distribution: &Distribution,
    copy: &Table,
) -> Result<()> {
    let relation = include_str!("../../sql/catalog/relation.sql");
    let key = include_str!("../../sql/distribution/copy-key.sql");
    let (schema, name) = (copy.schema.name(), copy.name.name());
    let there: [&dyn pg::Typed; 2] = [&schema, &name];
    let (found, key) =
        futures::join!(session.query_opt(relation, &there), session.query_opt(key, &[&oid]));
    let (None, Some(key)) = (found?, key?) else { return Ok(()) };
    let key = CatalogText::from_catalog(key.get::<_, String>(0));
    let names: [(&str, &dyn Quoted); 3] = [("copy", copy), ("table", table), ("key", &key)];
    let run = async |sql: &str| session.batch_execute(&fill(sql, &names)).await;
    run(include_str!("../../sql/distribution/copy-create.sql")).await?;
    let made: u32 = session.query_one(relation, &there).await?.get(0);
    distribute(session, (copy, made), (oid, distribution)).await?;
    run(include_str!("../../sql/distribution/copy-add-key.sql")).await?;
    let filled = run(include_str!("../../sql/distribution/copy-fill.sql")).await;
    filled.map_err(|e| Error::from(e).context(format!("could not copy {table}")))
}

/// Drops such a copy, if it exists.
///
/// # Errors
/// Those of the server.
pub(crate) async fn drop_copy(session: &Session, copy: &Table) -> Result<()> {
    let sql = include_str!("../../sql/distribution/copy-drop.sql");
    Ok(session.batch_execute(&fill(sql, &[("copy", copy)])).await?)
}

/// Distributes a new, empty table as the table `like` it is, if that is distributed.
///
/// # Errors
/// Those of Citus.
pub(crate) async fn distribute(
    session: &Session,
    (table, oid): (&Table, u32),
    (like, distribution): (u32, &Distribution),
) -> Result<()> {
    let Distribution::Hash(column) = distribution else { return Ok(()) };
    let sql = include_str!("../../sql/distribution/distribute.sql");
    let distributed = session.query(sql, &[&oid, &column.name(), &like]).await;
    distributed.map_err(|e| Error::from(e).context(format!("could not distribute {table}")))?;
    Ok(())
}

/// The refusal of files that leave columns to be kept from production's rows: only the server could
/// match them, by a join that rewrites staging.
pub(crate) fn cannot_match(table: &Table, unfilled: &[String]) -> Error {
    let what = format!(
        "{table} is distributed by Citus, and the server would have to match its rows with those of \
         the files ({})",
        unfilled.join("; ")
    );
    Error::refused(what).hint(
        "nothing was written; map a field to these columns with --mapping, or give every row new \
         values with --unfilled default",
    )
}

/// The refusal to take the rows of one load out of a staging table that holds those of others too.
pub(crate) fn cannot_unwrite(staging: &Table) -> Error {
    Error::refused(format!(
        "{staging} holds the rows of several loads, and Citus does not tell which of them wrote a row"
    ))
    .hint("`sterna stage truncate`, then load all files at once")
}

/// Refuses a staging table that is not distributed as the table is, because somebody has changed
/// one of them.
///
/// # Errors
/// The refusal.
pub(crate) fn refuse_other(
    (table, its): (&Table, &Distribution),
    (staging, found): (&Table, &Distribution),
) -> Result<()> {
    if found == its {
        return Ok(());
    }
    let words = |of: &Distribution| of.describe().unwrap_or_else(|| "not distributed".to_owned());
    let (found, its) = (words(found), words(its));
    Err(Error::refused(format!("{staging} is {found}, and {table} is {its}"))
        .hint("nothing was changed; drop it with DROP TABLE, then create it again"))
}
