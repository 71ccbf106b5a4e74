//! Locks on tables that others use: waited for briefly, given up, and tried again, so
//! that nobody waits long behind the waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::{GenericClient, Transaction};

use crate::error::{Error, Kind, Result};
use crate::pg::{Backoff, Connection};

/// What may succeed when it is tried again: no lock in time, a deadlock, a statement
/// that took too long under the lock.
const RETRYABLE: [&str; 3] = ["55P03", "40P01", "57014"];
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Whether what failed may succeed when it is tried again.
pub(super) fn may_succeed(error: &Error) -> bool {
    error.sqlstate().is_some_and(|code| RETRYABLE.contains(&code))
}

/// How long to go on trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    max_wait: Duration,
}

impl Patience {
    /// Tries for so long, and once at least.
    #[must_use]
    pub fn new(max_wait: Duration) -> Self {
        Patience { max_wait }
    }
}

/// How long a single try may take, in milliseconds. All together it stays below the
/// server's `deadlock_timeout`, after which the application would be looking for a
/// deadlock, and might be chosen as its victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// For one lock.
    pub(super) lock_ms: i64,
    /// For all locks against readers.
    pub(super) acquire_ms: i64,
    /// For a statement while only writers wait.
    pub(super) writers_ms: i64,
    /// For a statement of the script.
    pub(super) script_ms: i64,
}

impl Limits {
    pub(super) fn of(deadlock_timeout_ms: i64) -> Self {
        Limits {
            lock_ms: (deadlock_timeout_ms / 10).clamp(1, 100),
            acquire_ms: (deadlock_timeout_ms / 6).clamp(1, 150),
            writers_ms: (deadlock_timeout_ms / 2).clamp(1, 5_000),
            script_ms: 5_000,
        }
    }
}

/// The limits that suit the server.
pub(super) async fn limits(session: &impl GenericClient) -> Result<Limits> {
    let sql = include_str!("../../sql/switchover/deadlock-timeout.sql");
    Ok(Limits::of(session.query_one(sql, &[]).await?.get(0)))
}

/// Sets what the rest of a transaction has to keep to.
pub(super) async fn set_limits(
    transaction: &Transaction<'_>,
    lock_ms: i64,
    statement_ms: i64,
) -> Result<()> {
    let sql = include_str!("../../sql/switchover/limits.sql");
    transaction.execute(sql, &[&lock_ms.to_string(), &statement_ms.to_string()]).await?;
    Ok(())
}

/// A result, and how many tries it took.
pub(super) struct Tried<T> {
    pub(super) value: T,
    pub(super) attempts: u32,
}

/// Runs a transaction that needs locks, again and again while it does not get them.
/// `relations` are those whose holders are named when time runs out.
pub(super) async fn with_retries<T>(
    session: &mut Connection,
    patience: Patience,
    relations: &[u32],
    stop: &AtomicBool,
    work: impl AsyncFn(&Transaction<'_>, Limits) -> Result<T>,
) -> Result<Tried<T>> {
    let before = async |_: &mut Connection| Ok(());
    let work = async |transaction: &Transaction<'_>, limits: Limits, (): ()| {
        work(transaction, limits).await
    };
    with_retries_after(session, patience, relations, stop, before, work).await
}

/// As [`with_retries`], with something to be done before every try, without a lock.
pub(super) async fn with_retries_after<B, T>(
    session: &mut Connection,
    patience: Patience,
    relations: &[u32],
    stop: &AtomicBool,
    before: impl AsyncFn(&mut Connection) -> Result<B>,
    work: impl AsyncFn(&Transaction<'_>, Limits, B) -> Result<T>,
) -> Result<Tried<T>> {
    let limits = limits(&**session).await?;
    let begun = Instant::now();
    let seed = u64::from(std::process::id());
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE, patience.max_wait, seed);
    let mut attempts = 0;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        attempts += 1;
        let ready = before(session).await?;
        let transaction = session.transaction().await?;
        set_limits(&transaction, limits.lock_ms, limits.writers_ms).await?;
        let error = match work(&transaction, limits, ready).await {
            Ok(value) => {
                transaction.commit().await?;
                return Ok(Tried { value, attempts });
            }
            Err(error) => error,
        };
        // A session that is gone has rolled back by itself.
        let _gone = transaction.rollback().await;
        if !may_succeed(&error) {
            return Err(error);
        }
        tracing::debug!(attempts, "no lock: {error}");
        let pause = pauses.next().filter(|_| begun.elapsed() < patience.max_wait);
        let Some(pause) = pause else {
            return Err(out_of_patience(session, relations, patience, attempts, error).await);
        };
        tokio::time::sleep(pause).await;
    }
}

async fn out_of_patience(
    session: &Connection,
    relations: &[u32],
    patience: Patience,
    attempts: u32,
    error: Error,
) -> Error {
    let holders = match holders(&**session, relations).await {
        Ok(holders) if !holders.is_empty() => format!("; held by {}", holders.join("; ")),
        _ => String::new(),
    };
    let seconds = patience.max_wait.as_secs_f64();
    Error::new(
        Kind::LockTimeout,
        format!("no lock in {attempts} tries within {seconds:.0} s{holders}"),
    )
    .hint("nothing was changed; end the transactions named, or try again with a longer --max-wait")
    .caused_by(error)
}

/// The sessions that hold locks on these relations, each described in a few words.
pub(super) async fn holders(
    session: &impl GenericClient,
    relations: &[u32],
) -> Result<Vec<String>> {
    let sql = include_str!("../../sql/switchover/holders.sql");
    let rows = session.query(sql, &[&relations]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_ends_before_the_application_looks_for_deadlocks() {
        for deadlock_timeout_ms in [1, 10, 100, 1_000, 60_000] {
            let limits = Limits::of(deadlock_timeout_ms);
            assert!(limits.lock_ms >= 1 && limits.lock_ms <= 100);
            if deadlock_timeout_ms >= 10 {
                assert!(limits.acquire_ms + limits.writers_ms < deadlock_timeout_ms);
            }
        }
        let usual = Limits { lock_ms: 100, acquire_ms: 150, writers_ms: 500, script_ms: 5_000 };
        assert_eq!(Limits::of(1_000), usual);
    }
}
