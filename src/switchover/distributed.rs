//! The exchange of tables that Citus distributes. It has no triggers to record writes: what has
//! been written is what differs from a copy of the table, which the workers compare while writers
//! wait. Readers wait only for the renames.
//!
//! The copy of the live table was made with staging. A copy of the incoming table is made before
//! the lock, and gets the same writes as that table; it is there for the exchange back.

mod plan;
mod volley;

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use uuid::Uuid;

use self::plan::{Plan, back_of, changed_of, limit};
use self::volley::{Exchanged, run};
use super::gate;
use super::journal::Toward;
use super::keep::{Keep, Written};
use super::obstacle::Obstacle;
use super::obstacles::{self, Foreseen};
use super::options::SwitchoverOptions;
use super::record::{self, SwitchoverRecord, SwitchoverState};
use super::report::{SwitchoverReport, report_of};
use super::run::{Backend, Work, milliseconds};
use super::swap::{Recording, Swap};
use super::{Exchange, dependents, finish};
use crate::error::{Error, Kind, Result};
use crate::pg::{ConnInfo, Connection, Session, Table, Volley, catalog::relation, fill, is_lost};
use crate::table::locks::{self, LockLimits, Patience};
use crate::table::staging::Pair;
use crate::table::{distributed, fingerprint, staging};

/// Where to connect, with which options, and when to stop.
type Asked<'a> = (&'a ConnInfo, &'a SwitchoverOptions, &'a AtomicBool);

/// What to do after an exchange that failed.
const UNCHANGED: &str = "nothing was changed; run the same command again";

/// Puts the staging table in the live table's place.
///
/// # Errors
/// As [`super::switch_over`].
pub(super) async fn switch_over(
    (info, options, stop): Asked<'_>,
    session: Connection,
    pair: Pair,
) -> Result<SwitchoverReport> {
    let begun = Instant::now();
    let (last, found) =
        futures::join!(record::last(&session, &pair.table), staging::find(&session, &pair));
    let (last, found) = (last?, found?);
    if let (Some(last), None) = (&last, &found)
        && last.state == SwitchoverState::Switched
        && last.new == pair.table_oid
        && (last.run == options.run || !last.to_validate.is_empty())
    {
        let exchange = Exchange::forwards(pair.table, last.old, last.new);
        return completed(&session, &exchange, last, begun).await;
    }
    let Some(found) = found else {
        return Err(gate::no_staging(&pair, last.as_ref()));
    };
    let exchange = Exchange::forwards(pair.table.clone(), pair.table_oid, found.oid);
    let (supported, loaded, old, expected) = futures::join!(
        refuse_distributed(&session, &pair.table, pair.table_oid),
        gate::refuse_unloaded(&session, &pair, found.oid),
        gate::previous_old_table(&session, &exchange, last.as_ref()),
        gate::refuse_drift(&session, &exchange),
    );
    supported?;
    loaded?;
    if old?.is_some() {
        let old = exchange.leaving_table()?;
        return Err(Error::refused(format!("{old}, which the last switchover replaced, is kept"))
            .hint("nothing was changed; drop it with `sterna cleanup --older-than 0s`, then try again"));
    }
    let (expected, id) = (expected?, Uuid::new_v4());
    let wanted = expected.clone();
    let recording = Recording::Switched { id, run: options.run, cleans: None };
    let due = Vec::new();
    let work = Work { info, options, stop, exchange, expected, wanted, recording, id, due };
    exchange_by(&work, session, &pair, Toward::Staging, begun).await
}

/// Puts the old table back in its place, with all writes since.
///
/// # Errors
/// As [`super::roll_back`].
pub(super) async fn roll_back(
    (info, options, stop): Asked<'_>,
    session: Connection,
    pair: Pair,
) -> Result<SwitchoverReport> {
    let begun = Instant::now();
    let last = switched_by(&session, &pair, options).await?;
    if last.state == SwitchoverState::Returned && last.old == pair.table_oid {
        let exchange = Exchange::backwards(pair.table, last.new, last.old);
        return completed(&session, &exchange, &last, begun).await;
    }
    let exchange = Exchange::backwards(pair.table.clone(), pair.table_oid, last.old);
    obstacles::refuse(&pair.table, &find(&session, &exchange, &pair, &last, options).await?.0)?;
    // Left to do by a killed switchover.
    finish::finish_with(&session, &last.to_validate).await?;
    let expected = fingerprint::take_beside(&session, exchange.live, &[exchange.incoming]).await?;
    let wanted = expected.clone();
    let (id, recording) = (last.id, Recording::Returned { id: last.id });
    let due = Vec::new();
    let work = Work { info, options, stop, exchange, expected, wanted, recording, id, due };
    exchange_by(&work, session, &pair, Toward::Old, begun).await
}

