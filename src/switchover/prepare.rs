//! Prepares the incoming table while nobody waits: with everything that is invisible from
//! outside and has no effect by merely existing.

use std::sync::atomic::AtomicBool;

use tokio_postgres::Row;

use super::Exchange;
use super::attached::{self, Attached, Counterparts, Kind, Pair};
use crate::error::Result;
use crate::pg::{Connection, Ident, Quoted, Session, Typed, Volley, fill};
use crate::table::locks::{self, LockLimits, Patience};
use crate::table::partition;

/// Makes the incoming table equal to the live one in everything that needs no lock on the live
/// one, and each of its partitions to its counterpart. Skips what is equal already, so it can be
/// repeated. Returns the live table and its partitions, and their counterparts.
///
/// # Errors
/// Refused if one of the tables lacks an object that the other has; the server's errors.
pub(super) async fn prepare(
    session: &mut Connection,
    exchange: &Exchange,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let (live, incoming) = (exchange.live, exchange.incoming);
    let owner = include_str!("../../sql/switchover/prepare/owner.sql");
    let roots = (vec![live], vec![incoming]);
    let read = async |session: &Session| {
        futures::join!(
            session.query(owner, &[&roots.0, &roots.1]),
            attached::of_table(session, live),
            attached::of_table(session, incoming),
        )
    };
    let (transaction, (owners, mine, theirs)) = session.transaction_with("", read).await?;
    let (mine, mut theirs) = (mine?, theirs?);
    run_all(&transaction, &owners?).await?;
    let mut counterparts = Counterparts::default();
    let (mut tables, mut renamed) = ((Vec::new(), Vec::new()), Vec::new());
    for object in &mine {
        let Some(theirs) = counterparts.find(exchange, object, &theirs)? else { continue };
        if object.kind == Kind::Table {
            tables.0.push(object.oid);
            tables.1.push(theirs.oid);
        } else {
            let name = exchange.incoming_name(&object.name.name)?;
            renamed.extend(rename(theirs, &name));
        }
    }
    if tables.0.len() > 1 {
        run(&transaction, owner, &[&tables.0, &tables.1]).await?;
    }
    if !renamed.is_empty() {
        transaction.batch_execute(&renamed.join(";")).await?;
    }
    let create = include_str!("../../sql/switchover/prepare/statistics.sql");
    let mut changed = false;
    for (live, incoming) in tables.0.iter().zip(&tables.1) {
        let statistics = mine.iter().filter(|a| a.kind == Kind::Statistics && a.of == *live);
        let named = statistics.map(|s| {
            exchange.incoming_name(&s.name.name).map(|name| (s.oid, name.name().to_owned()))
        });
        let (oids, names): (Vec<u32>, Vec<String>) =
            named.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        if !oids.is_empty() {
            changed |= run(&transaction, create, &[live, incoming, &oids, &names]).await?;
        }
    }
    if !renamed.is_empty() || changed {
        theirs = attached::of_table(&transaction, incoming).await?;
    }
    let pairs = attached::pairs(exchange, &mine, &theirs)?;
    changed |= equalize(&transaction, exchange, &pairs).await?;
    transaction.commit().await?;
    if changed {
        let table = exchange.incoming_table()?;
        let sql = include_str!("../../sql/switchover/prepare/analyze.sql");
        session.batch_execute(&fill(sql, &[("table", &table)])).await?;
    }
    Ok(tables)
}

