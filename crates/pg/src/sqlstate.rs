//! Classifies failures: retry, fix the data, or give up.

use std::io;

use sterna_error::{Error, Kind};

/// The classes of database failure that a load treats differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server or the connection failed temporarily; the same request may succeed later.
    Transient,
    /// The server refused these values; the same request will fail again.
    DataRefused,
    /// Anything else, such as a missing table or privilege.
    Other,
}

/// The class of `error`.
///
/// Without a SQLSTATE, a connection that broke or could not be opened is
/// [`Fault::Transient`]; a failed TLS handshake is not, because its cause is the
/// configuration.
#[must_use]
pub fn classify(error: &Error) -> Fault {
    match error.sqlstate() {
        Some(code) => classify_code(code),
        None if error.kind() != Kind::Database => Fault::Other,
        None if error.postgres().is_some_and(tokio_postgres::Error::is_closed) => Fault::Transient,
        None => match io_cause(error).map(io::Error::kind) {
            None
            | Some(
                io::ErrorKind::InvalidData
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::Unsupported,
            ) => Fault::Other,
            Some(_) => Fault::Transient,
        },
    }
}

/// Whether the session was lost, so that the outcome of what it was doing is unknown, or could
/// not be opened.
#[must_use]
pub fn is_lost(error: &Error) -> bool {
    match error.sqlstate() {
        Some(code) => code.starts_with("57P") || code.starts_with("08"),
        None => classify(error) == Fault::Transient,
    }
}

fn classify_code(code: &str) -> Fault {
    match code.get(..2) {
        // Connection, rollback (deadlock, serialization), resources, operator.
        Some("08" | "40" | "53" | "57") => Fault::Transient,
        // Data exception, integrity constraint, a value too large for an index or a function,
        // and errors raised by the table's functions.
        Some("22" | "23" | "54" | "P0") => Fault::DataRefused,
        _ => Fault::Other,
    }
}

/// The first I/O error in the chain of sources.
pub(super) fn io_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    std::iter::successors(Some(error), |cause| cause.source())
        .find_map(|cause| cause.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_sqlstate() {
        for code in ["08006", "40001", "40P01", "53300", "57014", "57P01", "57P03"] {
            assert_eq!(classify_code(code), Fault::Transient, "{code}");
        }
        for code in ["22003", "22001", "23505", "23514", "23503", "54000", "P0001"] {
            assert_eq!(classify_code(code), Fault::DataRefused, "{code}");
        }
        for code in ["42P01", "28P01", "3D000", "55P03", "XX000", ""] {
            assert_eq!(classify_code(code), Fault::Other, "{code}");
        }
    }

    #[test]
    fn a_broken_connection_is_transient_and_a_broken_file_is_not() {
        let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(classify(&Error::database("x").caused_by(broken())), Fault::Transient);
        assert_eq!(classify(&Error::file("a.csv", broken())), Fault::Other);
        assert_eq!(classify(&Error::database("x")), Fault::Other);
        let handshake = io::Error::from(io::ErrorKind::InvalidData);
        assert_eq!(classify(&Error::database("x").caused_by(handshake)), Fault::Other);
    }
}
