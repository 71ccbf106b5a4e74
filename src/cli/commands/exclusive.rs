//! The lock of a run: held by one session from beginning to end, which also writes the
//! ledger. So who has lost the lock cannot record another step, nor begin it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Context, driven_runtime};
use crate::error::{Error, Kind, Result};
use crate::ledger;
use crate::migrate::ledger::{NewRun, RunKind};
use crate::migrate::{Ended, Outcome, Records, Run, RunState, Step, StepState, ledger as runs};
use crate::pg::{ConnInfo, Connection, connect};
use crate::table::staging::{self, Pair};
use crate::watch::Watch;

/// How often the session is asked whether it is still there, and how long it may take
/// to answer.
const ASK_EVERY: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// The right to work on a table, alone.
pub(super) struct Exclusive {
    pub(super) runtime: Runtime,
    pub(super) info: ConnInfo,
    pub(super) pair: Pair,
    session: Arc<Connection>,
    /// Why it was lost, once that is known.
    lost: Arc<OnceLock<String>>,
    keeper: JoinHandle<()>,
}

impl Exclusive {
    /// Takes the lock. Where its session is lost later, `watch` is told to stop.
    pub(super) fn take(context: &Context, watch: &Arc<Watch>) -> Result<Self> {
        // A thread drives the session while steps block this one.
        let runtime = driven_runtime()?;
        let info = context.conninfo()?;
        let (session, pair) = runtime.block_on(async {
            let (mut session, pair) = context.session(&info).await?;
            ledger::lock(&session, &pair.table).await?;
            ledger::wait_for_work(&session, &pair.table).await?;
            // Another table may have borne the name until then.
            let pair = staging::pair(&mut session, &pair.table).await?;
            Ok::<_, Error>((Arc::new(session), pair))
        })?;
        let lost = Arc::new(OnceLock::new());
        let kept = keep(Arc::clone(&session), Arc::clone(&lost), Arc::clone(watch));
        let keeper = runtime.spawn(kept);
        Ok(Exclusive { runtime, info, pair, session, lost, keeper })
    }

    /// Asks the session that holds the lock, or has it write.
    pub(super) fn ledger<T>(&self, work: impl AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.runtime.block_on(work(&self.session)).map_err(|error| self.explain(error))
    }

    /// Works in a session of its own.
    pub(super) fn session<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection, &Pair) -> Result<T>,
    ) -> Result<T> {
        self.runtime.block_on(async {
            let mut session = connect(&self.info).await?;
            let pair = staging::pair(&mut session, &self.pair.table).await?;
            let done = work(&mut session, &pair).await;
            let closed = session.close().await;
            done.and_then(|done| closed.map(|()| done))
        })
    }

    /// As [`Exclusive::session`], while nothing is loaded either.
    pub(super) fn session_alone<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection, &Pair) -> Result<T>,
    ) -> Result<T> {
        self.session(async |session, pair| {
            ledger::lock(session, &pair.staging).await?;
            let done = work(session, pair).await;
            // The end of the session frees the lock as well, a moment later.
            let _freed = ledger::unlock(session, &pair.staging).await;
            done
        })
    }

    /// A failure that comes of the lost lock says so.
    pub(super) fn explain(&self, error: Error) -> Error {
        let why = self.lost.get();
        let lost = why.is_some() || self.session.is_closed();
        // What was found out before that stands.
        if !lost || !matches!(error.kind(), Kind::Database | Kind::Interrupted) {
            return error;
        }
        let hint = error.next_step().map_or_else(
            || "nothing else was begun; the same command goes on when the server is there".into(),
            str::to_owned,
        );
        let what = format!("the session that holds the lock on {} was lost", self.pair.table);
        let lost = Error::database(why.map_or(what.clone(), |why| format!("{what}: {why}")));
        match error.kind() {
            // By the one that noticed.
            Kind::Interrupted if why.is_some() => lost.hint(hint),
            _ => lost.caused_by(error).hint(hint),
        }
    }

    /// Records that a step of the unfinished run, if it was done, is undone.
    pub(super) fn undone(&self, step: Step) -> Result<()> {
        let Some(run) = last_run(self)?.filter(|run| run.state.is_unfinished()) else {
            return Ok(());
        };
        match run.step(step) {
            Some(record) if record.state == StepState::Done => self.ledger(async |session| {
                runs::mark_step(session, run.run_id, step, StepState::Undone).await
            }),
            _ => Ok(()),
        }
    }

    /// Gives the lock back, so that the next command finds it free, and says goodbye, so
    /// that the server does not count the session among those that failed.
    pub(super) fn release(self) {
        let Exclusive { runtime, session, pair, keeper, .. } = self;
        runtime.block_on(async {
            keeper.abort();
            let _aborted = keeper.await;
            // Where the session is lost, so is the lock.
            let _freed = ledger::unlock(&session, &pair.table).await;
            if let Some(session) = Arc::into_inner(session) {
                let _closed = session.close().await;
            }
        });
    }
}

