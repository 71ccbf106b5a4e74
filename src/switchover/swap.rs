//! The transaction that exchanges the two tables.
//!
//! Two stages. First only writers wait: what they wrote is carried over, and it is
//! made sure that no row of another table would be left without the one it refers to.
//! Then everybody waits, for as long as the script takes, and for the catalog's
//! account before and after it. Any error on the way, and it never happened.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio_postgres::Transaction;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::fingerprint::{self, Difference, Fingerprint};
use super::journal::{self, Replayed, Toward};
use super::locks::{self, Limits};
use super::script::Script;
use super::{Exchange, dependents, gate};
use crate::error::{Error, Result};
use crate::pg::{CatalogText, Table, fill};

/// What is to be exchanged, and what has to be found so.
pub(super) struct Swap<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) script: &'a Script,
    /// What the catalog has to say of the live table before.
    pub(super) expected: &'a Fingerprint,
    /// Whether writes to the live table are noted down; where not, there must not have
    /// been any since the load began.
    pub(super) journaled: bool,
    pub(super) toward: Toward,
    pub(super) recording: Recording,
}

/// What the ledger is to say of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Recording {
    /// A switchover of this id that `run` asked for, which puts an end to what an earlier
    /// one has kept.
    Switched { id: Uuid, run: Uuid, cleans: Option<Uuid> },
    /// The rollback of the switchover of this id.
    Returned { id: Uuid },
}

/// What an exchange came to.
#[derive(Clone, Debug)]
pub(super) struct Swapped {
    /// From the lock against readers to the last statement before the commit.
    pub(super) locked_since: Instant,
    pub(super) writers_waited: Duration,
    pub(super) rows: i64,
    /// Writes that were carried over, from the first on.
    pub(super) carried: i64,
    /// What differs because it was asked for.
    pub(super) exceptions: Vec<Difference>,
}