/// What a rollback would find and do. Changes nothing.
///
/// # Errors
/// As [`super::foresee`].
pub(super) async fn foresee(
    options: &SwitchoverOptions,
    session: Connection,
    pair: Pair,
) -> Result<Foreseen> {
    let last = switched_by(&session, &pair, options).await?;
    let exchange = Exchange::backwards(pair.table.clone(), pair.table_oid, last.old);
    let (mut obstacles, plan) = find(&session, &exchange, &pair, &last, options).await?;
    let mut written = Written::default();
    if let Some(plan) = plan {
        written = plan.written(&session).await?;
        obstacles.extend(obstacles::passing(&session, &exchange).await?);
    }
    session.close().await?;
    Ok(Foreseen {
        table: pair.table.to_string(),
        obstacles,
        written,
        keep: options.keep,
        kept_rows: written.kept(Keep::All),
        left_rows: 0,
    })
}

/// Whether there is a copy of the live table from when it took another one's place.
///
/// # Errors
/// If the catalog cannot be read.
pub(crate) async fn has_way_back(session: &Connection, live: u32) -> Result<bool> {
    Ok(relation(session, &back_of(live)?).await?.is_some())
}

/// Drops what was made to find writes to a live table that Citus distributes, because its staging
/// table is about to be dropped.
///
/// # Errors
/// The server's errors.
pub async fn forget(session: &Session, pair: &Pair, staging: u32) -> Result<()> {
    let oid = pair.table_oid;
    for table in [distributed::base_of(oid)?, changed_of(oid)?, back_of(staging)?] {
        distributed::drop_copy(session, &table).await?;
    }
    Ok(())
}

/// Drops the table that a switchover replaced, and the copy for the way back.
///
/// # Errors
/// As [`super::cleanup`].
pub(super) async fn clean_up(
    session: &mut Connection,
    exchange: &Exchange,
    last: &SwitchoverRecord,
    patience: Patience,
    stop: &AtomicBool,
) -> Result<()> {
    finish::finish_with(session, &last.to_validate).await?;
    let (old, back) = (exchange.incoming_table()?, back_of(last.new)?);
    let is_there = relation(session, &old).await?.is_some_and(|found| found.oid == last.old);
    let drop = include_str!("../../sql/distribution/copy-drop.sql");
    let work = async |session: &mut Connection, limits: LockLimits| {
        let mut volley = Volley::default();
        limit(&mut volley, limits.lock_ms, 0);
        if is_there {
            super::cleanup::drop_locked(&mut volley, &old, last.old);
        }
        volley.add(fill(drop, &[("copy", &back)]));
        let cleaned = include_str!("../../sql/switchover/record-cleaned.sql");
        volley.query(cleaned, vec![Box::new(last.id)]);
        locks::send(session, &volley).await
    };
    locks::with_retries(session, patience, &[last.old], stop, work).await?;
    Ok(())
}

async fn switched_by(
    session: &Session,
    pair: &Pair,
    options: &SwitchoverOptions,
) -> Result<SwitchoverRecord> {
    let last = record::of_run(session, &pair.table, options.run).await?;
    last.ok_or_else(|| {
        Error::refused(format!("the run {} has not switched {} over", options.run, pair.table))
            .hint("there is nothing to roll back")
    })
}

/// Refuses a distributed table that cannot be replaced.
///
/// # Errors
/// The refusal, with every reason.
pub(crate) async fn refuse_distributed(session: &Session, table: &Table, oid: u32) -> Result<()> {
    gate::refuse_unsupported(session, table, oid).await?;
    let sql = include_str!("../../sql/switchover/distributed/unsupported.sql");
    let (rows, dependents) =
        futures::join!(session.query(sql, &[&oid]), dependents::find(session, oid, &[]),);
    let mut reasons: Vec<String> = rows?.iter().map(|row| row.get(0)).collect();
    let others = dependents?.other_than_views();
    reasons.extend(others.iter().map(|what| format!("{what} depends on it")));
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{table} is distributed by Citus and cannot be replaced: {}",
        reasons.join("; ")
    ))
    .hint("nothing was changed; alter or drop what is named, and restore it after the switchover"))
}

