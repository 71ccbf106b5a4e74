//! Foreign keys around an exchange: it must leave no row without the row that it refers to,
//! neither in other tables nor in the incoming one.
//!
//! The incoming table has no foreign keys, because they would delete its rows along with the
//! application's, or block the application. The exchange adds them, and they are validated
//! after it. Rows that would violate them are found here, by a look at every row, while nobody
//! waits; under the locks only what may have changed since is checked again.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::Exchange;
use super::journal::Toward;
use crate::error::{Error, Result};
use crate::pg::{CatalogText, Connection, Session, Transaction, Typed, Volley, fill};
use crate::table::locks::LockLimits;

/// Statements for the foreign keys of and to the live table, generated from the catalog.
#[derive(Clone, Debug, Default)]
pub(super) struct References {
    parents: Vec<Parent>,
    children: Vec<Kept>,
    /// Foreign keys that are validated while others wait, each with the same join.
    at_once: Vec<(String, String)>,
    /// The tables that the live one refers to.
    pub(super) parent_relations: Vec<u32>,
    /// The tables that refer to the live one.
    pub(super) child_relations: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Parent {
    /// The foreign key's name.
    name: String,
    /// Does what the key would have done when a parent was deleted; `None` if the key would
    /// have prevented the deletion.
    settle: Option<String>,
    /// Whether that deletes rows.
    deletes: bool,
    values: Kept,
}

/// Values that are kept in a temporary table, and checked under the locks.
#[derive(Clone, Debug)]
struct Kept {
    keep: String,
    condition: String,
}

impl References {
    /// Generates the statements for existing tables: a table or it and its partitions, and their
    /// counterparts.
    pub(super) async fn write(session: &Session, live: &[u32], incoming: &[u32]) -> Result<Self> {
        let mut references = References::default();
        let at_once = include_str!("../../sql/switchover/reference/at-once.sql");
        let parents = include_str!("../../sql/switchover/reference/parents.sql");
        let children = include_str!("../../sql/switchover/reference/children.sql");
        let both: [&dyn Typed; 2] = [&live, &incoming];
        let (parents, children, at_once, found) = futures::join!(
            session.query(parents, &both),
            session.query(children, &both),
            session.query(at_once, &both),
            references.find_relations(session, live),
        );
        found?;
        for row in parents? {
            let values = Kept { keep: row.get(2), condition: row.get(3) };
            let (name, settle, deletes) = (row.get(0), row.get(1), row.get(4));
            references.parents.push(Parent { name, settle, deletes, values });
        }
        for row in children? {
            references.children.push(Kept { keep: row.get(1), condition: row.get(2) });
        }
        references.at_once = at_once?.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(references)
    }

    /// Finds only the related tables, and the keys that are validated while others wait, for a
    /// preview: the incoming tables are as the live ones.
    pub(super) async fn foresee(session: &Session, live: &[u32]) -> Result<Self> {
        let mut references = References::default();
        let at_once = include_str!("../../sql/switchover/reference/at-once.sql");
        let both: [&dyn Typed; 2] = [&live, &live];
        let (at_once, found) = futures::join!(
            session.query(at_once, &both),
            references.find_relations(session, live),
        );
        found?;
        references.at_once = at_once?.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(references)
    }

    /// Finds the related tables.
    async fn find_relations(&mut self, session: &Session, live: &[u32]) -> Result<()> {
        let sql = include_str!("../../sql/switchover/reference/relations.sql");
        for row in session.query(sql, &[&live]).await? {
            let relations =
                if row.get(0) { &mut self.parent_relations } else { &mut self.child_relations };
            relations.push(row.get(1));
        }
        Ok(())
    }

