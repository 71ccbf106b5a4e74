//! Cancelling the running statement of a session.

use std::sync::Arc;

use super::last_message::{AsItIs, LastMessage};
use super::socket::{Cause, Way};
use sterna_error::{Error, Result};

/// Cancels a session's running statement, from any task.
#[derive(Clone)]
pub struct CancelToken {
    token: tokio_postgres::CancelToken,
    way: Way,
}

impl CancelToken {
    pub(super) fn new(token: tokio_postgres::CancelToken, way: Way) -> Self {
        CancelToken { token, way }
    }

    /// Asks the server to cancel. The statement, if it is still running, then fails
    /// with SQLSTATE 57014.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn cancel(&self) -> Result<()> {
        let cancelled = async {
            let stream = LastMessage::new(self.way.open().await?, Arc::default());
            Ok::<_, Cause>(self.token.cancel_query_raw(stream, AsItIs).await?)
        };
        cancelled.await.map_err(|error| Error::database("could not cancel").caused_by(error))
    }
}
