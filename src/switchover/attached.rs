//! What is exchanged along with a table and has a name of its own: its partitions, and the
//! indexes, identity sequences and extended statistics of all these. A constraint that is backed
//! by an index takes its name.

use std::collections::HashMap;

use super::Exchange;
use crate::error::{Error, Result};
use crate::pg::{Ident, Session, Table};
use crate::table::staging;

/// The kind of an attached object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The table itself, or a partition.
    Table,
    Index,
    /// The sequence of an identity column.
    Sequence,
    Statistics,
}

impl Kind {
    /// The statement that renames such an object.
    pub(super) fn rename(self) -> &'static str {
        match self {
            Kind::Table => include_str!("../../sql/switchover/rename/table.sql"),
            Kind::Index => include_str!("../../sql/switchover/rename/index.sql"),
            Kind::Sequence => include_str!("../../sql/switchover/rename/sequence.sql"),
            Kind::Statistics => include_str!("../../sql/switchover/rename/statistics.sql"),
        }
    }
}

/// A table, or an object that belongs to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) kind: Kind,
    pub(super) oid: u32,
    pub(super) name: Table,
    /// The column that it fills, if it is a sequence.
    pub(super) column: Option<Ident>,
    /// The table that it belongs to or is a partition of; 0 for the table itself.
    pub(super) of: u32,
    /// The index of that table's parent that an index belongs to; 0 if there is none.
    pub(super) above: u32,
    /// The bound of a partition.
    pub(super) bound: Option<String>,
}

/// An object of the live table and its counterpart on the incoming one.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) live: Attached,
    pub(super) incoming: Attached,
}

/// Lists a table and the objects that belong to it, each after the one that it belongs to.
pub(super) async fn of_table(session: &Session, oid: u32) -> Result<Vec<Attached>> {
    let rows = session.query(include_str!("../../sql/switchover/attached.sql"), &[&oid]).await?;
    let attached = rows.iter().map(|row| {
        let kind = match row.get(0) {
            "table" => Kind::Table,
            "index" => Kind::Index,
            "sequence" => Kind::Sequence,
            _ => Kind::Statistics,
        };
        let (schema, name): (String, String) = (row.get(2), row.get(3));
        let column: Option<String> = row.get(4);
        let column = column.map(Ident::new).transpose()?;
        let (oid, of, above, bound) = (row.get(1), row.get(5), row.get(6), row.get(7));
        Ok(Attached { kind, oid, name: Table::new(schema, name)?, column, of, above, bound })
    });
    attached.collect()
}

/// The OIDs of the tables among these pairs, on both sides: the table first, then partitions.
pub(super) fn tables(pairs: &[Pair]) -> (Vec<u32>, Vec<u32>) {
    of_kind(pairs.iter(), Kind::Table)
}

/// The same for two existing tables, of which one may have partitions that the other lacks.
pub(super) async fn paired_tables(
    session: &Session,
    exchange: &Exchange,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let (live, incoming) =
        futures::join!(of_table(session, exchange.live), of_table(session, exchange.incoming),);
    let (mut counterparts, incoming) = (Counterparts::default(), incoming?);
    let mut tables = (Vec::new(), Vec::new());
    for table in live?.iter().filter(|object| object.kind == Kind::Table) {
        if let Some(theirs) = counterparts.find(exchange, table, &incoming)? {
            tables.0.push(table.oid);
            tables.1.push(theirs.oid);
        }
    }
    Ok(tables)
}

/// The OIDs of the pairs of a kind, on both sides.
pub(super) fn of_kind<'a>(
    pairs: impl Iterator<Item = &'a Pair>,
    kind: Kind,
) -> (Vec<u32>, Vec<u32>) {
    let of_kind = pairs.filter(|pair| pair.live.kind == kind);
    of_kind.map(|pair| (pair.live.oid, pair.incoming.oid)).unzip()
}

/// Pairs every object of the live table with its counterpart.
///
/// # Errors
/// Refused if one of the tables lacks an object that the other has.
pub(super) fn pairs(
    exchange: &Exchange,
    live: &[Attached],
    incoming: &[Attached],
) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut counterparts = Counterparts::default();
    for mine in live {
        let theirs = counterparts.find(exchange, mine, incoming)?;
        if theirs.is_none() && exchange.leaves_additions && mine.kind != Kind::Table {
            continue;
        }
        let theirs = theirs.ok_or_else(|| {
            let lacking =
                exchange.incoming_table().map_or_else(|e| e.to_string(), |t| t.to_string());
            missing(&lacking, mine, exchange)
        })?;
        pairs.push(Pair { live: mine.clone(), incoming: theirs.clone() });
    }
    let extra = incoming.iter().find(|i| !pairs.iter().any(|pair| pair.incoming.oid == i.oid));
    extra.map_or(Ok(pairs), |extra| Err(missing(&exchange.table.to_string(), extra, exchange)))
}

/// The counterparts found so far, by the OIDs of tables and indexes.
#[derive(Debug, Default)]
pub(super) struct Counterparts(HashMap<u32, u32>);

impl Counterparts {
    /// Finds the counterpart of `mine`, after that of what it belongs to.
    pub(super) fn find<'a>(
        &mut self,
        exchange: &Exchange,
        mine: &Attached,
        incoming: &'a [Attached],
    ) -> Result<Option<&'a Attached>> {
        let name = exchange.incoming_name(&mine.name.name)?;
        let known = |oid: u32| if oid == 0 { Some(0) } else { self.0.get(&oid).copied() };
        // The tables above a single partition are not exchanged, and have no counterparts.
        let (of, above) = (known(mine.of), known(mine.above));
        let found = incoming.iter().find(|theirs| {
            let is_named = theirs.name.name == name;
            Some(theirs.of) == of
                && theirs.kind == mine.kind
                && match mine.kind {
                    Kind::Table => theirs.bound == mine.bound || theirs.of == 0,
                    // The server has named these.
                    Kind::Sequence => theirs.column == mine.column,
                    Kind::Index if above.is_some_and(|above| above > 0) => {
                        Some(theirs.above) == above
                    }
                    Kind::Index | Kind::Statistics => is_named,
                }
        });
        if let Some(theirs) = found {
            self.0.insert(mine.oid, theirs.oid);
        }
        Ok(found)
    }
}

fn missing(table: &str, what: &Attached, exchange: &Exchange) -> Error {
    let kind = match what.kind {
        Kind::Table => "partition",
        Kind::Index => "index",
        Kind::Sequence => "identity sequence",
        Kind::Statistics => "extended statistics",
    };
    Error::refused(format!("{table} has no counterpart of the {kind} {}", what.name)).hint(
        match (exchange.incoming_suffix, what.kind) {
            (staging::OLD_SUFFIX, Kind::Table) => {
                "partitions were added or removed since the switchover: detach what was added \
                 (ALTER TABLE ... DETACH PARTITION), attach what was detached, then roll back"
            }
            (staging::OLD_SUFFIX, _) => {
                "it was added to one of the tables since the switchover: create it on the other, \
                 named like the others there, or drop it"
            }
            (_, Kind::Table) => {
                "the partitions were altered meanwhile: run `sterna stage drop`, then load again"
            }
            _ => "finish the load, which builds what production has; or drop what was added since",
        },
    )
}
