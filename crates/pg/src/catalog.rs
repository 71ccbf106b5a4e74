//! Catalog queries about a table.

use super::{Column, ColumnType, Connection, Distribution, Ident, Table};
use sterna_error::{Error, Result, did_you_mean};

/// A table that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its OID.
    pub oid: u32,
    /// Whether it is an ordinary, permanent table and not a partition, and has its rows itself.
    pub plain: bool,
    /// Whether it is a partition that holds rows itself, and permanent.
    pub leaf: bool,
    /// Where its rows are.
    pub distribution: Distribution,
    /// Whether it is partitioned and no partition itself.
    pub partitioned: bool,
    /// The partitioned table that it is a partition of, on whatever level; itself if it is none.
    pub whole: Table,
}

/// Finds a table by its exact name.
///
/// # Errors
/// If the catalog cannot be read.
pub async fn relation(session: &Connection, table: &Table) -> Result<Option<Relation>> {
    let sql = include_str!("../sql/catalog/relation.sql");
    let row = session.query_opt(sql, &[&table.schema.name(), &table.name.name()]).await?;
    let Some(row) = row else { return Ok(None) };
    let (kind, partition, persistence) =
        (row.get::<_, i8>(1), row.get::<_, bool>(2), row.get::<_, i8>(3));
    let oid = row.get(0);
    let distribution = Distribution::of(session, oid, &row.get::<_, Vec<String>>(4)).await?;
    let here = persistence == b'p' as i8 && distribution == Distribution::None;
    let (table, partitioned) = (here && kind == b'r' as i8, here && kind == b'p' as i8);
    Ok(Some(Relation {
        oid,
        plain: table && !partition,
        leaf: table && partition,
        partitioned: partitioned && !partition,
        whole: Table::new(row.get::<_, String>(5), row.get::<_, String>(6))?,
        distribution,
    }))
}

/// Finds a table that must exist and be an ordinary one.
///
/// # Errors
/// If the table is missing or of another kind; the error names it.
pub async fn plain_table(session: &Connection, table: &Table) -> Result<Relation> {
    let found = replaceable(session, table).await?;
    if !found.plain {
        let what = if found.leaf { "a partition" } else { "partitioned" };
        return Err(Error::refused(format!("{table} is {what}"))
            .hint("nothing was changed; only the table that is replaced may be one"));
    }
    Ok(found)
}

/// Finds a table that must exist and be of a kind that sterna can replace: an ordinary one, a
/// partitioned one, or a partition that holds rows itself.
///
/// # Errors
/// If the table is missing or of another kind; the error names it.
pub async fn replaceable(session: &Connection, table: &Table) -> Result<Relation> {
    accept(table, found(session, table).await?, |_| false)
}

/// Finds a table that must exist.
async fn found(session: &Connection, table: &Table) -> Result<Relation> {
    match relation(session, table).await? {
        Some(found) => Ok(found),
        None => Err(missing(session, table).await?),
    }
}

/// Accepts a table that has its rows itself, and one that is accepted `also`.
fn accept(table: &Table, found: Relation, also: impl Fn(&Relation) -> bool) -> Result<Relation> {
    match found {
        found if also(&found) => Ok(found),
        found if let Some(kind) = found.distribution.describe() => Err(Error::refused(format!(
            "{table} is {kind}, which this command does not support"
        ))
        .hint(match found.distribution {
            Distribution::Hash(_) => {
                "nothing was written; `sterna inspect`, `stage`, `load`, `validate`, `switchover`, \
                 `rollback` and `cleanup` take it; see docs/citus.md"
            }
            _ => {
                "nothing was written; only a table that has its rows itself can be replaced by \
                 one that sterna loads"
            }
        })),
        found if !found.plain && !found.leaf && !found.partitioned => Err(Error::refused(format!(
            "{table} is not an ordinary table: views, partitions that are partitioned \
             themselves, foreign, temporary and unlogged tables are not supported"
        ))),
        found => Ok(found),
    }
}

/// The error for a table that does not exist, with the name of one that may have been meant.
async fn missing(session: &Connection, table: &Table) -> Result<Error> {
    let rows = session.query(include_str!("../sql/catalog/tables.sql"), &[]).await?;
    let tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let wanted = format!("{}.{}", table.schema.name(), table.name.name());
    let hint = did_you_mean(&wanted, tables.iter().map(String::as_str)).unwrap_or_else(|| {
        "check --schema, --table and the database that you are connected to".to_owned()
    });
    Ok(Error::usage(format!("there is no table {table}")).hint(hint))
}

