//! Handles records that share a row id: the first in file order is loaded, the others are
//! rejected.
//!
//! The server finds them when the unique index is built, after the rows. Their places are
//! then found by reading the input again. The batches that hold them are removed from staging
//! and from the ledger, and the next pass writes these batches again without the refused
//! records. The removal is one transaction, so a load that is killed here resumes like any
//! other.

use std::sync::{Mutex, PoisonError};

use hashbrown::{HashMap, HashSet};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::load::encode::{Origin, RowPlan};
use crate::load::ledger;
use crate::load::pipeline::{Done, Sink};
use crate::load::read::batch::EncodedBatch;
use crate::load::rows::Pass;
use crate::pg::{Connection, fill, values};
use crate::trust;

/// A record whose row id is not unique.
struct Double {
    id: Uuid,
    /// File, line, batch and record, in file order.
    member: usize,
    line: u64,
    batch: u32,
    record: u32,
}

/// Row ids that occur more than once in staging.
pub(in crate::load) struct Doubles {
    /// Each id, and whether a row of another load in the same staging table has it too.
    ids: HashMap<Uuid, bool>,
    /// Records that have already been refused: file, batch and record.
    refused: HashSet<(usize, u32, u32)>,
}

impl Doubles {
    /// Whether every row id is unique.
    pub(in crate::load) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// Finds the row ids that occur more than once in staging.
///
/// # Errors
/// Those of the server.
pub(in crate::load) async fn find_ids(session: &Connection, pass: &Pass<'_>) -> Result<Doubles> {
    let batches = ledger::batches(session, pass.run).await?;
    let own: HashSet<i64> = batches.values().map(|batch| i64::from(batch.xid)).collect();
    let server_refused = batches.iter().flat_map(|((file, batch), known)| {
        known.refused.iter().map(|(record, _)| (*file, *batch, *record))
    });
    let mut doubles = Doubles { ids: HashMap::new(), refused: server_refused.collect() };
    for ((file, batch), records) in ledger::refusals(session, pass.run).await? {
        doubles.refused.extend(records.iter().map(|(record, _)| (file, batch, *record)));
    }
    let columns = &pass.prepared.plan.columns;
    let Some(column) = row_id_column(pass.prepared.plan.rows.distinct()) else {
        return Ok(doubles);
    };
    let sql = fill(
        include_str!("../../../sql/load/duplicate-ids.sql"),
        &[("row_id", &columns[column].name), ("staging", &pass.pair.staging)],
    );
    for row in session.query(&sql, &[]).await? {
        let xids: Vec<i64> = row.get(1);
        doubles.ids.insert(row.get(0), xids.iter().any(|xid| !own.contains(xid)));
    }
    Ok(doubles)
}

/// Finds the records with duplicate ids in the input. Returns those to refuse, with the
/// reason: all but the first of each id, and the first too if a row of another load has the
/// id.
///
/// # Errors
/// Those of reading the input again.
pub(in crate::load) fn find_records(
    pass: &Pass<'_>,
    doubles: &Doubles,
) -> Result<Vec<ledger::RefusedRow>> {
    let Some(column) = row_id_column(pass.prepared.plan.rows.distinct()) else {
        return Ok(Vec::new());
    };
    let found = Mutex::new(Vec::new());
    let finders =
        (0..pass.options.server_connections()).map(|_| Finder { doubles, column, found: &found });
    pass.pipeline().run(finders.collect(), |_| Ok(()))?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|d| (d.member, d.batch, d.record));
    let mut first: HashMap<Uuid, (usize, u64)> = HashMap::new();
    let mut refusals = Vec::new();
    for double in found {
        let id = double.id;
        let held_elsewhere = doubles.ids.get(&id) == Some(&true);
        let message = match first.get(&id) {
            _ if held_elsewhere => {
                format!("staging holds a row of another load with the row id {id}")
            }
            None => {
                first.insert(id, (double.member, double.line));
                continue;
            }
            Some((member, line)) => {
                let name = &pass.prepared.inputs.members()[*member].name;
                format!("the record in {name}, line {line}, has the same row id {id}")
            }
        };
        let (file, batch, record) = (double.member, double.batch, double.record);
        refusals.push(ledger::RefusedRow { file, batch, record, message });
    }
    Ok(refusals)
}

/// Removes the batches of the refused records from staging and ledger, and records the
/// refusals.
///
/// # Errors
/// Those of the server; then nothing is changed.
pub(in crate::load) async fn unwrite(
    session: &mut Connection,
    pass: &Pass<'_>,
    refusals: &[ledger::RefusedRow],
) -> Result<()> {
    let batches = ledger::batches(session, pass.run).await?;
    let keys: HashSet<(usize, u32)> = refusals.iter().map(|r| (r.file, r.batch)).collect();
    let xids: Vec<i64> =
        keys.iter().filter_map(|key| batches.get(key)).map(|b| i64::from(b.xid)).collect();
    if xids.len() != keys.len() {
        return Err(Error::database(
            "a record with a duplicate id is in a batch that the ledger does not have",
        ));
    }
    let sql =
        fill(include_str!("../../../sql/load/unwrite.sql"), &[("staging", &pass.pair.staging)]);
    let transaction = session.transaction().await?;
    trust::guard(&transaction, pass.staging_oid).await?;
    ledger::refuse(&transaction, pass.run, refusals).await?;
    transaction.execute(&sql, &[&xids]).await?;
    Ok(transaction.commit().await?)
}

fn row_id_column(plans: &[RowPlan]) -> Option<usize> {
    plans.first()?.columns.iter().position(|c| c.origin == Origin::RowId)
}

/// A sink that looks for rows with duplicate ids and writes nothing.
struct Finder<'a> {
    doubles: &'a Doubles,
    column: usize,
    found: &'a Mutex<Vec<Double>>,
}

impl Sink for Finder<'_> {
    fn write(&mut self, batch: EncodedBatch, done: Done<'_>) -> Result<()> {
        for (index, (_, record)) in batch.row_ends.iter().enumerate() {
            let row = batch.rows_between(index, index + 1);
            let id = values(row).nth(self.column).flatten();
            let Some(id) = id.and_then(|id| Uuid::from_slice(id).ok()) else { continue };
            let location = &batch.records.location;
            let place = (location.member, location.number, *record);
            if self.doubles.ids.contains_key(&id) && !self.doubles.refused.contains(&place) {
                let line = batch.records.record(*record as usize).at().line;
                self.found.lock().unwrap_or_else(PoisonError::into_inner).push(Double {
                    id,
                    member: location.member,
                    line,
                    batch: location.number,
                    record: *record,
                });
            }
        }
        done(batch);
        Ok(())
    }
}
