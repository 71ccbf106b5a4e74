//! Pauses between attempts, with jitter.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The pauses between attempts: each step is twice the previous one, up to a maximum.
/// Each pause is drawn from the upper half of its step, so that connections that
/// failed together do not retry together. The pauses add up to exactly the given
/// total. Pure: it neither sleeps nor reads a clock.
#[derive(Clone, Debug)]
pub struct Backoff {
    step: Duration,
    longest: Duration,
    left: Duration,
    random: ChaCha8Rng,
}

impl Backoff {
    /// Pauses that start at up to `first`, grow to up to `longest` and add up to `total`.
    /// Equal seeds give equal pauses.
    #[must_use]
    pub fn new(first: Duration, longest: Duration, total: Duration, seed: u64) -> Self {
        // A step of zero would never grow.
        let step = first.clamp(Duration::from_millis(1), longest.max(Duration::from_millis(1)));
        Backoff { step, longest, left: total, random: ChaCha8Rng::seed_from_u64(seed) }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.left.is_zero() {
            return None;
        }
        let pause = self.step.mul_f64(self.random.random_range(0.5..=1.0)).min(self.left);
        self.left -= pause;
        self.step = (self.step * 2).min(self.longest.max(self.step));
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<_> = Backoff::new(SECOND, SECOND * 8, SECOND * 60, 7).collect();
        for (pause, step) in pauses.iter().zip([1, 2, 4, 8, 8]) {
            assert!(*pause >= SECOND * step / 2 && *pause <= SECOND * step, "{pause:?} of {step}");
        }
    }

    #[test]
    fn seeds_decide() {
        let pauses = |seed| Backoff::new(SECOND, SECOND * 8, SECOND * 60, seed).collect::<Vec<_>>();
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }

    proptest! {
        #[test]
        fn the_total_is_kept(first in 0u64..2_000, longest in 0u64..5_000, total in 0u64..20_000) {
            let ms = Duration::from_millis;
            let sum: Duration = Backoff::new(ms(first), ms(longest), ms(total), 3).sum();
            prop_assert_eq!(sum, ms(total));
        }
    }
}
