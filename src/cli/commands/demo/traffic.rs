//! The demo's application: readers and a writer that keep running while the table is
//! replaced, and measure what they notice of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::pg::{ConnInfo, Connection, connect, connect_for};
use crate::runtime;

/// Pause between two reads of a reader, and two writes of a writer: a live application
/// that leaves most of the machine to the migration.
const READ_PAUSE: Duration = Duration::from_millis(20);
const WRITE_PAUSE: Duration = Duration::from_millis(50);
/// How long the long reader holds its lock.
const LONG_READ: Duration = Duration::from_millis(3_000);

/// The phases of the migration that readers may notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum During {
    Run,
    Switchover,
    Rollback,
}

const PERIODS: usize = 3;

/// Measurements of the readers or of the writers.
#[derive(Clone, Debug, Serialize)]
pub struct Noticed {
    /// Queries that were answered.
    pub queries: u64,
    /// Queries that failed.
    pub errors: u64,
    /// Median latency in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile of the latency in milliseconds.
    pub p99_ms: f64,
    /// The slowest query that overlapped the switchover, in milliseconds.
    pub slowest_in_switchover_ms: f64,
    /// The slowest query that overlapped the rollback, in milliseconds.
    pub slowest_in_rollback_ms: f64,
}

/// Measurements of the application.
#[derive(Clone, Debug, Serialize)]
pub struct TrafficReport {
    /// The readers.
    pub readers: Noticed,
    /// The writers.
    pub writers: Noticed,
    /// The first error, if there was one.
    pub first_error: Option<String>,
}

/// Running readers and writers.
pub(super) struct Traffic {
    info: ConnInfo,
    stop: Arc<AtomicBool>,
    period: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<Result<Side>>>,
    long: Vec<JoinHandle<Result<()>>>,
}

/// One reader or writer.
struct Side {
    writes: bool,
    latency: [Histogram<u64>; PERIODS],
    errors: u64,
    first_error: Option<String>,
    /// The rows that a writer has written: record id and unit.
    written: BTreeMap<String, Option<String>>,
}

impl Traffic {
    /// Starts the application.
    pub(super) fn start(info: &ConnInfo) -> Self {
        let mut traffic = Traffic {
            info: info.clone(),
            stop: Arc::default(),
            period: Arc::default(),
            threads: Vec::new(),
            long: Vec::new(),
        };
        let reads = [
            include_str!("../../../../sql/demo/traffic/read.sql"),
            include_str!("../../../../sql/demo/traffic/read-view.sql"),
        ];
        for sql in reads {
            traffic.spawn(false, async move |session, side, round, began| {
                // Years with few records, so that frequent queries stay fast.
                let year = 1976 + (round % 8) as i32;
                let done = session.query(sql, &[&year]).await;
                side.note(began, done.map(drop));
            });
        }
        traffic.spawn(true, async |session, side, round, began| {
            side.write(session, round, began).await;
        });
        traffic
    }

    fn spawn(
        &mut self,
        writes: bool,
        act: impl AsyncFn(&Connection, &mut Side, u64, Began) + Send + 'static,
    ) {
        let (info, stop, period) =
            (self.info.clone(), Arc::clone(&self.stop), Arc::clone(&self.period));
        self.threads.push(std::thread::spawn(move || {
            runtime::blocking()?.block_on(async {
                let session = connect_for(&info, "the application").await?;
                let mut side = Side::new(writes)?;
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    let began = Began {
                        at: Instant::now(),
                        period: Arc::clone(&period),
                        first: period.load(Ordering::Relaxed),
                    };
                    act(&session, &mut side, round, began).await;
                    round += 1;
                    tokio::time::sleep(if writes { WRITE_PAUSE } else { READ_PAUSE }).await;
                }
                session.close().await?;
                Ok(side)
            })
        }));
    }

    /// Sets the current phase of the migration.
    pub(super) fn during(&self, during: During) {
        self.period.store(during as usize, Ordering::Relaxed);
    }

    /// Starts one more reader, which holds its lock for [`LONG_READ`].
    pub(super) fn begin_long_read(&mut self) {
        let info = self.info.clone();
        let (ready, wait) = std::sync::mpsc::channel();
        self.long.push(std::thread::spawn(move || {
            runtime::blocking()?.block_on(async {
                let mut session = connect_for(&info, "a long reader").await?;
                let transaction = session.transaction().await?;
                transaction
                    .query_one(include_str!("../../../../sql/demo/traffic/long-read.sql"), &[])
                    .await?;
                // Fails if the receiver is gone.
                let _gone = ready.send(());
                tokio::time::sleep(LONG_READ).await;
                transaction.commit().await?;
                session.close().await
            })
        }));
        // A failure is reported when the thread is joined.
        let _failed = wait.recv();
    }

    /// Stops the application, and compares its writes with the contents of the table.
    pub(super) fn end(mut self) -> Result<TrafficReport> {
        self.stop.store(true, Ordering::Relaxed);
        for long in self.long.drain(..) {
            joined(long)?;
        }
        let sides: Vec<Side> = self.threads.drain(..).map(joined).collect::<Result<_>>()?;
        let info = self.info.clone();
        runtime::blocking()?.block_on(async {
            let session = connect(&info).await?;
            let rows = session
                .query(include_str!("../../../../sql/demo/traffic/written.sql"), &[])
                .await?;
            session.close().await?;
            let found: BTreeMap<String, Option<String>> =
                rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            let written: BTreeMap<_, _> =
                sides.iter().flat_map(|side| side.written.clone()).collect();
            if found == written {
                return Ok(());
            }
            let lost = written.iter().find(|(id, unit)| found.get(*id) != Some(unit));
            Err(Error::new(
                crate::error::Kind::Validation,
                format!("the table does not hold what the application wrote, such as {lost:?}"),
            ))
        })?;
        let noticed = |writes: bool| Side::noticed(sides.iter().filter(|s| s.writes == writes));
        Ok(TrafficReport {
            readers: noticed(false)?,
            writers: noticed(true)?,
            first_error: sides.iter().find_map(|side| side.first_error.clone()),
        })
    }
}

