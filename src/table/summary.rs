//! Recomputes the summary per species, `species_trade_summary`, from the trade records.
//!
//! One transaction with one snapshot saves the present rows in the ledger, writes the new
//! ones, and checks them against the trade table before it commits. It does not block other
//! writers; if one of them writes to the summary in the meantime, it starts again.
//!
//! The quantity of a record is its `quantity`. In an installation with the quantities that
//! both sides reported, it is the importer's, or the exporter's if the importer reported
//! none.

mod record;

use std::time::{Duration, Instant};

pub use record::{counts_undone, follow, forget, last, stands};
use record::{is_kept, last_in};
use serde::Serialize;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::pg::{
    Backoff, Column, Columns, Connection, Ident, Mode, Quoted, Session, Table, Transaction,
    catalog, explain_denied, fill,
};
use crate::trust;

pub(crate) const SUMMARY: &str = "species_trade_summary";
const SPECIES: &str = "species";
/// The tables besides the trade table that are written to, here or by adding species.
pub(crate) const WRITTEN: [&str; 2] = [SPECIES, SUMMARY];
/// The columns that are computed, and the key.
pub(crate) const SUMMARY_COLUMNS: [&str; 11] = [
    "species_id",
    "last_updated_at",
    "total_trade_records",
    "overall_min_year",
    "overall_max_year",
    "overall_total_quantity",
    "distinct_years",
    "distinct_terms",
    "distinct_importers",
    "distinct_exporters",
    "annual_summaries",
];
const TRADE_COLUMNS: [&str; 7] =
    ["species_id", "year", "term", "source", "purpose", "importer", "exporter"];
/// A record's quantity, by preference: the first pair of which the table has a column.
const QUANTITIES: [[&str; 2]; 2] =
    [["quantity", "quantity"], ["importer_reported_quantity", "exporter_reported_quantity"]];

/// How many rows that others have written to are named in the report.
const NAMED: usize = 20;

/// How long to keep trying despite locks and other writers of the summary.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tables and columns that a recomputation reads and writes.
#[derive(Clone, Debug)]
pub struct Target {
    trade: Table,
    species: Table,
    summary: Table,
    quantity: Ident,
    /// Used where `quantity` is NULL; the same column if there is no other.
    fallback: Ident,
}

/// Whether an installation has a summary that can be recomputed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SummaryFound {
    /// It has one.
    Target(Target),
    /// It has none, for this reason.
    Nothing(String),
}

/// The report of a recomputation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SummaryReport {
    /// The run, by which it can be undone.
    pub run_id: Uuid,
    /// The table that was written.
    pub summary: String,
    /// Number of rows now: one per species.
    pub species: i64,
    /// Number of rows before.
    pub rows_before: i64,
    /// Number of records in the trade table, all of which the summary counts.
    pub total_trade_records: i64,
    /// The sum of their quantities, as decimal text.
    pub total_quantity: String,
    /// Total duration.
    pub seconds: f64,
}

/// The report of undoing a recomputation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryUndone {
    /// The run of the recomputation.
    pub run_id: Uuid,
    /// Rows that are as they were before the recomputation.
    pub rows_restored: i64,
    /// Saved rows of species that have since been deleted.
    pub rows_without_species: i64,
    /// Rows that others have written to since; their values are kept.
    pub rows_kept: i64,
    /// The first of these, and what was written.
    pub kept: Vec<String>,
}

/// Looks for the summary of a trade table, in the same schema; for a partition, give the whole
/// partitioned table, all of whose rows it counts.
///
/// # Errors
/// If the catalog cannot be read; refused if a table is not to be trusted.
pub async fn find(session: &Connection, trade: &Table) -> Result<SummaryFound> {
    let beside = |name: &str| Table::new(trade.schema.name(), name);
    let (species, summary) = (beside(SPECIES)?, beside(SUMMARY)?);
    let wanted: [(&Table, &[&str], &str); 3] = [
        (&summary, &SUMMARY_COLUMNS, "species_id"),
        (&species, &["id"], "id"),
        (trade, &TRADE_COLUMNS, ""),
    ];
    for (table, columns, key) in wanted {
        let (schema, name) = (table.schema.name(), table.name.name());
        let sql = include_str!("../../sql/table/summary/target.sql");
        let Some(row) = session.query_opt(sql, &[&schema, &name, &columns, &key]).await? else {
            return Ok(SummaryFound::Nothing(format!("there is no table {table}")));
        };
        let missing: Vec<String> = row.get(0);
        if !missing.is_empty() {
            return Ok(SummaryFound::Nothing(format!(
                "{table} has no column {}",
                missing.join(", ")
            )));
        }
        if !key.is_empty() && !row.get::<_, bool>(1) {
            return Ok(SummaryFound::Nothing(format!("{key} is not a key of {table}")));
        }
    }
    let Some(found) = catalog::relation(session, trade).await? else {
        return Ok(SummaryFound::Nothing(format!("there is no table {trade}")));
    };
    for beside in [&species, &summary] {
        trust::beside(session, beside, trade).await?;
    }
    let columns = catalog::columns(session, found.oid).await?;
    let Some([quantity, fallback]) = quantities(&columns) else {
        return Ok(SummaryFound::Nothing(format!("{trade} has no column quantity")));
    };
    Ok(SummaryFound::Target(Target { trade: trade.clone(), species, summary, quantity, fallback }))
}

