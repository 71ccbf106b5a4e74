//! Finds everything that stands in the way of a rollback, and what would happen to the writes
//! since the switchover. Changes nothing.

use serde::Serialize;
use tokio_postgres::Row;

use super::journal::{self, Toward};
use super::keep::{self, Keep, Written};
use super::obstacle::Obstacle;
use super::options::SwitchoverOptions;
use super::record::{SwitchoverRecord, SwitchoverState};
use super::references::References;
use super::{Exchange, attached, changes, distributed, gate, record};
use crate::error::{Error, Kind, Result};
use crate::pg::{ConnInfo, Connection, Mode, Session, Typed, catalog::relation, connect_for};
use crate::table::locks;
use crate::table::partition::Takes;
use crate::table::staging::{self, Pair};

/// What a rollback would find and do.
#[derive(Clone, Debug, Serialize)]
pub struct Foreseen {
    /// The table.
    pub table: String,
    /// Everything in the way.
    pub obstacles: Vec<Obstacle>,
    /// Writes since the switchover.
    pub written: Written,
    /// Which writes would be kept.
    pub keep: Keep,
    /// Number of rows that would be kept.
    pub kept_rows: i64,
    /// Number of rows that would be saved in a separate table.
    pub left_rows: i64,
}

impl Foreseen {
    /// Whether a rollback would be refused. It waits for what may go away by itself.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.obstacles.iter().any(|obstacle| !obstacle.passing)
    }
}

/// Looks at everything that a rollback of a run's switchover would meet. Changes nothing.
///
/// # Errors
/// Refused if the run has not switched over; the server's errors.
pub async fn foresee(info: &ConnInfo, options: &SwitchoverOptions) -> Result<Foreseen> {
    let mut session = connect_for(info, "rollback").await?;
    let pair = staging::pair_of(&mut session, &options.table, Takes::Shards).await?;
    if pair.distribution.is_elsewhere() {
        return distributed::foresee(options, session, pair).await;
    }
    let last = record::of_run(&session, &pair.table, options.run).await?;
    let last = last.ok_or_else(|| {
        Error::refused(format!("the run {} has not switched {} over", options.run, pair.table))
            .hint("there is nothing to roll back")
    })?;
    let exchange = Exchange::backwards(pair.table.clone(), pair.table_oid, last.old);
    let (mut obstacles, written) = find(&session, &exchange, &last, options).await?;
    if written.is_some() {
        if !obstacles.iter().any(|obstacle| obstacle.kind == "truncate") {
            obstacles.extend(try_out(&mut session, &exchange, options.keep).await?);
        }
        obstacles.extend(passing(&session, &exchange).await?);
    }
    session.close().await?;
    let (written, keep) = (written.unwrap_or_default(), options.keep);
    Ok(Foreseen {
        table: pair.table.to_string(),
        obstacles,
        written,
        keep,
        kept_rows: written.kept(keep),
        left_rows: written.left(keep),
    })
}

/// Refuses to begin a rollback whose switchover could not be rolled back, before anything else
/// is undone. Accepts a run without a switchover.
///
/// # Errors
/// The refusal, with everything in the way.
pub async fn refuse_obstacles(
    session: &mut Connection,
    pair: &Pair,
    options: &SwitchoverOptions,
) -> Result<()> {
    match record::of_run(session, &pair.table, options.run).await? {
        Some(last) if last.state != SwitchoverState::Returned => {
            let exchange = Exchange::backwards(pair.table.clone(), pair.table_oid, last.old);
            let (mut obstacles, written) = find(session, &exchange, &last, options).await?;
            if written.is_some() && obstacles.is_empty() {
                obstacles = try_out(session, &exchange, options.keep).await?;
            }
            refuse(&pair.table, &obstacles)
        }
        _ => Ok(()),
    }
}

/// Finds the obstacles that do not go away by themselves, and the writes since the switchover;
/// `None` for those if there is no old table or no journal.
pub(super) async fn find(
    session: &Connection,
    exchange: &Exchange,
    last: &SwitchoverRecord,
    options: &SwitchoverOptions,
) -> Result<(Vec<Obstacle>, Option<Written>)> {
    let Exchange { table, live, .. } = exchange;
    let mut found = Vec::new();
    let staging = exchange.leaving_table()?;
    let (old, taken, unsupported, journal) = futures::join!(
        gate::refuse_no_old_table(session, exchange, last),
        relation(session, &staging),
        gate::refuse_unsupported(session, table, *live),
        journal::state(session, *live, Toward::Old),
    );
    // A query that failed, because the connection was lost, is in nobody's way.
    match old {
        Err(error) if error.kind() == Kind::Unsafe => {
            let old = exchange.incoming_table()?;
            return Ok((vec![Obstacle::of("old table", old, &error)], None));
        }
        old => old?,
    }
    if taken?.is_some() {
        let detail = "it has the name that the new table gets back; `sterna stage drop` removes it";
        found.push(Obstacle::new("name", &staging, detail));
    }
    match unsupported {
        Err(error) if error.kind() == Kind::Unsafe => {
            found.push(Obstacle::of("dependent", table, &error));
        }
        unsupported => unsupported?,
    }
    let is_armed = journal?.is_some_and(|state| state.armed);
    let (differences, written) = futures::join!(changes::find(session, exchange, last), async {
        match is_armed {
            true => written_since(session, exchange, last).await.map(Some),
            false => Ok(None),
        }
    });
    found.extend(differences?);
    if options.leave_additions {
        found.retain(|obstacle| !obstacle.addition);
    }
    let Some((row, rewritten)) = written? else {
        if found.iter().any(|obstacle| obstacle.kind == "partition") {
            // An added one has no triggers; what to do about it is said.
            return Ok((found, None));
        }
        let detail = "its triggers are gone or disabled, so writes since the switchover are not \
                      known; restore the backup instead";
        found.push(Obstacle::new("journal", table, detail));
        return Ok((found, None));
    };
    if row.get(4) {
        let detail = format!(
            "the table was truncated since the switchover, so its rows cannot be carried back; \
             {} has them as they were then: copy those that are needed into the live table \
             with INSERT ... SELECT",
            exchange.incoming_table()?
        );
        found.push(Obstacle::new("truncate", table, detail));
    }
    if rewritten.get::<_, i64>(0) > 0 {
        let (rows, example): (i64, &str) = (rewritten.get(0), rewritten.get(1));
        let detail = format!(
            "{rows} rows were rewritten since the switchover without being recorded, such as \
             {example}: by ALTER TABLE ... TYPE or the like; the old table does not have the \
             result. UPDATE these rows, which records them, or restore the backup"
        );
        found.push(Obstacle::new("rewritten", table, detail));
    }
    let count = |at: usize| row.get::<_, i64>(at);
    let written = Written {
        inserted: count(0),
        updated: count(1),
        deleted: count(2),
        only_in_new: count(3),
        referred: count(5),
    };
    Ok((found, Some(written)))
}

