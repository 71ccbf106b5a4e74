//! Materialized views over the table are computed in the exchange, while readers and writers
//! wait. How long that takes is measured beforehand.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::pg::{Connection, Volley};
use crate::table::locks::{self, LockLimits};

/// Time limit for computing a view here.
const LONGEST_PROBE: Duration = Duration::from_secs(60);

/// Refuses a materialized view whose computation would block readers for longer than a
/// statement under the lock may take.
///
/// # Errors
/// The refusal, with the duration; the server's error if the view cannot be computed at all.
pub(super) async fn refuse_slow(session: &Connection, views: &[u32]) -> Result<()> {
    if views.is_empty() {
        return Ok(());
    }
    let limits = LockLimits::of(session.deadlock_timeout_ms());
    let limit_ms = f64::from(i32::try_from(limits.script_ms).unwrap_or(i32::MAX));
    let sql = include_str!("../../sql/switchover/dependent/probe.sql");
    for row in session.query(sql, &[&views]).await? {
        let name: &str = row.get(0);
        let mut volley = Volley::default();
        let longest_ms = i64::try_from(LONGEST_PROBE.as_millis()).unwrap_or(i64::MAX);
        LockLimits::set(&mut volley, limits.lock_ms, longest_ms);
        let created = volley.add(row.get::<_, String>(1));
        let refreshed = volley.add(row.get::<_, String>(2));
        volley.add(row.get::<_, String>(3));
        let took = match locks::send(session, &volley).await {
            Ok(answers) => {
                let took = answers[refreshed].at.duration_since(answers[created].at);
                if took.as_secs_f64() * 1e3 <= limit_ms {
                    continue;
                }
                format!("{:.1} s", took.as_secs_f64())
            }
            Err(error) if error.sqlstate() == Some("57014") => {
                format!("more than {} s", LONGEST_PROBE.as_secs())
            }
            Err(error) => return Err(error.context(format!("could not compute {name}"))),
        };
        return Err(Error::refused(format!(
            "computing the materialized view {name} takes {took}, and would block readers for \
             longer than {limit_ms:.0} ms"
        ))
        .hint(
            "nothing was changed; with --refresh-after the view is computed after the exchange, \
             and cannot be read until then",
        ));
    }
    Ok(())
}
