//! Rows per second over the course of a load, by connection.

use serde::Serialize;

/// The number of stretches of equal length that a load is divided into.
const STRETCHES: usize = 40;

/// The speed of a load over its course.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Throughput {
    /// Seconds from the beginning of the first batch to the end of the last, as far as the
    /// ledger knows: a batch is assumed to last until its connection begins the next one.
    pub seconds: f64,
    /// Length of each stretch, in seconds.
    pub stretch_seconds: f64,
    /// Each connection, in the order in which they began.
    pub connections: Vec<Writer>,
}

/// The rows that a connection wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Writer {
    /// The server process that served it.
    pub backend: i32,
    /// The number of batches.
    pub batches: usize,
    /// The number of rows.
    pub rows: i64,
    /// Rows per second in each stretch.
    pub rows_per_second: Vec<f64>,
}

/// A batch that was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) backend: i32,
    /// Seconds from the first batch's beginning.
    pub(super) began: f64,
    pub(super) ended: f64,
    pub(super) rows: i64,
}

/// The throughput of batches, in the order in which they began; `None` if none took any time.
pub(super) fn of(batches: &[Written]) -> Option<Throughput> {
    let seconds = batches.iter().map(|batch| batch.ended).fold(0.0, f64::max);
    if seconds <= 0.0 {
        return None;
    }
    let stretch = seconds / STRETCHES as f64;
    let mut connections: Vec<Writer> = Vec::new();
    for batch in batches {
        let known = connections.iter().position(|writer| writer.backend == batch.backend);
        let at = known.unwrap_or_else(|| {
            let rows_per_second = vec![0.0; STRETCHES];
            let backend = batch.backend;
            connections.push(Writer { backend, batches: 0, rows: 0, rows_per_second });
            connections.len() - 1
        });
        let writer = &mut connections[at];
        writer.batches += 1;
        writer.rows += batch.rows;
        for (number, rate) in writer.rows_per_second.iter_mut().enumerate() {
            let from = number as f64 * stretch;
            *rate += share(batch, from, from + stretch) * batch.rows as f64 / stretch;
        }
    }
    Some(Throughput { seconds, stretch_seconds: stretch, connections })
}

/// The share of a batch between two moments, from 0 to 1.
fn share(batch: &Written, from: f64, to: f64) -> f64 {
    let length = batch.ended - batch.began;
    if length <= 0.0 {
        return f64::from(u8::from((from..to).contains(&batch.began)));
    }
    (batch.ended.min(to) - batch.began.max(from)).max(0.0) / length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_over_the_time_that_their_batch_took() {
        let batch = |backend, began, ended, rows| Written { backend, began, ended, rows };
        let found = of(&[
            batch(7, 0.0, 2.0, 1000),
            batch(9, 1.0, 4.0, 600),
            batch(7, 2.0, 2.0, 5),
            batch(7, 2.0, 4.0, 100),
        ])
        .unwrap();
        assert_eq!((found.seconds, found.stretch_seconds), (4.0, 0.1));
        let [first, second] = found.connections.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.backend, first.batches, first.rows), (7, 3, 1105));
        assert_eq!((second.backend, second.batches, second.rows), (9, 1, 600));
        assert!((first.rows_per_second[0] - 500.0).abs() < 1e-6);
        assert!(second.rows_per_second[0] == 0.0);
        assert!((second.rows_per_second[39] - 200.0).abs() < 1e-6);
        for writer in &found.connections {
            let sum: f64 = writer.rows_per_second.iter().map(|rate| rate * 0.1).sum();
            assert!((sum - writer.rows as f64).abs() < 1e-6, "{sum} {}", writer.rows);
        }
    }

    #[test]
    fn a_load_without_batches_has_no_throughput() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[Written { backend: 1, began: 0.0, ended: 0.0, rows: 3 }]), None);
    }
}