impl Swap<'_> {
    /// Does everything but commit.
    ///
    /// `rows` is how many the incoming table has before the last writes are carried over.
    ///
    /// # Errors
    /// Refused on drift, on a write that cannot be carried over, on rows that would be
    /// orphaned, and where the catalog would say something else of the new table.
    pub(super) async fn run(
        &self,
        transaction: &Transaction<'_>,
        limits: Limits,
        rows: i64,
    ) -> Result<Swapped> {
        let writers_since = Instant::now();
        let replayed = self.settle_writes(transaction).await?;
        // The journal of the live table goes with its place.
        let carried = journal::carried(transaction, self.exchange.live, self.toward).await?;
        let locked_since = self.lock(transaction, limits).await?;
        let before = self.take(transaction, self.exchange.live).await?;
        self.refuse_drift(&before)?;
        self.exchange(transaction).await?;
        let rows = rows + replayed.inserted - replayed.deleted;
        let after = self.take(transaction, self.exchange.incoming).await?;
        let (exceptions, unexplained) = self.compare(&before, &after);
        if !unexplained.is_empty() {
            return Err(parity_lost(&unexplained, self.toward));
        }
        let left = dependents::find(transaction, self.exchange.live, &[]).await?;
        if let Some(left) = left.first() {
            return Err(Error::refused(format!("{left} still depends on the old table")).hint(
                "nothing was changed; please report this, with the definition of what is named",
            ));
        }
        self.record(transaction, &before, &exceptions, rows, carried).await?;
        transaction.batch_execute(include_str!("../../sql/switchover/notify.sql")).await?;
        let writers_waited = locked_since.duration_since(writers_since);
        Ok(Swapped { locked_since, writers_waited, rows, carried, exceptions })
    }

    /// Keeps writers out and carries over what they have written.
    async fn settle_writes(&self, transaction: &Transaction<'_>) -> Result<Replayed> {
        let Exchange { table, live, incoming, .. } = self.exchange;
        let lock = include_str!("../../sql/switchover/lock-writers.sql");
        transaction.batch_execute(&fill(lock, &[("table", table)])).await?;
        for sql in &self.script.lock_children {
            transaction.batch_execute(sql).await?;
        }
        if relation_oid(transaction, table).await? != Some(*live) {
            return Err(Error::refused(format!("{table} is another table than a moment ago"))
                .hint("another session has replaced it; see `sterna status`"));
        }
        let mut replayed = Replayed::default();
        if self.journaled {
            replayed = journal::replay(transaction, *live, *incoming, self.toward).await?;
            let state = journal::state(transaction, *live, self.toward).await?;
            let armed = state.is_some_and(|state| state.armed);
            if !armed {
                return Err(Error::refused(format!("writes to {table} are no longer noted down"))
                    .hint("its triggers were switched off meanwhile; `sterna stage drop`, and begin again"));
            }
        } else {
            self.refuse_writes(transaction).await?;
        }
        transaction.batch_execute(include_str!("../../sql/switchover/immediate.sql")).await?;
        refuse_orphans(transaction, self.exchange).await?;
        Ok(replayed)
    }

    /// Where writes were not noted down there must not have been any.
    async fn refuse_writes(&self, transaction: &Transaction<'_>) -> Result<()> {
        let table = &self.exchange.table;
        let sql = include_str!("../../sql/switchover/changed-since.sql");
        let sql = fill(sql, &[("table", table)]);
        let row = transaction.query_opt(&sql, &[&self.exchange.incoming]).await?;
        let unchanged = row.is_some_and(|row| row.get::<_, Option<bool>>(0) == Some(true));
        if unchanged {
            return Ok(());
        }
        Err(Error::refused(format!(
            "{table} was written to since the load began, and the writes were not noted down"
        ))
        .hint(
            "run `sterna stage drop`, `sterna stage create`, which begins to note writes down, \
             and load again; or use `sterna migrate`",
        ))
    }

    /// Locks everything that will change against everybody; returns since when.
    async fn lock(&self, transaction: &Transaction<'_>, limits: Limits) -> Result<Instant> {
        locks::set_limits(transaction, limits.lock_ms, limits.acquire_ms).await?;
        let locks = self.script.locks.join("; ") + ";";
        let template = include_str!("../../sql/switchover/lock-block.sql");
        let locks = CatalogText::from_catalog(locks);
        let since = Instant::now();
        transaction.batch_execute(&fill(template, &[("locks", &locks)])).await?;
        locks::set_limits(transaction, limits.lock_ms, limits.script_ms).await?;
        Ok(since)
    }

    async fn take(&self, transaction: &Transaction<'_>, table: u32) -> Result<Fingerprint> {
        let siblings = [self.exchange.live, self.exchange.incoming];
        let siblings: Vec<u32> = siblings.into_iter().filter(|oid| *oid != table).collect();
        fingerprint::take_beside(transaction, table, &siblings).await
    }

    fn refuse_drift(&self, before: &Fingerprint) -> Result<()> {
        match self.expected.differences(before).as_slice() {
            [] => Ok(()),
            differences => Err(gate::drift(&self.exchange.table, differences)),
        }
    }

    /// Sends all statements at once, each as a message of its own: one round trip, and
    /// the statement that fails is known.
    async fn exchange(&self, transaction: &Transaction<'_>) -> Result<()> {
        let Exchange { table, live, .. } = self.exchange;
        if let Recording::Switched { cleans: Some(_), .. } = self.recording {
            // There is one table to return to, that of the latest switchover.
            let earlier = self.exchange.leaving_table()?;
            let drop = include_str!("../../sql/switchover/drop-table.sql");
            transaction.batch_execute(&fill(drop, &[("table", &earlier)])).await?;
        }
        // Whatever it was for: the table loses its place.
        journal::remove(transaction, table, *live).await?;
        let statements = &self.script.exchange;
        let sent = try_join_all(
            statements
                .iter()
                .map(async |sql| transaction.batch_execute(sql).await.map_err(|e| (sql, e))),
        );
        // The first to fail, since those behind it only say that there was a failure.
        if let Err((sql, error)) = sent.await {
            let summary: String = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            let error = Error::from(error);
            let short: String = summary.chars().take(200).collect();
            return Err(error.context(format!("at `{short}`")));
        }
        let toward = match self.toward {
            Toward::Staging => Toward::Old,
            Toward::Old => Toward::Staging,
        };
        journal::begin_locked(transaction, table, self.exchange.incoming, toward).await
    }

    /// Differences that were asked for, and those that nobody can explain.
    fn compare(
        &self,
        before: &Fingerprint,
        after: &Fingerprint,
    ) -> (Vec<Difference>, Vec<Difference>) {
        before.differences(after).into_iter().filter(|d| !self.is_to_be_checked(d)).partition(
            |difference| {
                let (Some(before), Some(after)) = (&difference.before, &difference.after) else {
                    return false;
                };
                difference.kind == "column"
                    && self.script.changed.iter().any(|changed| {
                        let line = |sql_type: &str| format!("type: {sql_type}\n");
                        before.replacen(&line(&changed.before), &line(&changed.after), 1) == *after
                    })
            },
        )
    }

    /// Whether it is a foreign key of another table that is checked after the commit.
    fn is_to_be_checked(&self, difference: &Difference) -> bool {
        let (Some(before), Some(after)) = (&difference.before, &difference.after) else {
            return false;
        };
        difference.kind == "incoming foreign key"
            && !self.script.finish.is_empty()
            && after.replacen(" NOT VALID", "", 1).replacen(
                "validated: false",
                "validated: true",
                1,
            ) == *before
    }

    async fn record(
        &self,
        transaction: &Transaction<'_>,
        before: &Fingerprint,
        exceptions: &[Difference],
        rows: i64,
        carried: i64,
    ) -> Result<()> {
        let Exchange { table, live, incoming, .. } = self.exchange;
        match self.recording {
            Recording::Switched { id, run, cleans } => {
                if let Some(cleaned) = cleans {
                    let sql = include_str!("../../sql/switchover/record-cleaned.sql");
                    transaction.execute(sql, &[&cleaned]).await?;
                }
                let parameters: [&(dyn ToSql + Sync); 12] = [
                    &id,
                    &table.schema.name(),
                    &table.name.name(),
                    live,
                    incoming,
                    &Json(before),
                    &Json(exceptions),
                    &rows,
                    &carried,
                    &self.script.finish,
                    &env!("CARGO_PKG_VERSION"),
                    &run,
                ];
                let sql = include_str!("../../sql/switchover/record.sql");
                transaction.execute(sql, &parameters).await?;
                let unregister = include_str!("../../sql/stage/unregister.sql");
                transaction.execute(unregister, &[incoming]).await?;
            }
            Recording::Returned { id } => {
                let sql = include_str!("../../sql/switchover/record-return.sql");
                transaction.execute(sql, &[&id, &self.script.finish, &carried]).await?;
                let staging = self.exchange.leaving_table()?;
                let register = include_str!("../../sql/stage/register.sql");
                let (schema, name) = (staging.schema.name(), staging.name.name());
                transaction.execute(register, &[live, &schema, &name]).await?;
            }
        }
        Ok(())
    }
}

