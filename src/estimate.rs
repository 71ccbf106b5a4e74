//! How long the steps of a migration will take, before they begin.
//!
//! A step takes as long as it last did, by its number of rows. If it has never run, only the line is
//! known: the bytes over the measured rate, and the round trips. What was not measured is not
//! estimated, and every estimate says what it is based on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::error::Result;
use crate::pg::{Connection, Line, Rate, Table};

/// The round trips of a load and of a switchover, at most.
pub const LOAD_TRIPS: u32 = 72;
/// As [`LOAD_TRIPS`].
pub const SWITCHOVER_TRIPS: u32 = 56;

/// Connections that a load opens to a distant server, at most.
const MOST_CONNECTIONS: u32 = 8;

/// The steps that take most of the time or that others wait for: number in the plan, and name.
pub const MAIN_STEPS: [(&str, &str); 3] =
    [("1.1", "backup"), ("3.2", "load"), ("4.2", "switchover")];

/// How far away the server is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Distance {
    /// The round trip, in milliseconds.
    pub round_trip_ms: f64,
    /// What one connection carries.
    #[serde(flatten)]
    pub line: Line,
}

impl Distance {
    /// Measures it, in at most two round trips.
    ///
    /// # Errors
    /// Those of [`Connection::line`].
    pub async fn measure(session: &Connection) -> Result<Self> {
        let line = session.line().await?;
        Ok(Distance { round_trip_ms: session.round_trip().as_secs_f64() * 1000.0, line })
    }

    /// The distance in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let [up, down] = [self.line.up, self.line.down].map(rate);
        format!(
            "round trip {}; one connection carries {up} up and {down} down",
            ms(self.round_trip_ms)
        )
    }
}

/// How long a step will take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Seconds; null if nothing is known.
    pub estimated_seconds: Option<f64>,
    /// What they are based on, and what is left out.
    pub estimated_from: String,
}

impl Estimate {
    /// The estimate in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.estimated_seconds {
            Some(seconds) => format!("about {}: {}", duration(seconds), self.estimated_from),
            None => self.estimated_from.clone(),
        }
    }
}

/// An earlier run of a step.
#[derive(Clone, Debug)]
struct Earlier {
    rows: Option<u64>,
    seconds: f64,
    on: String,
    round_trip_ms: Option<f64>,
}

/// What estimates are based on.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The distance to the server.
    pub distance: Distance,
    /// The number of rows of the live table, by its statistics.
    pub live_rows: Option<u64>,
    /// The size of one of them in a COPY, in bytes.
    row_bytes: Option<f64>,
    /// By the number of the step.
    earlier: BTreeMap<String, Earlier>,
}

impl Basis {
    /// Reads what is known about a table with this OID; from the ledger as well, if there is one.
    ///
    /// # Errors
    /// If the server cannot be queried.
    pub async fn read(
        session: &Connection,
        distance: Distance,
        (table, oid): (&Table, u32),
        has_ledger: bool,
    ) -> Result<Self> {
        let earlier = async {
            if !has_ledger {
                return Ok(Vec::new());
            }
            let (schema, name) = (table.schema.name(), table.name.name());
            session.query(include_str!("../sql/estimate/steps.sql"), &[&schema, &name]).await
        };
        let table = session.query_one(include_str!("../sql/estimate/table.sql"), &[&oid]);
        let (table, earlier) = futures::join!(table, earlier);
        let table = table?;
        let rows: f64 = table.get(0);
        let earlier = earlier?.into_iter().map(|row| {
            let rows = row.get::<_, Option<i64>>(1).and_then(|rows| u64::try_from(rows).ok());
            let (seconds, on, round_trip_ms) = (row.get(2), row.get(3), row.get(4));
            (row.get(0), Earlier { rows, seconds, on, round_trip_ms })
        });
        Ok(Basis {
            distance,
            live_rows: (rows >= 0.0).then_some(rows as u64),
            row_bytes: table.get(1),
            earlier: earlier.collect(),
        })
    }

