//! The lock of a run. One session holds it from beginning to end and also writes the
//! ledger, so a process that has lost the lock can neither begin nor record another step.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::ledger::{self as runs, Latest};
use super::plan::Step;
use super::records::{Ended, Records};
use super::state::{Run, StepState};
use crate::error::{Error, Kind, Result};
use crate::ledger;
use crate::pg::{ConnInfo, Connection, Table, catalog, connect_for};
use crate::runtime;
use crate::table::partition::Takes;
use crate::table::staging::{self, Pair};
use crate::watch::Watch;

/// How often the session is checked, and how long it may take to answer.
const ASK_EVERY: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// The lock on a table: no other sterna works on it.
pub(crate) struct Exclusive {
    pub(crate) runtime: Runtime,
    pub(crate) info: ConnInfo,
    pub(crate) pair: Pair,
    /// The kinds of table that its sessions take.
    takes: Takes,
    /// What was on record when the lock was taken.
    pub(crate) last: Latest,
    session: Arc<Connection>,
    /// Why the lock was lost, once that is known.
    lost: Arc<OnceLock<String>>,
    keeper: JoinHandle<()>,
}

impl Exclusive {
    /// Takes the lock on such a table. If its session is lost later, `watch.stop` is set. Opens
    /// this many sessions for the work to come at the same time.
    ///
    /// # Errors
    /// Refused if another sterna holds the lock; otherwise as [`connect_for`] and [`staging::pair`].
    pub(crate) fn take(
        info: &ConnInfo,
        table: &Table,
        takes: Takes,
        watch: &Arc<Watch>,
        sessions: usize,
    ) -> Result<Self> {
        // A driver thread runs spawned tasks while steps block this one.
        let runtime = runtime::driven()?;
        // Steps use the sessions of earlier ones.
        let keeping = info.keeping_sessions(runtime.handle().clone());
        let locked = runtime.block_on(async {
            let opened = connect_for(info, "lock of the run").await?.leave_home();
            keeping.open_ahead(sessions);
            let locked = lock(opened, table, takes).await;
            if locked.is_err() {
                keeping.close_kept().await;
            }
            locked
        });
        let (session, pair, last) = locked?;
        // This session, which keeps others from upgrading the ledger, outlives theirs.
        keeping.note(&pair.table, pair.table_oid);
        let lost = Arc::new(OnceLock::new());
        let kept = keep(Arc::clone(&session), Arc::clone(&lost), Arc::clone(watch));
        let keeper = runtime.spawn(kept);
        Ok(Exclusive { runtime, info: keeping, pair, takes, last, session, lost, keeper })
    }

    /// Reads or writes through the session that holds the lock.
    pub(crate) fn ledger<T>(&self, work: impl AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.runtime.block_on(work(&self.session)).map_err(|error| self.explain(error))
    }

    /// Runs `work` in a new session.
    pub(crate) fn session<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection, &Pair) -> Result<T>,
    ) -> Result<T> {
        self.runtime.block_on(async {
            let mut session = connect_for(&self.info, "step").await?;
            let pair = staging::pair_of(&mut session, &self.pair.table, self.takes).await?;
            let done = work(&mut session, &pair).await;
            let closed = session.close().await;
            done.and_then(|done| closed.map(|()| done))
        })
    }

    /// Like [`Exclusive::session`], but also locks staging, so that nothing is loaded
    /// meanwhile.
    pub(crate) fn session_alone<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection, &Pair) -> Result<T>,
    ) -> Result<T> {
        self.session(async |session, pair| {
            ledger::lock(session, &pair.staging).await?;
            let done = work(session, pair).await;
            // The end of the session would free the lock as well, a moment later.
            let _freed = ledger::unlock(session, &pair.staging).await;
            done
        })
    }

    /// Adds the loss of the lock to an error that came from it.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let why = self.lost.get();
        let lost = why.is_some() || self.session.is_closed();
        // Other kinds, such as a failed validation, do not come from a lost session.
        if !lost || !matches!(error.kind(), Kind::Database | Kind::Interrupted) {
            return error;
        }
        let hint = error.next_step().map_or_else(
            || "nothing else was begun; when the server is back, run the same command, `sterna migrate` \
                 with --resume".into(),
            str::to_owned,
        );
        let what = format!("the session that holds the lock on {} was lost", self.pair.table);
        let lost = Error::database(why.map_or(what.clone(), |why| format!("{what}: {why}")));
        match error.kind() {
            // Stopped by the task that noticed the loss.
            Kind::Interrupted if why.is_some() => lost.hint(hint),
            _ => lost.caused_by(error).hint(hint),
        }
    }

    /// Releases the lock, so that the next command finds it free, and closes the session
    /// properly, so that the server does not count it as failed.
    pub(crate) fn release(self) {
        self.release_after(async |_| ());
    }

    /// Releases the lock after last statements, which must be sent when they are first polled.
    pub(crate) fn release_after<T>(self, last: impl AsyncFnOnce(&Connection) -> T) -> T {
        let Exclusive { runtime, info, session, pair, keeper, .. } = self;
        runtime.block_on(async {
            keeper.abort();
            let _aborted = keeper.await;
            // If the session is lost, so is the lock.
            let (done, _freed, ()) = futures::join!(
                last(&session),
                ledger::unlock(&session, &pair.table),
                info.close_kept(),
            );
            if let Some(session) = Arc::into_inner(session) {
                let _closed = session.close().await;
            }
            done
        })
    }
}