/// Finds what is in the way of a rollback, and plans it if nothing is.
async fn find(
    session: &Connection,
    exchange: &Exchange,
    pair: &Pair,
    last: &SwitchoverRecord,
    options: &SwitchoverOptions,
) -> Result<(Vec<Obstacle>, Option<Plan>)> {
    let (table, mut found) = (&exchange.table, Vec::new());
    let refused = |kind, result: Result<()>| match result {
        Err(error) if error.kind() == Kind::Unsafe => Ok(Some(Obstacle::of(kind, table, &error))),
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    };
    let there = gate::refuse_no_old_table(session, exchange, last).await;
    if let Some(obstacle) = refused("old table", there)? {
        return Ok((vec![obstacle], None));
    }
    let staging = exchange.leaving_table()?;
    if relation(session, &staging).await?.is_some() {
        let detail = "it has the name that the new table gets back; `sterna stage drop` removes it";
        found.push(Obstacle::new("name", &staging, detail));
    }
    if options.keep != Keep::All || options.leave_additions {
        let detail = "a rollback of a distributed table takes all writes along, and leaves nothing \
                      behind: give neither --keep nor --leave-additions";
        found.push(Obstacle::new("option", table, detail));
    }
    let supported = refuse_distributed(session, table, pair.table_oid).await;
    found.extend(refused("dependent", supported)?);
    let mut planned = None;
    let plan = Plan::write(session, exchange, Toward::Old).await;
    found.extend(refused("difference", plan.map(|plan| planned = Some(plan)))?);
    Ok((found, planned))
}

/// Prepares an exchange, makes it, and does what could wait until after it.
async fn exchange_by(
    work: &Work<'_>,
    mut session: Connection,
    pair: &Pair,
    toward: Toward,
    begun: Instant,
) -> Result<SwitchoverReport> {
    let Work { exchange, options, stop, .. } = work;
    let counted = gate::count_rows(&mut session, exchange, toward, false).await?;
    let plan = Plan::write(&session, exchange, toward).await?;
    let patience = Patience::new(options.max_wait);
    plan.prepare(&mut session, exchange, &pair.distribution, (patience, stop)).await?;
    let compared = plan.compare(&session).await?;
    tracing::info!(
        "writers will wait for about {:.1} s, while the rows are compared with their copy",
        compared.as_secs_f64()
    );
    let (script, journaled, recording) = (&plan.script, false, work.recording);
    let (expected, wanted) = (&work.expected, &work.wanted);
    let swap = Swap { exchange, script, expected, wanted, journaled, toward, recording };
    let attempt = async |session: &mut Connection, limits: LockLimits| {
        let Exchange { live, incoming, .. } = *exchange;
        gate::wait_for_snapshots(session, incoming, live, options.max_wait, stop).await?;
        run(&swap, &plan, session, (limits, compared), (counted, work.id)).await
    };
    let backend = Backend::of(&session).await?;
    let relations = &script.relations;
    let tried = locks::with_retries(&mut session, patience, relations, stop, attempt).await;
    let mut report = work.report()?;
    match tried {
        Ok(tried) => {
            let Exchanged { readers, writers, rows, carried } = tried.value;
            report.attempts = tried.attempts;
            report.locked_ms = milliseconds(readers);
            report.writers_locked_ms = milliseconds(writers);
            report.writers_waited_ms = milliseconds(writers.saturating_sub(readers));
            (report.rows, report.replayed_rows) = (rows, carried);
        }
        // Citus reports a lost session of a worker as the server reports one of its own.
        Err(error) if is_lost(&error) && Backend::of(&session).await.is_ok() => {
            return Err(error.hint(UNCHANGED));
        }
        Err(error) if is_lost(&error) => {
            let not = "the tables were not exchanged; run the command again";
            let (again, record) = work.after_loss(error, &backend, not).await?;
            session = again;
            (report.rows, report.replayed_rows) = (record.rows, record.carried());
        }
        Err(error) if error.kind() == Kind::Database && error.next_step().is_none() => {
            return Err(error.hint(UNCHANGED));
        }
        Err(error) => return Err(error),
    }
    report.kept_rows = report.replayed_rows;
    end(&session, exchange, work.id, &script.finish, wanted, &mut report).await?;
    let _closed = session.close().await;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// Finishes what an earlier command has left to do after an exchange.
async fn completed(
    session: &Connection,
    exchange: &Exchange,
    last: &SwitchoverRecord,
    begun: Instant,
) -> Result<SwitchoverReport> {
    let mut report = report_of(exchange, last)?;
    let wanted = &last.fingerprint;
    end(session, exchange, last.id, &last.to_validate, wanted, &mut report).await?;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// Drops what is no longer needed after an exchange, and compares the catalog once more.
async fn end(
    session: &Connection,
    exchange: &Exchange,
    id: Uuid,
    statements: &[String],
    wanted: &fingerprint::Fingerprint,
    report: &mut SwitchoverReport,
) -> Result<()> {
    finish::finish_with(session, statements).await?;
    session.execute(include_str!("../../sql/switchover/record-validated.sql"), &[&id]).await?;
    let now = fingerprint::take_beside(session, exchange.incoming, &[exchange.live]).await?;
    report.parity_differences = wanted.differences(&now);
    Ok(())
}