    /// How long a step of the plan takes with this number of rows.
    #[must_use]
    pub fn step(&self, number: &str, rows: Option<u64>) -> Estimate {
        let line = self.over_the_line(number, rows);
        let Some(Earlier { rows: then, seconds, on, round_trip_ms }) = self.earlier.get(number)
        else {
            return line.map_or_else(unknown, |line| Estimate {
                estimated_seconds: Some(line.seconds),
                estimated_from: format!("only the line, without the server's work: {}", line.what),
            });
        };
        let mut from = format!("as on {on}");
        let mut seconds = *seconds;
        if let Some((now, then)) = rows.zip(then.filter(|then| *then > 0)) {
            seconds *= now as f64 / then as f64;
            from.push_str(", by the number of rows");
        }
        let Some(line) = line else {
            return Estimate { estimated_seconds: Some(seconds), estimated_from: from };
        };
        if let Some(then) = round_trip_ms {
            seconds += f64::from(line.trips) * (self.distance.round_trip_ms - then).max(0.0) / 1e3;
            from.push_str(&format!("; the round trip was {}", ms(*then)));
        }
        if line.least_seconds > seconds {
            seconds = line.least_seconds;
            from = format!("longer than on {on}, because of the line: {}", line.what);
        }
        Estimate { estimated_seconds: Some(seconds), estimated_from: from }
    }

    /// What a step takes of the line; `None` if that is not known.
    fn over_the_line(&self, number: &str, rows: Option<u64>) -> Option<OverTheLine> {
        let Line { up, down } = self.distance.line;
        let (way, connections, trips) = match number {
            "1.1" => (Some(("down", down)), 1, 0),
            "2.1" | "3.2" => (Some(("up", up)), MOST_CONNECTIONS, LOAD_TRIPS),
            "4.2" => (None, 1, SWITCHOVER_TRIPS),
            _ => return None,
        };
        let waiting = f64::from(trips) * self.distance.round_trip_ms / 1e3;
        let (mut carrying, mut least, mut parts) = (0.0, 0.0, Vec::new());
        if let Some((to, carried)) = way {
            let bytes = rows? as f64 * self.row_bytes?;
            carrying = bytes / carried.bytes_per_second;
            // If the line may be faster, there is no telling.
            least = if carried.is_least { 0.0 } else { carrying / f64::from(connections) };
            parts.push(format!("about {} {to} at {}", size(bytes), rate(carried)));
        }
        if trips > 0 {
            let trip = ms(self.distance.round_trip_ms);
            parts.push(format!("up to {trips} round trips of {trip}"));
        }
        let (seconds, least_seconds) = (carrying + waiting, least + waiting);
        Some(OverTheLine { seconds, least_seconds, trips, what: parts.join(", ") })
    }
}

/// What a step takes of the line.
struct OverTheLine {
    /// Over one connection.
    seconds: f64,
    /// Over as many connections as the step may open.
    least_seconds: f64,
    /// Round trips.
    trips: u32,
    /// In words.
    what: String,
}

fn unknown() -> Estimate {
    Estimate { estimated_seconds: None, estimated_from: "not known".to_owned() }
}

/// `84 Mbit/s or more`.
fn rate(Rate { bytes_per_second, is_least }: Rate) -> String {
    let more = if is_least { " or more" } else { "" };
    format!("{}{more}", mbit(bytes_per_second))
}

/// A rate in bytes per second as `2.1 Mbit/s`.
pub(crate) fn mbit(bytes_per_second: f64) -> String {
    let mbit = bytes_per_second / 125_000.0;
    let digits = usize::from(mbit < 10.0);
    format!("{mbit:.digits$} Mbit/s")
}

/// `50 ms`, `0.2 ms`.
pub(crate) fn ms(ms: f64) -> String {
    let digits = usize::from(ms < 10.0);
    format!("{ms:.digits$} ms")
}

/// `1.5 GB`, in the units of the providers' plans.
pub(crate) fn size(bytes: f64) -> String {
    let (unit, of_unit) = if bytes >= 1e9 { ("GB", 1e9) } else { ("MB", 1e6) };
    format!("{:.1} {unit}", bytes / of_unit)
}

