//! The script of a switchover: every statement is generated from the catalog while the live
//! table still has its name, so that nothing has to be computed under the lock.

use std::collections::HashSet;

use super::attached::{self, Attached, Kind, Pair};
use super::dependents::{self, ChangedColumn};
use super::partition::Partition;
use super::references::References;
use super::{Exchange, journal, properties};
use crate::error::{Error, Result};
use crate::pg::{Ident, Quoted, Session, Table, Typed, fill};

/// The statements to run under the lock, in order, and those to run after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// Locks everything that will be changed, against readers and writers.
    pub(super) locks: Vec<String>,
    /// Exchanges the tables and everything that is attached to them.
    pub(super) exchange: Vec<String>,
    /// Runs after the exchange: validates foreign keys, analyzes or refreshes materialized views.
    pub(super) finish: Vec<String>,
    /// Materialized views that are computed under the lock.
    pub(super) computed: Vec<u32>,
    /// Foreign keys of and to the table.
    pub(super) references: References,
    /// The relations that `locks` locks.
    pub(super) relations: Vec<u32>,
    /// Columns whose type differs in the incoming table, because that was asked for.
    pub(super) changed: Vec<ChangedColumn>,
}

/// Generates the script for two existing tables; these are they, and their partitions.
///
/// # Errors
/// Refused if something depends on the table that cannot be pointed at another one, or if the
/// structure of the two tables differs.
pub(super) async fn write(
    session: &Session,
    exchange: &Exchange,
    (live, incoming): &(Vec<u32>, Vec<u32>),
    refresh_after: bool,
) -> Result<Script> {
    let (changed, mine, theirs, references, left) = futures::join!(
        changed_columns(session, exchange),
        attached::of_table(session, exchange.live),
        attached::of_table(session, exchange.incoming),
        References::write(session, live, incoming),
        journal::left(session, exchange.live),
    );
    let pairs = attached::pairs(exchange, &mine?, &theirs?)?;
    let mut script =
        assemble(session, exchange, changed?, &pairs, references?, refresh_after).await?;
    // The journal of the live table ends.
    let left = left?;
    script.relations.extend(left.relations);
    script.locks.extend(left.locks);
    Ok(script)
}

/// Generates the script for a staging table that would be like the live one.
///
/// # Errors
/// As [`write`].
pub(super) async fn foresee(session: &Session, exchange: &Exchange) -> Result<Script> {
    let mut pairs = Vec::new();
    for live in attached::of_table(session, exchange.live).await? {
        let name = exchange.incoming_name(&live.name.name)?;
        let name = Table { schema: live.name.schema.clone(), name };
        pairs.push(Pair { incoming: Attached { name, ..live.clone() }, live });
    }
    let references = References::foresee(session, &attached::tables(&pairs).0).await?;
    assemble(session, exchange, Vec::new(), &pairs, references, false).await
}

async fn assemble(
    session: &Session,
    exchange: &Exchange,
    changed: Vec<ChangedColumn>,
    pairs: &[Pair],
    references: References,
    refresh_after: bool,
) -> Result<Script> {
    let dependents = dependents::find(session, exchange.live, &changed).await?;
    if !dependents.unsupported.is_empty() {
        let what = dependents.unsupported.join("; ");
        return Err(Error::refused(format!(
            "{} cannot be replaced: what depends on it cannot be pointed at another table: {what}",
            exchange.table
        ))
        .hint("drop it before the switchover and create it again after it"));
    }
    let (tables, _) = attached::tables(pairs);
    let (redirection, property, partition) = futures::join!(
        dependents.redirection(session, refresh_after),
        properties::of_tables(session, &tables),
        Partition::write(session, exchange.live),
    );
    let (redirection, property, partition) = (redirection?, property?, partition?);
    let mut script = Script { changed, ..Script::default() };
    // The same order as others lock in: a reader locks the view that it names before what the
    // view reads, and a partitioned table before its partitions; a writer locks its own table
    // before those that its foreign keys check.
    let mut locked = redirection.relations;
    locked.extend(partition.above);
    locked.extend([exchange.live, exchange.incoming]);
    locked.extend(partition.defaults);
    locked.extend(&references.parent_relations);
    locked.extend(&references.child_relations);
    script.references = references;
    let mut seen = HashSet::new();
    locked.retain(|oid| seen.insert(*oid));
    script.relations.clone_from(&locked);
    let sql = include_str!("../../sql/switchover/lock.sql");
    script.locks = session.query(sql, &[&locked]).await?.iter().map(|row| row.get(0)).collect();

    let statements = &mut script.exchange;
    statements.extend(partition.detach);
    statements.extend(property.detach);
    statements.extend(redirection.step_aside);
    rename_all(statements, exchange, pairs)?;
    for pair in pairs.iter().filter(|pair| pair.live.kind == Kind::Sequence) {
        let leaving = exchange.leaving_name(&pair.live.name.name)?;
        let sql = include_str!("../../sql/switchover/setval.sql");
        let parameters: [&dyn Typed; 3] = [&pair.live.oid, &pair.incoming.oid, &leaving.name()];
        statements.push(session.query_one(sql, &parameters).await?.get(0));
    }
    statements.extend(partition.attach);
    statements.extend(redirection.point);
    statements.extend(property.attach);
    statements.extend(redirection.drop);
    script.finish = property.finish;
    script.finish.extend(redirection.finish);
    script.computed = redirection.computed;
    Ok(script)
}

/// Renames the live table and everything of it first, so that every name is free when it is taken.
pub(super) fn rename_all(
    statements: &mut Vec<String>,
    exchange: &Exchange,
    pairs: &[Pair],
) -> Result<()> {
    for Pair { live, .. } in pairs {
        statements.push(rename(
            live.kind.rename(),
            &live.name,
            &exchange.leaving_name(&live.name.name)?,
        ));
    }
    for Pair { live, incoming } in pairs {
        statements.push(rename(live.kind.rename(), &incoming.name, &live.name.name));
    }
    Ok(())
}

fn rename(template: &str, from: &Table, to: &Ident) -> String {
    let names: [(&str, &dyn Quoted); 2] = [("from", from), ("to", to)];
    fill(template, &names)
}

/// Finds columns whose type differs; refuses columns that only one of the tables has.
pub(super) async fn changed_columns(
    session: &Session,
    exchange: &Exchange,
) -> Result<Vec<ChangedColumn>> {
    let sql = include_str!("../../sql/switchover/changed-columns.sql");
    let rows = session.query(sql, &[&exchange.live, &exchange.incoming]).await?;
    let is_left = |row: &&tokio_postgres::Row| {
        exchange.leaves_additions && row.get::<_, Option<String>>(4).is_none()
    };
    let changed = rows.iter().filter(|row| !is_left(row)).map(|row| {
        let name: String = row.get(0);
        let (Some(before), Some(after)) = (row.get(3), row.get(4)) else {
            let (table, incoming) = (&exchange.table, exchange.incoming_table()?);
            return Err(Error::refused(format!(
                "only one of {table} and {incoming} has a column {name:?}"
            ))
            .hint("the table was altered meanwhile: run `sterna stage drop`, then load again"));
        };
        Ok(ChangedColumn { name, type_oid: row.get(1), type_modifier: row.get(2), before, after })
    });
    changed.collect()
}
