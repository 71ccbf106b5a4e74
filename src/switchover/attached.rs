//! What bears a name of its own and changes hands with a table: indexes, identity
//! sequences, extended statistics. Constraints that live by an index are named by it.

use super::Exchange;
use crate::error::{Error, Result};
use crate::pg::{Ident, Session, Table};
use crate::table::staging;

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Index,
    /// Of an identity column.
    Sequence,
    Statistics,
}

/// Something of a table's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) kind: Kind,
    pub(super) oid: u32,
    pub(super) name: Table,
    /// Of a sequence: the column that it fills.
    pub(super) column: Option<Ident>,
}

/// The live table's thing and its counterpart.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) live: Attached,
    pub(super) incoming: Attached,
}

/// What belongs to a table.
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

/// Finds the counterpart of everything that the live table has.
///
/// # Errors
/// Refused where one of the tables lacks something that the other has.
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

/// The incoming table's thing that stands for `mine`.
pub(super) fn counterpart<'a>(
    exchange: &Exchange,
    mine: &Attached,
    incoming: &'a [Attached],
) -> Result<Option<&'a Attached>> {
    let name = exchange.incoming_name(&mine.name.name)?;
    Ok(incoming.iter().find(|theirs| {
        theirs.kind == mine.kind
            && match mine.kind {
                // A column has one, and the server has named it.
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
    Error::refused(format!("{table} has nothing like the {kind} {}", what.name))
        .hint(match exchange.incoming_suffix {
            staging::OLD_SUFFIX => {
                "what one of the two was given since the switchover the other needs as well: create \
                 it there, named like those beside it, or drop it"
            }
            _ => "load to the end, which builds what production has; or drop what was added meanwhile",
        })
}
