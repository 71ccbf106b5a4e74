//! Which rows of a batch the server refuses: those that break a CHECK, a unique
//! key, a foreign key.
//!
//! The rows are tried in a transaction that is rolled back at the end, segment by
//! segment, each under a savepoint. The error's context names the line; where it
//! does not, the segment is halved. Segments shrink where rows are refused and
//! grow where they are not, so that a batch without a single good row costs one
//! small message per row and a batch with one bad row costs three.

use bytes::Bytes;

use super::batch::EncodedBatch;
use super::sink::{Session, send};
use crate::error::{Error, Result};
use crate::pg::{Fault, classify};

/// The records whose rows the server refuses, with what it says. The batch is not
/// changed, and neither is the table.
///
/// # Errors
/// Any error that is not about a row.
pub(super) async fn find(session: &Session, batch: &EncodedBatch) -> Result<Vec<(u32, String)>> {
    session.client.batch_execute(include_str!("../../sql/load/begin-trial.sql")).await?;
    let found = try_segments(session, batch).await;
    let ended = session.client.batch_execute("ROLLBACK").await;
    let found = found?;
    ended?;
    Ok(found)
}

async fn try_segments(session: &Session, batch: &EncodedBatch) -> Result<Vec<(u32, String)>> {
    let rows = batch.row_ends.len();
    let mut refused = Vec::new();
    let (mut from, mut size) = (0, rows);
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
        let (line, message) = (line(&error), message(&error));
        let error = Error::from(error);
        if classify(&error) != Fault::DataRefused {
            return Err(error);
        }
        // Released as well: levels left open would each hold a lock of the server's table.
        session.client.batch_execute("ROLLBACK TO segment; RELEASE segment").await?;
        let culprit = line.map(|line| from + line - 1).filter(|at| (from..to).contains(at));
        match culprit {
            // The rows before it are good, but are not in: they go first, because
            // a later one may clash with them.
            Some(at) if at > from => size = at - from,
            Some(_) => {
                refused.push((batch.row_ends[from].1, message));
                (from, size) = (from + 1, (size / 2).max(1));
            }
            None if to - from > 1 => size = (to - from) / 2,
            None => {
                refused.push((batch.row_ends[from].1, message));
                from = to;
            }
        }
    }
    Ok(refused)
}

/// The line of a COPY that the error's context names, counted from 1.
fn line(error: &tokio_postgres::Error) -> Option<usize> {
    let context = error.as_db_error()?.where_()?;
    let (_, after) = context.lines().find_map(|l| l.split_once(", line "))?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|line| *line > 0)
}

fn message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => match db.detail() {
            Some(detail) => format!("{}; {detail}", db.message()),
            None => db.message().to_owned(),
        },
        None => error.to_string(),
    }
}