    /// Deletes or updates the rows that foreign keys on the incoming table would have deleted or
    /// updated, and stores the values that are checked under the locks.
    ///
    /// # Errors
    /// Refused if a row would refer to nothing.
    pub(super) async fn settle(
        &self,
        session: &Session,
        exchange: &Exchange,
        toward: Toward,
    ) -> Result<()> {
        for parent in &self.parents {
            let Some(settle) = &parent.settle else { continue };
            let template = match parent.deletes {
                true => include_str!("../../sql/switchover/reference/settle-counted.sql"),
                false => include_str!("../../sql/switchover/reference/settle.sql"),
            };
            let settle = fill(template, &[("settle", &CatalogText::from_catalog(settle))]);
            let toward = toward.name();
            let parameters: &[&dyn Typed] =
                if parent.deletes { &[&exchange.live, &toward] } else { &[] };
            let rows: i64 = session.query_one(&settle, parameters).await?.get(0);
            if rows > 0 {
                tracing::warn!(
                    "{rows} rows of {} referred by {} to rows that were deleted; as in {}, the \
                     key's ON DELETE action was applied",
                    exchange.incoming_table()?,
                    parent.name,
                    exchange.table
                );
            }
        }
        // Sent together: the server runs them in this order.
        let forget = include_str!("../../sql/switchover/reference/forget.sql");
        let kept = self.kept().map(|kept| {
            futures::future::join(
                session.batch_execute(&kept.keep),
                session.query(&kept.condition, &[]),
            )
        });
        let (forgotten, kept) =
            futures::join!(session.batch_execute(forget), futures::future::join_all(kept));
        forgotten?;
        for (made, held) in kept {
            made?;
            held.map_err(|e| refusal(e.into()))?;
        }
        Ok(())
    }

    /// How long validating the foreign keys of and to a partitioned table takes, measured without
    /// locks, and as the server does it.
    ///
    /// # Errors
    /// Refused if that is longer than others may wait for one statement.
    pub(super) async fn measure(&self, session: &Connection) -> Result<Duration> {
        if self.at_once.is_empty() {
            return Ok(Duration::ZERO);
        }
        let limit_ms = LockLimits::of(session.deadlock_timeout_ms()).script_ms;
        let mut volley = Volley::default();
        LockLimits::set(&mut volley, 0, limit_ms);
        let begun =
            volley.query(include_str!("../../sql/switchover/reference/measure.sql"), Vec::new());
        for (_, join) in &self.at_once {
            volley.query(join, Vec::new());
        }
        let too_long = |what: &str| {
            let message = format!(
                "validating {what} takes longer than the {limit_ms} ms that others may wait for it"
            );
            Error::refused(message).hint(
                "nothing was changed; raise the limit by raising deadlock_timeout for the role that \
                 runs sterna, or drop the key before the switchover and add it after it",
            )
        };
        let answers = volley.send(session).await.map_err(|failure| {
            let key = failure.position.checked_sub(begun + 1).and_then(|key| self.at_once.get(key));
            match (failure.error.code(), key) {
                (Some(&SqlState::QUERY_CANCELED), Some((name, _))) => {
                    too_long(&format!("the foreign key {name}"))
                }
                _ => failure.error.into(),
            }
        })?;
        let at = |position: usize| answers.get(position).map(|answer| answer.at);
        let (Some(begun), Some(ended)) = (at(begun), at(begun + self.at_once.len())) else {
            return Err(Error::database("the server left a statement unanswered"));
        };
        let took = ended.duration_since(begun);
        if took.as_millis() > u128::from(limit_ms.unsigned_abs()) {
            return Err(too_long("all foreign keys of and to it"));
        }
        Ok(took)
    }

    /// Does the same for the tables that the live one refers to, in a transaction that the
    /// caller rolls back.
    ///
    /// # Errors
    /// As [`References::settle`].
    pub(super) async fn try_out(&self, transaction: &Transaction<'_>) -> Result<()> {
        for Parent { settle, values, .. } in &self.parents {
            if let Some(settle) = settle {
                transaction.execute(settle, &[]).await?;
            }
            transaction.batch_execute(&values.keep).await?;
            transaction.query(&values.condition, &[]).await.map_err(|e| refusal(e.into()))?;
        }
        Ok(())
    }

    /// Adds the conditions to a volley that has locked all the tables.
    pub(super) fn add_conditions(&self, volley: &mut Volley) {
        for kept in self.kept() {
            volley.query(&kept.condition, Vec::new());
        }
    }

    fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.parents.iter().map(|parent| &parent.values).chain(&self.children)
    }
}

/// The refusal for a row that would refer to nothing.
pub(super) fn refusal(error: Error) -> Error {
    let db_error = error.postgres().and_then(tokio_postgres::Error::as_db_error);
    let Some(said) = db_error.map(|e| e.message().to_owned()) else { return error };
    match error.sqlstate() {
        Some("SN014") => Error::refused(said)
            .hint("delete or fix these rows, or load files that contain what they refer to"),
        Some("SN019") => Error::refused(said)
            .hint("add what the rows refer to, or run `sterna stage truncate` and load again"),
        _ => error,
    }
}
