//! What a load of some of the rows says about a load of all of them.

use serde_json::Value;

/// The rates of a load, from its report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LoadRate {
    rows: f64,
    /// Seconds from the first byte read to the last batch committed. A load of one year reads all
    /// files, so those of all years take at least as long.
    reading: f64,
    /// Seconds to write a row on one connection.
    per_row: f64,
    /// Connections that write.
    writers: f64,
    /// Seconds to match rows on the server, most of which go into reading production.
    matching: f64,
    /// Seconds for indexes, statistics and foreign keys.
    indexing: f64,
}

impl LoadRate {
    /// Reads the report of a load that wrote rows and was not resumed; `None` if it is none.
    pub(super) fn of(report: &Value) -> Option<Self> {
        let number = |name: &str| report[name].as_f64();
        let (rows, batches) = (number("rows_loaded")?, number("batches")?);
        let batch_ms = report["batch_ms"]["p50"].as_f64()?;
        let is_whole = rows > 0.0 && batches > 0.0 && report["resumed"] == false;
        is_whole.then_some(LoadRate {
            rows,
            reading: number("load_seconds")?,
            per_row: batch_ms / 1e3 * batches / rows,
            writers: number("writers")?.max(1.0),
            matching: number("match_seconds")?,
            indexing: number("index_seconds")?,
        })
    }

    /// Whether the server matched rows.
    pub(super) fn has_matched(&self) -> bool {
        self.matching > 0.0
    }

    /// Seconds for a load of this number of rows from the same files.
    pub(super) fn seconds(&self, rows: u64) -> f64 {
        let writing = rows as f64 * self.per_row / self.writers;
        self.reading.max(writing) + self.settling(rows)
    }

    /// Those of them that follow the last row.
    pub(super) fn settling(&self, rows: u64) -> f64 {
        self.matching + self.indexing * rows as f64 / self.rows
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_year_says_how_long_all_years_take() {
        let report = json!({
            "rows_loaded": 10_000, "batches": 2, "batch_ms": {"p50": 100.0}, "writers": 4,
            "load_seconds": 3.0, "match_seconds": 2.0, "index_seconds": 0.5, "resumed": false,
        });
        let rate = LoadRate::of(&report).unwrap();
        // 200 batches of 100 ms on four connections; indexes of as many times as many rows.
        assert!((rate.seconds(1_000_000) - (5.0 + 2.0 + 50.0)).abs() < 1e-9, "{rate:?}");
        // Reading the same files takes as long.
        assert!((rate.seconds(10_000) - (3.0 + 2.0 + 0.5)).abs() < 1e-9, "{rate:?}");
        for (field, value) in
            [("resumed", json!(true)), ("batches", json!(0)), ("load_seconds", json!(null))]
        {
            let mut other = report.clone();
            other[field] = value;
            assert_eq!(LoadRate::of(&other), None, "{field}");
        }
    }
}