/// Finds a table that must exist and be of a kind that rows can be loaded for: as
/// [`replaceable`], or one that Citus distributes by a hash.
///
/// # Errors
/// If the table is missing or of another kind; the error names it.
pub async fn loadable(session: &Connection, table: &Table) -> Result<Relation> {
    accept(table, found(session, table).await?, |found| {
        matches!(found.distribution, Distribution::Hash(_))
    })
}

/// The columns of a table, in order.
///
/// # Errors
/// If the catalog cannot be read.
pub async fn columns(session: &Connection, oid: u32) -> Result<Vec<Column>> {
    let rows = session.query(include_str!("../sql/catalog/columns.sql"), &[&oid]).await?;
    rows.iter()
        .map(|row| {
            Ok(Column {
                name: Ident::new(row.get::<_, String>(0))?,
                kind: ColumnType::from_catalog(row.get(1), row.get(2)),
                sql_type: row.get(3),
                not_null: row.get(4),
                default: row.get(5),
                generated: row.get(6),
                identity: row.get(7),
            })
        })
        .collect()
}

/// The properties of an index needed to build it on another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: Ident,
    /// Its OID.
    pub oid: u32,
    /// The table that it is on: the one asked for, or a partition of it.
    pub table: Table,
    /// Whether keys are unique.
    pub unique: bool,
    /// `USING ...` and everything after it.
    pub definition: String,
    /// The constraint that it belongs to.
    pub constraint: Option<IndexConstraint>,
    /// The definition of that constraint.
    pub constraint_definition: Option<String>,
}

/// A constraint that is implemented by an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexConstraint {
    /// The primary key, with its `DEFERRABLE` clause.
    PrimaryKey(&'static str),
    /// A unique constraint, with its `DEFERRABLE` clause.
    Unique(&'static str),
    /// An exclusion constraint or a key WITHOUT OVERLAPS, by its definition.
    Exclusion(String),
}

/// The indexes of a table and those that its partitions have besides, the most costly first.
///
/// # Errors
/// If the catalog cannot be read, or an index definition has an unknown form.
pub async fn indexes(session: &Connection, oid: u32) -> Result<Vec<Index>> {
    let rows = session.query(include_str!("../sql/catalog/indexes.sql"), &[&oid]).await?;
    rows.iter()
        .map(|row| {
            let name = Ident::new(row.get::<_, String>(1))?;
            let definition: Option<String> = row.get(3);
            let deferrable = match (row.get(6), row.get(7)) {
                (Some(true), Some(true)) => "DEFERRABLE INITIALLY DEFERRED",
                (Some(true), _) => "DEFERRABLE",
                _ => "",
            };
            let constraint_definition: Option<String> = row.get(9);
            let constraint =
                match (row.get::<_, Option<&str>>(5), row.get(8), &constraint_definition) {
                    (_, Some(true), Some(definition)) => {
                        Some(IndexConstraint::Exclusion(definition.clone()))
                    }
                    (Some("p"), ..) => Some(IndexConstraint::PrimaryKey(deferrable)),
                    (Some("u"), ..) => Some(IndexConstraint::Unique(deferrable)),
                    _ => None,
                };
            Ok(Index {
                definition: definition.ok_or_else(|| {
                    Error::refused(format!("the definition of index {name} has an unknown form"))
                })?,
                oid: row.get(0),
                table: Table {
                    schema: Ident::new(row.get::<_, String>(10))?,
                    name: Ident::new(row.get::<_, String>(11))?,
                },
                unique: row.get(2),
                name,
                constraint,
                constraint_definition,
            })
        })
        .collect()
}

/// An outgoing foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name.
    pub name: Ident,
    /// `FOREIGN KEY ...`, without `NOT VALID`.
    pub definition: String,
    /// Whether it is validated for all rows.
    pub validated: bool,
    /// Whether it references its own table, which its definition calls `{staging}`.
    pub own: bool,
}

/// The outgoing foreign keys of a table.
///
/// # Errors
/// If the catalog cannot be read.
pub async fn foreign_keys(session: &Connection, oid: u32) -> Result<Vec<ForeignKey>> {
    let rows = session.query(include_str!("../sql/catalog/foreign-keys.sql"), &[&oid]).await?;
    rows.iter()
        .map(|row| {
            Ok(ForeignKey {
                name: Ident::new(row.get::<_, String>(0))?,
                definition: row.get(1),
                validated: row.get(2),
                own: row.get(3),
            })
        })
        .collect()
}
