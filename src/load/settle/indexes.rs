//! Gives staging its primary key, indexes and statistics, with production's definitions.
//! Foreign keys are only checked: on staging, they would delete its rows along with rows of
//! the application, or block the application.
//!
//! Indexes are built after the load, because a sorted build is several times faster than
//! maintaining an index while rows are loaded, and in parallel on several connections. Existing
//! indexes are left alone, so an interrupted build can be resumed.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use futures::future::try_join_all;
use tokio_postgres::error::SqlState;

use crate::error::{Error, Kind, Result};
use crate::load::settle::cascade::Orphans;
use crate::pg::catalog::{Index, IndexConstraint};
use crate::pg::{
    self, CatalogText, ConnInfo, Connection, Ident, Quoted, Table, Volley, catalog, connect_for,
    fill,
};
use crate::table::locks::Patience;
use crate::table::locks::{self, LockLimits};
use crate::table::members;
use crate::table::staging::{self, Pair};

/// Sessions that build indexes.
pub(in crate::load) struct Builders {
    first: Connection,
    others: Vec<Connection>,
}

impl Builders {
    /// Closes them.
    ///
    /// # Errors
    /// Those of [`Connection::close`].
    pub(in crate::load) async fn close(self) -> Result<()> {
        let others = self.others.into_iter().map(Connection::close);
        futures::try_join!(self.first.close(), try_join_all(others)).map(drop)
    }
}

/// Builds the indexes that production has and staging lacks, and returns the sessions that did,
/// at most `connections`. With `keys`, adds the foreign keys too, for a load that keeps them
/// while rows are loaded.
///
/// # Errors
/// [`Kind::Interrupted`] if `stop` is set; otherwise those of the server.
pub(in crate::load) async fn build(
    info: &ConnInfo,
    pair: &Pair,
    staging_oid: u32,
    connections: usize,
    keys: bool,
    stop: &AtomicBool,
) -> Result<Builders> {
    let mut first = open(info).await?;
    let (wanted, present) = futures::join!(
        catalog::indexes(&first, pair.table_oid),
        catalog::indexes(&first, staging_oid),
    );
    let (wanted, present) = (wanted?, present?);
    let is_present = |index: &Index| {
        let name = name_on_staging(index);
        name.map(|name| present.iter().any(|p| p.name == name))
    };
    let mut missing = Vec::new();
    for index in &wanted {
        let by_constraint = pair.distribution.is_elsewhere() && index.constraint.is_some()
            || matches!(index.constraint, Some(IndexConstraint::Exclusion(_)));
        if !by_constraint && !is_present(index)? {
            missing.push(index);
        }
    }
    // Citus builds on all shards at the same time.
    let connections = if pair.distribution.is_elsewhere() { 1 } else { connections };
    let sessions = connections.clamp(1, missing.len().max(1));
    // Each session builds the next index that none has begun.
    let missing = Mutex::new(missing.into_iter());
    let next = || missing.lock().ok().and_then(|mut missing| missing.next());
    let build = async |session: &Connection| {
        while let Some(index) = next() {
            build_index(session, pair, staging_oid, index, stop).await?;
        }
        Ok::<(), Error>(())
    };
    let others = (1..sessions).map(async |_| {
        let session = open(info).await?;
        build(&session).await?;
        Ok(session)
    });
    let ((), others) = futures::try_join!(build(&first), try_join_all(others))?;
    for index in &wanted {
        add_constraint(&first, pair, index, &present, stop).await?;
    }
    if keys {
        add_foreign_keys(&mut first, pair, staging_oid, stop).await?;
    }
    Ok(Builders { first, others })
}

/// Whether the error is that of a check that found rows, not one of the server or the session.
fn is_violation(error: &Error) -> bool {
    error.kind() == Kind::Database && error.postgres().is_none()
}

/// Makes sure that the rows satisfy production's foreign keys.
///
/// # Errors
/// If a key is violated, naming the key, the number of rows and an example.
async fn check_foreign_keys(
    session: &Connection,
    pair: &Pair,
    staging_oid: u32,
    stop: &AtomicBool,
) -> Result<()> {
    let sql = include_str!("../../../sql/load/foreign-keys.sql");
    for row in session.query(sql, &[&pair.table_oid, &staging_oid]).await? {
        let (name, parent, count): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let counted = pg::interruptible(session, stop, session.query_one(count, &[])).await?;
        let rows: i64 = counted.get(0);
        if rows > 0 {
            let example: &str = counted.get(1);
            return Err(Error::new(
                Kind::Database,
                format!(
                    "while checking foreign key {name}: {rows} rows refer to rows missing in \
                     {parent}, such as {example}"
                ),
            )
            .hint(
                "add the missing rows and load with --resume; or `sterna stage truncate` and load \
                 with --keep-indexes, which rejects the records that violate a foreign key",
            ));
        }
    }
    Ok(())
}

