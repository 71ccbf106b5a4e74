//! A query that is being measured: its statements, parameters and rounds.

use std::error::Error as StdError;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use bytes::BytesMut;
use futures::future::try_join;
use futures::{TryStreamExt as _, pin_mut};
use serde_json::Value;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::Sides;
use super::interval::Interval;
use super::query::Query;
use super::report::Plans;
use crate::error::Result;
use crate::pg::{Connection, Typed, interruptible};

/// Below this, an execution costs little enough to be repeated, in milliseconds.
const BRIEF_MS: f64 = 5.0;

/// A value of any type as text, sent back as the server wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextValue(pub(super) String);

impl ToSql for TextValue {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

impl Typed for TextValue {
    /// Unknown, so that the server takes the type of its place in the query.
    fn sql_type(&self) -> Type {
        Type::UNKNOWN
    }
}

/// A query with everything needed to run it.
pub(super) struct Trial {
    pub(super) query: Query,
    /// The prepared statements with their texts.
    pub(super) statements: Sides<(Statement, String)>,
    /// The parameters of each round, in turn; never empty.
    pub(super) draws: Vec<Vec<TextValue>>,
    /// The measured rounds.
    pub(super) rounds: Vec<Round>,
    pub(super) plans: Plans,
    /// The shortest answers of the warm-up by the client's clock, in milliseconds.
    pub(super) answers_ms: Sides<Option<f64>>,
    pub(super) state: State,
}

/// The clock that times an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// The server's: planning and execution, independent of the network.
    Server,
    /// This machine's: from the request to the last row.
    Client,
}

/// The state of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// More rounds are needed.
    Open,
    /// The ratio is known precisely enough.
    Known,
    /// An execution on production exceeded the time limit.
    ProductionTimedOut,
    /// An execution on staging exceeded the time limit.
    StagingTimedOut,
}

/// Two executions with the same parameters, directly one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) production: Option<Execution>,
    pub(super) staging: Execution,
}

/// One execution, to the last row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Execution {
    pub(super) ms: f64,
    pub(super) rows: u64,
    /// Whether it was cancelled by the time limit.
    pub(super) timed_out: bool,
}

impl Trial {
    /// Runs the query on both tables with the parameters of this round.
    ///
    /// Of a brief query, the server's clock times the second of two executions, which finds its
    /// pages in the cache. Without the first one, production would be at an advantage: where the
    /// cache is too small for both tables, the application keeps production's pages in it.
    ///
    /// # Errors
    /// Errors of the query, with its file.
    pub(super) async fn round(
        &mut self,
        session: &Connection,
        round: usize,
        clock: Clock,
        stop: &AtomicBool,
    ) -> Result<Round> {
        let values = &self.draws[round % self.draws.len()];
        let staging = &self.statements.staging;
        let brief = self.is_brief();
        let run = async |(statement, sql): &(Statement, String)| {
            let done = match clock {
                Clock::Server if brief => {
                    let time = || timed(session, sql, values, stop);
                    try_join(Box::pin(time()), Box::pin(time())).await.map(|(_, second)| second)
                }
                Clock::Server => timed(session, sql, values, stop).await,
                Clock::Client => answered(session, statement, values, stop).await,
            };
            done.map_err(|e| e.context(&self.query.origin))
        };
        let round = match &self.statements.production {
            None => Round { production: None, staging: run(staging).await? },
            // The table that goes first alternates from round to round, and for the same
            // parameters from one use to the next.
            Some(production) if (round + round / self.draws.len()).is_multiple_of(2) => {
                let production = run(production).await?;
                Round { production: Some(production), staging: run(staging).await? }
            }
            Some(production) => {
                let staging = run(staging).await?;
                Round { production: Some(run(production).await?), staging }
            }
        };
        if round.production.is_some_and(|execution| execution.timed_out) {
            self.state = State::ProductionTimedOut;
        } else if round.staging.timed_out {
            self.state = State::StagingTimedOut;
        }
        Ok(round)
    }

    /// Whether both tables have answered in a short time.
    fn is_brief(&self) -> bool {
        let brief = |side: fn(&Round) -> Option<Execution>| {
            self.rounds.iter().filter_map(side).any(|execution| execution.ms < BRIEF_MS)
        };
        brief(|round| Some(round.staging))
            && (self.statements.production.is_none() || brief(|round| round.production))
    }

    /// Staging/production of each round; none if there is nothing to compare.
    pub(super) fn ratio(&self, seed: u64) -> Option<Interval> {
        self.paired(|staging, production| staging / production)
            .map(|ratios| Interval::of_ratios(&ratios, seed))
    }

    /// Staging - production of each round, in milliseconds.
    pub(super) fn difference_ms(&self, seed: u64) -> Option<Interval> {
        self.paired(|staging, production| staging - production)
            .map(|differences| Interval::of_median(&differences, seed))
    }

    fn paired(&self, compare: impl Fn(f64, f64) -> f64) -> Option<Vec<f64>> {
        let pair = |round: &Round| Some(compare(round.staging.ms, round.production?.ms));
        let pairs: Vec<f64> = self.rounds.iter().filter_map(pair).collect();
        (!pairs.is_empty()).then_some(pairs)
    }
}

/// Runs a query, timed by the server's clock.
async fn timed(
    session: &Connection,
    sql: &str,
    values: &[TextValue],
    stop: &AtomicBool,
) -> Result<Execution> {
    let sql = format!("{}{sql}", include_str!("../../sql/bench/run/time.sql"));
    let values: Vec<&dyn Typed> = values.iter().map(|value| value as _).collect();
    let begun = Instant::now();
    match interruptible(session, stop, session.query_one(&sql, &values)).await {
        Ok(row) => {
            let explained: Value = row.get(0);
            let figure = |figure: &Value| figure.as_f64().unwrap_or_default();
            let ms =
                figure(&explained[0]["Planning Time"]) + figure(&explained[0]["Execution Time"]);
            let rows = figure(&explained[0]["Plan"]["Actual Rows"]) as u64;
            Ok(Execution { ms, rows, timed_out: false })
        }
        Err(e) if e.sqlstate() == Some(SqlState::QUERY_CANCELED.code()) => {
            Ok(Execution { ms: begun.elapsed().as_secs_f64() * 1000.0, rows: 0, timed_out: true })
        }
        Err(error) => Err(error),
    }
}

/// Runs a prepared statement and reads its rows, timed by this machine's clock.
async fn answered(
    session: &Connection,
    statement: &Statement,
    values: &[TextValue],
    stop: &AtomicBool,
) -> Result<Execution> {
    let begun = Instant::now();
    let rows = interruptible(session, stop, async {
        let stream = session.query_prepared(statement, values).await?;
        pin_mut!(stream);
        let mut rows = 0;
        while stream.try_next().await?.is_some() {
            rows += 1;
        }
        Ok(rows)
    });
    let rows = rows.await;
    let ms = begun.elapsed().as_secs_f64() * 1000.0;
    match rows {
        Ok(rows) => Ok(Execution { ms, rows, timed_out: false }),
        Err(e) if e.sqlstate() == Some(SqlState::QUERY_CANCELED.code()) => {
            Ok(Execution { ms, rows: 0, timed_out: true })
        }
        Err(error) => Err(error),
    }
}
