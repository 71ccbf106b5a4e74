//! What runs asynchronous calls for callers that block.

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};

/// A runtime that works while it is blocked on, and at no other time.
///
/// # Errors
/// Where the system gives no event queue.
pub(crate) fn blocking() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::file("the async runtime", e))
}

/// A runtime with a thread that goes on with what was spawned.
///
/// # Errors
/// Where the system gives no event queue or no thread.
pub(crate) fn driven() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| Error::file("the async runtime", e))
}
