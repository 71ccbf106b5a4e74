//! Deletes rows whose species is deleted while a load runs, if production's foreign key says
//! ON DELETE CASCADE. Staging has no foreign keys, so this does what the key would have done.

use hashbrown::HashMap;

use crate::error::Result;
use crate::load::ledger::Sum;
use crate::load::settle::verify;
use crate::pg::{Column, Connection, Ident, Quoted, Table, fill};
use crate::table::staging::Pair;
use crate::trust;

/// Rows in staging whose species was deleted.
pub(in crate::load) struct Orphans<'a> {
    pub(in crate::load) pair: &'a Pair,
    pub(in crate::load) staging_oid: u32,
    /// The columns that were hashed, in order.
    pub(in crate::load) columns: &'a [Column],
    /// The columns that hold species ids. These species existed when the load began, so a
    /// missing one must have been deleted; for other columns that is unknown.
    pub(in crate::load) looked_up: &'a [&'a Ident],
}

impl Orphans<'_> {
    /// Deletes these rows and records which batches had written them. Returns their number. The
    /// session must not be in a transaction.
    ///
    /// # Errors
    /// Those of the server; the deletion that failed is rolled back.
    pub(in crate::load) async fn delete(&self, session: &Connection) -> Result<u64> {
        let sql = include_str!("../../../sql/load/orphan-key.sql");
        let mut deleted = 0;
        if self.pair.distribution.is_elsewhere() {
            return Ok(deleted);
        }
        for row in session.query(sql, &[&self.pair.table_oid]).await? {
            let column = Ident::new(row.get::<_, String>(0))?;
            if !self.looked_up.contains(&&column) {
                continue;
            }
            let referred = Table::new(row.get::<_, String>(1), row.get::<_, String>(2))?;
            let key = Ident::new(row.get::<_, String>(3))?;
            let names: [(&str, &dyn Quoted); 5] = [
                ("staging", &self.pair.staging),
                ("column", &column),
                ("referred", &referred),
                ("key", &key),
                ("values", &verify::values_of(self.columns)),
            ];
            let sql = fill(include_str!("../../../sql/load/delete-orphans.sql"), &names);
            let (begun, guarded) = futures::join!(
                session.batch_execute("BEGIN"),
                trust::guard(session, self.staging_oid),
            );
            begun?;
            guarded?;
            let sums = verify::sums(session, &sql, self.columns).await?;
            // If recording fails, COMMIT rolls back.
            let (noted, ended) = futures::join!(
                note_cascade(session, self.staging_oid, &sums),
                session.batch_execute("COMMIT"),
            );
            noted?;
            ended?;
            let rows: u64 = sums.values().map(|sum| sum.rows).sum();
            if rows > 0 {
                tracing::warn!(
                    "deleted {rows} rows whose rows in {referred} were deleted during the load"
                );
            }
            deleted += rows;
        }
        Ok(deleted)
    }
}

/// Records deleted rows by the transaction that had written them. Has to run in the
/// transaction that deletes them.
///
/// # Errors
/// If the ledger cannot be written.
async fn note_cascade(session: &Connection, staging: u32, gone: &HashMap<u32, Sum>) -> Result<()> {
    let xids: Vec<String> = gone.keys().map(u32::to_string).collect();
    let rows: Vec<i64> = gone.values().map(|sum| sum.rows.cast_signed()).collect();
    let checksums: Vec<i64> = gone.values().map(|sum| sum.checksum.cast_signed()).collect();
    let sql = include_str!("../../../sql/ledger/insert-cascade.sql");
    session.execute(sql, &[&staging, &xids, &rows, &checksums]).await?;
    Ok(())
}