/// Notices when the session is lost.
async fn keep(session: Arc<Connection>, lost: Arc<OnceLock<String>>, watch: Arc<Watch>) {
    let sql = include_str!("../../../sql/migrate/holds-lock.sql");
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        let asked = tokio::time::timeout(ANSWER_WITHIN, session.query_one(sql, &[])).await;
        let why = match asked {
            Ok(Ok(row)) if row.get(0) => continue,
            Ok(Ok(_)) => "it does not hold it any more".to_owned(),
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
pub(super) struct InLedger<'a> {
    pub(super) exclusive: &'a Exclusive,
    pub(super) run: Uuid,
    pub(super) arguments: &'a Value,
}

impl Records for InLedger<'_> {
    fn begin(&mut self, step: Step) -> Result<()> {
        let (run, arguments) = (self.run, self.arguments);
        self.exclusive.ledger(async |s| runs::begin_step(s, run, step, arguments).await)
    }

    fn end(&mut self, step: Step, ended: &Ended<'_>) -> Result<()> {
        let run = self.run;
        self.exclusive.ledger(async |s| runs::end_step(s, run, step, ended).await)
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

/// What a command does as a step of the plan.
pub(super) struct AsStep<'a, T> {
    /// Which step.
    pub(super) step: Step,
    /// What was asked for, without secrets.
    pub(super) arguments: Value,
    /// What the ledger is told of what was done.
    pub(super) told: fn(&T) -> Result<Outcome>,
    /// Set where the command is to end early.
    pub(super) watch: &'a Arc<Watch>,
}

impl Context {
    /// Does a step of the plan by a command of its own: while no other sterna works on
    /// the table, and recorded in the ledger, under the unfinished run of the plan
    /// where there is one. `work` is told which run it is part of.
    pub(super) fn as_step<T>(
        &self,
        what: &AsStep<'_, T>,
        work: impl FnOnce(&Exclusive, Uuid) -> Result<T>,
    ) -> Result<T> {
        let exclusive = Exclusive::take(self, what.watch)?;
        let (run, own) = attach(&exclusive, what.step, &what.arguments)?;
        InLedger { exclusive: &exclusive, run, arguments: &what.arguments }.begin(what.step)?;
        let begun = Instant::now();
        let done = work(&exclusive, run).map_err(|error| exclusive.explain(error));
        let seconds = begun.elapsed().as_secs_f64();
        let written = written(&exclusive, what, (run, own), done.as_ref(), seconds);
        exclusive.release();
        match (done, written) {
            (Ok(done), Err(unwritten)) => {
                tracing::warn!("it is done, but the ledger was not told: {unwritten}");
                Ok(done)
            }
            (done, _) => done,
        }
    }

    /// Records afterwards what was done without the lock.
    pub(super) fn was_step<T>(&self, what: &AsStep<'_, T>, done: &T, seconds: f64) -> Result<()> {
        let exclusive = Exclusive::take(self, what.watch)?;
        let (run, own) = attach(&exclusive, what.step, &what.arguments)?;
        InLedger { exclusive: &exclusive, run, arguments: &what.arguments }.begin(what.step)?;
        let written = written(&exclusive, what, (run, own), Ok(done), seconds);
        exclusive.release();
        written
    }
}

/// Records what came of a command's step, and of its run where that is its own.
fn written<T>(
    exclusive: &Exclusive,
    what: &AsStep<'_, T>,
    (run, own): (Uuid, bool),
    done: Result<&T, &Error>,
    seconds: f64,
) -> Result<()> {
    let told = done.map_or_else(|_| Ok(Outcome::default()), what.told)?;
    let error = done.err().or(told.failures.first()).map(ToString::to_string);
    let (state, ended) = match done {
        Err(error) if error.kind() == Kind::Unsafe => (StepState::Refused, RunState::Failed),
        _ if error.is_some() => (StepState::Failed, RunState::Failed),
        _ => (StepState::Done, RunState::Finished),
    };
    let deviations = told.deviations.clone();
    let how = Ended { state, outcome: &told, seconds, error, deviations };
    let mut records = InLedger { exclusive, run, arguments: &what.arguments };
    for deviation in &told.deviations {
        records.deviate(&format!("{}: {deviation}", what.step))?;
    }
    records.end(what.step, &how)?;
    match own {
        true => exclusive.ledger(async |s| runs::settle(s, run, ended).await),
        false => Ok(()),
    }
}

/// The unfinished run of the plan, or one of the command's own: that of its earlier
/// attempt, where that was killed. Cleaning up belongs to the run that is finished.
fn attach(exclusive: &Exclusive, step: Step, arguments: &Value) -> Result<(Uuid, bool)> {
    let belongs = |run: &Run| match step {
        Step::CleanUp => run.state == RunState::Finished,
        _ => run.state.is_unfinished(),
    };
    if let Some(run) = last_run(exclusive)?.filter(belongs) {
        return Ok((run.run_id, false));
    }
    let table = &exclusive.pair.table;
    let killed =
        exclusive.ledger(async |session| runs::killed_command(session, table, step).await)?;
    if let Some(run) = killed {
        return Ok((run, true));
    }
    let id = Uuid::new_v4();
    let Pair { table, table_oid, .. } = &exclusive.pair;
    exclusive.ledger(async |session| {
        let (kind, identity) = (RunKind::Command, &Value::Null);
        let run = NewRun { id, kind, table, target: *table_oid, arguments, identity };
        runs::begin(session, &run).await
    })?;
    Ok((id, true))
}

/// The latest run of the plan.
pub(super) fn last_run(exclusive: &Exclusive) -> Result<Option<Run>> {
    exclusive.ledger(async |session| runs::last(session, &exclusive.pair.table).await)
}

/// A report as the ledger keeps it.
pub(super) fn json(report: &impl Serialize) -> Result<Value> {
    serde_json::to_value(report).map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))
}
