//! What the line to a server carries, measured with a few bytes in each direction.

use std::time::{Duration, Instant};

use rand::distr::Alphanumeric;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::Connection;
use sterna_error::Result;

/// Bytes in each direction at first: an eighth of a second at 2 Mbit/s.
const FIRST: usize = 32 << 10;
/// Bytes in each direction at most.
const MOST: usize = 1 << 20;
/// How long the second probe may take, both directions together.
const SHORTEST: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_millis(600);
/// A shorter transfer is not told from what else takes time.
const CLEAR: Duration = Duration::from_millis(10);
/// The number of round trips that TCP takes to open its window from the first probe's size to the
/// second's. They cannot be told from a slow line.
const OPENING: u32 = 4;

/// What one connection carries in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The rate.
    pub bytes_per_second: f64,
    /// Whether the line carries at least that much; how much more is not known.
    pub is_least: bool,
}

/// What one connection to a server carries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// To the server.
    pub up: Rate,
    /// From the server.
    pub down: Rate,
}

impl Connection {
    /// Measures the line, in at most two round trips, and in less than a second at 2 Mbit/s. The
    /// session must be idle.
    ///
    /// # Errors
    /// Those of the server and of the connection.
    pub async fn line(&self) -> Result<Line> {
        let round_trip = self.round_trip();
        let mut bytes = FIRST;
        let mut took = self.carry(bytes).await?;
        let more = second(took.iter().sum(), round_trip);
        if more > bytes {
            bytes = more;
            took = self.carry(bytes).await?;
        }
        let [up, down] = took.map(|took| rate(bytes, took, round_trip));
        Ok(Line { up, down })
    }

    /// Carries bytes up, and as many down; returns how long each took, without the round trip.
    async fn carry(&self, bytes: usize) -> Result<[Duration; 2]> {
        // Random, because a line may compress.
        let random = ChaCha8Rng::seed_from_u64(bytes as u64).sample_iter(Alphanumeric);
        let (text, bytes) = (random.take(bytes).map(char::from).collect::<String>(), bytes as i32);
        let begun = Instant::now();
        // Sent together, so that the second answer follows the first.
        let (arrived, returned) = futures::join!(
            async {
                self.query_one(include_str!("../sql/line/up.sql"), &[&text]).await?;
                Ok::<_, tokio_postgres::Error>(Instant::now())
            },
            async {
                self.query_one(include_str!("../sql/line/down.sql"), &[&bytes]).await?;
                Ok::<_, tokio_postgres::Error>(Instant::now())
            },
        );
        let (arrived, returned) = (arrived?, returned?);
        let up = (arrived - begun).saturating_sub(self.round_trip());
        Ok([up, returned - arrived])
    }
}

/// The bytes of the second probe, after the first took that long: enough to tell the line from the
/// round trip, if that does not take too long.
fn second(first_took: Duration, round_trip: Duration) -> usize {
    let aim = (round_trip * 2 * (OPENING + 1)).clamp(SHORTEST, LONGEST);
    let bytes = FIRST as f64 * aim.as_secs_f64() / first_took.as_secs_f64().max(1e-6);
    (bytes as usize).clamp(FIRST, MOST)
}

fn rate(bytes: usize, took: Duration, round_trip: Duration) -> Rate {
    let is_least = took < (round_trip * OPENING).max(CLEAR);
    // What is not told apart from the clock and the round trip may all be the line.
    let took = if is_least { took + round_trip + Duration::from_micros(1) } else { took };
    Rate { bytes_per_second: bytes as f64 / took.as_secs_f64(), is_least }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_slow_line_is_measured_and_a_fast_one_is_at_least_as_fast() {
        // 32 KiB at 2 Mbit/s take 131 ms, there and back.
        let bytes = second(MS(262), MS(50));
        assert!((60_000..70_000).contains(&bytes), "{bytes}");
        let slow = rate(bytes, Duration::from_secs_f64(bytes as f64 / 250e3), MS(50));
        assert!(!slow.is_least && (slow.bytes_per_second - 250e3).abs() < 1.0, "{slow:?}");
        let fast = rate(second(MS(0), MS(50)), MS(84), MS(50));
        assert!(fast.is_least && fast.bytes_per_second < MOST as f64 / 0.084, "{fast:?}");
    }

    proptest! {
        #[test]
        fn no_rate_is_higher_than_what_was_carried(
            bytes in FIRST..=MOST, took in 0u64..2_000_000, round_trip in 0u64..500_000,
        ) {
            let (took, trip) = (Duration::from_micros(took), Duration::from_micros(round_trip));
            let told = rate(bytes, took, trip).bytes_per_second;
            prop_assert!(told.is_finite() && told * took.as_secs_f64() <= bytes as f64 * 1.000_001);
        }

        #[test]
        fn the_second_probe_is_short(rate in 1e3f64..1e10, round_trip in 0u64..500) {
            let first = Duration::from_secs_f64(2.0 * FIRST as f64 / rate);
            let bytes = second(first, Duration::from_millis(round_trip));
            prop_assert!(bytes == FIRST || 2.0 * bytes as f64 / rate <= 0.601);
        }
    }
}