/// The writes since the switchover, and the rows that were rewritten without being recorded.
async fn written_since(
    session: &Session,
    Exchange { live, incoming, .. }: &Exchange,
    last: &SwitchoverRecord,
) -> Result<(Row, Row)> {
    let written = include_str!("../../sql/switchover/obstacle/written.sql");
    let unrecorded = include_str!("../../sql/switchover/obstacle/unrecorded.sql");
    let both: [&dyn Typed; 2] = [live, incoming];
    let since: [&dyn Typed; 2] = [live, &last.id];
    let (written, unrecorded) =
        futures::join!(session.query_one(written, &both), session.query_one(unrecorded, &since));
    Ok((written?, unrecorded?))
}

/// Refuses if anything is in the way.
pub(super) fn refuse(table: &crate::pg::Table, found: &[Obstacle]) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = found
        .iter()
        .map(|Obstacle { kind, object, detail, .. }| format!("{kind} {object}: {detail}"))
        .collect();
    let addition = match found.iter().any(|obstacle| obstacle.addition) {
        true => "; --leave-additions leaves behind what was added to the live table",
        false => "",
    };
    Err(Error::refused(format!("cannot roll {table} back: {}", told.join("; "))).hint(format!(
        "nothing was changed; `sterna rollback --dry-run` shows everything in the way{addition}"
    )))
}

/// Carries the writes over in a transaction that is rolled back, to see whether the old table
/// can take them and whether what its rows refer to still exists.
async fn try_out(
    session: &mut Connection,
    exchange: &Exchange,
    keep: Keep,
) -> Result<Vec<Obstacle>> {
    let table = &exchange.table;
    let transaction = session.begin(Mode::Snapshot).await?;
    let tried = async {
        keep::settle(&transaction, exchange, keep).await?;
        journal::carry_over_in(&transaction, exchange.live, exchange.incoming, Toward::Old).await
    };
    // Whoever holds a lock is named beside it, and waited for.
    let failed = tried.await.err().filter(|error| !locks::may_succeed(error));
    let mut found: Vec<_> =
        failed.iter().map(|error| Obstacle::of("write", table, error)).collect();
    let mut references = None;
    if found.is_empty() {
        let (live, incoming) = attached::paired_tables(&transaction, exchange).await?;
        let written = References::write(&transaction, &live, &incoming).await?;
        let tried = written.try_out(&transaction).await;
        found.extend(tried.err().iter().map(|error| Obstacle::of("foreign key", table, error)));
        references = Some(written);
    }
    transaction.rollback().await?;
    if let Some(references) = references {
        let measured = references.measure(session).await;
        match measured {
            Err(error) if error.kind() == Kind::Unsafe => {
                found.push(Obstacle::of("foreign key", table, &error));
            }
            measured => drop(measured?),
        }
    }
    Ok(found)
}

/// Finds what may go away by itself: sessions with old snapshots, and locks.
pub(super) async fn passing(session: &Connection, exchange: &Exchange) -> Result<Vec<Obstacle>> {
    let sql = include_str!("../../sql/switchover/old-snapshots.sql");
    let rows = session.query(sql, &[&exchange.incoming, &exchange.live]).await?;
    let snapshots = rows.iter().map(|row| ("session", row.get::<_, String>(0)));
    let sql = include_str!("../../sql/table/locks/holders.sql");
    let relations = [exchange.live, exchange.incoming];
    let rows = session.query(sql, &[&relations.as_slice()]).await?;
    let holders = rows.iter().map(|row| ("lock", row.get::<_, String>(0)));
    let obstacle = |(kind, who): (&'static str, String)| {
        let detail = "the rollback waits for it, for at most --max-wait";
        Obstacle { passing: true, ..Obstacle::new(kind, who, detail) }
    };
    Ok(snapshots.chain(holders).map(obstacle).collect())
}