/// Runs the statements that make each table equal to its counterpart. Returns whether statistics
/// are outdated after them.
async fn equalize(session: &Session, exchange: &Exchange, pairs: &[Pair]) -> Result<bool> {
    let (live, incoming) = attached::tables(pairs);
    let of_each: Vec<Parts> = live
        .iter()
        .zip(&incoming)
        .map(|(live, incoming)| {
            let of =
                |kind: Kind| attached::of_kind(pairs.iter().filter(|p| p.live.of == *live), kind);
            let (indexes, sequences) = (of(Kind::Index), of(Kind::Sequence));
            Parts { live: *live, incoming: *incoming, indexes, sequences }
        })
        .collect();
    // Statements, their parameters, and whether statistics are outdated after them.
    let mut all: Vec<(&str, Vec<&dyn Typed>, bool)> =
        vec![(partition::BOUND, vec![&exchange.live, &exchange.incoming], false)];
    for Parts { live, incoming, indexes: i, sequences: s } in &of_each {
        all.extend([
            (
                include_str!("../../sql/switchover/prepare/storage.sql"),
                vec![live as &dyn Typed, incoming],
                false,
            ),
            (include_str!("../../sql/switchover/prepare/columns.sql"), vec![live, incoming], true),
            (include_str!("../../sql/switchover/prepare/checks.sql"), vec![live, incoming], true),
            (
                include_str!("../../sql/switchover/prepare/indexes.sql"),
                vec![live, incoming, &i.0, &i.1],
                false,
            ),
            (include_str!("../../sql/switchover/prepare/sequences.sql"), vec![&s.0, &s.1], false),
            (
                include_str!("../../sql/switchover/prepare/comments.sql"),
                vec![live, incoming, &i.0, &i.1, &s.0, &s.1],
                false,
            ),
        ]);
    }
    // Mostly there is nothing to do, which takes one round trip to find out. Otherwise what is
    // done first may change what is left to do.
    let asked = all.iter().map(|(sql, parameters, _)| session.query(sql, parameters));
    let mut is_complete = true;
    for rows in futures::future::join_all(asked).await {
        is_complete &= rows?.is_empty();
    }
    let mut changed = false;
    if !is_complete {
        for (sql, parameters, outdates_statistics) in all {
            let some = run(session, sql, &parameters).await?;
            changed |= some && outdates_statistics;
        }
    }
    Ok(changed)
}

/// A table and its counterpart, with their indexes and sequences in pairs.
struct Parts {
    live: u32,
    incoming: u32,
    indexes: (Vec<u32>, Vec<u32>),
    sequences: (Vec<u32>, Vec<u32>),
}

/// Finds foreign keys of the incoming table, which an earlier version or a load with
/// `--keep-indexes` has left there.
pub(super) async fn foreign_keys(session: &Session, exchange: &Exchange) -> Result<Vec<Row>> {
    let sql = include_str!("../../sql/switchover/prepare/foreign-keys.sql");
    Ok(session.query(sql, &[&exchange.incoming]).await?)
}

/// Drops these foreign keys. The exchange adds them again.
pub(super) async fn drop_keys(
    session: &mut Connection,
    rows: &[Row],
    patience: Patience,
    stop: &AtomicBool,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let relations: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
    let drop = async |session: &mut Connection, limits: LockLimits| {
        let mut volley = Volley::default();
        let locks: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
        limits.lock(&mut volley, &locks);
        rows.iter().for_each(|row| {
            volley.add(row.get::<_, String>(2));
        });
        locks::send(session, &volley).await
    };
    locks::with_retries(session, patience, &relations, stop, drop).await?;
    Ok(())
}

/// Runs every statement that a query returns. Returns whether there were any.
async fn run(session: &Session, query: &str, parameters: &[&dyn Typed]) -> Result<bool> {
    let rows = session.query(query, parameters).await?;
    run_all(session, &rows).await?;
    Ok(!rows.is_empty())
}

/// Runs the statements in these rows.
async fn run_all(session: &Session, rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let all: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    Ok(session.batch_execute(&all.join(";\n")).await?)
}

/// The statement that renames it, unless it bears the name.
fn rename(what: &Attached, name: &Ident) -> Option<String> {
    let names: [(&str, &dyn Quoted); 2] = [("from", &what.name), ("to", name)];
    (what.name.name != *name).then(|| fill(what.kind.rename(), &names))
}
