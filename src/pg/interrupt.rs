//! Ending a long statement early, at the server and not only here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Connection;
use crate::error::{Error, Kind, Result};

/// How often a running statement looks whether it is to stop.
const STOP_POLL: Duration = Duration::from_millis(50);

/// Waits for `work`, a statement of `session`, and has the server cancel it when
/// `stop` is set.
///
/// # Errors
/// [`Kind::Interrupted`] where it was cancelled; otherwise the statement's own.
pub async fn interruptible<T>(
    session: &Connection,
    stop: &AtomicBool,
    work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
) -> Result<T> {
    futures::pin_mut!(work);
    loop {
        tokio::select! {
            result = &mut work => {
                return match result {
                    Ok(done) => Ok(done),
                    Err(_) if stop.load(Ordering::Relaxed) => {
                        Err(Error::new(Kind::Interrupted, "interrupted"))
                    }
                    Err(error) => Err(error.into()),
                };
            }
            () = tokio::time::sleep(STOP_POLL) => {
                if stop.load(Ordering::Relaxed) {
                    session.cancel_token().cancel().await?;
                }
            }
        }
    }
}