/// The column with a record's quantity, and the one to use where that is NULL: the same
/// column if there is no other.
pub(crate) fn quantities(columns: &[Column]) -> Option<[Ident; 2]> {
    let find = |name: &str| columns.iter().map(|c| &c.name).find(|c| c.name() == name).cloned();
    let pairs = QUANTITIES.iter().map(|pair| pair.iter().filter_map(|name| find(name)));
    let mut found = pairs.map(Iterator::collect::<Vec<_>>).find(|found| !found.is_empty())?;
    let fallback = found.pop()?;
    Some([found.pop().unwrap_or_else(|| fallback.clone()), fallback])
}

/// Recomputes the summary. When a run is repeated, the rows from before its first time stay
/// saved.
///
/// The session must be prepared by [`crate::table::staging::pair`].
///
/// # Errors
/// [`Kind::Validation`] if the new rows do not match the trade table, with nothing changed;
/// [`Kind::LockTimeout`] if a lock could not be had in time.
pub async fn recompute(
    session: &mut Connection,
    target: &Target,
    run: Uuid,
) -> Result<SummaryReport> {
    let begun = Instant::now();
    let mut report =
        patiently(session, async |transaction| recompute_in(transaction, target, run).await)
            .await
            .map_err(|e| explain_denied(e.context("could not recompute the summary")))?;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

async fn recompute_in(
    transaction: &Transaction<'_>,
    target: &Target,
    run: Uuid,
) -> Result<SummaryReport> {
    transaction
        .batch_execute(&target.fill(include_str!("../../sql/table/summary/lock.sql")))
        .await?;
    // Under the lock nobody can add a trigger.
    target.refuse_strange_code(transaction).await?;
    let (schema, name) = (target.summary.schema.name(), target.summary.name.name());
    let begin = include_str!("../../sql/table/summary/begin-run.sql");
    let version = env!("CARGO_PKG_VERSION");
    if transaction.execute(begin, &[&run, &schema, &name, &version]).await? > 0 {
        let keep = target.fill(include_str!("../../sql/table/summary/keep.sql"));
        let kept = i64::try_from(transaction.execute(&keep, &[&run]).await?).unwrap_or(i64::MAX);
        let count = include_str!("../../sql/table/summary/count-kept.sql");
        transaction.execute(count, &[&run, &kept]).await?;
    }
    let recompute = target.fill(include_str!("../../sql/table/summary/recompute.sql"));
    transaction.batch_execute(&recompute).await?;
    let written = target.fill(include_str!("../../sql/table/summary/written.sql"));
    transaction.execute(&written, &[&run, &SUMMARY_COLUMNS.as_slice()]).await?;
    let check = target.fill(include_str!("../../sql/table/summary/check.sql"));
    let row = transaction.query_one(&check, &[]).await?;
    let count = |index: usize| row.get::<_, i64>(index);
    let (of_trade, of_summary): (String, String) = (row.get(5), row.get(6));
    let wrong = [
        (count(1) > 0, format!("{} species have no row", count(1))),
        (count(2) > 0, format!("{} rows differ from their records", count(2))),
        (count(3) != count(4), format!("{} records, {} of them counted", count(3), count(4))),
        (of_trade != of_summary, format!("a quantity of {of_trade}, {of_summary} of it counted")),
    ];
    let wrong: Vec<String> = wrong.into_iter().filter(|w| w.0).map(|w| w.1).collect();
    if !wrong.is_empty() {
        let what = format!("the new rows do not match {}: {}", target.trade, wrong.join("; "));
        return Err(Error::new(Kind::Validation, what).hint(
            "nothing was changed; look for triggers on the summary, and for records without a \
             species",
        ));
    }
    let standing = last_in(transaction, &target.summary).await?;
    Ok(SummaryReport {
        run_id: run,
        summary: target.summary.to_string(),
        species: count(0),
        rows_before: standing.map_or(0, |(_, rows)| rows),
        total_trade_records: count(3),
        total_quantity: of_trade,
        seconds: 0.0,
    })
}

/// Restores the rows from before a recomputation, except the columns that others have written
/// to since: their values are kept, and named in the report.
///
/// # Errors
/// Refused if the run is not the latest one that was not undone, because its rows would then
/// hide those of a later one; [`Kind::Validation`] if a trigger prevents the rows from being
/// what they were.
pub async fn undo(session: &mut Connection, target: &Target, run: Uuid) -> Result<SummaryUndone> {
    let oid = catalog::plain_table(session, &target.summary).await?.oid;
    let columns = catalog::columns(session, oid).await?;
    let writable = columns.into_iter().filter(|c| !c.generated).map(|c| c.name).collect();
    let columns = Columns(writable);
    patiently(session, async |transaction| undo_in(transaction, target, run, &columns).await)
        .await
        .map_err(|e| explain_denied(e.context("could not restore the summary")))
}

async fn undo_in(
    transaction: &Transaction<'_>,
    target: &Target,
    run: Uuid,
    columns: &Columns,
) -> Result<SummaryUndone> {
    transaction
        .batch_execute(&target.fill(include_str!("../../sql/table/summary/lock.sql")))
        .await?;
    // Under the lock nobody can add a trigger.
    target.refuse_strange_code(transaction).await?;
    match last_in(transaction, &target.summary).await? {
        Some((last, rows)) if last == run => {
            if rows > 0 && !is_kept(transaction, run).await? {
                return Err(Error::refused(
                    "the last recomputation followed the rollback of a partition, and cannot be undone",
                )
                .hint("`sterna summary` computes it again from the present rows"));
            }
        }
        Some((last, _)) => {
            return Err(Error::refused(format!("{run} is not the last recomputation: {last} is"))
                .hint("undo the last one first: `sterna summary --undo`"));
        }
        None => {
            return Err(Error::refused("no recomputation stands that could be undone"));
        }
    }
    let merge = target.fill(include_str!("../../sql/table/summary/merge.sql"));
    let kept = transaction.query(&merge, &[&run]).await?;
    let unwrite = target.fill(include_str!("../../sql/table/summary/unwrite.sql"));
    transaction.execute(&unwrite, &[&run]).await?;
    let names = [target.names().as_slice(), &[("columns", columns as &dyn Quoted)]].concat();
    let restore = fill(include_str!("../../sql/table/summary/restore.sql"), &names);
    transaction.execute(&restore, &[&run]).await?;
    let differences = fill(include_str!("../../sql/table/summary/differences.sql"), &names);
    let row = transaction.query_one(&differences, &[&run]).await?;
    let (different, same, rows_without_species): (i64, i64, i64) =
        (row.get(0), row.get(1), row.get(2));
    if different > 0 {
        let what = format!("{different} rows of {} are not what they were", target.summary);
        return Err(Error::new(Kind::Validation, what)
            .hint("nothing was changed; a trigger of the table may change what is written to it"));
    }
    transaction.execute(include_str!("../../sql/table/summary/settle-undo.sql"), &[&run]).await?;
    let deleted = kept.iter().filter(|row| row.get::<_, &str>(1) == "deleted").count();
    let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    let named = |row: &tokio_postgres::Row| {
        let (species, what, columns): (&str, &str, Vec<&str>) =
            (row.get(0), row.get(1), row.get(2));
        format!("species {species} {what} {}", columns.join(", ")).trim_end().to_owned()
    };
    Ok(SummaryUndone {
        run_id: run,
        // Rows that others have deleted are not there and so not among `same`.
        rows_restored: same - count(kept.len() - deleted),
        rows_without_species,
        rows_kept: count(kept.len()),
        kept: kept.iter().take(NAMED).map(named).collect(),
    })
}

/// Runs `work` in a transaction with one snapshot and commits it. Repeats this after a
/// conflict with another session.
async fn patiently<T>(
    session: &mut Connection,
    work: impl AsyncFn(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let (first, longest) = (Duration::from_millis(50), Duration::from_secs(2));
    let mut pauses = Backoff::new(first, longest, PATIENCE, 0);
    loop {
        let transaction = session.begin(Mode::Snapshot).await?;
        let done = match work(&transaction).await {
            Ok(done) => transaction.commit().await.map(|()| done).map_err(Error::from),
            Err(error) => {
                transaction.rollback().await?;
                Err(error)
            }
        };
        match done {
            Err(error) if in_the_way(&error) => {
                let Some(pause) = pauses.next() else { return Err(error) };
                tracing::debug!("trying again: {error}");
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
}

fn in_the_way(error: &Error) -> bool {
    let passing = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    passing.iter().any(|state| error.sqlstate() == Some(state.code()))
}

impl Target {
    fn names(&self) -> [(&'static str, &dyn Quoted); 5] {
        [
            ("trade", &self.trade),
            ("species", &self.species),
            ("summary", &self.summary),
            ("quantity", &self.quantity),
            ("fallback", &self.fallback),
        ]
    }

    /// Makes sure that writing the summary runs no code of another role.
    ///
    /// # Errors
    /// As [`trust::code`].
    pub async fn refuse_strange_code(&self, session: &Session) -> Result<()> {
        let sql = include_str!("../../sql/catalog/relation.sql");
        let (schema, name) = (self.summary.schema.name(), self.summary.name.name());
        let oid: u32 = session.query_one(sql, &[&schema, &name]).await?.get(0);
        trust::code(session, &[], &[oid]).await
    }

    fn fill(&self, template: &str) -> String {
        fill(template, &self.names())
    }
}
