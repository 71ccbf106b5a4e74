//! Every statement of an exchange of distributed tables, generated from the catalog before
//! anything is written, and the preparations that nobody waits for.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::super::attached::{self, Kind};
use super::super::journal::Toward;
use super::super::keep::Written;
use super::super::script::{self, Script};
use super::super::{Exchange, dependents};
use crate::error::{Error, Result};
use crate::pg::{
    CatalogText, Connection, Distribution, Quoted, Session, Table, Typed, Volley,
    catalog::relation, fill,
};
use crate::table::distributed::{self, base_of};
use crate::table::locks::{self, LockLimits, Patience};

/// The copy of a table when it took another one's place: what it differs in later has been
/// written since.
pub(super) fn back_of(oid: u32) -> Result<Table> {
    Table::new("sterna", format!("back_{oid}"))
}

/// The list of the rows of a live table that differ from its copy.
pub(super) fn changed_of(oid: u32) -> Result<Table> {
    Table::new("sterna", format!("changed_{oid}"))
}

/// A foreign key of the live table, which the incoming one is to have.
struct ForeignKey {
    name: String,
    is_there: bool,
    add: Vec<String>,
    validate: Vec<String>,
    /// Deletes rows that refer to nothing, if the key would have done so.
    settle: Option<String>,
}

/// An exchange that is ready to be prepared.
pub(super) struct Plan {
    pub(super) script: Script,
    /// The list of rows that were written to.
    pub(super) changed: Table,
    /// Fills that list.
    pub(super) find: String,
    /// Carries these rows over to the incoming table and to its copy.
    pub(super) carry: Vec<String>,
    /// The columns of the list.
    columns: CatalogText,
    /// The copy of the incoming table.
    next: Table,
    count: String,
    count_only_in_new: String,
    keys: Vec<ForeignKey>,
    comments: Vec<String>,
    toward: Toward,
}

impl Plan {
    /// Plans an exchange. Only reads.
    ///
    /// # Errors
    /// Refused if the tables differ in anything that an exchange does not carry over, or if there
    /// is no copy of the live table.
    pub(super) async fn write(
        session: &Connection,
        exchange: &Exchange,
        toward: Toward,
    ) -> Result<Plan> {
        let Exchange { live, incoming, .. } = exchange;
        let (base, next) = match toward {
            Toward::Staging => (base_of(*live)?, back_of(*incoming)?),
            Toward::Old => (back_of(*live)?, base_of(*incoming)?),
        };
        refuse_no_copy(session, exchange, &base).await?;
        let (mine, theirs) = futures::join!(
            attached::of_table(session, *live),
            attached::of_table(session, *incoming),
        );
        let pairs = attached::pairs(exchange, &mine?, &theirs?)?;
        let indexes: (Vec<u32>, Vec<u32>) = pairs
            .iter()
            .filter(|pair| pair.live.kind == Kind::Index)
            .map(|pair| (pair.live.oid, pair.incoming.oid))
            .unzip();
        refuse_differences(session, exchange, &indexes).await?;

        let (changed, leaving) = (changed_of(*live)?, exchange.leaving_table()?.to_string());
        let (base, list) = (base.to_string(), changed.to_string());
        let to = vec![exchange.incoming_table()?.to_string(), next.to_string()];
        let carry: [&dyn Typed; 4] = [live, &base, &list, &to];
        let keys = include_str!("../../../sql/switchover/distributed/foreign-keys.sql");
        let keys_of: [&dyn Typed; 3] = [live, incoming, &leaving];
        let comments = include_str!("../../../sql/switchover/prepare/comments.sql");
        let none = Vec::<u32>::new();
        let commented: [&dyn Typed; 6] = [live, incoming, &indexes.0, &indexes.1, &none, &none];
        let privileges = include_str!("../../../sql/switchover/distributed/privileges.sql");
        let (carry, keys, comments, privileges, dependents) = futures::join!(
            session.query_one(CARRY, &carry),
            session.query(keys, &keys_of),
            session.query(comments, &commented),
            session.query_one(privileges, &[live]),
            dependents::find(session, *live, &[]),
        );
        let (carry, keys, privileges) = (carry?, keys?, privileges?);
        let views = dependents?.redirection(session, false).await?;

        let mut relations = views.relations;
        relations.extend([*live, *incoming]);
        let lock = include_str!("../../../sql/switchover/lock.sql");
        let locks = session.query(lock, &[&relations]).await?;
        let mut script = Script { relations, ..Script::default() };
        script.locks = locks.iter().map(|row| row.get(0)).collect();
        script.exchange = privileges.get(0);
        script::rename_all(&mut script.exchange, exchange, &pairs)?;
        script.exchange.extend(views.point);
        script.exchange.extend(privileges.get::<_, Vec<String>>(1));
        script.finish = keys.iter().map(|row| row.get(4)).collect();
        let drop = include_str!("../../../sql/distribution/copy-drop.sql");
        for done in [&live_copy(toward, *live)?, &changed] {
            script.finish.push(fill(drop, &[("copy", done)]));
        }
        let keys = keys.iter().map(|row| ForeignKey {
            name: row.get(0),
            is_there: row.get(1),
            add: row.get(2),
            validate: row.get(3),
            settle: row.get(5),
        });
        Ok(Plan {
            script,
            changed,
            columns: CatalogText::from_catalog(carry.get::<_, String>(0)),
            find: carry.get(1),
            carry: carry.get(2),
            count: carry.get(3),
            count_only_in_new: carry.get(4),
            next,
            keys: keys.collect(),
            comments: comments?.iter().map(|row| row.get(0)).collect(),
            toward,
        })
    }

