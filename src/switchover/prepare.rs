//! Prepares the incoming table while nobody waits: with everything that is invisible from
//! outside and has no effect by merely existing.

use std::sync::atomic::AtomicBool;

use tokio_postgres::Row;

use super::Exchange;
use super::attached::{self, Attached, Kind};
use crate::error::Result;
use crate::pg::{Connection, Ident, Quoted, Session, Typed, Volley, fill};
use crate::table::locks::{self, LockLimits, Patience};
use crate::table::partition;

/// Makes the incoming table equal to the live one in everything that needs no lock on the live
/// one. Skips what is equal already, so it can be repeated.
///
/// # Errors
/// Refused if one of the tables lacks an object that the other has; the server's errors.
pub(super) async fn prepare(session: &mut Connection, exchange: &Exchange) -> Result<()> {
    let (live, incoming) = (exchange.live, exchange.incoming);
    let owner = include_str!("../../sql/switchover/prepare/owner.sql");
    let both: [&dyn Typed; 2] = [&live, &incoming];
    let read = async |session: &Session| {
        futures::join!(
            session.query(owner, &both),
            attached::of_table(session, live),
            attached::of_table(session, incoming),
        )
    };
    let (transaction, (owner, mine, theirs)) = session.transaction_with("", read).await?;
    let (mine, mut theirs) = (mine?, theirs?);
    run_all(&transaction, &owner?).await?;
    let mut renamed = false;
    for sequence in mine.iter().filter(|a| a.kind == Kind::Sequence) {
        if let Some(theirs) = attached::counterpart(exchange, sequence, &theirs)? {
            let name = exchange.incoming_name(&sequence.name.name)?;
            renamed |= rename(&transaction, theirs, &name).await?;
        }
    }
    let statistics = mine.iter().filter(|a| a.kind == Kind::Statistics);
    let named = statistics
        .map(|s| exchange.incoming_name(&s.name.name).map(|name| (s.oid, name.name().to_owned())));
    let (oids, names): (Vec<u32>, Vec<String>) =
        named.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let create = include_str!("../../sql/switchover/prepare/statistics.sql");
    let mut changed = run(&transaction, create, &[&live, &incoming, &oids, &names]).await?;
    if renamed || changed {
        theirs = attached::of_table(&transaction, incoming).await?;
    }
    let pairs = attached::pairs(exchange, &mine, &theirs)?;
    let of = |kind: Kind| -> (Vec<u32>, Vec<u32>) {
        let of_kind = pairs.iter().filter(|pair| pair.live.kind == kind);
        of_kind.map(|pair| (pair.live.oid, pair.incoming.oid)).unzip()
    };
    let (i, s) = (of(Kind::Index), of(Kind::Sequence));
    // Statements, their parameters, and whether statistics are outdated after them.
    let all: [(&str, &[&dyn Typed], bool); 7] = [
        (partition::BOUND, &both, false),
        (include_str!("../../sql/switchover/prepare/storage.sql"), &both, false),
        (include_str!("../../sql/switchover/prepare/columns.sql"), &both, true),
        (include_str!("../../sql/switchover/prepare/checks.sql"), &both, true),
        (
            include_str!("../../sql/switchover/prepare/indexes.sql"),
            &[&live, &incoming, &i.0, &i.1],
            false,
        ),
        (include_str!("../../sql/switchover/prepare/sequences.sql"), &[&s.0, &s.1], false),
        (
            include_str!("../../sql/switchover/prepare/comments.sql"),
            &[&live, &incoming, &i.0, &i.1, &s.0, &s.1],
            false,
        ),
    ];
    // Mostly there is nothing to do, which takes one round trip to find out. Otherwise what is
    // done first may change what is left to do.
    let asked = all.iter().map(|(sql, parameters, _)| transaction.query(sql, parameters));
    let mut is_complete = true;
    for rows in futures::future::join_all(asked).await {
        is_complete &= rows?.is_empty();
    }
    if !is_complete {
        for (sql, parameters, outdates_statistics) in all {
            let some = run(&transaction, sql, parameters).await?;
            changed |= some && outdates_statistics;
        }
    }
    transaction.commit().await?;
    if changed {
        let table = exchange.incoming_table()?;
        let sql = include_str!("../../sql/switchover/prepare/analyze.sql");
        session.batch_execute(&fill(sql, &[("table", &table)])).await?;
    }
    Ok(())
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
    for row in rows {
        session.batch_execute(row.get(0)).await?;
    }
    Ok(())
}

/// Renames it, unless it bears the name; whether it did.
async fn rename(session: &Session, what: &Attached, name: &Ident) -> Result<bool> {
    let differs = what.name.name != *name;
    if differs {
        let sql = include_str!("../../sql/switchover/rename/sequence.sql");
        let names: [(&str, &dyn Quoted); 2] = [("from", &what.name), ("to", name)];
        session.batch_execute(&fill(sql, &names)).await?;
    }
    Ok(differs)
}
