//! Cancelling a long statement, on the server and not only in this process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::cancel::CancelToken;
use super::connection::Connection;
use sterna_error::{Error, Kind, Result};

/// How often `stop` is checked while a statement runs.
const STOP_POLL: Duration = Duration::from_millis(50);

/// Waits for `work`, a statement of `session`, and makes the server cancel it when
/// `stop` is set.
///
/// # Errors
/// [`Kind::Interrupted`] if it was cancelled; otherwise the statement's own.
pub async fn interruptible<T>(
    session: &Connection,
    stop: &AtomicBool,
    work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
) -> Result<T> {
    let work = async { work.await.map_err(Error::from) };
    interruptible_by(&session.cancel_token(), stop, work).await
}

/// As [`interruptible`], for several statements in a transaction of the session that
/// `cancel` belongs to.
///
/// # Errors
/// As [`interruptible`].
pub async fn interruptible_by<T>(
    cancel: &CancelToken,
    stop: &AtomicBool,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    futures::pin_mut!(work);
    loop {
        tokio::select! {
            result = &mut work => {
                return match result {
                    Err(_) if stop.load(Ordering::Relaxed) => {
                        Err(Error::new(Kind::Interrupted, "interrupted"))
                    }
                    result => result,
                };
            }
            () = tokio::time::sleep(STOP_POLL) => {
                if stop.load(Ordering::Relaxed) {
                    cancel.cancel().await?;
                }
            }
        }
    }
}
