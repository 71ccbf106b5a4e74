//! Species that are deleted while a load runs take their rows along, where production's
//! foreign key says ON DELETE CASCADE: staging carries no foreign keys, so what the key
//! would have done is done here.

use crate::error::Result;
use crate::load::ledger;
use crate::load::settle::verify;
use crate::pg::{Column, ConnInfo, Ident, Quoted, Table, connect, fill};
use crate::table::staging::Pair;
use crate::trust;

/// Where to look for rows whose species is gone.
pub(in crate::load) struct Orphans<'a> {
    pub(in crate::load) info: &'a ConnInfo,
    pub(in crate::load) pair: &'a Pair,
    pub(in crate::load) staging_oid: u32,
    /// The columns that were hashed, in their order.
    pub(in crate::load) columns: &'a [Column],
    /// The columns that hold the species' ids: what stands there was there when the
    /// load began, so it can only have been deleted. Of other columns nobody knows.
    pub(in crate::load) looked_up: &'a [&'a Ident],
}

impl Orphans<'_> {
    /// Deletes them and records which batches had written them; returns how many.
    ///
    /// # Errors
    /// Those of the server; then nothing is deleted.
    pub(in crate::load) async fn delete(&self) -> Result<u64> {
        let session = connect(self.info).await?;
        session.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
        session.batch_execute(include_str!("../../../sql/catalog/tables-only.sql")).await?;
        let sql = include_str!("../../../sql/load/orphan-key.sql");
        let mut deleted = 0;
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
            session.batch_execute("BEGIN").await?;
            trust::guard(&*session, self.staging_oid).await?;
            let sums = verify::sums(&session, &sql, self.columns).await?;
            ledger::note_cascade(&session, self.staging_oid, &sums).await?;
            session.batch_execute("COMMIT").await?;
            let rows: u64 = sums.values().map(|sum| sum.rows).sum();
            if rows > 0 {
                tracing::warn!(
                    "{rows} rows went with the rows of {referred} that were deleted during the load"
                );
            }
            deleted += rows;
        }
        session.close().await?;
        Ok(deleted)
    }
}
