//! Catalog queries about a table.

use super::{Column, ColumnType, Connection, Ident, Table};
use sterna_error::{Error, Result};

/// A table that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its OID.
    pub oid: u32,
    /// Whether it is an ordinary, permanent table and not a partition.
    pub plain: bool,
    /// Whether it is a partition that holds rows itself, and permanent.
    pub leaf: bool,
    /// Whether it is partitioned and no partition itself.
    pub partitioned: bool,
}

/// Finds a table by its exact name.
///
/// # Errors
/// If the catalog cannot be read.
pub async fn relation(session: &Connection, table: &Table) -> Result<Option<Relation>> {
    let sql = include_str!("../sql/catalog/relation.sql");
    let row = session.query_opt(sql, &[&table.schema.name(), &table.name.name()]).await?;
    Ok(row.map(|row| {
        let (kind, partition, persistence) =
            (row.get::<_, i8>(1), row.get::<_, bool>(2), row.get::<_, i8>(3));
        let table = kind == b'r' as i8 && persistence == b'p' as i8;
        let partitioned = kind == b'p' as i8 && persistence == b'p' as i8 && !partition;
        Relation {
            oid: row.get(0),
            plain: table && !partition,
            leaf: table && partition,
            partitioned,
        }
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
        return Err(Error::refused(format!(
            "{table} is {what}, which this command does not support"
        ))
        .hint(
            "replace it with `sterna stage create`, `load`, `validate` and `switchover`, after a \
             backup of the whole partitioned table with pg_dump",
        ));
    }
    Ok(found)
}

/// Finds a table that must exist and be of a kind that sterna can replace: an ordinary one, a
/// partitioned one, or a partition that holds rows itself.
///
/// # Errors
/// If the table is missing or of another kind; the error names it.
pub async fn replaceable(session: &Connection, table: &Table) -> Result<Relation> {
    match relation(session, table).await? {
        None => Err(Error::usage(format!("there is no table {table}"))
            .hint("check --schema, --table and the database that you are connected to")),
        Some(found) if !found.plain && !found.leaf && !found.partitioned => {
            Err(Error::refused(format!(
                "{table} is not an ordinary table: views, partitions that are partitioned \
                 themselves, foreign, temporary and unlogged tables are not supported"
            )))
        }
        Some(found) => Ok(found),
    }
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
            let constraint = match (row.get::<_, Option<&str>>(5), row.get(8)) {
                (_, Some(definition)) => Some(IndexConstraint::Exclusion(definition)),
                (Some("p"), _) => Some(IndexConstraint::PrimaryKey(deferrable)),
                (Some("u"), _) => Some(IndexConstraint::Unique(deferrable)),
                _ => None,
            };
            Ok(Index {
                definition: definition.ok_or_else(|| {
                    Error::refused(format!("the definition of index {name} has an unknown form"))
                })?,
                oid: row.get(0),
                table: Table {
                    schema: Ident::new(row.get::<_, String>(9))?,
                    name: Ident::new(row.get::<_, String>(10))?,
                },
                unique: row.get(2),
                name,
                constraint,
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
