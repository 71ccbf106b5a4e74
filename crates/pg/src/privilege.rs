//! What a refused privilege means, where sterna reads or writes whole tables.

use tokio_postgres::error::SqlState;

use sterna_error::Error;

/// Adds what to do to an error of a role that may not, or not to every row: sterna's
/// sessions fail where row-level security would hide rows, and the server uses one
/// SQLSTATE for both.
#[must_use]
pub fn explain_denied(error: Error) -> Error {
    if error.sqlstate() != Some(SqlState::INSUFFICIENT_PRIVILEGE.code()) {
        return error;
    }
    error.hint(
        "connect as the tables' owner; where row-level security is forced (FORCE ROW LEVEL \
         SECURITY) as a role with BYPASSRLS, for else rows would be missing",
    )
}
