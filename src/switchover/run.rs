//! A switchover and its rollback from beginning to end: the preparations, the attempts to get
//! the locks, the exchange, and what can wait until after it.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::finish::{finish, finish_with, is_validation};
use super::gate::Counted;
use super::journal::{self, Toward};
use super::keep;
use super::obstacles;
use super::options::SwitchoverOptions;
use super::record::{self, SwitchoverRecord, SwitchoverState};
use super::report::{SwitchoverReport, report_of};
use super::swap::{Recording, Swap};
use super::{Exchange, distributed, gate, materialized, prepare, script};
use crate::error::{Error, Result};
use crate::pg::{Backoff, ConnInfo, Connection, Fault, Session, classify, connect_for, is_lost};
use crate::table::fingerprint::{self, Fingerprint};
use crate::table::locks::{self, LockLimits, Patience};
use crate::table::partition::Takes;
use crate::table::staging;

/// How many writes should be left at most to be carried over under the lock.
const FEW_WRITES: i64 = 100;

/// Limit of the passes that carry writes over before the lock: new writes may come as fast.
const MAX_PASSES: usize = 5;

/// How long to try to reconnect if the connection was lost at the commit or after it.
const RECONNECT: Duration = Duration::from_secs(60);

/// Puts the staging table in the live table's place.
///
/// # Errors
/// Refused if that is not safe, [`crate::error::Kind::LockTimeout`] if the locks could not be
/// had in time; in both cases production is unchanged.
pub async fn switch_over(
    info: &ConnInfo,
    options: &SwitchoverOptions,
    stop: &AtomicBool,
) -> Result<SwitchoverReport> {
    let begun = Instant::now();
    let mut session = connect_for(info, "switchover").await?;
    let pair = staging::pair_of(&mut session, &options.table, Takes::Shards).await?;
    if pair.distribution.is_elsewhere() {
        return distributed::switch_over((info, options, stop), session, pair).await;
    }
    let (last, found) =
        futures::join!(record::last(&session, &pair.table), staging::find(&session, &pair));
    let (last, found) = (last?, found?);
    if let (Some(last), None) = (&last, &found)
        && last.state == SwitchoverState::Switched
        && last.new == pair.table_oid
        // For another run's switchover, only if something is left to finish.
        && (last.run == options.run || !last.to_validate.is_empty())
    {
        let exchange = Exchange::forwards(pair.table, last.old, last.new);
        let mut report = report_of(&exchange, last)?;
        finish(&mut session, &exchange, last.id, &last.to_validate, &mut report, &last.fingerprint)
            .await?;
        report.seconds = begun.elapsed().as_secs_f64();
        return Ok(report);
    }
    let Some(found) = found else {
        return Err(gate::no_staging(&pair, last.as_ref()));
    };
    let exchange = Exchange::forwards(pair.table.clone(), pair.table_oid, found.oid);
    let (supported, loaded, previous, expected) = futures::join!(
        gate::refuse_unsupported(&session, &exchange.table, exchange.live),
        gate::refuse_unloaded(&session, &pair, found.oid),
        gate::previous_old_table(&session, &exchange, last.as_ref()),
        gate::refuse_drift(&session, &exchange),
    );
    supported?;
    loaded?;
    let (previous, expected) = (previous?, expected?);
    let id = Uuid::new_v4();
    let cleans = previous.map(|record| (record.id, record.old));
    let recording = Recording::Switched { id, run: options.run, cleans };
    let wanted = expected.clone();
    let due = Vec::new();
    let work = Work { info, options, stop, exchange, expected, wanted, recording, id, due };
    let (session, mut report) = work.run(session, Toward::Staging).await?;
    // The server counts abandoned sessions.
    let _closed = session.close().await;
    report.kept_rows = report.replayed_rows;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// Puts the old table back in its place, with the writes since that are to be kept.
///
/// # Errors
/// As [`switch_over`]; refused if there is no old table to return to.
pub async fn roll_back(
    info: &ConnInfo,
    options: &SwitchoverOptions,
    stop: &AtomicBool,
) -> Result<SwitchoverReport> {
    let begun = Instant::now();
    let mut session = connect_for(info, "rollback").await?;
    let pair = staging::pair_of(&mut session, &options.table, Takes::Shards).await?;
    if pair.distribution.is_elsewhere() {
        return distributed::roll_back((info, options, stop), session, pair).await;
    }
    let last = record::of_run(&session, &pair.table, options.run).await?;
    let last = last.ok_or_else(|| {
        Error::refused(format!("the run {} has not switched {} over", options.run, pair.table))
            .hint("there is nothing to roll back")
    })?;
    if last.state == SwitchoverState::Returned && last.old == pair.table_oid {
        let exchange = Exchange::backwards(pair.table, last.new, last.old);
        let mut report = report_of(&exchange, &last)?;
        finish(&mut session, &exchange, last.id, &last.to_validate, &mut report, &last.fingerprint)
            .await?;
        report.left(keep::left_behind(&session, last.id).await?);
        report.seconds = begun.elapsed().as_secs_f64();
        return Ok(report);
    }
    let mut exchange = Exchange::backwards(pair.table.clone(), pair.table_oid, last.old);
    exchange.leaves_additions = options.leave_additions;
    // Left to do by a killed switchover: foreign keys are validated now, because only valid ones
    // count; materialized views are computed after the rollback.
    let (keys, due): (Vec<_>, Vec<_>) =
        last.to_validate.iter().cloned().partition(|sql| is_validation(sql));
    finish_with(&session, &keys).await?;
    let siblings = [exchange.incoming];
    let (found, expected) = futures::join!(
        obstacles::find(&session, &exchange, &last, options),
        fingerprint::take_beside(&session, exchange.live, &siblings),
    );
    let (obstacles, written) = found?;
    obstacles::refuse(&pair.table, &obstacles)?;
    let written = written.unwrap_or_default();
    keep::announce(&written, options.keep);
    let expected = expected?;
    let wanted = match options.leave_additions {
        true => expected.without_additions_to(&last.fingerprint),
        false => expected.clone(),
    };
    let wanted = if due.is_empty() { wanted } else { wanted.populated_as(&last.fingerprint) };
    let transaction = session.transaction().await?;
    keep::settle(&transaction, &exchange, options.keep).await?;
    transaction.commit().await?;
    let recording = Recording::Returned { id: last.id };
    let id = last.id;
    let work = Work { info, options, stop, exchange, expected, wanted, recording, id, due };
    let (session, mut report) = work.run(session, Toward::Old).await?;
    report.kept_rows = written.kept(options.keep);
    report.left(keep::left_behind(&session, last.id).await?);
    let _closed = session.close().await;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// An exchange that is ready to begin.
pub(super) struct Work<'a> {
    pub(super) info: &'a ConnInfo,
    pub(super) options: &'a SwitchoverOptions,
    pub(super) stop: &'a AtomicBool,
    pub(super) exchange: Exchange,
    pub(super) expected: Fingerprint,
    pub(super) wanted: Fingerprint,
    pub(super) recording: Recording,
    /// The switchover that is made or rolled back.
    pub(super) id: Uuid,
    /// More statements to run after it.
    pub(super) due: Vec<String>,
}

impl Work<'_> {
    /// Returns the session as well, which may be another one than before.
    async fn run(
        &self,
        mut session: Connection,
        toward: Toward,
    ) -> Result<(Connection, SwitchoverReport)> {
        let Exchange { table, live, .. } = &self.exchange;
        let (journaled, foreign_keys) = futures::join!(
            journal::state(&session, *live, toward),
            prepare::foreign_keys(&session, &self.exchange),
        );
        let journaled = journaled?;
        if toward == Toward::Old && !journaled.is_some_and(|state| state.armed) {
            return Err(Error::refused(format!(
                "writes to {table} since the switchover were not recorded, and would be lost"
            ))
            .hint("its triggers are gone; restore the backup instead"));
        }
        let patience = Patience::new(self.options.max_wait);
        prepare::drop_keys(&mut session, &foreign_keys?, patience, self.stop).await?;
        let tables = prepare::prepare(&mut session, &self.exchange).await?;
        let mut script =
            script::write(&session, &self.exchange, &tables, self.options.refresh_after).await?;
        script.finish.extend(self.due.iter().cloned());
        materialized::refuse_slow(&session, &script.computed).await?;
        let keys_ms = milliseconds(script.references.measure(&session).await?);
        if keys_ms > 0.0 {
            tracing::info!(
                "validating the foreign keys of and to the partitioned table takes {keys_ms:.0} ms, \
                 while others wait"
            );
        }
        let swap = Swap {
            exchange: &self.exchange,
            script: &script,
            expected: &self.expected,
            wanted: &self.wanted,
            journaled: journaled.is_some(),
            toward,
            recording: self.recording,
        };
        let attempt = async |session: &mut Connection, limits: LockLimits| {
            let counted = self.ready(session, &swap).await?;
            swap.run(session, limits, counted).await
        };
        let relations = &script.relations;
        let plans = include_str!("../../sql/switchover/plans.sql");
        let (set, backend) = futures::join!(session.batch_execute(plans), Backend::of(&session));
        set?;
        let backend = backend?;
        let tried =
            locks::with_retries(&mut session, patience, relations, self.stop, attempt).await;
        let mut report = match tried {
            Ok(tried) => {
                let swapped = tried.value;
                let locked_ms = milliseconds(swapped.locked);
                SwitchoverReport {
                    attempts: tried.attempts,
                    locked_ms,
                    writers_locked_ms: locked_ms,
                    keys_ms,
                    rows: swapped.rows,
                    exceptions: swapped.exceptions,
                    replayed_rows: swapped.carried,
                    ..self.report()?
                }
            }
            Err(error) if is_lost(&error) => {
                let not = "the tables were not exchanged; run the command again";
                let (again, record) = self.after_loss(error, &backend, not).await?;
                session = again;
                let (rows, replayed_rows) = (record.rows, record.carried());
                SwitchoverReport {
                    rows,
                    replayed_rows,
                    exceptions: record.exceptions,
                    ..self.report()?
                }
            }
            Err(error) => return Err(error),
        };
        let (exchange, wanted) = (&self.exchange, &self.wanted);
        let finish = async |session: &mut Connection, report: &mut SwitchoverReport| {
            finish(session, exchange, self.id, &script.finish, report, wanted).await
        };
        match finish(&mut session, &mut report).await {
            Err(error) if is_lost(&error) => {
                let since =
                    "the tables were exchanged, and exchanged again since; see `sterna status`";
                (session, _) = self.after_loss(error, &backend, since).await?;
                finish(&mut session, &mut report).await?;
            }
            finished => finished?,
        }
        Ok((session, report))
    }

    /// Prepares the incoming table for the exchange as far as possible without a lock, and
    /// counts its rows.
    async fn ready(&self, session: &mut Connection, swap: &Swap<'_>) -> Result<Counted> {
        let Exchange { live, incoming, .. } = self.exchange;
        let toward = swap.toward;
        if swap.journaled {
            // New writes arrive during each pass.
            for _ in 0..MAX_PASSES {
                let pass = journal::carry_over(session, live, incoming, toward).await?;
                if pass.entries <= FEW_WRITES {
                    break;
                }
            }
        }
        let wait = self.options.max_wait;
        gate::wait_for_snapshots(session, incoming, live, wait, self.stop).await?;
        swap.script.references.settle(session, &self.exchange, toward).await?;
        gate::count_rows(session, &self.exchange, toward, swap.journaled).await
    }

    pub(super) fn report(&self) -> Result<SwitchoverReport> {
        Ok(SwitchoverReport {
            run_id: self.id.to_string(),
            table: self.exchange.table.to_string(),
            attempts: 1,
            locked_ms: 0.0,
            writers_waited_ms: 0.0,
            writers_locked_ms: 0.0,
            keys_ms: 0.0,
            rows: 0,
            parity_differences: Vec::new(),
            exceptions: Vec::new(),
            replayed_rows: 0,
            kept_rows: 0,
            left_rows: 0,
            left_in: None,
            obstacles: Vec::new(),
            validated_after: 0,
            left_as: self.exchange.leaving_table()?.to_string(),
            resumed: false,
            seconds: 0.0,
        })
    }

    /// Finds out whether an exchange stands after the session was lost. The server may still be
    /// working on it: the ledger has the answer only once that session is gone. If it does not
    /// stand, `otherwise` is the error's hint.
    pub(super) async fn after_loss(
        &self,
        error: Error,
        backend: &Backend,
        otherwise: &str,
    ) -> Result<(Connection, SwitchoverRecord)> {
        let (first, longest) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut pauses = Backoff::new(first, longest, RECONNECT, 0);
        loop {
            match self.look_again(backend).await {
                Ok(None) => {}
                Ok(Some((session, Some(record)))) => return Ok((session, record)),
                Ok(Some((_, None))) => return Err(error.hint(otherwise)),
                Err(again) if classify(&again) != Fault::Transient => return Err(again),
                Err(_) => {}
            }
            let Some(pause) = pauses.next() else {
                return Err(error.hint(
                    "the server cannot be reached; its ledger knows whether the tables were \
                     exchanged: run the command again, which looks there first",
                ));
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns `None` while the lost session is still there.
    async fn look_again(&self, backend: &Backend) -> Result<Option<Found>> {
        // Not a kept session, which may be lost as well.
        let mut session = connect_for(&self.info.for_own_sessions(), "end of the exchange").await?;
        let at_work = include_str!("../../sql/switchover/backend-at-work.sql");
        if session.query_one(at_work, &[&backend.pid, &backend.started]).await?.get(0) {
            return Ok(None);
        }
        staging::pair_of(&mut session, &self.exchange.table, Takes::Shards).await?;
        let wanted = match self.recording {
            Recording::Switched { .. } => SwitchoverState::Switched,
            Recording::Returned { .. } => SwitchoverState::Returned,
        };
        let last = record::last(&session, &self.exchange.table).await?;
        let happened = last.filter(|record| record.id == self.id && record.state == wanted);
        Ok(Some((session, happened)))
    }
}

/// A new session, and the ledger's record of the exchange if it happened.
type Found = (Connection, Option<SwitchoverRecord>);

/// Finds the backend that an exchange runs in.
const BACKEND: &str = include_str!("../../sql/switchover/backend.sql");

/// Identifies a session, even against a later one with the same PID.
pub(super) struct Backend {
    pid: i32,
    /// Seconds since 1970, as decimal text.
    started: String,
}

impl Backend {
    /// The backend of a session.
    pub(super) async fn of(session: &Session) -> Result<Self> {
        let row = session.query_one(BACKEND, &[]).await?;
        Ok(Backend { pid: row.get(0), started: row.get(1) })
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
