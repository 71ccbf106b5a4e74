//! The tables of a backup, and their rows in its snapshot.

use std::sync::atomic::AtomicBool;

use super::manifest::SavedTable;
use super::{BackupOptions, Extent};
use crate::error::{Error, Result};
use crate::pg::{Connection, Table, catalog, copy_out, explain_denied, fill, interruptible};
use crate::table::{backup_table, staging};
use crate::trust;

/// Tables that belong to the trade table, if they exist beside it.
const BESIDE: [&str; 2] = ["species", "species_trade_summary"];

/// The suffixes of the tables that sterna creates beside the table.
const SUFFIXES: [&str; 3] = [staging::SUFFIX, staging::OLD_SUFFIX, backup_table::SUFFIX];

/// A table of a backup and its OID.
pub(super) type Chosen = (SavedTable, u32);

/// Counts the rows of each table that has any itself: by a query if planning it runs no code of
/// other roles, else by COPY, which plans nothing.
pub(super) async fn count(
    session: &Connection,
    tables: &mut [Chosen],
    stop: &AtomicBool,
) -> Result<()> {
    let oids: Vec<u32> = tables.iter().map(|(_, oid)| *oid).collect();
    let is_safe = trust::strange_code(session, &oids, &[]).await?.is_empty();
    for (saved, oid) in tables.iter_mut().filter(|(saved, _)| !saved.partitioned) {
        let table = saved.table()?;
        let denied = |e: Error| explain_denied(e.context(format!("could not read all of {table}")));
        if is_safe || trust::strange_code(session, &[*oid], &[]).await?.is_empty() {
            let sql = fill(include_str!("../../sql/backup/count.sql"), &[("table", &table)]);
            let counted = interruptible(session, stop, session.query_one(&sql, &[])).await;
            saved.rows = u64::try_from(counted.map_err(denied)?.get::<_, i64>(0)).unwrap_or(0);
            continue;
        }
        let sql = fill(include_str!("../../sql/backup/copy-out.sql"), &[("table", &table)]);
        let counted = copy_out(session, &sql, |_| {
            saved.rows += 1;
            Ok(())
        });
        counted.await.map_err(denied)?;
    }
    Ok(())
}

/// The tables whose rows to save, not counted yet, and those of which only the definitions
/// are saved.
pub(super) async fn chosen(
    session: &Connection,
    options: &BackupOptions,
) -> Result<(Vec<Chosen>, Vec<Chosen>)> {
    let found = catalog::replaceable(session, &options.table).await?;
    let target = found.oid;
    let mut oids = vec![target];
    for name in BESIDE {
        let table = Table::new(found.whole.schema.name(), name)?;
        oids.extend(catalog::relation(session, &table).await?.map(|found| found.oid));
    }
    let all = include_str!("../../sql/backup/all-tables.sql");
    let needed = include_str!("../../sql/backup/tables.sql");
    let rows = match options.extent {
        Extent::Tables => session.query(needed, &[&oids]).await?,
        Extent::Full => session.query(all, &[]).await?,
        Extent::Rehearsal => {
            let around = include_str!("../../sql/backup/around.sql");
            let beside = beside(session, &options.table).await?;
            let whole = include_str!("../../sql/backup/whole.sql");
            let whole = session.query(whole, &[&target]).await?;
            let whole: Vec<u32> = whole.iter().map(|row| row.get(0)).collect();
            let around = session.query(around, &[&whole, &beside]).await?;
            oids.extend(around.iter().map(|row| row.get::<_, u32>(0)));
            // A partition is exchanged among all others, whose rows the keys refer to as well.
            oids.extend(whole);
            let (kept, all) =
                (session.query(needed, &[&oids]).await?, session.query(all, &[]).await?);
            let (kept, mut left_out) = (saved(&kept)?, saved(&all)?);
            left_out.retain(|(_, oid)| kept.iter().all(|(_, kept)| kept != oid));
            return Ok((kept, left_out));
        }
    };
    Ok((saved(&rows)?, Vec::new()))
}

/// Tables as a query found them; refuses a foreign one, the rows of which are elsewhere.
fn saved(rows: &[tokio_postgres::Row]) -> Result<Vec<Chosen>> {
    let saved = |row: &tokio_postgres::Row| {
        let (schema, name, partitioned) = (row.get(0), row.get(1), row.get(3));
        let saved = SavedTable { schema, name, partitioned, rows: 0, file: None };
        if row.get(4) {
            let what = format!("the partition {} is a foreign table", saved.table()?);
            return Err(Error::refused(what).hint(
                "nothing was written: its rows are on another server; save a single partition \
                 (--partition), or detach it",
            ));
        }
        Ok((saved, row.get(2)))
    };
    rows.iter().map(saved).collect()
}

/// The OIDs of relations with the names of tables that sterna creates beside the table.
async fn beside(session: &Connection, table: &Table) -> Result<Vec<u32>> {
    let mut oids = Vec::new();
    for suffix in SUFFIXES {
        let found = catalog::relation(session, &table.with_suffix(suffix)?).await?;
        oids.extend(found.map(|found| found.oid));
    }
    Ok(oids)
}