fn duration(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds).map_or(u64::MAX, |time| time.as_secs()) {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{seconds:.0} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn basis(round_trip_ms: f64, earlier: &[(&str, Option<u64>, f64)]) -> Basis {
        let line = Line {
            up: Rate { bytes_per_second: 250e3, is_least: false },
            down: Rate { bytes_per_second: 12.5e6, is_least: true },
        };
        let earlier = earlier.iter().map(|(step, rows, seconds)| {
            let on = "2026-11-30".to_owned();
            let round_trip_ms = (*step == "3.2").then_some(20.0);
            ((*step).to_owned(), Earlier { rows: *rows, seconds: *seconds, on, round_trip_ms })
        });
        Basis {
            distance: Distance { round_trip_ms, line },
            live_rows: Some(1000),
            row_bytes: Some(200.0),
            earlier: earlier.collect(),
        }
    }

    #[test]
    fn without_an_earlier_run_only_the_line_is_known() {
        let basis = basis(50.0, &[]);
        let load = basis.step("3.2", Some(500_000));
        assert_eq!(load.estimated_seconds, Some(400.0 + 72.0 * 0.05));
        let says = "about 7 min: only the line, without the server's work: about 100.0 MB up at \
                    2.0 Mbit/s, up to 72 round trips of 50 ms";
        assert_eq!(load.describe(), says);
        let backup = basis.step("1.1", Some(500_000));
        assert_eq!(backup.estimated_seconds, Some(8.0));
        assert!(backup.describe().ends_with("down at 100 Mbit/s or more"), "{backup:?}");
        assert!(basis.step("4.2", None).estimated_seconds.is_some_and(|s| (s - 2.8).abs() < 1e-9));
        for (step, rows) in [("3.2", None), ("3.3", Some(500_000)), ("2.3", None)] {
            assert_eq!(basis.step(step, rows), unknown(), "{step}");
        }
    }

    #[test]
    fn an_earlier_run_counts_by_its_rows() {
        let basis = basis(50.0, &[("3.2", Some(1000), 20.0), ("3.3", None, 4.0)]);
        let load = basis.step("3.2", Some(3000));
        let says = "about 62 s: as on 2026-11-30, by the number of rows; the round trip was 20 ms";
        assert_eq!(load.describe(), says);
        assert_eq!(basis.step("3.3", Some(9)).describe(), "about 4.0 s: as on 2026-11-30");
        let near = Basis { distance: Distance { round_trip_ms: 1.0, ..basis.distance }, ..basis };
        assert_eq!(near.step("3.2", None).estimated_seconds, Some(20.0));
    }

    #[test]
    fn a_line_that_has_become_slower_counts() {
        let basis = basis(50.0, &[("3.2", Some(1000), 0.1), ("1.1", Some(1000), 0.1)]);
        // 100 MB over eight connections of 250 kB/s.
        let load = basis.step("3.2", Some(500_000));
        assert_eq!(load.estimated_seconds, Some(50.0 + 72.0 * 0.05), "{load:?}");
        assert!(load.estimated_from.starts_with("longer than on 2026-11-30"), "{load:?}");
        // This direction may be faster than it was measured.
        let backup = basis.step("1.1", Some(500_000));
        assert_eq!(backup.describe(), "about 50 s: as on 2026-11-30, by the number of rows");
    }

    proptest! {
        #[test]
        fn more_rows_and_a_longer_way_never_take_less_time(
            rows in 0u64..1_000_000_000, more in 0u64..1_000_000_000,
            trip in 0.0f64..1000.0, longer in 0.0f64..1000.0,
            step in prop::sample::select(vec!["1.1", "2.1", "3.2", "4.2", "5.2"]),
            has_run: bool,
        ) {
            let earlier = [(step, Some(1000), 3.0)];
            let earlier = if has_run { &earlier[..] } else { &[] };
            let seconds = |trip, rows| basis(trip, earlier).step(step, Some(rows)).estimated_seconds;
            prop_assert!(seconds(trip, rows) <= seconds(trip + longer, rows + more));
            let is_known = has_run || step != "5.2";
            prop_assert_eq!(seconds(trip, rows).is_some(), is_known);
        }
    }
}
