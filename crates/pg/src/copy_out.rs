//! Rows of a binary `COPY ... TO STDOUT`, one by one.

use bytes::Bytes;
use futures::{StreamExt, pin_mut};

use super::Connection;
use sterna_error::{Error, Result};

/// Signature, flags and length of the header's extension.
const HEADER_BYTES: usize = 19;

/// Runs a binary `COPY ... TO STDOUT` and calls `visit` with each row: the 16-bit
/// count of its columns, then each value after its 32-bit length.
///
/// # Errors
/// Errors of the server and of `visit`, and an incomplete stream.
pub async fn copy_out(
    session: &Connection,
    sql: &str,
    mut visit: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let stream = session.copy_out(sql).await?;
    pin_mut!(stream);
    let mut header_seen = false;
    // The server sends one message per row, so usually nothing is left over.
    let mut left = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk: Bytes = chunk?;
        let mut rest: &[u8] = if left.is_empty() {
            &chunk
        } else {
            left.extend_from_slice(&chunk);
            &left
        };
        if !header_seen {
            if rest.len() < HEADER_BYTES {
                left = rest.to_vec();
                continue;
            }
            rest = &rest[HEADER_BYTES..];
            header_seen = true;
        }
        while let Some(length) = row_length(rest) {
            let (row, tail) = rest.split_at(length);
            visit(row)?;
            rest = tail;
        }
        left = rest.to_vec();
    }
    // The stream ends with a column count of -1.
    if header_seen && left == [0xff, 0xff] {
        Ok(())
    } else {
        Err(Error::database("the server ended a COPY in the middle of a row"))
    }
}

/// Length in bytes of the row at the start of `bytes`, if it is complete.
fn row_length(bytes: &[u8]) -> Option<usize> {
    let columns = i16::from_be_bytes(bytes.get(..2)?.try_into().ok()?);
    // The trailer is not a row.
    usize::try_from(columns).ok()?;
    let mut at = 2;
    for _ in 0..columns {
        let length = i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        at += 4 + usize::try_from(length).unwrap_or(0);
    }
    (at <= bytes.len()).then_some(at)
}

/// The values of a row passed on by [`copy_out`]; `None` is NULL.
pub fn values(row: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = row.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, tail) = rest.split_at_checked(4)?;
        let length = i32::from_be_bytes(length.try_into().ok()?);
        let Ok(length) = usize::try_from(length) else {
            rest = tail;
            return Some(None);
        };
        let (value, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some(Some(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_measured_and_taken_apart() {
        let row = [0, 2, 0, 0, 0, 1, b'a', 0xff, 0xff, 0xff, 0xff];
        assert_eq!(row_length(&row), Some(row.len()));
        assert_eq!(row_length(&row[..row.len() - 1]), None);
        assert_eq!(row_length(&[0xff, 0xff]), None);
        assert_eq!(values(&row).collect::<Vec<_>>(), [Some(&b"a"[..]), None]);
    }
}
