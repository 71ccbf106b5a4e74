//! `sterna status`: how far the run is.

use clap::Args;

use super::{Context, runtime};
use crate::error::Result;
use crate::migrate::{ledger, status};
use crate::pg::connect;
use crate::report;

/// Show how far the latest migration of the table is, step by step
#[derive(Args, Clone, Debug)]
pub struct StatusArgs {}

/// Shows it, and returns the exit code. Writes nothing.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn run(_: &StatusArgs, context: &Context) -> Result<u8> {
    let found = runtime()?.block_on(async {
        let session = connect(&context.conninfo()?).await?;
        session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
        ledger::last(&session, &context.table).await
    })?;
    let status = found.as_ref().map(status::of);
    let text = || match &status {
        Some(status) => report::migrate::status(status),
        None => format!(
            "no migration of {} is in the ledger; `sterna plan` shows what one would do\n",
            context.table
        ),
    };
    context.print(&status, text)?;
    Ok(0)
}
