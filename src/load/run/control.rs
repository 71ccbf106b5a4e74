//! The control session of a load, which holds its lock and writes to the ledger; it is
//! replaced if it is lost.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::load::attach::{Attached, attach};
use crate::load::ledger::{self, BatchRows, Batches, LoadState};
use crate::load::plan::options::LoadOptions;
use crate::load::plan::prepare::{Prepared, prepare};
use crate::load::report::RowsReport;
use crate::load::rows::PATIENCE;
use crate::load::run::Load;
use crate::pg::{Backoff, Connection, Fault, Watched, classify, connect_for, interruptible_by};
use crate::table::partition::Takes;
use crate::table::staging::{self, Pair};
use crate::watch::Watch;

/// Takes the lock, prepares the load, and records its run. Also returns the backend pid of
/// the session that holds the lock.
pub(super) async fn begin(
    session: &mut Connection,
    options: &LoadOptions,
    watch: &Watch,
) -> Result<(Pair, Prepared, Attached, Cell<i32>)> {
    let cancel = session.cancel_token();
    // Boxed because it is large; awaited only once.
    let begin = Box::pin(async {
        let pair = staging::pair_of(session, &options.table, Takes::Shards).await?;
        let locked_by = crate::ledger::lock_staging(session, &pair.staging, &pair.table).await?;
        let prepared = prepare(session, &pair, options, &watch.stop).await?;
        let attached = attach(session, &pair, options, &prepared, &watch.stop).await?;
        Ok((pair, prepared, attached, Cell::new(locked_by)))
    });
    interruptible_by(&cancel, &watch.stop, begin).await
}

impl Load<'_> {
    pub(super) fn batches(&self, control: &mut Connection) -> Result<Batches> {
        let run = self.attached.run.id;
        self.with_control(control, async |session| ledger::batches(session, run).await)
    }

    pub(super) fn rows_of_batches(&self, control: &mut Connection) -> Result<Vec<BatchRows>> {
        let run = self.attached.run.id;
        self.with_control(control, async |session| ledger::rows_of_batches(session, run).await)
    }

    pub(super) fn settle(
        &self,
        control: &mut Connection,
        state: LoadState,
        rows: Option<(&RowsReport, u64)>,
    ) -> Result<()> {
        let run = self.attached.run.id;
        self.with_control(control, async |session| ledger::settle(session, run, state, rows).await)
    }

    /// Opens a new control session with the lock, as soon as the server is available.
    async fn control_again(&self) -> Result<Connection> {
        let (first, longest) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut pauses = Backoff::new(first, longest, PATIENCE, 0);
        loop {
            let error = match self.open_control().await {
                Ok(session) => return Ok(session),
                Err(error) if classify(&error) != Fault::Transient => return Err(error),
                Err(error) => error,
            };
            if self.watch.stop.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, "interrupted"));
            }
            let Some(pause) = pauses.next() else { return Err(error) };
            tokio::time::sleep(pause).await;
        }
    }

    async fn open_control(&self) -> Result<Connection> {
        // Not a kept session, which may be lost as well.
        let mut session = connect_for(&self.info.for_own_sessions(), "load").await?;
        staging::pair_of(&mut session, &self.pair.table, Takes::Shards).await?;
        let (staging, lost) = (&self.pair.staging, self.locked_by.get());
        self.locked_by.set(crate::ledger::lock_again(&session, staging, lost).await?);
        Ok(session)
    }

    /// Runs `work` on the session that holds the lock. If that session is lost, opens a new one,
    /// takes the lock again, and runs `work` once more.
    pub(super) fn with_control<T>(
        &self,
        control: &mut Connection,
        work: impl AsyncFn(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        self.runtime.block_on(async {
            let watched = Watched {
                info: self.info,
                pid: self.locked_by.get(),
                carried: control.carried(),
                limit: self.options.stall_timeout,
            };
            let (error, is_stalled) = match watched.unless_stalled(work(control)).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) if classify(&error) != Fault::Transient => return Err(error),
                Ok(Err(error)) => (error, false),
                Err(error) => (error, true),
            };
            // A server that ends a session reports it before it closes the connection: only
            // using the session shows whether it is gone.
            if !is_stalled && control.batch_execute("").await.is_ok() {
                return Err(error);
            }
            tracing::warn!("the session that holds the lock was lost: {error}");
            *control = self.control_again().await?;
            work(control).await
        })
    }
}
