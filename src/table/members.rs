//! The members of a table: the table itself and the partitions below it, and how tables like
//! them are created.

use crate::error::{Error, Result};
use crate::pg::{CatalogText, Ident, Quoted, Session, Table, Typed, fill};
use crate::table::pair::{OLD_SUFFIX, Pair, SUFFIX, attached_name};

/// A table or one of its partitions, and the table that staging has in its place.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) oid: u32,
    pub(crate) table: Table,
    pub(crate) staging: Table,
    /// `INCLUDING IDENTITY`, if it has an identity of its own.
    identity: CatalogText,
    /// `PARTITION BY ...`, if it is partitioned.
    partitioning: CatalogText,
    /// What it is a partition of, and its bound.
    place: Option<(u32, CatalogText)>,
}

/// The table of staging, or of an old table, in place of `table`, which is `of` or one of its
/// partitions.
///
/// # Errors
/// If the name of `of` would be truncated; those of partitions are shortened.
pub(crate) fn beside(of: &Table, table: &Table, suffix: &str) -> Result<Table> {
    if table == of {
        return of.with_suffix(suffix);
    }
    let name = attached_name(table.name.name(), suffix)?;
    Ok(Table { schema: table.schema.clone(), name })
}

/// Lists the members of a table, each after the one that it is a partition of.
///
/// # Errors
/// If the catalog cannot be read.
pub(crate) async fn of_table(session: &Session, pair: &Pair) -> Result<Vec<Member>> {
    if !pair.partitioned {
        return Ok(vec![Member {
            oid: pair.table_oid,
            table: pair.table.clone(),
            staging: pair.staging.clone(),
            identity: CatalogText::from_catalog("INCLUDING IDENTITY"),
            partitioning: CatalogText::from_catalog(""),
            place: None,
        }]);
    }
    let sql = include_str!("../../sql/table/stage/members.sql");
    let rows = session.query(sql, &[&pair.table_oid]).await?;
    let member = |row: &tokio_postgres::Row| {
        let table = Table {
            schema: Ident::new(row.get::<_, String>(1))?,
            name: Ident::new(row.get::<_, String>(2))?,
        };
        let place: Option<(u32, String)> = row.get::<_, Option<u32>>(5).zip(row.get(6));
        Ok(Member {
            oid: row.get(0),
            staging: beside(&pair.table, &table, SUFFIX)?,
            table,
            identity: CatalogText::from_catalog(row.get::<_, String>(3)),
            partitioning: CatalogText::from_catalog(row.get::<_, String>(4)),
            place: place.map(|(of, bound)| (of, CatalogText::from_catalog(bound))),
        })
    };
    rows.iter().map(member).collect()
}

/// The OIDs of a table and its partitions, each with that of its counterpart below `staging`, and
/// after those of the table that it is a partition of.
///
/// # Errors
/// If the catalog cannot be read; refused if a counterpart is gone.
pub(crate) async fn pairs(session: &Session, pair: &Pair, staging: u32) -> Result<Vec<(u32, u32)>> {
    if !pair.partitioned {
        return Ok(vec![(pair.table_oid, staging)]);
    }
    let members = of_table(session, pair).await?;
    let names: Vec<Table> = members.iter().map(|member| member.staging.clone()).collect();
    let found = oids(session, &names).await?;
    let pairs = members.iter().zip(found).map(|(member, found)| match found {
        Some(found) => Ok((member.oid, found)),
        None => Err(Error::refused(format!(
            "there is no {}, the counterpart of {}",
            member.staging, member.table
        ))
        .hint("the table was altered meanwhile: run `sterna stage drop`, then load again")),
    });
    pairs.collect()
}

/// The statements that create an empty table in place of each member, in the same tree.
pub(crate) fn creation(members: &[Member]) -> Vec<String> {
    let mut statements = Vec::new();
    for member in members {
        let names: [(&str, &dyn Quoted); 4] = [
            ("staging", &member.staging),
            ("table", &member.table),
            ("identity", &member.identity),
            ("partitioning", &member.partitioning),
        ];
        statements.push(fill(include_str!("../../sql/table/stage/create.sql"), &names));
        let above = member.place.as_ref().and_then(|(of, bound)| {
            members.iter().find(|other| other.oid == *of).map(|parent| (&parent.staging, bound))
        });
        if let Some((parent, bound)) = above {
            let names: [(&str, &dyn Quoted); 3] =
                [("parent", parent), ("staging", &member.staging), ("bound", bound)];
            statements.push(fill(include_str!("../../sql/table/stage/attach.sql"), &names));
        }
    }
    statements
}

/// Refuses a partitioned table if a name is taken that staging or the old table will need, for
/// itself, a partition, or what belongs to them.
///
/// # Errors
/// The refusal, with the names.
pub(crate) async fn refuse_taken(session: &Session, pair: &Pair) -> Result<()> {
    if !pair.partitioned {
        return Ok(());
    }
    let taken = taken(session, &pair.table, pair.table_oid, true).await?;
    if taken.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("these names are taken: {}", taken.join(", "))).hint(
        "rename or drop these: staging and the old table get these names, with their partitions, \
         indexes and statistics; or finish what was begun with a single partition (`sterna cleanup \
         --table ...`, `sterna stage drop --table ...`)",
    ))
}

/// The names that staging or the old table of a partitioned table will need and that belong to
/// something else than the staging table there is and the old table that the next exchange drops.
/// `has_ledger`: whether sterna can have created any.
///
/// # Errors
/// If the catalog cannot be read, or a name would be truncated.
pub(crate) async fn taken(
    session: &Session,
    table: &Table,
    oid: u32,
    has_ledger: bool,
) -> Result<Vec<String>> {
    let (staging, old) = (table.with_suffix(SUFFIX)?, table.with_suffix(OLD_SUFFIX)?);
    let (schema, name) = (table.schema.name(), table.name.name());
    let (staging, old) = (staging.name.name(), old.name.name());
    let (of_table, both): ([&dyn Typed; 1], [&dyn Typed; 4]) =
        ([&oid], [&schema, &name, &staging, &old]);
    let (named, own) = futures::join!(
        session.query(include_str!("../../sql/table/stage/names.sql"), &of_table),
        async {
            match has_ledger {
                true => {
                    session.query(include_str!("../../sql/table/stage/beside.sql"), &both).await
                }
                false => Ok(Vec::new()),
            }
        },
    );
    let own: Vec<u32> = own?.iter().map(|row| row.get(0)).collect();
    let (mut kinds, mut schemas, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for row in named? {
        let one = Table::new(row.get::<_, String>(1), row.get::<_, String>(2))?;
        for suffix in [SUFFIX, OLD_SUFFIX] {
            let Table { schema, name } = beside(table, &one, suffix)?;
            kinds.push(row.get::<_, String>(0));
            schemas.push(schema.name().to_owned());
            names.push(name.name().to_owned());
        }
    }
    let sql = include_str!("../../sql/table/stage/taken.sql");
    let rows = session.query(sql, &[&kinds, &schemas, &names, &own]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The OIDs of tables, where they exist.
///
/// # Errors
/// If the catalog cannot be read.
pub(crate) async fn oids(session: &Session, tables: &[Table]) -> Result<Vec<Option<u32>>> {
    let sql = include_str!("../../sql/table/stage/made.sql");
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        tables.iter().map(|table| (table.schema.name(), table.name.name())).unzip();
    Ok(session.query(sql, &[&schemas, &names]).await?.iter().map(|row| row.get(0)).collect())
}
