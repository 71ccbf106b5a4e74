//! The staging table: production's structure, no privileges for other roles, no indexes yet.

use std::sync::atomic::AtomicBool;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Json;

use crate::error::{Error, Result};
use crate::ledger;
use crate::pg::catalog::Relation;
use crate::pg::{self, Column, Connection, Parameter, Table, Typed, Volley, catalog, fill};
use crate::table::locks::{self, LockLimits, Patience};
use crate::table::members;
pub use crate::table::pair::{OLD_SUFFIX, Pair, SUFFIX, attached_name};
use crate::table::partition::{self, Takes};
use crate::table::{distributed, fingerprint};
use crate::trust;

/// How long a try waits for batches that are being written, in milliseconds.
const LEDGER_LOCK_MS: i64 = 2_000;

/// Prepares a session, finds the table, and creates or upgrades the ledger.
///
/// # Errors
/// If a name would be truncated, or the table is missing or of an unsupported kind; refused if
/// the ledger, or code that the table's definition uses, belongs to a role that is not trusted.
pub async fn pair(session: &mut Connection, table: &Table) -> Result<Pair> {
    pair_of(session, table, Takes::Partitions).await
}

/// As [`pair`], for a command that takes only such tables.
pub(crate) async fn pair_of(session: &mut Connection, table: &Table, takes: Takes) -> Result<Pair> {
    let staging = table.with_suffix(SUFFIX)?;
    if let Some(oid) = session.noted(table)
        && let Some(found) = still(session, table, oid, takes).await?
    {
        return Ok(Pair::new(table, staging, found));
    }
    // Queries that do not depend on each other share a round trip.
    let (set, found, look) = futures::join!(
        session.batch_execute(include_str!("../../sql/catalog/session.sql")),
        takes.find(session, table),
        ledger::look(session),
    );
    set?;
    let found = found?;
    let oid = found.oid;
    let (tables, look) = ([oid], look?.if_writable()?);
    let (code, published, state, joined) = futures::join!(
        trust::code(session, &tables, &[]),
        refuse_published(session, oid),
        look.state(session),
        ledger::join(session, table),
    );
    code?;
    published?;
    joined?;
    state?.bring_up_to_date(session).await?;
    Ok(Pair::new(table, staging, found))
}

/// As [`pair`], in one round trip, for a session of a command whose first session has checked
/// the ledger and found the table with this OID. Returns `None` if the table now has another one.
async fn still(
    session: &Connection,
    table: &Table,
    oid: u32,
    takes: Takes,
) -> Result<Option<Relation>> {
    let tables = [oid];
    let (set, found, code, published, joined) = futures::join!(
        session.batch_execute(include_str!("../../sql/catalog/session.sql")),
        takes.find(session, table),
        trust::code(session, &tables, &[]),
        refuse_published(session, oid),
        ledger::join(session, table),
    );
    set?;
    let found = found?;
    if found.oid != oid {
        return Ok(None);
    }
    code?;
    published?;
    joined?;
    Ok(Some(found))
}

/// What to do if a subscriber would receive tables that it does not have, and stop.
pub const PUBLISHED_HINT: &str = "have the publication name its tables (CREATE PUBLICATION ... \
    FOR TABLE ...), or drop the slot until the migration is done";

/// Refuses to write if a logical subscriber would receive sterna's own tables: it does not have
/// them, and would stop at the first row.
async fn refuse_published(session: &Connection, table: u32) -> Result<()> {
    let rows =
        session.query(include_str!("../../sql/table/stage/publications.sql"), &[&table]).await?;
    let lines: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    match lines.as_slice() {
        [] => Ok(()),
        lines => Err(Error::refused(lines.join("; ")).hint(PUBLISHED_HINT)),
    }
}

/// Finds the staging table, if there is one.
///
/// # Errors
/// Refused if sterna did not create the table of that name, or if it has been attached to another
/// one.
pub async fn find(session: &Connection, pair: &Pair) -> Result<Option<Relation>> {
    let sql = include_str!("../../sql/table/stage/registered.sql");
    let (schema, name) = (pair.staging.schema.name(), pair.staging.name.name());
    let parameters: [&dyn Typed; 2] = [&schema, &name];
    let (found, registered) =
        futures::join!(catalog::relation(session, &pair.staging), session.query(sql, &parameters),);
    let Some(found) = found? else { return Ok(None) };
    if let Some(row) = registered?.iter().find(|row| row.get::<_, u32>(0) == found.oid) {
        let its = (&pair.table, &pair.distribution);
        distributed::refuse_other(its, (&pair.staging, &found.distribution))?;
        if row.get(1) {
            partition::refuse_attached(session, found.oid).await?;
        }
        return Ok(Some(found));
    }
    Err(Error::refused(format!("{} exists and was not made by sterna", pair.staging))
        .hint("rename or drop it; sterna creates its staging table itself"))
}

