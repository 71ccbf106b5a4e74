//! Matches loaded rows with production: they get its key, and its values in the columns that
//! the files do not fill.
//!
//! The server joins staging with production once and rewrites the rows, with new keys and
//! defaults for rows without a match. All of this is one transaction, whose id the ledger
//! records, so a load that is killed here resumes either before it or after it. Production is
//! read after its journal began or its baseline was taken, so later writes are carried over.

use std::sync::atomic::AtomicBool;

use futures::future::try_join_all;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::load::ledger;
use crate::load::plan::matching::{Matching, Treatment};
use crate::load::plan::prepare::Prepared;
use crate::pg::{Connection, Session, Transaction, fill, interruptible_by};
use crate::table::members;
use crate::table::staging::Pair;
use crate::trust;

/// The result of matching.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::load) struct Found {
    /// The number of rows in staging.
    pub(in crate::load) rows: u64,
    /// The number of them that match no row of production.
    pub(in crate::load) new: u64,
}

/// Removes from staging what rows cannot satisfy before they are matched: requirements on
/// columns that the files do not fill, and keys and indexes, which are built again later.
///
/// # Errors
/// Those of the server.
pub(in crate::load) async fn loosen(
    session: &Session,
    pair: &Pair,
    staging_oid: u32,
    matching: &Matching,
) -> Result<()> {
    let unfilled = [Treatment::Kept, Treatment::Default].map(|t| matching.uses.of(t)).concat();
    let unfilled: Vec<&str> = unfilled
        .into_iter()
        .filter(|c| matching.made.as_ref().is_none_or(|m| m.name() != *c))
        .collect();
    let pairs = members::pairs(session, pair, staging_oid).await?;
    // What the partitions have from the table goes with it.
    let (table, partitions) = pairs.split_at(1);
    for pairs in [table, partitions] {
        let sql = include_str!("../../../sql/load/match/loosen.sql");
        let found =
            pairs.iter().map(async |(_, staging)| session.query(sql, &[staging, &unfilled]).await);
        let found = try_join_all(found).await?;
        let statements: Vec<&str> = found.iter().flatten().map(|row| row.get(0)).collect();
        if !statements.is_empty() {
            session.batch_execute(&statements.join("; ")).await?;
        }
    }
    Ok(())
}

/// A staging table with all its rows, ready for matching.
pub(in crate::load) struct Completion<'a> {
    pub(in crate::load) pair: &'a Pair,
    pub(in crate::load) staging_oid: u32,
    pub(in crate::load) prepared: &'a Prepared,
    /// The load that has read the files.
    pub(in crate::load) run: Uuid,
}