impl Drop for Traffic {
    /// If a step failed, ends the clients before the server stops.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _why = thread.join();
        }
        for thread in self.long.drain(..) {
            let _why = thread.join();
        }
    }
}

/// When a query began.
struct Began {
    at: Instant,
    period: Arc<AtomicUsize>,
    first: usize,
}

impl Side {
    fn new(writes: bool) -> Result<Self> {
        // Microseconds up to ten minutes, with three digits.
        let histogram = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3)
            .map_err(|e| Error::usage("no histogram").caused_by(e))?;
        let latency = [histogram.clone(), histogram.clone(), histogram];
        Ok(Side { writes, latency, errors: 0, first_error: None, written: BTreeMap::new() })
    }

    fn note(&mut self, began: Began, done: Result<(), tokio_postgres::Error>) -> bool {
        // A query that was waiting when a period began counts for that period.
        let period = began.first.max(began.period.load(Ordering::Relaxed));
        let taken = u64::try_from(began.at.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.latency[period].saturating_record(taken.max(1));
        if let Err(error) = done {
            self.errors += 1;
            self.first_error.get_or_insert_with(|| Error::from(error).to_string());
            return false;
        }
        true
    }

    /// Inserts a record, then updates it, then deletes every other one, by `round`.
    async fn write(&mut self, session: &Connection, round: u64, began: Began) {
        let id = |round: u64| format!("demo-{round}");
        let insert = include_str!("../../../../sql/demo/traffic/insert.sql");
        let update = include_str!("../../../../sql/demo/traffic/update.sql");
        let delete = include_str!("../../../../sql/demo/traffic/delete.sql");
        let (number, kind) = (round / 3, round % 3);
        // Spread over many years, so that no year of the species appears to shrink.
        let year = 1985 + (number % 38) as i32;
        let done = match kind {
            0 => session.execute(insert, &[&id(number), &"new", &year]).await,
            1 => session.execute(update, &[&id(number), &"changed"]).await,
            // Every other record stays.
            _ if number % 2 == 0 => session.execute(delete, &[&id(number)]).await,
            _ => return,
        };
        let is_one = matches!(done, Ok(1));
        if !self.note(began, done.map(drop)) {
            return;
        }
        if !is_one {
            self.errors += 1;
            self.first_error.get_or_insert_with(|| format!("{} was not there", id(number)));
        }
        match kind {
            0 => self.written.insert(id(number), Some("new".to_owned())),
            1 => self.written.insert(id(number), Some("changed".to_owned())),
            _ => self.written.remove(&id(number)),
        };
    }

    fn noticed<'a>(sides: impl Iterator<Item = &'a Side>) -> Result<Noticed> {
        let mut sum = Side::new(false)?;
        for side in sides {
            sum.errors += side.errors;
            for (all, one) in sum.latency.iter_mut().zip(&side.latency) {
                all.add(one).map_err(|e| Error::usage("no sum of histograms").caused_by(e))?;
            }
        }
        let [mut all, switchover, rollback] = sum.latency;
        for part in [&switchover, &rollback] {
            all.add(part).map_err(|e| Error::usage("no sum of histograms").caused_by(e))?;
        }
        let milliseconds = |micros: u64| micros as f64 / 1e3;
        Ok(Noticed {
            queries: all.len(),
            errors: sum.errors,
            p50_ms: milliseconds(all.value_at_quantile(0.5)),
            p99_ms: milliseconds(all.value_at_quantile(0.99)),
            slowest_in_switchover_ms: milliseconds(switchover.max()),
            slowest_in_rollback_ms: milliseconds(rollback.max()),
        })
    }
}

fn joined<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
