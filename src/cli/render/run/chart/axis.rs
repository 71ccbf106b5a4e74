//! The ticks of axes: whole numbers of one unit.

use crate::cli::render::run::show;

/// A value and its label.
pub(super) type Tick = (f64, String);

/// Distances between the ticks of a time axis, in seconds.
const TIMES: [f64; 28] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0,
    120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 21600.0, 43200.0, 86400.0,
    172_800.0,
];

/// The multiples of a step from 0 to `end`.
fn multiples(step: f64, end: f64) -> impl Iterator<Item = f64> {
    (0..=(end / step + 1e-9) as u32).map(move |number| f64::from(number) * step)
}

/// Ticks from 0 to a number, at most `most` after the first.
pub(super) fn counts(end: f64, most: usize) -> Vec<Tick> {
    let steps = (0..18).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    let Some(step) = steps.into_iter().find(|step| end / step <= most as f64) else {
        return Vec::new();
    };
    let (unit, sign) = match step {
        step if step >= 1e6 => (1e6, "M"),
        step if step >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let label = |value: f64| match value {
        0.0 => "0".to_owned(),
        value => format!("{}{sign}", show::count(value / unit)),
    };
    multiples(step, end).map(|value| (value, label(value))).collect()
}

/// Ticks from 0 to a number of seconds, at most `most` after the first.
pub(super) fn times(end: f64, most: usize) -> Vec<Tick> {
    let longest = TIMES[TIMES.len() - 1];
    let step = TIMES.into_iter().find(|step| end / step <= most as f64).unwrap_or(longest);
    let (unit, sign) = match step {
        step if step >= 3600.0 => (3600.0, "h"),
        step if step >= 60.0 => (60.0, "min"),
        step if step >= 1.0 => (1.0, "s"),
        _ => (0.001, "ms"),
    };
    multiples(step, end).map(|at| (at, format!("{} {sign}", show::count(at / unit)))).collect()
}

/// Ticks of a logarithmic axis of milliseconds: powers of ten, with more between them if there
/// are too few.
pub(super) fn latencies(low: f64, high: f64) -> Vec<Tick> {
    let within = |digits: &[f64]| -> Vec<f64> {
        let all = (-3..9).flat_map(|power| digits.iter().map(move |d| d * 10f64.powi(power)));
        all.filter(|ms| (low..=high).contains(ms)).collect()
    };
    let mut ticks = within(&[1.0]);
    if ticks.len() < 3 {
        ticks = within(&[1.0, 2.0, 5.0]);
    }
    let label = |ms: f64| match ms {
        ms if ms < 0.999 => format!("{} µs", show::count(ms * 1e3)),
        ms if ms < 999.0 => format!("{} ms", show::count(ms)),
        ms => format!("{} s", show::count(ms / 1e3)),
    };
    ticks.into_iter().map(|ms| (ms, label(ms))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<Tick>) -> String {
        ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn ticks_are_whole_numbers_of_one_unit() {
        assert_eq!(labels(counts(3.0, 5)), "0, 1, 2, 3");
        assert_eq!(labels(counts(1_600_000.0, 4)), "0, 500k, 1,000k, 1,500k");
        assert_eq!(labels(counts(12e6, 3)), "0, 5M, 10M");
        assert_eq!(labels(times(0.7, 4)), "0 ms, 200 ms, 400 ms, 600 ms");
        assert_eq!(labels(times(95.0, 4)), "0 s, 30 s, 60 s, 90 s");
        assert_eq!(labels(times(7300.0, 3)), "0 h, 1 h, 2 h");
        assert_eq!(labels(latencies(0.03, 40.0)), "100 µs, 1 ms, 10 ms");
        assert_eq!(labels(latencies(0.4, 4.0)), "500 µs, 1 ms, 2 ms");
    }
}
