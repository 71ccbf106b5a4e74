//! Records that must not be loaded, found after their batch was written.

use hashbrown::HashMap;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::LoadState;
use crate::error::Result;
use crate::load::report::RowsReport;
use crate::pg::{Connection, Transaction};

/// A record that could be encoded but must not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Index of its file.
    pub file: usize,
    /// Number of its batch.
    pub batch: u32,
    /// Index in its batch.
    pub record: u32,
    /// The reason.
    pub message: String,
}

/// Refused records and the reasons, by file and batch.
pub type Refusals = HashMap<(usize, u32), Vec<(u32, String)>>;

/// Reads the refusals of a run.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn refusals(session: &Connection, run: Uuid) -> Result<Refusals> {
    let mut refusals = Refusals::new();
    for row in session.query(include_str!("../../../sql/ledger/refusals.sql"), &[&run]).await? {
        let key = (row.get::<_, i32>(0) as usize, row.get::<_, i32>(1) as u32);
        refusals.entry(key).or_default().push((row.get::<_, i32>(2) as u32, row.get(3)));
    }
    Ok(refusals)
}

/// Records refusals, and deletes the batches with these records from the ledger.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn refuse(
    transaction: &Transaction<'_>,
    run: Uuid,
    refusals: &[RefusedRow],
) -> Result<()> {
    let files: Vec<i32> = refusals.iter().map(|r| r.file as i32).collect();
    let batches: Vec<i32> = refusals.iter().map(|r| r.batch as i32).collect();
    let records: Vec<i32> = refusals.iter().map(|r| r.record as i32).collect();
    let messages: Vec<&str> = refusals.iter().map(|r| r.message.as_str()).collect();
    let insert = include_str!("../../../sql/ledger/insert-refusal.sql");
    transaction.execute(insert, &[&run, &files, &batches, &records, &messages]).await?;
    forget(transaction, run, refusals.iter().map(|r| (r.file, r.batch))).await
}

/// Deletes batches from the ledger and sets the run back to `loading`. The same transaction
/// has to delete their rows from staging.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn forget(
    transaction: &Transaction<'_>,
    run: Uuid,
    batches: impl Iterator<Item = (usize, u32)>,
) -> Result<()> {
    let (files, batches): (Vec<i32>, Vec<i32>) =
        batches.map(|(file, batch)| (file as i32, batch as i32)).unzip();
    let forget = include_str!("../../../sql/ledger/forget-batches.sql");
    transaction.execute(forget, &[&run, &files, &batches]).await?;
    let settle = include_str!("../../../sql/ledger/settle-run.sql");
    let nothing: (Option<Json<RowsReport>>, Option<i64>) = (None, None);
    let state = LoadState::Loading.name();
    transaction.execute(settle, &[&run, &state, &nothing.0, &nothing.1]).await?;
    Ok(())
}
