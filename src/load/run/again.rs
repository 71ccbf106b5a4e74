//! Handles records that make an index build fail after the rows are in: they are taken out,
//! and the others are loaded again.
//!
//! Records that share a row id are found in the input, and only their batches are written
//! again. Other offenders, such as values too large for an index or duplicate keys, only the
//! server can find: all rows are loaded again with the indexes in place, in input order, so
//! that of several records with the same key the first is kept.

use tokio_postgres::error::SqlState;

use crate::error::{Error, Result};
use crate::load::ledger;
use crate::load::plan::matching::Way;
use crate::load::plan::prepare::row_ids;
use crate::load::run::{Done, Load};
use crate::load::settle::duplicates;
use crate::pg::{Connection, Fault, Quoted, classify, fill};
use crate::table::distributed;

impl Load<'_> {
    /// Loads again, without the records that caused `error` while the indexes were built.
    ///
    /// # Errors
    /// `error`, if it is not about rows or the rows cannot be loaded again.
    pub(super) fn load_without(
        &self,
        control: &mut Connection,
        before: &Done,
        error: Error,
    ) -> Result<Done> {
        if classify(&error) != Fault::DataRefused {
            return Err(error);
        }
        if self.prepared.matching.way == Way::Server {
            return Err(error.hint(
                "fix the records in the files, or the rows in production; then `sterna stage \
                 truncate` and load again",
            ));
        }
        let is_doubled = error.sqlstate() == Some(SqlState::UNIQUE_VIOLATION.code())
            // Which batches have written such rows is not known there.
            && !self.pair.distribution.is_elsewhere();
        if !(is_doubled && self.refuse_doubles(control)?) {
            if before.was_indexed {
                return Err(error);
            }
            tracing::warn!("loading the rows again, with the indexes in place: {error}");
            self.unwrite_all(control)?;
            let built = async { self.build_indexes(false).await?.close().await };
            self.runtime.block_on(built).map_err(|error| match classify(&error) {
                Fault::DataRefused => error.hint(
                    "rows of an earlier load conflict: `sterna stage truncate`, then load all \
                     files at once",
                ),
                _ => error,
            })?;
        }
        self.load_again(control, before)
    }

    /// Loads the batches that were taken out.
    pub(super) fn load_again(&self, control: &mut Connection, before: &Done) -> Result<Done> {
        let mut done = self.load_rows(control)?;
        done.rows.load_seconds += before.rows.load_seconds;
        Ok(done)
    }

    /// Takes out records that share a row id. Returns whether there were any.
    pub(super) fn refuse_doubles(&self, control: &mut Connection) -> Result<bool> {
        let row_ids = self.runtime.block_on(row_ids(control, &self.pair, &self.prepared))?;
        let pass = self.pass(&row_ids);
        let doubles =
            self.with_control(control, async |session| duplicates::find_ids(session, &pass).await)?;
        if doubles.is_empty() {
            return Ok(false);
        }
        let refusals = duplicates::find_records(&pass, &doubles)?;
        if refusals.is_empty() {
            return Ok(false);
        }
        tracing::warn!("rejecting {} records with the row id of another record", refusals.len());
        self.with_control(control, async |session| {
            duplicates::unwrite(session, &pass, &refusals).await
        })?;
        Ok(true)
    }

    /// Deletes all rows of this load from staging.
    fn unwrite_all(&self, control: &mut Connection) -> Result<()> {
        let run = self.attached.run.id;
        let staging = [("staging", &self.pair.staging as &dyn Quoted)];
        self.with_control(control, async |session| {
            let batches = ledger::batches(session, run).await?;
            let transaction = session.transaction().await?;
            ledger::forget(&transaction, run, batches.keys().copied()).await?;
            if self.attached.runs.len() == 1 {
                let empty = fill(include_str!("../../../sql/load/match/empty.sql"), &staging);
                transaction.batch_execute(&empty).await?;
            } else {
                if self.pair.distribution.is_elsewhere() {
                    return Err(distributed::cannot_unwrite(&self.pair.staging));
                }
                let xids: Vec<i64> = batches.values().map(|b| i64::from(b.xid)).collect();
                let unwrite = fill(include_str!("../../../sql/load/unwrite.sql"), &staging);
                transaction.execute(&unwrite, &[&xids]).await?;
            }
            Ok(transaction.commit().await?)
        })
    }
}