/// Creates the staging table and returns its OID. It belongs to the live table's owner, so that
/// whatever the server runs with its owner's rights runs with theirs. No other role has
/// privileges on it. `widened` columns become plain `numeric`. Next to a partition, it takes only
/// rows that belong there; next to a partitioned table, it has the same partitions.
///
/// # Errors
/// If the role may not create it; refused for a partition that cannot be replaced.
pub async fn create(session: &mut Connection, pair: &Pair, widened: &[Column]) -> Result<u32> {
    let members = members::of_table(session, pair).await?;
    members::refuse_taken(session, pair).await?;
    let mut make = members::creation(&members);
    for column in widened {
        let names: [(&str, &dyn pg::Quoted); 2] =
            [("staging", &pair.staging), ("column", &column.name)];
        make.push(fill(include_str!("../../sql/table/stage/widen.sql"), &names));
    }
    let names: Vec<Table> = members.iter().map(|member| member.staging.clone()).collect();
    let (transaction, made) = session
        .transaction_with(&make.join("\n;\n"), async |session| members::oids(session, &names).await)
        .await?;
    let made: Option<Vec<u32>> = made?.into_iter().collect();
    let made = made.ok_or_else(|| {
        Error::database(format!("a part of {} is gone again", pair.staging))
            .hint("nothing was changed; find out what drops new tables, such as an event trigger")
    })?;
    let of: Vec<u32> = members.iter().map(|member| member.oid).collect();
    let (oid, siblings) = (made[0], [made[0]]);
    let (supported, bound, revokes, owner, fingerprint) = futures::join!(
        partition::refuse_unsupported(&transaction, pair, widened),
        transaction.query(partition::BOUND, &[&pair.table_oid, &oid]),
        transaction.query(include_str!("../../sql/table/stage/revokes.sql"), &[&made]),
        transaction.query(include_str!("../../sql/table/stage/owner.sql"), &[&of, &made]),
        fingerprint::take_beside(&transaction, pair.table_oid, &siblings),
    );
    supported?;
    let (bound, revokes, owner, fingerprint) = (bound?, revokes?, owner?, fingerprint?);
    let statements = bound.iter().chain(&revokes).chain(&owner);
    let mut statements: Vec<&str> = statements.map(|row| row.get(0)).collect();
    if pair.distribution.is_elsewhere() {
        // Its shards are made as the table is then.
        transaction.batch_execute(&std::mem::take(&mut statements).join("; ")).await?;
        let live = (&pair.table, pair.table_oid);
        distributed::create(&transaction, (&pair.staging, oid), live, &pair.distribution).await?;
    }
    let register = include_str!("../../sql/table/stage/register.sql");
    transaction
        .execute_and_commit(&statements.join("; "), register, &[&oid, &Json(fingerprint)])
        .await?;
    Ok(oid)
}

/// Whether staging has rows.
///
/// # Errors
/// If it cannot be read.
pub async fn has_rows(session: &Connection, pair: &Pair) -> Result<bool> {
    let sql =
        fill(include_str!("../../sql/table/stage/has-rows.sql"), &[("staging", &pair.staging)]);
    Ok(session.query_one(&sql, &[]).await?.get(0))
}

/// Returns those of `years` for which staging has no row, and logs a warning for each.
///
/// # Errors
/// If it cannot be read.
pub async fn years_without_rows(
    session: &Connection,
    pair: &Pair,
    years: &[i32],
) -> Result<Vec<i32>> {
    if years.is_empty() {
        return Ok(Vec::new());
    }
    let Some(found) = find(session, pair).await? else { return Ok(Vec::new()) };
    let columns = catalog::columns(session, found.oid).await?;
    if !columns.iter().any(|column| column.name.name() == "year") {
        return Ok(Vec::new());
    }
    let sql = include_str!("../../sql/table/stage/years-without-rows.sql");
    let sql = fill(sql, &[("staging", &pair.staging)]);
    let rows = session.query(&sql, &[&years]).await?;
    let absent: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    for year in &absent {
        tracing::warn!("there is no row for {year}, which was asked for");
    }
    Ok(absent)
}

