//! The measuring itself: rounds over all queries, until each ratio is known.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::options::BenchOptions;
use super::query::Origin;
use super::report::Skipped;
use super::trial::{Clock, Round, State, Trial};
use crate::error::{Error, Result};
use crate::pg::Connection;

/// Rounds for each query before it is measured: indexes come into the cache, answers are
/// seen from here, and whoever reads rows first has noted which transactions are over.
const WARM_UP: usize = 3;
/// Rounds that each query gets, however late it is: with fewer, one gust of noise
/// could pass for a regression.
const FEWEST: usize = 8;
/// Rounds that a quick query gets, as long as they took less than this together: its
/// executions are shorter than the pauses that a busy machine makes, so more of them
/// are hit.
const FEWEST_QUICK: usize = 32;
const QUICK_MS: f64 = 500.0;
/// A ratio is known when its bounds are this near to each other and on one side of
/// the limit.
const PRECISION: f64 = 1.10;

/// Has the server cut off executions that take too long.
///
/// # Errors
/// The server's.
pub(super) async fn limit(session: &Connection, time_limit: Duration) -> Result<()> {
    // Zero would be no limit.
    let ms = time_limit.as_millis().max(1).to_string();
    session.query_one(include_str!("../../sql/bench/run/limit.sql"), &[&ms]).await?;
    Ok(())
}

/// Runs each query a few times on both tables.
///
/// # Errors
/// A query's own; interrupted where `stop` is set.
pub(super) async fn warm(
    session: &Connection,
    trials: &mut [Trial],
    stop: &AtomicBool,
) -> Result<()> {
    for round in 0..WARM_UP {
        for trial in trials.iter_mut().filter(|trial| trial.state == State::Open) {
            let last = trial.round(session, round, Clock::Client, stop).await?;
            let shorter = |known: &mut Option<f64>, now: f64| {
                *known = Some(known.map_or(now, |known| known.min(now)));
            };
            if let Some(production) = last.production {
                let known = trial.answers_ms.production.get_or_insert_default();
                shorter(known, production.ms);
            }
            shorter(&mut trial.answers_ms.staging, last.staging.ms);
            if trial.state == State::StagingTimedOut {
                trial.rounds.push(last);
            }
        }
    }
    Ok(())
}

/// Takes out the queries that production itself cannot answer in time.
///
/// # Errors
/// Where it is a query of the user's own, with its file.
pub(super) fn too_slow(trials: &mut Vec<Trial>, time_limit: Duration) -> Result<Vec<Skipped>> {
    let slow = trials.extract_if(.., |trial| trial.state == State::ProductionTimedOut);
    let reason = format!("production does not answer within {} s", time_limit.as_secs_f64());
    let taken_out = |trial: Trial| match trial.query.origin {
        Origin::BuiltIn(_) => Ok(Skipped { name: trial.query.name, reason: reason.clone() }),
        Origin::File(_) => Err(Error::bad_file(&trial.query.origin, reason.clone())
            .hint("make the query faster, or let it take longer: --time-limit")),
    };
    slow.map(taken_out).collect()
}

/// Goes round all queries whose ratio is not known yet, until the time is over.
///
/// Going round, and not query by query, spreads a burst of other work over all of them.
///
/// # Errors
/// A query's own; interrupted where `stop` is set.
pub(super) async fn measure(
    session: &Connection,
    trials: &mut [Trial],
    options: &BenchOptions,
    begun: Instant,
    stop: &AtomicBool,
) -> Result<()> {
    for round in 0..options.rounds {
        let mut measured = false;
        for trial in trials.iter_mut().filter(|trial| trial.state == State::Open) {
            if has_enough(trial) && begun.elapsed().as_secs_f64() > options.seconds {
                continue;
            }
            let last = trial.round(session, round, Clock::Server, stop).await?;
            if trial.state != State::ProductionTimedOut {
                trial.rounds.push(last);
            }
            if is_look(trial.rounds.len()) && is_known(trial, options) {
                trial.state = State::Known;
            }
            measured = true;
        }
        if !measured {
            break;
        }
        tracing::debug!(round, "measured");
    }
    Ok(())
}

/// Whether a query had its few rounds.
fn has_enough(trial: &Trial) -> bool {
    let ms = |round: &Round| round.staging.ms + round.production.map_or(0.0, |e| e.ms);
    let rounds = trial.rounds.len();
    rounds >= FEWEST_QUICK
        || (rounds >= FEWEST && trial.rounds.iter().map(ms).sum::<f64>() >= QUICK_MS)
}

/// Looking after every round would often find an interval that is narrow by chance.
fn is_look(rounds: usize) -> bool {
    [12, 16, 24, 32, 48, 64, 96, 128, 192].contains(&rounds)
}

fn is_known(trial: &Trial, options: &BenchOptions) -> bool {
    trial.state == State::Open
        && trial.ratio(options.seed).is_some_and(|ratio| {
            let apart = ratio.low > options.max_regression || ratio.high < options.max_regression;
            apart && ratio.high / ratio.low < PRECISION
        })
}
