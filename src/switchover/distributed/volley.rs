//! The transaction that exchanges two distributed tables, as one volley. Citus takes one statement
//! a message, which is how a volley sends them, so that it does not wait for the client either.

use std::time::Duration;

use uuid::Uuid;

use super::super::gate::Counted;
use super::super::journal::Toward;
use super::super::swap::Swap;
use super::super::{Exchange, dependents};
use super::plan::{Plan, limit};
use crate::error::Result;
use crate::pg::{Connection, Quoted, Volley, fill, first_row};
use crate::table::locks::LockLimits;

/// A statement under the lock may take this many times as long as the comparison took before it.
const LONGER: u32 = 5;

const NO_OLDER_SNAPSHOT: &str =
    include_str!("../../../sql/switchover/distributed/no-older-snapshot.sql");

/// The result of an exchange.
pub(super) struct Exchanged {
    /// How long readers waited.
    pub(super) readers: Duration,
    /// How long writers waited.
    pub(super) writers: Duration,
    pub(super) rows: i64,
    pub(super) carried: i64,
}

/// Exchanges the tables and commits, in one volley.
pub(super) async fn run(
    swap: &Swap<'_>,
    plan: &Plan,
    session: &Connection,
    (limits, compared): (LockLimits, Duration),
    (counted, id): (Counted, Uuid),
) -> Result<Exchanged> {
    let Exchange { table, live, .. } = swap.exchange;
    let incoming = swap.exchange.incoming_table()?;
    let conditions = swap.try_conditions(session).await?;
    let longest = compared.saturating_mul(LONGER).max(Duration::from_secs(10));
    let mut volley = Volley::default();
    let longest = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
    limit(&mut volley, limits.lock_ms, longest);
    let lock = include_str!("../../../sql/switchover/lock-writers.sql");
    let lock = volley.add(fill(lock, &[("table", table)]));
    let same = include_str!("../../../sql/switchover/condition/same-table.sql");
    volley.query(
        same,
        vec![
            Box::new(table.schema.name().to_owned()),
            Box::new(table.name.name().to_owned()),
            Box::new(*live),
        ],
    );
    // At once, so that writers do not wait for a comparison in vain.
    volley.query(NO_OLDER_SNAPSHOT, vec![Box::new(*live), Box::new(None::<Uuid>)]);
    swap.add_no_drift(&mut volley, &conditions);
    let first = volley.add(&plan.find);
    let last = plan.carry.iter().map(|sql| volley.add(sql)).last().unwrap_or(first);
    swap.record(&mut volley, counted);
    let count = include_str!("../../../sql/switchover/distributed/count.sql");
    let names: [(&str, &dyn Quoted); 2] = [("incoming", &incoming), ("list", &plan.changed)];
    let forwards = matches!(swap.toward, Toward::Staging);
    let count = volley.query(fill(count, &names), vec![Box::new(id), Box::new(forwards)]);
    volley.query(NO_OLDER_SNAPSHOT, vec![Box::new(*live), Box::new(Some(id))]);
    for sql in swap.script.locks.iter().chain(&swap.script.exchange) {
        volley.add(sql);
    }
    swap.register(&mut volley);
    swap.add_parity(&mut volley, &conditions);
    dependents::add_condition(&mut volley, &conditions.nothing_left, vec![*live]);
    volley.add(include_str!("../../../sql/switchover/notify.sql"));
    let answers = volley.send(session).await.map_err(|failure| {
        let carries = (first..=last).contains(&failure.position).then_some(failure.position);
        swap.explain(failure, &volley, carries)
    })?;
    let counted = first_row(&answers, count)?;
    let (rows, carried) = (counted.get(0), counted.get(1));
    let since = |place: usize| match (answers.get(place), answers.last()) {
        (Some(before), Some(committed)) => committed.at.duration_since(before.at),
        _ => Duration::ZERO,
    };
    Ok(Exchanged { readers: since(count), writers: since(lock - 1), rows, carried })
}