    /// The writes since the copy of the live table was made.
    pub(super) async fn written(&self, session: &Session) -> Result<Written> {
        let row = session.query_one(&self.count, &[]).await?;
        let only_in_new = session.query_one(&self.count_only_in_new, &[]).await?.get(0);
        let (inserted, updated, deleted) = (row.get(0), row.get(1), row.get(2));
        Ok(Written { inserted, updated, deleted, only_in_new, referred: 0 })
    }

    /// How long the comparison of all rows takes, which writers will wait for.
    pub(super) async fn compare(&self, session: &Session) -> Result<Duration> {
        let begun = Instant::now();
        session.query_one(&self.count, &[]).await?;
        Ok(begun.elapsed())
    }

    /// Gives the incoming table its comments and foreign keys, copies it, and makes the list.
    pub(super) async fn prepare(
        &self,
        session: &mut Connection,
        exchange: &Exchange,
        distribution: &Distribution,
        (patience, stop): (Patience, &AtomicBool),
    ) -> Result<()> {
        for comment in &self.comments {
            session.batch_execute(comment).await?;
        }
        for key in self.keys.iter().filter(|key| !key.is_there) {
            if let (Toward::Old, Some(settle)) = (self.toward, &key.settle) {
                session.batch_execute(settle).await?;
            }
            let relations = [exchange.incoming];
            for (statements, longest) in [(&key.add, 1_000), (&key.validate, 0)] {
                let add = async |session: &mut Connection, limits: LockLimits| {
                    let mut volley = Volley::default();
                    limit(&mut volley, limits.lock_ms, longest);
                    for sql in statements {
                        volley.add(sql);
                    }
                    locks::send(session, &volley).await
                };
                let added = locks::with_retries(session, patience, &relations, stop, add).await;
                added.map_err(|error| refusal(error, exchange, &key.name, self.toward))?;
            }
        }
        let incoming = (&exchange.incoming_table()?, exchange.incoming);
        for left in [&self.next, &self.changed] {
            distributed::drop_copy(session, left).await?;
        }
        let transaction = session.transaction().await?;
        distributed::copy(&transaction, incoming, distribution, &self.next).await?;
        let list = include_str!("../../../sql/switchover/distributed/list-create.sql");
        let names: [(&str, &dyn Quoted); 2] = [("list", &self.changed), ("columns", &self.columns)];
        transaction.batch_execute(&fill(list, &names)).await?;
        let find = include_str!("../../../sql/catalog/relation.sql");
        let (schema, name) = (self.changed.schema.name(), self.changed.name.name());
        let made: u32 = transaction.query_one(find, &[&schema, &name]).await?.get(0);
        let like = (exchange.live, distribution);
        distributed::distribute(&transaction, (&self.changed, made), like).await?;
        Ok(transaction.commit().await?)
    }
}

const CARRY: &str = include_str!("../../../sql/switchover/distributed/carry.sql");

