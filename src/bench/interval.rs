//! Medians and their confidence intervals.
//!
//! Medians, because the latencies of a shared machine have a long tail that says more about
//! the neighbours than about the table; a mean, or a ratio of sums, follows the tail. Ratios
//! are compared by their logarithms, so that twice as long and half as long are equally far
//! from equal. The interval is a percentile bootstrap, which assumes nothing about the
//! distribution of latencies.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// Samples drawn with replacement for one interval.
const RESAMPLES: usize = 1000;
/// The share of them below the interval, and above it. A run has more than ten intervals and
/// looks at them repeatedly, so 95 % confidence would be too little.
const TAIL: f64 = 0.005;

/// A median with its bounds at 99 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The median.
    pub median: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Interval {
    /// The interval of the median of measurements.
    ///
    /// # Panics
    /// If there are none.
    pub(super) fn of_median(values: &[f64], seed: u64) -> Self {
        Self::of(seed, &mut |random| median(&mut resample(values, random)), || {
            median(&mut values.to_vec())
        })
    }

    /// The interval of the median of positive ratios.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn of_ratios(ratios: &[f64], seed: u64) -> Self {
        let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let interval = Self::of_median(&logs, seed);
        Interval {
            median: interval.median.exp(),
            low: interval.low.exp(),
            high: interval.high.exp(),
        }
    }

    /// The interval of the product of medians of independent measurements, each to the power
    /// of 1 or -1: a ratio, or a ratio of ratios.
    ///
    /// # Panics
    /// If one of them is empty.
    pub(super) fn of_median_product(factors: &[(&[f64], i32)], seed: u64) -> Self {
        let exact =
            || factors.iter().map(|(v, power)| median(&mut v.to_vec()).powi(*power)).product();
        let drawn = &mut |random: &mut ChaCha8Rng| {
            let medians =
                factors.iter().map(|(v, power)| (median(&mut resample(v, random)), power));
            medians.map(|(median, power)| median.powi(*power)).product()
        };
        Self::of(seed, drawn, exact)
    }

    fn of(
        seed: u64,
        drawn: &mut dyn FnMut(&mut ChaCha8Rng) -> f64,
        exact: impl FnOnce() -> f64,
    ) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut medians: Vec<f64> = (0..RESAMPLES).map(|_| drawn(&mut random)).collect();
        medians.sort_unstable_by(f64::total_cmp);
        let below = (RESAMPLES as f64 * TAIL) as usize;
        Interval { median: exact(), low: medians[below], high: medians[RESAMPLES - 1 - below] }
    }
}

fn resample(values: &[f64], random: &mut ChaCha8Rng) -> Vec<f64> {
    // The highest bits of a product are uniform enough for so few values.
    let index =
        |random: &mut ChaCha8Rng| (u64::from(random.next_u32()) * values.len() as u64) >> 32;
    (0..values.len()).map(|_| values[index(random) as usize]).collect()
}

/// The middle value, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    let (half, odd) = (values.len() / 2, values.len() % 2 == 1);
    let (lower, middle, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let middle = *middle;
    if odd {
        return middle;
    }
    let below = lower.iter().copied().max_by(f64::total_cmp).unwrap_or(middle);
    f64::midpoint(below, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positive, with a long tail, and the median 1.
    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || f64::from(random.next_u32()) / f64::from(u32::MAX);
        (0..count)
            .map(|_| if uniform() < 0.1 { 5.0 * uniform() + 1.0 } else { 0.8 + 0.4 * uniform() })
            .collect()
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
    }

    #[test]
    fn intervals_hold_the_median_they_estimate_and_narrow() {
        let mut held = 0;
        for seed in 0..100 {
            let interval = Interval::of_ratios(&noise(40, seed), 1);
            held += usize::from(interval.low <= 1.03 && interval.high >= 1.03);
            assert!(interval.low <= interval.median && interval.median <= interval.high);
        }
        assert!(held >= 95, "{held}");
        let width = |count| {
            let interval = Interval::of_ratios(&noise(count, 1), 1);
            interval.high / interval.low
        };
        assert!(width(400) < width(20));
    }

    #[test]
    fn equal_sides_are_never_above_the_limit_and_slow_ones_nearly_always() {
        let mut found = 0;
        for seed in 0..200 {
            let (a, b) = (noise(24, seed), noise(24, seed + 1000));
            let above = |factor: f64, rounds: usize| {
                let pairs = a.iter().zip(&b).take(rounds);
                let ratios: Vec<f64> = pairs.map(|(a, b)| factor * a / b).collect();
                Interval::of_ratios(&ratios, 1).low > 1.2
            };
            assert!(!above(1.0, 24) && !above(1.0, 8), "{seed}");
            found += usize::from(above(2.0, 24));
        }
        assert!(found > 190, "{found}");
    }

    #[test]
    fn a_product_of_medians_is_a_ratio() {
        let (twice, once): (Vec<f64>, Vec<f64>) = (vec![2.0; 9], vec![1.0; 7]);
        let interval = Interval::of_median_product(&[(&twice, 1), (&once, -1)], 1);
        assert_eq!((interval.low, interval.median, interval.high), (2.0, 2.0, 2.0));
    }
}
