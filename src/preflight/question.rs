//! Checks that are a single statement: each row it returns is a line that says what is wrong.

use super::{Finding, PreflightSeverity};
use crate::error::Result;
use crate::pg::{Connection, SUPPORTED_SERVERS};

/// The number of lines that are shown.
const LINES_SHOWN: usize = 10;

/// A check that is a single statement.
pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) severity: PreflightSeverity,
    pub(super) sql: &'static str,
    /// Whether the statement takes the table's OID.
    pub(super) of_table: bool,
    /// The message if nothing is wrong.
    pub(super) good: &'static str,
    pub(super) hint: &'static str,
}

/// All checks of this kind.
pub(super) const QUESTIONS: [Question; 10] = [
    Question {
        name: "table-owner",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/table-owner.sql"),
        of_table: true,
        good: "this role is not a superuser that acts on another role's table",
        hint: "run sterna as the table's owner, which is safest",
    },
    Question {
        name: "publications",
        severity: PreflightSeverity::Error,
        sql: include_str!("../../sql/table/stage/publications.sql"),
        of_table: true,
        good: "no subscriber would get sterna's own tables",
        hint: crate::table::staging::PUBLISHED_HINT,
    },
    Question {
        name: "long-transactions",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/long-transactions.sql"),
        of_table: false,
        good: "no transaction is older than a minute",
        hint: "the switchover waits for them, up to --max-wait: end them first",
    },
    Question {
        name: "sessions-seen",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/sessions-seen.sql"),
        of_table: false,
        good: "the transactions of all roles can be seen",
        hint: "without it, transactions of other roles that began before the load cannot be seen",
    },
    Question {
        name: "inactive-slots",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/inactive-slots.sql"),
        of_table: false,
        good: "no replication slot is left unread",
        hint: "let its reader continue, or drop it with pg_drop_replication_slot",
    },
    Question {
        name: "logical-slots",
        severity: PreflightSeverity::Info,
        sql: include_str!("../../sql/preflight/logical-slots.sql"),
        of_table: false,
        good: "nobody decodes this database",
        hint: "publications that name their tables omit staging, but it is decoded all the same",
    },
    Question {
        name: "prepared-transactions",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/prepared-transactions.sql"),
        of_table: false,
        good: "there are none",
        hint: "COMMIT PREPARED or ROLLBACK PREPARED them: they hold locks until then",
    },
    Question {
        name: "wraparound-vacuum",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/wraparound-vacuum.sql"),
        of_table: true,
        good: "no vacuum that does not yield is running on the table",
        hint: "wait until it is done: the switchover would wait for it",
    },
    Question {
        name: "insert-triggers",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/insert-triggers.sql"),
        of_table: true,
        good: "nothing but the row itself is made when one is inserted",
        hint: "they do not run for the rows of the files: if the application relies on what they do, \
               do it for the new rows after the switchover",
    },
    Question {
        name: "deadlock-timeout",
        severity: PreflightSeverity::Warning,
        sql: include_str!("../../sql/preflight/deadlock-timeout.sql"),
        of_table: false,
        good: "it leaves time for a switchover",
        hint: "set it to 1s, its default, at least for the switchover",
    },
];

impl Question {
    /// Runs the check. If the statement fails, the check has not passed.
    pub(super) async fn ask(&self, session: &Connection, oid: u32) -> Finding {
        let rows = if self.of_table {
            session.query(self.sql, &[&oid]).await
        } else {
            session.query(self.sql, &[]).await
        };
        match rows {
            Ok(rows) => {
                let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                found(self.name, self.severity, &lines, self.good, self.hint)
            }
            Err(error) => {
                let what = format!("could not be checked: {}", crate::error::Error::from(error));
                Finding::bad(self.name, self.severity, what, self.hint)
            }
        }
    }
}

/// The finding of a check that returned these lines.
pub(super) fn found(
    name: &str,
    severity: PreflightSeverity,
    lines: &[String],
    good: &str,
    hint: &str,
) -> Finding {
    if lines.is_empty() {
        return Finding::good(name, severity, good);
    }
    let mut detail = lines.iter().take(LINES_SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if lines.len() > LINES_SHOWN {
        detail.push_str(&format!("; and {} more", lines.len() - LINES_SHOWN));
    }
    Finding::bad(name, severity, detail, hint)
}

/// The server's version. Those that are not supported are refused when a session is opened.
pub(super) async fn version(session: &Connection) -> Result<Finding> {
    let sql = include_str!("../../sql/preflight/server-version.sql");
    let version: String = session.query_one(sql, &[]).await?.get(0);
    let (first, last) = (SUPPORTED_SERVERS.start(), SUPPORTED_SERVERS.end());
    let what = format!("PostgreSQL {version}, of the supported versions {first} to {last}");
    Ok(Finding::good("server-version", PreflightSeverity::Info, what))
}
