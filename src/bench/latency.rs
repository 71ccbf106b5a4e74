//! Latencies of a query on one table, in an HdrHistogram of nanoseconds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

use super::report::Latency;
use crate::error::{Error, Kind, Result};

/// The longest latency that is recorded: an hour, in nanoseconds. Longer ones count as this.
const LONGEST_NS: u64 = 3_600_000_000_000;
/// The number of significant decimal digits kept of each latency.
const DIGITS: u8 = 3;

/// The latencies of executions that took `ms` milliseconds each, without correction for
/// executions that were not made.
///
/// # Errors
/// None in practice; the library declares some.
pub(super) fn of(ms: &[f64], rows: u64) -> Result<Latency> {
    let wrong = |e: &dyn std::fmt::Display| Error::new(Kind::File, format!("no histogram: {e}"));
    let mut histogram =
        Histogram::<u64>::new_with_bounds(1, LONGEST_NS, DIGITS).map_err(|e| wrong(&e))?;
    for ms in ms {
        histogram.saturating_record((ms * 1e6) as u64);
    }
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(&histogram, &mut bytes).map_err(|e| wrong(&e))?;
    let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e6;
    Ok(Latency {
        count: histogram.len(),
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        max_ms: if histogram.is_empty() { 0.0 } else { histogram.max() as f64 / 1e6 },
        rows,
        histogram_ns: STANDARD.encode(bytes),
    })
}

/// The latencies that a histogram holds, in milliseconds, ascending and rounded
/// to its digits.
///
/// # Errors
/// If it is not an encoded histogram, or does not hold as many values as were counted.
pub(super) fn values(latency: &Latency) -> Result<Vec<f64>> {
    let wrong = |e: &dyn std::fmt::Display| Error::new(Kind::File, format!("histogram_ns: {e}"));
    let bytes = STANDARD.decode(&latency.histogram_ns).map_err(|e| wrong(&e))?;
    let histogram: Histogram<u64> =
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|e| wrong(&e))?;
    if histogram.len() != latency.count || latency.count > 1_000_000 || latency.count == 0 {
        return Err(wrong(&format!("{} values, not {}", histogram.len(), latency.count)));
    }
    let recorded = histogram.iter_recorded();
    let values = recorded.flat_map(|value| {
        let ms = value.value_iterated_to() as f64 / 1e6;
        std::iter::repeat_n(ms, value.count_at_value() as usize)
    });
    Ok(values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_back() {
        let latency = of(&[0.25, 1.0, 1.0, 40.0], 7).unwrap();
        assert_eq!((latency.count, latency.rows), (4, 7));
        assert!((latency.p50_ms - 1.0).abs() < 0.01 && (latency.max_ms - 40.0).abs() < 0.1);
        // The base64 of a compressed histogram, as every HdrHistogram library writes it.
        assert!(latency.histogram_ns.starts_with("HISTFAAAA"), "{}", latency.histogram_ns);
        let read = values(&latency).unwrap();
        for (read, recorded) in read.iter().zip([0.25, 1.0, 1.0, 40.0]) {
            assert!((read / recorded - 1.0).abs() < 0.001, "{read} {recorded}");
        }
        assert_eq!(read.len(), 4);
    }

    #[test]
    fn a_damaged_histogram_is_refused() {
        let good = of(&[1.0], 1).unwrap();
        for bad in ["", "%", "HISTFAAAA", "AAAA"] {
            assert!(
                values(&Latency { histogram_ns: bad.into(), ..good.clone() }).is_err(),
                "{bad}"
            );
        }
        assert!(values(&Latency { count: 2, ..good.clone() }).is_err());
    }
}
