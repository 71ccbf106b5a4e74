//! `sterna stage`: the staging table by itself.

use clap::{Args, Subcommand};
use serde::Serialize;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::Context;
use crate::error::{Error, Result};
use crate::switchover::journal::{self, Toward};
use crate::switchover::{self, Patience};
use crate::{ledger, staging};

/// How long to try for a moment in which noting writes down can begin or end.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Create, empty or drop the staging table
#[derive(Args, Clone, Debug)]
pub struct StageArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done with a staging table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Action {
    /// Create it with the structure of the table, without indexes and grants, and begin to
    /// note writes to the table down
    Create,
    /// Remove its rows, so that another load can begin
    Truncate,
    /// Remove it
    Drop,
}

/// What was done.
#[derive(Clone, Debug, Serialize)]
struct Done {
    staging: String,
    action: &'static str,
}

/// Acts and returns the exit code.
///
/// # Errors
/// Refused where another sterna works on the table, or where it is not sterna's own.
pub fn run(args: &StageArgs, context: &Context) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::file("the async runtime", e))?;
    let done = runtime.block_on(act(args.action, context))?;
    context.print(&done, || format!("{} {}\n", done.staging, done.action))?;
    Ok(0)
}

async fn act(action: Action, context: &Context) -> Result<Done> {
    let (mut session, pair) = context.session(&context.conninfo()?).await?;
    ledger::lock(&session, &pair.table).await?;
    ledger::lock(&session, &pair.staging).await?;
    let (table, oid) = (&pair.table, pair.table_oid);
    let (patience, stop) = (Patience::new(MAX_WAIT), AtomicBool::new(false));
    let found = staging::find(&session, &pair).await?;
    let missing = || {
        Error::refused(format!("there is no {}", pair.staging))
            .hint("`sterna stage create` makes it")
    };
    let action = match (action, found) {
        (Action::Create, Some(_)) => {
            return Err(Error::refused(format!("{} exists already", pair.staging))
                .hint("`sterna stage truncate` empties it"));
        }
        (Action::Create, None) => {
            switchover::refuse_unsupported(&*session, table, oid).await?;
            // First, so that nothing that staging is compared with escapes it.
            journal::begin(&mut session, table, oid, patience, &stop).await?;
            staging::create(&mut session, &pair, &[]).await?;
            "created"
        }
        (Action::Truncate, Some(relation)) => {
            staging::truncate(&mut session, &pair, relation.oid).await?;
            "truncated"
        }
        (Action::Drop, Some(relation)) => {
            staging::drop(&mut session, &pair, relation.oid).await?;
            journal::end(&mut session, table, oid, Toward::Staging, patience, &stop).await?;
            "dropped"
        }
        (_, None) => return Err(missing()),
    };
    ledger::unlock(&session, &pair.staging).await?;
    ledger::unlock(&session, &pair.table).await?;
    Ok(Done { staging: pair.staging.to_string(), action })
}
