//! Foreign keys around an exchange: it must leave no row without the row that it refers to,
//! neither in other tables nor in the incoming one.
//!
//! The incoming table has no foreign keys, because they would delete its rows along with the
//! application's, or block the application. The exchange adds them, and they are validated
//! after it. Rows that would violate them are found here, by a look at every row, while nobody
//! waits; under the locks only what may have changed since is checked again.

use super::Exchange;
use super::journal::Toward;
use crate::error::{Error, Result};
use crate::pg::{Connection, Session, Transaction, Typed, Volley};

/// Statements for the foreign keys of and to the live table, generated from the catalog.
#[derive(Clone, Debug, Default)]
pub(super) struct References {
    parents: Vec<Parent>,
    children: Vec<Kept>,
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
    /// Generates the statements for two existing tables.
    pub(super) async fn write(session: &Session, exchange: &Exchange) -> Result<Self> {
        let mut references = References::default();
        let (live, incoming) = (&exchange.live, &exchange.incoming);
        let sql = include_str!("../../sql/switchover/reference/parents.sql");
        for row in session.query(sql, &[live, incoming]).await? {
            let values = Kept { keep: row.get(2), condition: row.get(3) };
            let (name, settle, deletes) = (row.get(0), row.get(1), row.get(4));
            references.parents.push(Parent { name, settle, deletes, values });
        }
        let sql = include_str!("../../sql/switchover/reference/children.sql");
        for row in session.query(sql, &[live, incoming]).await? {
            references.children.push(Kept { keep: row.get(1), condition: row.get(2) });
        }
        references.find_relations(session, *live).await?;
        Ok(references)
    }

    /// Finds only the related tables, for a preview.
    pub(super) async fn find_relations(&mut self, session: &Session, live: u32) -> Result<()> {
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
        session: &mut Connection,
        exchange: &Exchange,
        toward: Toward,
    ) -> Result<()> {
        for parent in &self.parents {
            let Some(settle) = &parent.settle else { continue };
            let transaction = session.transaction().await?;
            let rows = transaction.execute(settle, &[]).await?;
            if rows > 0 {
                let removed =
                    if parent.deletes { i64::try_from(rows).unwrap_or(i64::MAX) } else { 0 };
                let count = include_str!("../../sql/switchover/reference/count-removed.sql");
                let parameters: [&dyn Typed; 3] = [&exchange.live, &toward.name(), &removed];
                transaction.execute(count, &parameters).await?;
                tracing::warn!(
                    "{rows} rows of {} referred by {} to rows that were deleted; as in {}, the \
                     key's ON DELETE action was applied",
                    exchange.incoming_table()?,
                    parent.name,
                    exchange.table
                );
            }
            transaction.commit().await?;
        }
        session.batch_execute(include_str!("../../sql/switchover/reference/forget.sql")).await?;
        for kept in self.kept() {
            let (made, held) = futures::join!(
                session.batch_execute(&kept.keep),
                session.query(&kept.condition, &[]),
            );
            made?;
            held.map_err(|e| refusal(e.into()))?;
        }
        Ok(())
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