impl Completion<'_> {
    /// Matches the rows with production, unless that has been done.
    ///
    /// # Errors
    /// Refused if a key occurs in several rows of either side, so that it is unclear whose
    /// values a row keeps, or if new rows lack a required value; then nothing is changed.
    /// [`crate::error::Kind::Interrupted`] if `stop` is set.
    pub(in crate::load) async fn run(
        &self,
        session: &mut Connection,
        stop: &AtomicBool,
    ) -> Result<Found> {
        let cancel = session.cancel_token();
        let transaction = session.transaction().await?;
        // Boxed because it is large; awaited only once.
        let work = Box::pin(self.in_transaction(&transaction));
        let found = interruptible_by(&cancel, stop, work).await?;
        transaction.commit().await?;
        Ok(found)
    }

    async fn in_transaction(&self, session: &Transaction<'_>) -> Result<Found> {
        let Completion { pair, staging_oid, prepared, run } = self;
        let matching = &prepared.matching;
        let hold = include_str!("../../../sql/ledger/hold-runs.sql");
        let runs = session.query(hold, &[staging_oid]).await?;
        if runs.is_empty() {
            return Err(ledger::discarded());
        }
        if runs.iter().all(|row| row.get(0)) {
            return Ok(Found::default());
        }
        let staging = [("staging", &pair.staging as &dyn crate::pg::Quoted)];
        let lock = fill(include_str!("../../../sql/load/match/lock.sql"), &staging);
        session.batch_execute(&lock).await?;
        trust::guard(session, *staging_oid).await?;
        session.query(include_str!("../../../sql/load/match/memory.sql"), &[]).await?;
        loosen(session, pair, *staging_oid, matching).await?;
        let by: Vec<&str> = matching.by.0.iter().map(|column| column.name()).collect();
        let (kept, default) =
            (matching.uses.of(Treatment::Kept), matching.uses.of(Treatment::Default));
        let made = matching.made.as_ref().map(|column| column.name());
        let (files, lacked): (Vec<i32>, Vec<&str>) = prepared.plan.lacking().into_iter().unzip();
        let script = include_str!("../../../sql/load/match/script.sql");
        let script = session
            .query_one(
                script,
                &[&pair.table_oid, staging_oid, &by, &kept, &default, &made, &run, &files, &lacked],
            )
            .await?;
        session.batch_execute(script.get(0)).await.map_err(|e| {
            Error::from(e).context(format!("could not match rows with those of {}", pair.table))
        })?;
        let found = self.judge(&session.query_one(script.get::<_, &str>(1), &[]).await?)?;
        let mut late = Vec::new();
        let empty = fill(include_str!("../../../sql/load/match/empty.sql"), &staging);
        session.batch_execute(&empty).await?;
        let tighten = include_str!("../../../sql/load/match/tighten.sql");
        for (live, staging) in members::pairs(session, pair, *staging_oid).await? {
            for row in session.query(tighten, &[&live, &staging]).await? {
                match row.get(1) {
                    true => late.push(row),
                    false => session.batch_execute(row.get(0)).await?,
                }
            }
        }
        session.batch_execute(script.get(2)).await.map_err(|e| self.refusal(e))?;
        for row in late {
            session.batch_execute(row.get(0)).await?;
        }
        session
            .execute(include_str!("../../../sql/ledger/mark-matched.sql"), &[staging_oid])
            .await?;
        Ok(found)
    }

    /// Refuses ambiguous matches and new rows without a required value.
    fn judge(&self, row: &tokio_postgres::Row) -> Result<Found> {
        let number = |at: usize| row.get::<_, i64>(at).cast_unsigned();
        let example = |at: usize| row.get::<_, Option<String>>(at).unwrap_or_default();
        let Completion { pair, prepared, .. } = self;
        let matching = &prepared.matching;
        let by = &matching.by;
        let guess = |what: String| {
            Error::refused(format!("{what}: it is unclear which of them keeps its key"))
        };
        match (number(2), number(4), &matching.required) {
            (0, 0, None) => {}
            (0, 0, Some(_)) if number(1) == 0 => {}
            (0, 0, Some(column)) => {
                let (new, first) = (number(1), example(6));
                return Err(Error::refused(format!(
                    "{new} records match no row of {}, and no field fills its column {column}, \
                     which is NOT NULL without a default; the first is {first}",
                    pair.table
                ))
                .hint(
                    "map a field to the column or give it a default, then `sterna stage truncate` \
                     and load again",
                ));
            }
            (0, shared, _) => {
                let first = example(5);
                return Err(guess(format!(
                    "{shared} rows of {} match several records each by {by}, the first is \
                     {first}",
                    pair.table
                ))
                .hint(
                    "remove all but one from the files, or name columns that tell them apart with \
                     --match; then `sterna stage truncate` and load again",
                ));
            }
            (several, ..) => {
                let first = example(3);
                return Err(guess(format!(
                    "{several} records match several rows of {} each by {by}, the first is {first}",
                    pair.table
                ))
                .hint(
                    "name columns that tell the rows apart with --match, or give them distinct \
                     keys; then `sterna stage truncate` and load again",
                ));
            }
        }
        Ok(Found { rows: number(0), new: number(1) })
    }

    /// Explains an error of the server while it writes the matched rows back.
    fn refusal(&self, error: tokio_postgres::Error) -> Error {
        let error = Error::from(error);
        let breaks_a_rule = error.sqlstate().is_some_and(|state| state.starts_with("23"));
        let error = error.context("could not combine a row with its values from production");
        match breaks_a_rule {
            true => error.hint(
                "fix the record or production's row, then `sterna stage truncate` and load again",
            ),
            false => error,
        }
    }
}