/// Records the state of production when the first load begins, to detect later writes to it.
/// Only logs a warning if the role may not read production.
///
/// # Errors
/// The server's errors.
pub async fn note_baseline(session: &Connection, pair: &Pair, oid: u32) -> Result<()> {
    let sql =
        fill(include_str!("../../sql/table/stage/note-baseline.sql"), &[("table", &pair.table)]);
    match session.execute(&sql, &[&oid]).await {
        Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            tracing::warn!("{} cannot be read, so a switchover will be refused", pair.table);
            Ok(())
        }
        Err(e) => Err(e.into()),
        Ok(_) => Ok(()),
    }
}

/// Empties staging and discards the loads that filled it.
///
/// # Errors
/// [`LockTimeout`](crate::Kind::LockTimeout) if another session keeps it locked;
/// [`Interrupted`](crate::Kind::Interrupted) if `stop` is set; the server's error if another
/// table refers to it.
pub async fn truncate(
    session: &mut Connection,
    pair: &Pair,
    oid: u32,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<()> {
    let sql =
        fill(include_str!("../../sql/table/stage/truncate.sql"), &[("staging", &pair.staging)]);
    let let_go = |volley: &mut Volley| {
        volley.query(include_str!("../../sql/table/stage/forget-baseline.sql"), vec![of_oid(oid)]);
        volley.add(&sql);
    };
    // No limit: many indexes take long on a slow disk, and only staging is locked.
    let emptied = let_go_of(session, pair, oid, patience, stop, |_| 0, let_go).await;
    emptied.map_err(|error| error.context(format!("could not empty {}", pair.staging)))
}

/// Drops staging and discards the loads that filled it.
///
/// # Errors
/// [`LockTimeout`](crate::Kind::LockTimeout) if another session keeps it, or a table that it
/// refers to, locked; [`Interrupted`](crate::Kind::Interrupted) if `stop` is set; the server's
/// error if something depends on it.
pub async fn drop(
    session: &mut Connection,
    pair: &Pair,
    oid: u32,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<()> {
    let sql = fill(include_str!("../../sql/table/stage/drop.sql"), &[("staging", &pair.staging)]);
    let let_go = |volley: &mut Volley| {
        volley.query(include_str!("../../sql/table/stage/unregister.sql"), vec![of_oid(oid)]);
        volley.add(&sql);
    };
    let limit = |limits: LockLimits| limits.script_ms;
    let dropped = let_go_of(session, pair, oid, patience, stop, limit, let_go).await;
    dropped.map_err(|error| error.context(format!("could not drop {}", pair.staging)))
}

/// Discards the loads that filled staging, and their rows by the statements that `rows` adds,
/// each of which may take `limit` milliseconds; zero is no limit.
async fn let_go_of(
    session: &mut Connection,
    pair: &Pair,
    oid: u32,
    patience: Patience,
    stop: &AtomicBool,
    limit: impl Fn(LockLimits) -> i64,
    rows: impl Fn(&mut Volley),
) -> Result<()> {
    let mut relations = referred(session, oid).await?;
    relations.push(oid);
    let attempt = async |session: &mut Connection, limits: LockLimits| {
        let mut volley = Volley::default();
        // Only loads wait for these locks, and a load that keeps writing would defeat every
        // shorter wait.
        LockLimits::set(&mut volley, LEDGER_LOCK_MS, 0);
        volley.query(include_str!("../../sql/ledger/discard-runs.sql"), vec![of_oid(oid)]);
        let rewind = include_str!("../../sql/journal/rewind.sql");
        volley.query(rewind, vec![of_oid(pair.table_oid)]);
        LockLimits::set(&mut volley, limits.lock_ms, limit(limits));
        partition::lock_detached(&mut volley, &pair.staging, oid);
        rows(&mut volley);
        locks::send(session, &volley).await
    };
    let done = locks::with_retries(session, patience, &relations, stop, attempt).await;
    done.map(|_| ()).map_err(partition::refusal)
}

/// Returns the tables that a table's foreign keys refer to. They are locked as well when the
/// table or one of the keys is created or dropped.
///
/// # Errors
/// If the catalog cannot be read.
pub(crate) async fn referred(session: &Connection, oid: u32) -> Result<Vec<u32>> {
    let rows = session.query(include_str!("../../sql/table/stage/referred.sql"), &[&oid]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn of_oid(oid: u32) -> Parameter {
    Box::new(oid)
}
