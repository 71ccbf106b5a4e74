//! How long the steps of a migration will take, before they begin.
//!
//! A step takes as long as it last did, by its number of rows. If it has never run, the load of all
//! years follows from that of one; else only the line is known: the bytes over the measured rate,
//! and the round trips. What was not measured is not estimated, and every estimate says what it is
//! based on.

mod rate;
mod space;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Result, grouped};
use crate::pg::{Connection, Line, Rate, Table};
use rate::LoadRate;

pub use space::{Sizes, SpacePeak, StepSpace};

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
    /// Whether something is left out, so that it will take longer.
    pub is_least: bool,
}

impl Estimate {
    fn of(seconds: f64, from: String) -> Self {
        Estimate { estimated_seconds: Some(seconds), estimated_from: from, is_least: false }
    }

    /// The estimate in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.estimated_seconds {
            Some(seconds) => {
                let about = if self.is_least { "at least" } else { "about" };
                format!("{about} {}: {}", duration(seconds), self.estimated_from)
            }
            None => self.estimated_from.clone(),
        }
    }
}

/// An earlier run of a step.
#[derive(Clone, Debug)]
struct Earlier {
    rows: Option<u64>,
    seconds: f64,
    /// `on 2026-11-30`, `earlier today`.
    when: String,
    round_trip_ms: Option<f64>,
    /// If it was a load.
    rate: Option<LoadRate>,
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
        let today = jiff::Timestamp::now().to_string();
        let earlier = earlier?.into_iter().map(|row| {
            let rows = row.get::<_, Option<i64>>(1).and_then(|rows| u64::try_from(rows).ok());
            let (seconds, day): (_, &str) = (row.get(2), row.get(3));
            let is_today = today.starts_with(day);
            let when = if is_today { "earlier today".to_owned() } else { format!("on {day}") };
            let report: Option<Value> = row.get(4);
            let round_trip_ms = report.as_ref().and_then(|report| report["round_trip_ms"].as_f64());
            let rate = report.as_ref().and_then(LoadRate::of);
            (row.get(0), Earlier { rows, seconds, when, round_trip_ms, rate })
        });
        Ok(Basis {
            distance,
            live_rows: (rows >= 0.0).then_some(rows as u64),
            row_bytes: table.get(1),
            earlier: earlier.collect(),
        })
    }

    /// Takes over what a step of the run that is under way has taken, with its report.
    pub fn learn(&mut self, number: &str, rows: Option<u64>, seconds: f64, report: &Value) {
        let round_trip_ms = Some(self.distance.round_trip_ms);
        let (when, rate) = ("in this run".to_owned(), LoadRate::of(report));
        let earlier = Earlier { rows, seconds, when, round_trip_ms, rate };
        self.earlier.insert(number.to_owned(), earlier);
    }

    /// How long a step of the plan takes with this number of rows.
    #[must_use]
    pub fn step(&self, number: &str, rows: Option<u64>) -> Estimate {
        let line = self.over_the_line(number, rows);
        let Some(Earlier { rows: then, seconds, when, round_trip_ms, .. }) =
            self.earlier.get(number)
        else {
            return self.by_a_year(number, rows, line.as_ref()).unwrap_or_else(|| {
                line.map_or_else(unknown, |line| Estimate {
                    estimated_seconds: Some(line.seconds),
                    estimated_from: format!(
                        "only the line, without the server's work: {}",
                        line.what
                    ),
                    is_least: true,
                })
            });
        };
        let mut from = format!("as {when}");
        let mut seconds = *seconds;
        if let Some((now, then)) = rows.zip(then.filter(|then| *then > 0)) {
            seconds *= now as f64 / then as f64;
            from.push_str(", by the number of rows");
        }
        let Some(line) = line else {
            return Estimate::of(seconds, from);
        };
        if let Some(then) = round_trip_ms {
            seconds += f64::from(line.trips) * (self.distance.round_trip_ms - then).max(0.0) / 1e3;
            from.push_str(&format!("; the round trip was {}", ms(*then)));
        }
        if line.least_seconds > seconds {
            seconds = line.least_seconds;
            from = format!("longer than {when}, because of the line: {}", line.what);
        }
        Estimate::of(seconds, from)
    }

    /// How long the load of all years takes by that of one year; `None` for other steps, and if
    /// there was none.
    fn by_a_year(
        &self,
        number: &str,
        rows: Option<u64>,
        line: Option<&OverTheLine>,
    ) -> Option<Estimate> {
        let (rate, when) = self.year(number)?;
        let least = line.map_or(0.0, |line| line.least_seconds);
        Some(Estimate {
            estimated_seconds: Some(rate.seconds(rows?).max(least)),
            estimated_from: format!(
                "by the batches and indexes of 2.1 {when}; without the proof, which reads the rows \
                 back, and with no more time to match rows than that year took"
            ),
            is_least: true,
        })
    }

    /// Whether the server matched rows when a step was last run; `None` if it was no load.
    #[must_use]
    pub fn has_matched(&self, number: &str) -> Option<bool> {
        Some(self.earlier.get(number)?.rate?.has_matched())
    }

    /// How long what follows the last row of a load takes; `None` if that is not known.
    #[must_use]
    pub fn settling(&self, number: &str, rows: Option<u64>) -> Option<f64> {
        let own = self.earlier.get(number).and_then(|earlier| earlier.rate);
        let rate = own.or_else(|| self.year(number).map(|(rate, _)| rate))?;
        Some(rate.settling(rows?))
    }

    /// The load of one year that a load of all years is like.
    fn year(&self, number: &str) -> Option<(LoadRate, &str)> {
        let year = self.earlier.get("2.1").filter(|_| number == "3.2")?;
        Some((year.rate?, &year.when))
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
    let estimated_from = "not known".to_owned();
    Estimate { estimated_seconds: None, estimated_from, is_least: false }
}

/// `84 Mbit/s or more`.
fn rate(Rate { bytes_per_second, is_least }: Rate) -> String {
    let more = if is_least { " or more" } else { "" };
    format!("{}{more}", mbit(bytes_per_second))
}

/// A rate in bytes per second as `2.1 Mbit/s`.
pub(crate) fn mbit(bytes_per_second: f64) -> String {
    let mbit = bytes_per_second / 125_000.0;
    match mbit < 10.0 {
        true => format!("{mbit:.1} Mbit/s"),
        false => format!("{} Mbit/s", grouped(mbit.round() as u64)),
    }
}

/// `50 ms`, `0.2 ms`.
pub(crate) fn ms(ms: f64) -> String {
    let digits = usize::from(ms < 10.0);
    format!("{ms:.digits$} ms")
}

/// `1.5 GB`, or `20 kB`, in the units of the providers' plans.
pub(crate) fn size(bytes: f64) -> String {
    if bytes > 0.0 && bytes < 1e5 {
        return format!("{:.0} kB", (bytes / 1e3).ceil());
    }
    let (unit, of_unit) = if bytes >= 1e9 { ("GB", 1e9) } else { ("MB", 1e6) };
    format!("{:.1} {unit}", bytes / of_unit)
}

/// `20 ms`, `9.5 s`, `62 s`, `7 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 0.1 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    match Duration::try_from_secs_f64(seconds).map_or(u64::MAX, |time| time.as_secs()) {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{seconds:.0} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

#[cfg(test)]
mod tests;
