//! Which servers sterna works with.

use std::io;
use std::ops::RangeInclusive;

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::config::TargetSessionAttrs;

use super::conninfo::ConnInfo;
use super::socket::Cause;
use sterna_error::{Error, Result};

/// The major versions of servers that sterna supports. The catalogs of other versions may
/// contain properties of a table that sterna does not know and a switchover would lose.
pub const SUPPORTED_SERVERS: RangeInclusive<u32> = 14..=18;

/// Checks `target_session_attrs`, before the session is set up for writing.
pub(super) async fn check_attributes(
    client: &tokio_postgres::Client,
    wanted: TargetSessionAttrs,
) -> Result<(), Cause> {
    let wanted = match wanted {
        TargetSessionAttrs::ReadWrite => "off",
        TargetSessionAttrs::ReadOnly => "on",
        _ => return Ok(()),
    };
    let answer = client.simple_query(include_str!("../sql/read-only.sql")).await?;
    let is_wanted = answer.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0) == Some(wanted),
        _ => false,
    });
    if is_wanted {
        return Ok(());
    }
    let what = match wanted {
        "off" => "the database does not allow writes",
        _ => "the database is not read only",
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what).into())
}

/// Refuses unsupported servers. `version` is the server's own text, such as
/// `15.6 (Debian 15.6-1)` or `18beta1`.
pub(super) fn check_version(info: &ConnInfo, version: Option<&str>) -> Result<()> {
    let text = version.unwrap_or("an unknown version");
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    match digits.parse::<u32>() {
        Ok(major) if SUPPORTED_SERVERS.contains(&major) => Ok(()),
        _ => Err(Error::refused(format!(
            "{} is PostgreSQL {text}; sterna {} works with {} to {}",
            info.display(),
            env!("CARGO_PKG_VERSION"),
            SUPPORTED_SERVERS.start(),
            SUPPORTED_SERVERS.end(),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn servers_of_other_versions_are_refused() {
        let info = ConnInfo::unix_socket(Path::new("/run/x"), 5432, "u", "d");
        for version in ["14.0", "15.6 (Debian 15.6-1.pgdg)", "18beta1"] {
            assert!(check_version(&info, Some(version)).is_ok(), "{version}");
        }
        for version in [Some("13.12"), Some("9.6.24"), Some("19beta1"), Some(""), None] {
            assert!(check_version(&info, version).is_err(), "{version:?}");
        }
        let error = check_version(&info, Some("13.12")).unwrap_err().to_string();
        assert!(error.starts_with("u@/run/x:5432/d is PostgreSQL 13.12; sterna "), "{error}");
        assert!(error.ends_with(" works with 14 to 18"), "{error}");
    }
}
