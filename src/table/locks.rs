//! Locks on tables that others use. Each try waits only briefly, gives up and is repeated, so
//! that no session queues behind sterna for longer than the limit.
//!
//! The strongest lock is taken first and never upgraded: an upgrade would deadlock with a
//! session that reads and then writes. Everything under the lock is one [`Volley`], so how
//! long others wait does not depend on the client's latency.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Kind, Result};
use crate::pg::{Answer, Backoff, Connection, Parameter, Session, Volley};

/// The server gave up waiting for a lock.
const NO_LOCK: &str = "55P03";
/// A statement took longer than its limit.
const TOO_LONG: &str = "57014";
/// Errors after which a retry may succeed: no lock in time, a deadlock, a statement that took
/// too long under the lock, a condition that other sessions can still change.
const RETRYABLE: [&str; 5] = [NO_LOCK, "40P01", TOO_LONG, "SN017", "SN018"];
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Whether a retry may succeed after this error.
pub(crate) fn may_succeed(error: &Error) -> bool {
    error.sqlstate().is_some_and(|code| RETRYABLE.contains(&code))
}

/// How long to keep trying; 60 s by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    max_wait: Duration,
    /// Whether `--max-wait` was given.
    is_asked_for: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { max_wait: Duration::from_secs(60), is_asked_for: false }
    }
}

impl Patience {
    /// Keeps trying for `max_wait`, at least once.
    #[must_use]
    pub fn new(max_wait: Duration) -> Self {
        Patience { max_wait, is_asked_for: true }
    }
}

/// Time limits of a single try, in milliseconds. Taking the locks stays below the server's
/// `deadlock_timeout`, after which an application session would check for deadlocks and could
/// become the victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockLimits {
    /// For one lock.
    pub(crate) lock_ms: i64,
    /// For all locks.
    pub(crate) acquire_ms: i64,
    /// For a statement under the locks.
    pub(crate) script_ms: i64,
    /// The server's `deadlock_timeout`.
    deadlock_timeout_ms: i64,
}

impl LockLimits {
    pub(crate) fn of(deadlock_timeout_ms: i64) -> Self {
        LockLimits {
            lock_ms: (deadlock_timeout_ms / 10).clamp(1, 100),
            acquire_ms: (deadlock_timeout_ms / 6).clamp(1, 150),
            script_ms: deadlock_timeout_ms.clamp(1, 5_000),
            deadlock_timeout_ms,
        }
    }

    /// Adds the limits for the next statements of a volley: for a lock, and for a statement.
    /// Zero is no limit.
    pub(crate) fn set(volley: &mut Volley, lock_ms: i64, statement_ms: i64) -> usize {
        let text = |ms: i64| -> Parameter { Box::new(ms.to_string()) };
        let sql = include_str!("../../sql/table/locks/limits.sql");
        volley.query(sql, vec![text(lock_ms), text(statement_ms)])
    }

    /// Adds the locks as one statement with one limit for all of them, and then the limit for
    /// statements under the locks. Returns the position of the lock statement.
    pub(crate) fn lock(&self, volley: &mut Volley, locks: &[String]) -> usize {
        LockLimits::set(volley, self.lock_ms, self.acquire_ms);
        let locks = crate::pg::CatalogText::from_catalog(locks.join("; ") + ";");
        let template = include_str!("../../sql/table/locks/lock-block.sql");
        let position = volley.add(crate::pg::fill(template, &[("locks", &locks)]));
        LockLimits::set(volley, self.lock_ms, self.script_ms);
        position
    }
}

/// Sends a volley; an error names the statement that failed.
pub(crate) async fn send(session: &Connection, volley: &Volley) -> Result<Vec<Answer>> {
    volley.send(session).await.map_err(|failure| {
        let from_server = failure.error.as_db_error().is_some();
        let is_condition = failure.error.code().is_some_and(|code| code.code().starts_with("SN"));
        let error = Error::from(failure.error);
        if from_server && !is_condition {
            error.context(format!("at `{}`", volley.text(failure.position)))
        } else {
            error
        }
    })
}

/// A result and the number of tries it took.
pub(crate) struct Tried<T> {
    pub(crate) value: T,
    pub(crate) attempts: u32,
}

