//! Measures: rounds over all queries until each ratio is known precisely enough.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::options::BenchOptions;
use super::query::Origin;
use super::report::Skipped;
use super::trial::{Clock, Round, State, Trial};
use crate::error::{Error, Result};
use crate::pg::Connection;

/// Warm-up rounds for each query: they bring indexes into the cache, time answers by the
/// client's clock, and set the hint bits that the first reader of a row writes.
const WARM_UP: usize = 3;
/// The minimum number of rounds for each query, even when time is up: with fewer, one burst
/// of noise could pass for a regression.
const FEWEST: usize = 8;
/// The minimum for a quick query, unless its rounds together take `QUICK_MS`: its executions
/// are shorter than the pauses of a busy machine, so noise distorts them more.
const FEWEST_QUICK: usize = 32;
const QUICK_MS: f64 = 500.0;
/// A ratio is known when its upper bound is less than this times its lower bound, and both
/// are on the same side of the limit.
const PRECISION: f64 = 1.10;

/// Has the server cancel executions that take too long.
///
/// # Errors
/// Errors of the server.
pub(super) async fn limit(session: &Connection, time_limit: Duration) -> Result<()> {
    // Zero would mean no limit.
    let ms = time_limit.as_millis().max(1).to_string();
    session.query_one(include_str!("../../sql/bench/run/limit.sql"), &[&ms]).await?;
    Ok(())
}

/// Runs each query a few times on both tables.
///
/// # Errors
/// Errors of a query; interrupted if `stop` is set.
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

/// Removes the queries that production itself cannot answer in time.
///
/// # Errors
/// If one of them is a user's query, with its file.
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

/// Runs rounds over all queries whose ratio is not known yet, until the time is up. Returns
/// whether queries that did not have the minimum of rounds took longer.
///
/// Rounds over all queries, instead of one query after another, spread a burst of other work
/// over all of them.
///
/// # Errors
/// Errors of a query; interrupted if `stop` is set.
pub(super) async fn measure(
    session: &Connection,
    trials: &mut [Trial],
    options: &BenchOptions,
    begun: Instant,
    stop: &AtomicBool,
) -> Result<bool> {
    let mut took_longer = false;
    for round in 0..options.rounds {
        let mut measured = false;
        for trial in trials.iter_mut().filter(|trial| trial.state == State::Open) {
            if begun.elapsed().as_secs_f64() > options.seconds {
                if has_enough(trial) {
                    continue;
                }
                took_longer = true;
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
    Ok(took_longer)
}

/// Whether a query has had its minimum of rounds.
fn has_enough(trial: &Trial) -> bool {
    let ms = |round: &Round| round.staging.ms + round.production.map_or(0.0, |e| e.ms);
    let rounds = trial.rounds.len();
    rounds >= FEWEST_QUICK
        || (rounds >= FEWEST && trial.rounds.iter().map(ms).sum::<f64>() >= QUICK_MS)
}

/// The rounds after which to look at the interval. Looking after every round would too often
/// find an interval that is narrow by chance.
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
