//! `sterna stage`: creates, empties and drops the staging table.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::step::{AsStep, as_step, mark_undone, plain};
use crate::error::{Error, Result};
use crate::migrate::Step;
use crate::migrate::exclusive::Exclusive;
use crate::pg::Connection;
use crate::switchover;
use crate::switchover::journal::{self, Toward};
use crate::table::locks::Patience;
use crate::table::members;
use crate::table::partition::Takes;
use crate::table::staging::{self, Pair};
use crate::watch::Watch;

/// Create, empty or drop the staging table
#[derive(Args, Clone, Debug)]
pub struct StageArgs {
    /// The action.
    #[command(subcommand)]
    pub action: StageAction,
}

/// Actions on the staging table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum StageAction {
    /// Create it with the structure of the table, without indexes and grants, and start
    /// recording writes to the table, or copy it if Citus distributes it
    Create,
    /// Remove its rows, so that another load can start
    Truncate,
    /// Drop it
    Drop,
}

/// The result of the command.
#[derive(Clone, Debug, Serialize)]
struct Done {
    staging: String,
    action: &'static str,
}

/// Runs the command, prints the result, and returns the exit code.
///
/// # Errors
/// Refused if another sterna works on the table, or if sterna did not create the staging
/// table.
pub fn run(args: &StageArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let done = match args.action {
        StageAction::Create => take(Step::Staging, create, context, &watch)?,
        StageAction::Truncate => take(Step::Truncate, truncate, context, &watch)?,
        StageAction::Drop => {
            let exclusive = context.exclusive(Takes::Shards, &watch)?;
            let done = drop_it(&exclusive, &watch.stop).map_err(|e| exclusive.explain(e))?;
            let steps = [Step::Staging, Step::TestLoad, Step::Load, Step::Validation];
            mark_undone(&exclusive, &steps)?;
            exclusive.release();
            done
        }
    };
    context.print(&done, || format!("{} {}\n", done.staging, done.action))?;
    Ok(0)
}

fn take(
    step: Step,
    act: fn(&Exclusive, &AtomicBool) -> Result<Done>,
    context: &Context,
    watch: &Arc<Watch>,
) -> Result<Done> {
    let what = AsStep { step, arguments: json!({}), told: plain, watch };
    as_step(context, &what, |exclusive, _| act(exclusive, &watch.stop))
}

fn create(exclusive: &Exclusive, stop: &AtomicBool) -> Result<Done> {
    exclusive.session_alone(async |session, pair| {
        if staging::find(session, pair).await?.is_some() {
            return Err(Error::refused(format!("{} exists already", pair.staging))
                .hint("`sterna stage truncate` empties it"));
        }
        switchover::refuse_unsupported(session, &pair.table, pair.table_oid).await?;
        members::refuse_taken(session, pair).await?;
        // The journal comes first, so that it misses no write that staging must account for.
        if pair.distribution.is_elsewhere() {
            switchover::refuse_distributed(session, &pair.table, pair.table_oid).await?;
        } else {
            let patience = Patience::default();
            journal::begin(session, &pair.table, pair.table_oid, patience, stop).await?;
        }
        staging::create(session, pair, &[]).await?;
        Ok(Done { staging: pair.staging.to_string(), action: "created" })
    })
}

fn truncate(exclusive: &Exclusive, stop: &AtomicBool) -> Result<Done> {
    exclusive.session_alone(async |session, pair| {
        let oid = existing(session, pair).await?;
        staging::truncate(session, pair, oid, Patience::default(), stop).await?;
        Ok(())
    })?;
    // The steps that filled and validated it no longer count.
    mark_undone(exclusive, &[Step::TestLoad, Step::Load, Step::Validation])?;
    Ok(Done { staging: exclusive.pair.staging.to_string(), action: "truncated" })
}

fn drop_it(exclusive: &Exclusive, stop: &AtomicBool) -> Result<Done> {
    exclusive.session_alone(async |session, pair| {
        let oid = existing(session, pair).await?;
        let (patience, toward) = (Patience::default(), Toward::Staging);
        if pair.distribution.is_elsewhere() {
            switchover::forget(session, pair, oid).await?;
        }
        staging::drop(session, pair, oid, patience, stop).await?;
        journal::end(session, &pair.table, pair.table_oid, toward, patience, stop).await?;
        Ok(Done { staging: pair.staging.to_string(), action: "dropped" })
    })
}

async fn existing(session: &Connection, pair: &Pair) -> Result<u32> {
    let found = staging::find(session, pair).await?.ok_or_else(|| {
        Error::refused(format!("there is no {}", pair.staging))
            .hint("`sterna stage create` creates it")
    })?;
    Ok(found.oid)
}