/// Repeats an attempt that needs locks until it gets them. `relations` are those whose lock
/// holders are named when time runs out, and which autovacuum is asked to release.
pub(crate) async fn with_retries<T>(
    session: &mut Connection,
    patience: Patience,
    relations: &[u32],
    stop: &AtomicBool,
    attempt: impl AsyncFn(&mut Connection, LockLimits) -> Result<T>,
) -> Result<Tried<T>> {
    let limits = LockLimits::of(session.deadlock_timeout_ms());
    let begun = Instant::now();
    let seed = u64::from(std::process::id());
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE, patience.max_wait, seed);
    let mut attempts = 0;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        attempts += 1;
        let error = match attempt(session, limits).await {
            Ok(value) => return Ok(Tried { value, attempts }),
            Err(error) if !may_succeed(&error) => return Err(error),
            Err(error) => error,
        };
        tracing::debug!(attempts, "trying again: {error}");
        let pause = pauses.next().filter(|_| begun.elapsed() < patience.max_wait);
        let Some(pause) = pause else {
            return Err(
                out_of_patience(session, relations, patience, limits, attempts, error).await
            );
        };
        if error.sqlstate() == Some(NO_LOCK) {
            ask_vacuum_to_go(session, relations, limits).await?;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Makes an autovacuum release a table. It does so for a session that has waited for
/// `deadlock_timeout`, which a try never does. This waits for a lock that conflicts only with
/// maintenance, so neither readers nor writers queue behind it.
async fn ask_vacuum_to_go(
    session: &Connection,
    relations: &[u32],
    limits: LockLimits,
) -> Result<()> {
    let sql = include_str!("../../sql/table/locks/vacuum-workers.sql");
    for row in session.query(sql, &[&relations]).await? {
        let mut volley = Volley::default();
        LockLimits::set(&mut volley, 2 * limits.deadlock_timeout_ms, 0);
        volley.add(row.get::<_, String>(0));
        match send(session, &volley).await {
            Err(error) if !may_succeed(&error) => return Err(error),
            // A wraparound vacuum does not give way; it is named when time runs out.
            _ => {}
        }
    }
    Ok(())
}

async fn out_of_patience(
    session: &Connection,
    relations: &[u32],
    patience: Patience,
    limits: LockLimits,
    attempts: u32,
    error: Error,
) -> Error {
    let seconds = patience.max_wait.as_secs_f64();
    let again = match patience.is_asked_for {
        true => {
            "nothing was changed; end the transactions named, or try again with a longer \
                 --max-wait"
        }
        false => "nothing was changed; end the transactions named, then run the same command again",
    };
    let tries = if attempts == 1 { "1 try".to_owned() } else { format!("{attempts} tries") };
    let within = format!("in {tries} within {seconds:.0} s");
    let is_for_locks = error.to_string().contains("at `DO $do$ BEGIN");
    match error.sqlstate() {
        Some(TOO_LONG) if !is_for_locks => Error::new(
            Kind::LockTimeout,
            format!(
                "a statement took longer than the {} ms that other sessions may wait, {within}",
                limits.script_ms
            ),
        )
        .hint(
            "nothing was changed; try again when the server is less busy, or raise the limit by \
             raising deadlock_timeout for the role that runs sterna",
        ),
        Some("SN017" | "SN018") => {
            Error::new(Kind::LockTimeout, format!("could not exchange the tables {within}"))
                .hint(again)
        }
        _ => {
            let holders = match holders(session, relations).await {
                Ok(holders) if !holders.is_empty() => format!("; held by {}", holders.join("; ")),
                _ => String::new(),
            };
            Error::new(Kind::LockTimeout, format!("no lock {within}{holders}")).hint(again)
        }
    }
    .caused_by(error)
}

/// Describes the sessions that hold or wait for locks on these relations.
pub(crate) async fn holders(session: &Session, relations: &[u32]) -> Result<Vec<String>> {
    let sql = include_str!("../../sql/table/locks/holders.sql");
    let rows = session.query(sql, &[&relations]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_ends_before_the_application_looks_for_deadlocks() {
        for deadlock_timeout_ms in [1, 10, 100, 1_000, 60_000] {
            let limits = LockLimits::of(deadlock_timeout_ms);
            assert!(limits.lock_ms >= 1 && limits.lock_ms <= 100);
            if deadlock_timeout_ms >= 10 {
                assert!(limits.acquire_ms < deadlock_timeout_ms);
            }
        }
        let usual = LockLimits::of(1_000);
        assert_eq!((usual.lock_ms, usual.acquire_ms, usual.script_ms), (100, 150, 1_000));
    }
}
