//! Objects with a name of their own that are exchanged along with a table: indexes, identity
//! sequences, extended statistics. A constraint that is backed by an index takes its name.

use super::Exchange;
use crate::error::{Error, Result};
use crate::pg::{Ident, Session, Table};
use crate::table::staging;

/// The kind of an attached object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Index,
    /// The sequence of an identity column.
    Sequence,
    Statistics,
}

/// An object that belongs to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) kind: Kind,
    pub(super) oid: u32,
    pub(super) name: Table,
    /// The column that it fills, if it is a sequence.
    pub(super) column: Option<Ident>,
}

/// An object of the live table and its counterpart on the incoming one.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) live: Attached,
    pub(super) incoming: Attached,
}

/// Lists the objects that belong to a table.
pub(super) async fn of_table(session: &Session, oid: u32) -> Result<Vec<Attached>> {
    let rows = session.query(include_str!("../../sql/switchover/attached.sql"), &[&oid]).await?;
    let attached = rows.iter().map(|row| {
        let kind = match row.get(0) {
            "index" => Kind::Index,
            "sequence" => Kind::Sequence,
            _ => Kind::Statistics,
        };
        let (schema, name): (String, String) = (row.get(2), row.get(3));
        let column: Option<String> = row.get(4);
        let column = column.map(Ident::new).transpose()?;
        Ok(Attached { kind, oid: row.get(1), name: Table::new(schema, name)?, column })
    });
    attached.collect()
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
    for mine in live {
        let theirs = counterpart(exchange, mine, incoming)?;
        if theirs.is_none() && exchange.leaves_additions {
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

/// Finds the incoming table's counterpart of `mine`.
pub(super) fn counterpart<'a>(
    exchange: &Exchange,
    mine: &Attached,
    incoming: &'a [Attached],
) -> Result<Option<&'a Attached>> {
    let name = exchange.incoming_name(&mine.name.name)?;
    Ok(incoming.iter().find(|theirs| {
        theirs.kind == mine.kind
            && match mine.kind {
                // A column has one sequence, which the server has named.
                Kind::Sequence => theirs.column == mine.column,
                Kind::Index | Kind::Statistics => theirs.name.name == name,
            }
    }))
}

fn missing(table: &str, what: &Attached, exchange: &Exchange) -> Error {
    let kind = match what.kind {
        Kind::Index => "index",
        Kind::Sequence => "identity sequence",
        Kind::Statistics => "extended statistics",
    };
    Error::refused(format!("{table} has no counterpart of the {kind} {}", what.name)).hint(
        match exchange.incoming_suffix {
            staging::OLD_SUFFIX => {
                "it was added to one of the tables since the switchover: create it on the other, \
                 named like the others there, or drop it"
            }
            _ => "finish the load, which builds what production has; or drop what was added since",
        },
    )
}