/// Drops the foreign keys that a load kept while rows were loaded, freezes the rows, gathers
/// statistics, and makes sure that the rows satisfy production's foreign keys, after deleting
/// those whose species was deleted.
///
/// # Errors
/// If rows violate a foreign key; [`Kind::Interrupted`] if `stop` is set.
pub(in crate::load) async fn finish(
    mut sessions: Builders,
    orphans: &Orphans<'_>,
    stop: &AtomicBool,
) -> Result<()> {
    let Orphans { pair, staging_oid, .. } = *orphans;
    let session = &mut sessions.first;
    let (relations, keys) = futures::join!(
        staging::referred(session, staging_oid),
        catalog::foreign_keys(session, staging_oid),
    );
    let mut relations = relations?;
    relations.push(staging_oid);
    for key in keys? {
        let names: [(&str, &dyn Quoted); 2] =
            [("staging", &pair.staging), ("constraint", &key.name)];
        let drop = fill(include_str!("../../../sql/table/stage/drop-foreign-key.sql"), &names);
        with_short_locks(session, &relations, stop, &drop).await?;
    }
    let vacuum =
        fill(include_str!("../../../sql/table/stage/vacuum.sql"), &[("staging", &pair.staging)]);
    // Only one session can do this, and it takes longer than the checks, which another does.
    let first = &sessions.first;
    let beside = sessions.others.first().unwrap_or(first);
    loop {
        let (vacuumed, checked) = futures::join!(
            interruptible(first, stop, &vacuum),
            check_foreign_keys(beside, pair, staging_oid, stop),
        );
        vacuumed?;
        match checked {
            Ok(()) => return sessions.close().await,
            Err(error) if !is_violation(&error) => return Err(error),
            // Repeats, because a species may be deleted between the two steps.
            Err(error) if orphans.delete(first).await? == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

/// Opens a session to build indexes in.
///
/// # Errors
/// Those of [`connect`].
async fn open(info: &ConnInfo) -> Result<Connection> {
    let session = connect_for(info, "indexes of staging").await?;
    let (set, restricted, memory) = futures::join!(
        session.batch_execute(include_str!("../../../sql/catalog/session.sql")),
        session.batch_execute(include_str!("../../../sql/catalog/tables-only.sql")),
        session.query(include_str!("../../../sql/load/build-session.sql"), &[]),
    );
    set?;
    restricted?;
    memory?;
    Ok(session)
}

/// The name of an index on staging, derived from production's; the two swap names later.
fn name_on_staging(index: &Index) -> Result<Ident> {
    staging::attached_name(index.name.name(), staging::SUFFIX)
}

/// The table of staging in place of the one that production's index is on.
fn table_of_staging(pair: &Pair, index: &Index) -> Result<Table> {
    members::beside(&pair.table, &index.table, staging::SUFFIX)
}

/// Whether the error says that the name of an index is taken. Two concurrent builds with one
/// name violate a unique index of the catalog, which is not an error about rows.
fn is_name_clash(error: &Error) -> bool {
    let constraint = error.postgres().and_then(|e| e.as_db_error()).and_then(|e| e.constraint());
    error.sqlstate() == Some(SqlState::DUPLICATE_TABLE.code())
        || constraint == Some("pg_class_relname_nsp_index")
}

/// Decides about a taken name: if the index is on staging, a killed client's build has finished
/// in the meantime, and all is well; any other relation is in the way.
async fn settle_name(session: &Connection, staging_oid: u32, name: &Ident) -> Result<()> {
    if catalog::indexes(session, staging_oid).await?.iter().any(|index| index.name == *name) {
        return Ok(());
    }
    Err(Error::refused(format!("the name {name}, for an index of staging, is taken"))
        .hint("rename or drop the relation of that name, then load with --resume"))
}

async fn build_index(
    session: &Connection,
    pair: &Pair,
    staging_oid: u32,
    index: &Index,
    stop: &AtomicBool,
) -> Result<()> {
    let template = if index.unique {
        include_str!("../../../sql/table/stage/add-unique-index.sql")
    } else {
        include_str!("../../../sql/table/stage/add-index.sql")
    };
    let (name, staging) = (name_on_staging(index)?, table_of_staging(pair, index)?);
    let definition = CatalogText::from_catalog(&index.definition);
    let sql =
        fill(template, &[("index", &name), ("staging", &staging), ("definition", &definition)]);
    match interruptible(session, stop, &sql).await {
        Err(e) if is_name_clash(&e) => settle_name(session, staging_oid, &name).await,
        Err(e) => Err(e.context(format!("while building index {name}"))),
        Ok(()) => {
            tracing::info!(index = name.name(), "built");
            Ok(())
        }
    }
}

async fn add_constraint(
    session: &Connection,
    pair: &Pair,
    index: &Index,
    present: &[Index],
    stop: &AtomicBool,
) -> Result<()> {
    let Some(constraint) = &index.constraint else { return Ok(()) };
    let name = name_on_staging(index)?;
    if present.iter().any(|p| p.name == name && p.constraint.is_some()) {
        return Ok(());
    }
    let whole = index.constraint_definition.as_deref();
    let (template, key, text) = match constraint {
        // A constraint cannot take over an index that Citus has distributed.
        _ if pair.distribution.is_elsewhere() => (
            include_str!("../../../sql/table/stage/add-constraint.sql"),
            "definition",
            whole.unwrap_or_default(),
        ),
        IndexConstraint::PrimaryKey(deferrable) => (
            include_str!("../../../sql/table/stage/add-primary-key.sql"),
            "deferrable",
            *deferrable,
        ),
        IndexConstraint::Unique(deferrable) => (
            include_str!("../../../sql/table/stage/add-unique-constraint.sql"),
            "deferrable",
            *deferrable,
        ),
        IndexConstraint::Exclusion(definition) => (
            include_str!("../../../sql/table/stage/add-constraint.sql"),
            "definition",
            definition.as_str(),
        ),
    };
    let text = CatalogText::from_catalog(text);
    let staging = table_of_staging(pair, index)?;
    let names: [(&str, &dyn Quoted); 3] = [("staging", &staging), ("index", &name), (key, &text)];
    interruptible(session, stop, &fill(template, &names)).await
}

async fn add_foreign_keys(
    session: &mut Connection,
    pair: &Pair,
    staging_oid: u32,
    stop: &AtomicBool,
) -> Result<()> {
    let present = catalog::foreign_keys(session, staging_oid).await?;
    let mut relations = staging::referred(session, pair.table_oid).await?;
    relations.push(staging_oid);
    for key in catalog::foreign_keys(session, pair.table_oid).await? {
        let there = present.iter().find(|p| p.name == key.name);
        let definition = if key.own {
            fill(&key.definition, &[("staging", &pair.staging)])
        } else {
            key.definition
        };
        let definition = CatalogText::from_catalog(definition);
        let names: [(&str, &dyn Quoted); 3] =
            [("staging", &pair.staging), ("constraint", &key.name), ("definition", &definition)];
        if there.is_none() {
            let add = fill(include_str!("../../../sql/table/stage/add-foreign-key.sql"), &names);
            with_short_locks(session, &relations, stop, &add).await?;
        }
    }
    Ok(())
}

/// Runs a statement that locks a table in use. Waits for the lock only briefly, so that no
/// session queues behind it for long, and retries.
async fn with_short_locks(
    session: &mut Connection,
    relations: &[u32],
    stop: &AtomicBool,
    sql: &str,
) -> Result<()> {
    let attempt = async |session: &mut Connection, limits: LockLimits| {
        let mut volley = Volley::default();
        LockLimits::set(&mut volley, limits.lock_ms, limits.script_ms);
        volley.add(sql);
        locks::send(session, &volley).await
    };
    locks::with_retries(session, Patience::default(), relations, stop, attempt).await?;
    Ok(())
}

/// Runs a long statement, which the server cancels if `stop` is set.
async fn interruptible(session: &Connection, stop: &AtomicBool, sql: &str) -> Result<()> {
    pg::interruptible(session, stop, session.batch_execute(sql)).await
}
