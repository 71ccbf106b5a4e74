//! Checks and preparations before the first step.

use super::exclusive::Exclusive;
use super::options::MigrationOptions;
use super::partition;
use super::plan::Step;
use super::site::Site;
use super::state::Run;
use super::steps;
use crate::error::{Error, Kind, Result};
use crate::estimate::Sizes;
use crate::inspect::{self, InspectOptions};
use crate::ledger;
use crate::load::{ColumnUses, Years};
use crate::pg::{ConnInfo, catalog, connect_for};
use crate::preflight::{self, SummaryUse};
use crate::switchover::{self, journal};
use crate::table::locks::Patience;
use crate::table::staging;
use crate::table::summary::{self, SummaryFound};
use crate::trust;

/// Refuses kinds of tables that cannot be replaced, code of other roles on the tables to be
/// written, and a role that lacks rights, before anything is written, even to the ledger. Returns
/// the years to load.
pub(super) async fn refuse_unsupported(
    info: &ConnInfo,
    options: &MigrationOptions,
) -> Result<Years> {
    let session = connect_for(info, "preparation").await?;
    session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
    let table = options.table();
    let found = catalog::replaceable(&session, table).await?;
    switchover::refuse_unsupported(&session, table, found.oid).await?;
    trust::code(&session, &[found.oid], &[]).await?;
    let years = partition::years(&session, found.oid, &options.load).await?;
    if let Some(test) = options.test_year.filter(|test| !years.admits(*test)) {
        return Err(Error::usage(format!("{table} has no rows of --test-year {test}"))
            .hint("leave it out: the newest of the years to load is the default"));
    }
    if !options.skip.contains(&Step::Summary)
        && let SummaryFound::Target(target) = summary::find(&session, &found.whole).await?
    {
        target.refuse_strange_code(&session).await?;
    }
    // A foreign key that takes too long to validate would be found only after the load.
    if found.partitioned && options.to >= Step::Switchover && !options.resume {
        switchover::preview(&session, table).await?;
    }
    if options.resume || options.from.is_some_and(|from| from > Step::Switchover) {
        return Ok(years);
    }
    // Another role's ledger is refused first: nothing may be granted on its account.
    ledger::look(&session).await?;
    // A run that ends before the switchover may do so to have the rights granted.
    let of_summary = SummaryUse {
        saved: !options.skip.contains(&Step::Backup),
        recomputed: !options.skip.contains(&Step::Summary),
    };
    let granted = preflight::refuse_missing_rights(&session, found.oid, of_summary).await;
    match granted {
        Err(error) if error.kind() == Kind::Unsafe && options.to < Step::Switchover => {
            tracing::warn!("for the switchover, {error}");
            Ok(years)
        }
        granted => granted.map(|()| years),
    }
}

/// Refuses files with which keys or values of production would be lost, before anything is
/// written, even to the ledger. Returns what becomes of each column.
pub(super) async fn refuse_loss(info: &ConnInfo, options: &MigrationOptions) -> Result<ColumnUses> {
    let matching = Some(options.load.matching.clone());
    let files = InspectOptions { matching, ..options.inspection() };
    inspect::columns(info, &files).await
}

/// Refuses a table that the disk limit leaves no room for, before anything is written, even to
/// the ledger.
pub(super) async fn refuse_above_limit(
    info: &ConnInfo,
    options: &MigrationOptions,
    uses: &ColumnUses,
) -> Result<()> {
    let Some(limit) = options.disk_limit else { return Ok(()) };
    let session = connect_for(info, "preparation").await?;
    let found = catalog::replaceable(&session, options.table()).await?;
    let sizes = Sizes::read(&session, found.oid).await?;
    preflight::refuse_above(options.sizes(sizes).with_matching(uses.matched_on_server), limit)
}

/// Refuses rows in staging that a new run would find in its way in step 1.2, before the run is in
/// the ledger.
pub(super) fn refuse_rows(exclusive: &Exclusive, options: &MigrationOptions) -> Result<()> {
    if !(options.from.unwrap_or(Step::Backup)..=options.to).contains(&Step::Staging) {
        return Ok(());
    }
    let pair = &exclusive.pair;
    exclusive.ledger(async |session| match staging::find(session, pair).await? {
        Some(_) => steps::refuse_rows(session, pair).await,
        None => Ok(()),
    })
}

/// Starts recording writes to the table if a load is still ahead; every write from then on
/// is carried over. Does nothing if staging already holds rows: the journal began before
/// they were loaded, or does not cover them.
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

/// Refuses an application login that cannot query dependents: after the switchover it would
/// be too late to find out.
pub(super) fn try_application(options: &MigrationOptions, exclusive: &Exclusive) -> Result<()> {
    let Some(application) = &options.ask_dependents else { return Ok(()) };
    exclusive.session(async |session, pair| {
        let table = (&pair.table, pair.table_oid);
        application.asker(&exclusive.info, session, table).await.map(|_| ())
    })
}
