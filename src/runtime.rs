//! Runtimes that run asynchronous code for blocking callers.

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};

/// A runtime that makes progress only inside `block_on`.
///
/// # Errors
/// If the system provides no event queue.
pub(crate) fn blocking() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::file("the async runtime", e))
}

/// A runtime with one thread of its own, which drives spawned tasks.
///
/// # Errors
/// If the system provides no event queue or no thread.
pub(crate) fn driven() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| Error::file("the async runtime", e))
}
