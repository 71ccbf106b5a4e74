//! A query that is being measured: its statements, its parameters, its rounds.

use std::error::Error as StdError;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use bytes::BytesMut;
use futures::{TryStreamExt as _, pin_mut};
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::Sides;
use super::interval::Interval;
use super::query::Query;
use super::report::Plans;
use crate::error::Result;
use crate::pg::{Connection, Typed, interruptible};

/// A value as the server wrote it and reads it again, whatever its type is.
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
    /// That of its place in the query.
    fn sql_type(&self) -> Type {
        Type::UNKNOWN
    }
}

/// A query with what it takes to run it.
pub(super) struct Trial {
    pub(super) query: Query,
    /// Prepared, with the text that was.
    pub(super) statements: Sides<(Statement, String)>,
    /// What the parameters are, round after round; never empty.
    pub(super) draws: Vec<Vec<TextValue>>,
    /// What was measured.
    pub(super) rounds: Vec<Round>,
    pub(super) plans: Plans,
    pub(super) state: State,
}

/// How far a trial is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// More rounds would tell more.
    Open,
    /// The ratio is known well enough.
    Known,
    /// Production took longer than an execution may.
    ProductionTimedOut,
    /// Staging took longer than an execution may.
    StagingTimedOut,
}

/// Two executions with the same parameters, one directly after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) production: Option<Execution>,
    pub(super) staging: Execution,
}

/// One execution, from the request to the last row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Execution {
    pub(super) ms: f64,
    pub(super) rows: u64,
    /// Whether it was cut off after so long.
    pub(super) timed_out: bool,
}

impl Trial {
    /// Runs the query on both tables with the parameters of this round.
    ///
    /// # Errors
    /// The query's own, with its file.
    pub(super) async fn round(
        &mut self,
        session: &Connection,
        round: usize,
        stop: &AtomicBool,
    ) -> Result<Round> {
        let values = &self.draws[round % self.draws.len()];
        let staging = &self.statements.staging.0;
        let run = async |statement| {
            execute(session, statement, values, stop)
                .await
                .map_err(|e| e.context(&self.query.origin))
        };
        let round = match &self.statements.production {
            None => Round { production: None, staging: run(staging).await? },
            // Who goes first changes from round to round, and for the same parameters
            // from one time to the next.
            Some((production, _)) if (round + round / self.draws.len()).is_multiple_of(2) => {
                let production = run(production).await?;
                Round { production: Some(production), staging: run(staging).await? }
            }
            Some((production, _)) => {
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

    /// Staging/production of each round; none where there is nothing to compare.
    pub(super) fn ratio(&self, seed: u64) -> Option<Interval> {
        self.paired(|staging, production| staging / production)
            .map(|ratios| Interval::of_ratios(&ratios, seed))
    }

    /// Staging - production of each round in milliseconds.
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

/// Runs a prepared statement to its last row.
async fn execute(
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
