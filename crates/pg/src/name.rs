//! Names sessions after their purpose, so that people find in `pg_stat_activity` and in the
//! server's log what each is for.

use futures::FutureExt;

use super::{ConnInfo, Connection, connect};
use sterna_error::Result;

/// What the server keeps of an `application_name`, in bytes.
const LONGEST: usize = 63;

/// Stands between the connection's own `application_name` and the purpose. The queries that look
/// for sterna's sessions know it as well.
const BETWEEN: &str = ": ";

/// As [`connect`], and names the session after its purpose: see [`Connection::name`].
///
/// # Errors
/// As [`connect`].
pub async fn connect_for(info: &ConnInfo, purpose: &str) -> Result<Connection> {
    let session = connect(info).await?;
    session.name(purpose);
    tracing::debug!(process = session.process(), "session: {purpose}");
    Ok(session)
}

impl Connection {
    /// The `application_name` that the session was opened with.
    pub(super) fn application_name(&self) -> &str {
        self.way.config.get_application_name().unwrap_or_default()
    }

    /// Adds a purpose to the session's `application_name`, until it gets another one or is closed.
    /// Sent ahead of the next statement: nothing waits for it.
    pub fn name(&self, purpose: &str) {
        let Some(name) = named(self.application_name(), purpose) else { return };
        let set = self.query(include_str!("../sql/name-session.sql"), &[&name]);
        // The first poll sends it. A session without this name works as well.
        let _ = set.now_or_never();
    }
}

/// An application name and a purpose. The purpose is cut where the server would cut it. `None` if there is no room for any: sterna
/// knows its sessions by what stands before the purpose.
pub(super) fn named(own: &str, purpose: &str) -> Option<String> {
    let room = LONGEST.checked_sub(own.len() + BETWEEN.len()).filter(|room| *room > 0)?;
    let purpose = &purpose[..purpose.floor_char_boundary(room)];
    Some(format!("{own}{BETWEEN}{purpose}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_purpose_is_cut_and_the_name_before_it_is_not() {
        assert_eq!(named("sterna", "backup").as_deref(), Some("sterna: backup"));
        let long = named("nightly: nr. 1", &"ä".repeat(40)).unwrap();
        assert_eq!(long, format!("nightly: nr. 1: {}", "ä".repeat(23)));
        assert_eq!(named(&"x".repeat(61), "backup"), None);
    }
}
