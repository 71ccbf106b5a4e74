//! Explains errors about missing privileges on whole tables.

use tokio_postgres::error::SqlState;

use sterna_error::Error;

/// Adds a hint to an error about missing privileges on a table or on some of its rows:
/// sterna's sessions fail if row-level security would hide rows, and the server uses the
/// same SQLSTATE for both.
#[must_use]
pub fn explain_denied(error: Error) -> Error {
    if error.sqlstate() != Some(SqlState::INSUFFICIENT_PRIVILEGE.code()) {
        return error;
    }
    error.hint(
        "connect as the tables' owner; if row-level security is forced (FORCE ROW LEVEL \
         SECURITY), as a role with BYPASSRLS, because rows would be missing otherwise",
    )
}