async fn relation_oid(transaction: &Transaction<'_>, table: &Table) -> Result<Option<u32>> {
    let sql = include_str!("../../sql/catalog/relation.sql");
    let row = transaction.query_opt(sql, &[&table.schema.name(), &table.name.name()]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Refuses where rows of other tables would refer to nothing.
async fn refuse_orphans(
    session: &impl tokio_postgres::GenericClient,
    exchange: &Exchange,
) -> Result<()> {
    let sql = include_str!("../../sql/switchover/orphans.sql");
    for row in session.query(sql, &[&exchange.live, &exchange.incoming]).await? {
        let (key, child, count): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let found = session.query_one(count, &[]).await?;
        let orphans: i64 = found.get(0);
        if orphans > 0 {
            let example: Option<String> = found.get(1);
            return Err(Error::refused(format!(
                "{orphans} rows of {child} refer by {key} to rows that {} does not have, such as {}",
                exchange.incoming_table()?,
                example.unwrap_or_default()
            ))
            .hint("delete or mend these rows, or load files that hold what they refer to"));
        }
    }
    Ok(())
}

fn parity_lost(differences: &[Difference], toward: Toward) -> Error {
    let told: Vec<String> = differences.iter().take(5).map(Difference::to_string).collect();
    let more = match differences.len().saturating_sub(told.len()) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Error::refused(format!(
        "the incoming table would differ from the live one: {}{more}",
        told.join("; ")
    ))
    .hint(match toward {
        Toward::Staging => {
            "nothing was changed; please report this, with the definition of what is named"
        }
        Toward::Old => {
            "nothing was changed; what the live table was given since the switchover has to be \
             given to the old one as well, or taken back, before the rollback"
        }
    })
}