/// The copy of the live table that an exchange in this direction has used up.
fn live_copy(toward: Toward, live: u32) -> Result<Table> {
    match toward {
        Toward::Staging => base_of(live),
        Toward::Old => back_of(live),
    }
}

/// Refuses an exchange without a copy of the live table, or with one that has other columns.
async fn refuse_no_copy(session: &Connection, exchange: &Exchange, base: &Table) -> Result<()> {
    let table = &exchange.table;
    let what = match relation(session, base).await? {
        None => format!("there is no copy of {table} that shows what was written since"),
        Some(found) => {
            let same = include_str!("../../../sql/switchover/distributed/same-columns.sql");
            let same: bool = session.query_one(same, &[&exchange.live, &found.oid]).await?.get(0);
            if same {
                return Ok(());
            }
            format!("{base}, the copy of {table}, has other columns")
        }
    };
    Err(Error::refused(what).hint(
        "nothing was changed; before a switchover, run `sterna stage drop`, then `sterna stage \
         create`, which takes a copy, and load again",
    ))
}

/// Refuses an incoming table that differs in what an exchange does not carry over.
async fn refuse_differences(
    session: &Connection,
    exchange: &Exchange,
    (mine, theirs): &(Vec<u32>, Vec<u32>),
) -> Result<()> {
    let (live, incoming) = (&exchange.live, &exchange.incoming);
    let both: [&dyn Typed; 2] = [live, incoming];
    let (one, other) = (vec![*live], vec![*incoming]);
    let tables: [&dyn Typed; 2] = [&one, &other];
    let all: [&dyn Typed; 4] = [live, incoming, mine, theirs];
    let (columns, owner, storage, of_columns, checks, indexes) = futures::join!(
        script::changed_columns(session, exchange),
        session.query(include_str!("../../../sql/switchover/prepare/owner.sql"), &tables),
        session.query(include_str!("../../../sql/switchover/prepare/storage.sql"), &both),
        session.query(include_str!("../../../sql/switchover/prepare/columns.sql"), &both),
        session.query(include_str!("../../../sql/switchover/prepare/checks.sql"), &both),
        session.query(include_str!("../../../sql/switchover/prepare/indexes.sql"), &all),
    );
    let name = exchange.incoming_table()?;
    if let Some(column) = columns?.first() {
        return Err(Error::refused(format!(
            "the column {} of {name} has the type {} instead of {}",
            column.name, column.after, column.before
        ))
        .hint("nothing was changed; load again with --on-inexact round or reject"));
    }
    let rows = [owner?, storage?, of_columns?, checks?, indexes?];
    let missing: Vec<&str> = rows.iter().flatten().map(|row| row.get(0)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("{name} is not like {}", exchange.table))
        .hint(format!("nothing was changed; run `{}`, then try again", missing.join("; "))))
}

/// Limits how long the next statements of a volley wait for a lock, and how long they take, on the
/// workers too. Zero is no limit.
pub(super) fn limit(volley: &mut Volley, lock_ms: i64, statement_ms: i64) {
    LockLimits::set(volley, lock_ms, statement_ms);
    volley.add(include_str!("../../../sql/switchover/distributed/limits-on-workers.sql"));
    let milliseconds = CatalogText::from_catalog(lock_ms.to_string());
    let lock = include_str!("../../../sql/switchover/distributed/lock-limit.sql");
    volley.add(fill(lock, &[("milliseconds", &milliseconds)]));
    let milliseconds = CatalogText::from_catalog(statement_ms.to_string());
    let time = include_str!("../../../sql/switchover/distributed/time-limit.sql");
    volley.add(fill(time, &[("milliseconds", &milliseconds)]));
}

/// The refusal of rows that refer to nothing.
fn refusal(error: Error, exchange: &Exchange, key: &str, toward: Toward) -> Error {
    if error.sqlstate() != Some("23503") {
        return error.context(format!("could not add the foreign key {key}"));
    }
    let table =
        exchange.incoming_table().map_or_else(|error| error.to_string(), |table| table.to_string());
    Error::refused(format!("rows of {table} refer to rows that are gone, by {key}"))
        .hint(match toward {
            Toward::Staging => "production is unchanged; load again",
            Toward::Old => {
                "production is unchanged; delete these rows from the old table, or insert what \
                 they refer to, then try again"
            }
        })
        .caused_by(error)
}
