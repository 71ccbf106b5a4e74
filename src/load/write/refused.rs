//! Finds the rows of a batch that the server refuses: those that violate a CHECK, a unique
//! key or a foreign key, or make a function of the table fail.
//!
//! The rows are tried in a transaction that is rolled back at the end, segment by segment,
//! each under a savepoint. A segment that fails is cut at the line named in the error's
//! context, or else in half, down to a single row: a row is refused only after it was tried
//! alone. Segments shrink while rows are refused and grow while they are not, so a batch
//! without any good row costs one small message per row, and a batch with one bad row costs
//! four messages.

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::load::read::batch::EncodedBatch;
use crate::load::write::session::{SinkSession, SinkSpec, send};
use crate::pg::Fault;
use crate::trust;

/// The maximum number of characters kept of a message.
const LONGEST_MESSAGE: usize = 1_000;

/// Returns the records whose rows the server refuses, with its messages. Changes neither the
/// batch nor the table.
///
/// # Errors
/// Any error that is not about a row.
pub(in crate::load) async fn find(
    spec: &SinkSpec<'_>,
    session: &SinkSession,
    batch: &EncodedBatch,
) -> Result<Vec<(u32, String)>> {
    session.client.batch_execute(include_str!("../../../sql/load/begin-trial.sql")).await?;
    let found = async {
        trust::guard(&session.client, spec.staging_oid).await?;
        try_segments(spec, session, batch).await
    };
    let found = found.await;
    let ended = session.client.batch_execute("ROLLBACK").await;
    let found = found?;
    ended?;
    Ok(found)
}

async fn try_segments(
    spec: &SinkSpec<'_>,
    session: &SinkSession,
    batch: &EncodedBatch,
) -> Result<Vec<(u32, String)>> {
    let rows = batch.row_ends.len();
    let mut refused = Vec::new();
    let (mut from, mut size) = (0, rows);
    // Size of the last segment that failed and was cut.
    let mut cut = rows;
    while from < rows {
        let to = (from + size).min(rows);
        session.client.batch_execute("SAVEPOINT segment").await?;
        let data = Bytes::copy_from_slice(batch.rows_between(from, to));
        let tried = match session.client.copy_in(&session.copy).await {
            Ok(sink) => send(sink, &data).await,
            Err(error) => Err(error),
        };
        let Err(error) = tried else {
            session.client.batch_execute("RELEASE segment").await?;
            (from, size) = (to, size.saturating_mul(2));
            continue;
        };
        let line = line(&error);
        let message = message(&error);
        let error = Error::from(error);
        if spec.classify(&error) != Fault::DataRefused {
            return Err(error);
        }
        // Also released: each open level would hold an entry in the server's lock table.
        session.client.batch_execute("ROLLBACK TO segment; RELEASE segment").await?;
        if to - from == 1 {
            refused.push((batch.row_ends[from].1, message));
            (from, size) = (to, (cut / 2).max(1));
            continue;
        }
        cut = to - from;
        size = match line.map(|line| line - 1).filter(|before| *before < cut) {
            // The rows before it are good, but were rolled back: they go first, because a
            // later row may conflict with them.
            Some(before) => before.max(1),
            None => cut / 2,
        };
    }
    Ok(refused)
}

/// The COPY line named in the error's context, counted from 1. It comes last there, after the
/// functions that the row called.
fn line(error: &tokio_postgres::Error) -> Option<usize> {
    let context = error.as_db_error()?.where_()?;
    let (_, after) = context.lines().rev().find_map(|line| line.rsplit_once(", line "))?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|line| *line > 0)
}

/// The server's message, truncated: a function can raise messages of any length.
fn message(error: &tokio_postgres::Error) -> String {
    let text = match error.as_db_error() {
        Some(db) => match db.detail() {
            Some(detail) => format!("{}; {detail}", db.message()),
            None => db.message().to_owned(),
        },
        None => error.to_string(),
    };
    text.chars().take(LONGEST_MESSAGE).collect()
}