/// Takes the lock, and reads what it protects.
async fn lock(
    mut session: Connection,
    table: &Table,
    takes: Takes,
) -> Result<(Arc<Connection>, Pair, Latest)> {
    let pair = staging::pair_of(&mut session, table, takes).await?;
    let read = async |session: &Connection| {
        futures::join!(catalog::relation(session, table), runs::latest(session, table))
    };
    let asked = async |session: &Connection| {
        futures::join!(ledger::is_worked_on(session, table), read(session))
    };
    let (is_worked_on, mut found) = ledger::lock_and_read(&session, table, asked).await?;
    // Until the lock was held and others were done, another table may have had the name.
    if is_worked_on? {
        ledger::wait_for_work(&session, table).await?;
        found = read(&session).await;
    }
    let pair = match found.0? {
        Some(now) if now.oid == pair.table_oid => pair,
        _ => staging::pair_of(&mut session, table, takes).await?,
    };
    Ok((Arc::new(session), pair, found.1?))
}

/// Stops the run when the session is lost.
async fn keep(session: Arc<Connection>, lost: Arc<OnceLock<String>>, watch: Arc<Watch>) {
    let sql = include_str!("../../sql/migrate/holds-lock.sql");
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        let asked = tokio::time::timeout(ANSWER_WITHIN, session.query_one(sql, &[])).await;
        let why = match asked {
            Ok(Ok(row)) if row.get(0) => continue,
            Ok(Ok(_)) => "it no longer holds the lock".to_owned(),
            Ok(Err(error)) => Error::from(error).to_string(),
            Err(_) => format!("no answer within {} s", ANSWER_WITHIN.as_secs()),
        };
        tracing::error!("stopping: the session that holds the lock was lost: {why}");
        let _first = lost.set(why);
        watch.stop.store(true, Ordering::Relaxed);
        return;
    }
}

/// The ledger of a run, written by the session that holds its lock.
pub(crate) struct InLedger<'a> {
    pub(crate) exclusive: &'a Exclusive,
    pub(crate) run: Uuid,
    pub(crate) arguments: &'a Value,
}

impl Records for InLedger<'_> {
    fn begin(&mut self, step: Step) -> Result<()> {
        let (run, arguments) = (self.run, self.arguments);
        self.exclusive.ledger(async |s| runs::begin_step(s, run, step, arguments).await)
    }

    fn end(&mut self, step: Step, ended: &Ended<'_>) -> Result<()> {
        let run = self.run;
        self.exclusive.ledger(async |s| runs::end_step(s, run, step, ended, None).await)
    }

    fn mark(&mut self, step: Step, state: StepState) -> Result<()> {
        let run = self.run;
        self.exclusive.ledger(async |s| runs::mark_step(s, run, step, state).await)
    }

    fn deviate(&mut self, what: &str) -> Result<()> {
        let run = self.run;
        self.exclusive.ledger(async |s| runs::deviate(s, run, what).await)
    }
}

/// The latest migration of the table.
pub(crate) fn last_run(exclusive: &Exclusive) -> Result<Option<Run>> {
    exclusive.ledger(async |session| runs::find(session, &exclusive.pair.table, None).await)
}
