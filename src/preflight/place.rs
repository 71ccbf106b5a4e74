//! Checks that the names a switchover needs are free and that the partitions are those of the last
//! one, and finds tables that refer to the table by its OID.

use std::collections::HashSet;

use super::question::found;
use super::{Finding, PreflightSeverity};
use crate::error::{Kind, Result};
use crate::ledger::State;
use crate::pg::{Connection, Ident, Quoted, Table, catalog, fill};
use crate::switchover::journal;
use crate::table::members;
use crate::table::staging::{OLD_SUFFIX, SUFFIX};
use crate::trust;

/// The suffixes of tables that a migration creates beside the live one.
const SUFFIXES: [&str; 3] = [SUFFIX, OLD_SUFFIX, "_backup"];

/// Checks that the names of the tables beside it are not truncated.
pub(super) fn names(table: &Table) -> Finding {
    let cut = SUFFIXES.iter().filter_map(|suffix| table.with_suffix(suffix).err());
    let lines: Vec<String> = cut.map(|error| error.to_string()).collect();
    let good = "the names of staging, old and backup table fit";
    found("names", PreflightSeverity::Error, &lines, good, "rename the table to a shorter name")
}

/// Checks that nothing that sterna did not create has one of these names, or one of those that
/// a partitioned table needs besides.
pub(super) async fn leftovers(
    session: &Connection,
    table: &Table,
    partitioned: Option<u32>,
    state: Option<State>,
) -> Result<Finding> {
    const NAME: &str = "leftovers";
    let own: HashSet<u32> = match state {
        Some(State::Current) => {
            let own = include_str!("../../sql/preflight/own-tables.sql");
            session.query(own, &[]).await?.iter().map(|row| row.get(0)).collect()
        }
        Some(State::Older(_)) => {
            let what = "not known: the ledger is of an older version";
            let hint = "`sterna status` upgrades it";
            return Ok(Finding::bad(NAME, PreflightSeverity::Warning, what, hint));
        }
        Some(State::Nothing) | None => HashSet::new(),
    };
    let mut lines = Vec::new();
    // Of a partitioned table, all names with the other suffixes are looked at below.
    let suffixes = if partitioned.is_some() { &SUFFIXES[2..] } else { &SUFFIXES[..] };
    for beside in suffixes.iter().filter_map(|suffix| table.with_suffix(suffix).ok()) {
        if let Some(relation) = catalog::relation(session, &beside).await?
            && !own.contains(&relation.oid)
        {
            lines.push(beside.to_string());
        }
    }
    if let Some(oid) = partitioned {
        lines.extend(members::taken(session, table, oid, state == Some(State::Current)).await?);
    }
    let good = "nothing is in the way of staging, old and backup table";
    let hint = "rename or drop what sterna did not create; it needs these names";
    Ok(found(NAME, PreflightSeverity::Error, &lines, good, hint))
}

/// Checks that the partitions have not changed since a switchover that can still be rolled back.
pub(super) async fn recorded(
    session: &Connection,
    table: &Table,
    partitioned: Option<u32>,
) -> Result<Option<Finding>> {
    const NAME: &str = "recorded";
    let Some(oid) = partitioned else { return Ok(None) };
    match journal::refuse_unrecorded(session, table, oid).await {
        Ok(()) => {
            let good = "writes to all partitions are recorded, or to none";
            Ok(Some(Finding::good(NAME, PreflightSeverity::Error, good)))
        }
        Err(error) if error.kind() == Kind::Unsafe => {
            let hint = error.next_step().unwrap_or_default().to_owned();
            Ok(Some(Finding::bad(NAME, PreflightSeverity::Error, error.to_string(), hint)))
        }
        Err(error) => Err(error),
    }
}

/// Checks that no other tables store the table's OID, as subscriptions of a realtime service
/// do.
pub(super) async fn remembered(session: &Connection, oid: u32) -> Result<Finding> {
    let sql = include_str!("../../sql/preflight/regclass-columns.sql");
    let mut lines = Vec::new();
    for row in session.query(sql, &[&oid]).await? {
        let table = Table::new(row.get::<_, String>(0), row.get::<_, String>(1))?;
        let column = Ident::new(row.get::<_, String>(2))?;
        let strange = trust::strange_code(session, &[row.get(3)], &[]).await?;
        if !strange.is_empty() {
            tracing::debug!("{table} is not read: that would run {}", strange.join("; "));
            continue;
        }
        let names: [(&str, &dyn Quoted); 2] = [("table", &table), ("column", &column)];
        let count = fill(include_str!("../../sql/preflight/holds-oid.sql"), &names);
        let rows: i64 = match session.query_one(&count, &[&oid]).await {
            Ok(row) => row.get(0),
            Err(error) => {
                tracing::debug!("{table} cannot be read: {error}");
                continue;
            }
        };
        if rows > 0 {
            lines.push(format!("{rows} rows of {table} in {column}"));
        }
    }
    let good = "no column of type regclass holds the table's identity";
    let hint = "these rows keep naming the old table: have their service subscribe again after \
                the switchover";
    Ok(found("remembered-identity", PreflightSeverity::Warning, &lines, good, hint))
}
