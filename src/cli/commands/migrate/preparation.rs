//! What has to be so, and to be begun, before the first step.

use super::{MigrateArgs, MigrationChoices, Site};
use crate::application::Application;
use crate::cli::commands::exclusive::Exclusive;
use crate::cli::commands::{Context, runtime};
use crate::error::Result;
use crate::inspect::{self, InspectOptions};
use crate::migrate::{Run, Step};
use crate::pg::{catalog, connect};
use crate::switchover::{self, journal};
use crate::table::locks::Patience;
use crate::table::staging;
use crate::table::summary::{self, Found};
use crate::trust;

/// Refuses tables of a kind that cannot be replaced, and code of other roles on what is
/// written to, before anything is written, the ledger included.
pub(super) fn refuse_unsupported(context: &Context, args: &MigrateArgs) -> Result<()> {
    runtime()?.block_on(async {
        let session = connect(&context.conninfo()?).await?;
        session.batch_execute(include_str!("../../../../sql/catalog/session.sql")).await?;
        let found = catalog::plain_table(&session, &context.table).await?;
        switchover::refuse_unsupported(&*session, &context.table, found.oid).await?;
        trust::code(&*session, &[found.oid], &[]).await?;
        if !args.choices.skip.contains(&Step::Summary)
            && let Found::Target(target) = summary::find(&session, &context.table).await?
        {
            target.refuse_strange_code(&*session).await?;
        }
        Ok(())
    })
}

/// Refuses files by which keys or values of production would be lost, before anything is
/// written, the ledger included.
pub(super) fn refuse_loss(context: &Context, choices: &MigrationChoices) -> Result<()> {
    let load = choices.load.options(&context.table, &choices.inputs);
    let files = InspectOptions {
        table: load.table,
        inputs: load.inputs,
        read: load.read,
        years: load.years,
        on_inexact: Some(load.on_inexact),
        synonyms: load.synonyms,
        mapping: load.mapping,
        matching: Some(load.matching),
        workers: load.workers,
    };
    runtime()?.block_on(inspect::columns(&context.conninfo()?, &files)).map(|_| ())
}

/// Begins to record writes to the table, where a load is ahead: every write since is
/// carried over. Where staging holds rows already, the journal began before they were
/// loaded, or is of no use to them.
pub(super) fn begin_journal(site: &Site, run: &Run, from: Option<Step>) -> Result<()> {
    if from.is_some_and(|from| from > Step::Load) || run.is_settled(Step::Load) {
        return Ok(());
    }
    site.exclusive.session(async |session, pair| {
        if staging::find(session, pair).await?.is_some() && staging::has_rows(session, pair).await?
        {
            return Ok(());
        }
        let (patience, stop) = (Patience::new(site.max_wait), &site.watch.stop);
        journal::begin(session, &pair.table, pair.table_oid, patience, stop).await
    })
}

/// Who asks dependents in step 5.2, where the user wants that: after the switchover is too
/// late to learn that nobody can.
pub(super) fn application(
    args: &MigrateArgs,
    exclusive: &Exclusive,
) -> Result<Option<Application>> {
    if !args.ask_dependents {
        return Ok(None);
    }
    let application = args.application.application(args.choices.limits.time_limit)?;
    exclusive.session(async |session, pair| {
        let table = (&pair.table, pair.table_oid);
        application.asker(&exclusive.info, session, table).await
    })?;
    Ok(Some(application))
}
