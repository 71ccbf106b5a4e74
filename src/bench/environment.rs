//! The environment that latencies depend on: server, machine, size of the tables.

use serde_json::Value;

use super::report::{BenchEnvironment, DataSize};
use crate::error::Result;
use crate::pg::{Connection, Table, fill};

/// Describes the server and this machine.
///
/// # Errors
/// Errors of the server.
pub(super) async fn read(session: &Connection) -> Result<BenchEnvironment> {
    let row = session.query_one(include_str!("../../sql/bench/run/environment.sql"), &[]).await?;
    Ok(BenchEnvironment {
        at: jiff::Timestamp::now().to_string(),
        sterna: env!("CARGO_PKG_VERSION").to_owned(),
        server: row.get(0),
        settings: row.get::<_, Value>(1),
        client: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        client_cores: std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// The size of a table; `None` if it has no rows.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn size(
    session: &Connection,
    table: &Table,
    oid: u32,
) -> Result<Option<DataSize>> {
    let sql = fill(include_str!("../../sql/bench/run/size.sql"), &[("trade", table)]);
    let row = session.query_one(&sql, &[&oid]).await?;
    let bytes = |column| row.get::<_, i64>(column).cast_unsigned();
    Ok(row.get::<_, bool>(0).then(|| DataSize {
        table: table.to_string(),
        oid,
        estimated_rows: row.get(1),
        table_bytes: bytes(2),
        index_bytes: bytes(3),
        pages: bytes(4),
        pages_of_largest: bytes(6),
        columns_with_statistics: row.get(5),
    }))
}
