//! Step 1.2: creates the staging table.

use serde_json::{Value, json};

use super::{Definition, MigrationOptions, Site, end_journal, made};
use crate::error::{Error, Kind, Result};
use crate::migrate::outcome::StepOutcome;
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::pg::{Connection, catalog};
use crate::table::locks::Patience;
use crate::table::staging::{self, Pair};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Staging,
        number: "1.2",
        name: "staging",
        title: "create the staging table",
        does: "Creates a table with production's structure that only its owner can use.",
        statements: &[sql!("table/stage/create.sql"), sql!("table/stage/register.sql")],
        locks: "ACCESS SHARE on the table",
        transaction: "one",
        validated_by: "every column exists, with the same type",
        undone_by: "dropping it; the journal ends",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::Few,
    },
    act,
    validate: Some(validate),
    undo: Some(undo),
};

fn act(site: &Site, _: &MigrationOptions) -> Result<StepOutcome> {
    let (patience, stop) = (Patience::new(site.max_wait), &site.watch.stop);
    site.exclusive.session_alone(async |session, pair| {
        if let Some(found) = staging::find(session, pair).await? {
            refuse_rows(session, pair).await?;
            // Its structure may be out of date.
            staging::drop(session, pair, found.oid, patience, stop).await?;
        }
        staging::create(session, pair, &[]).await?;
        let summary = format!("{} is ready; only its owner can use it", pair.staging);
        let detail = json!({"staging": pair.staging.to_string()});
        Ok(StepOutcome { summary, detail, ..StepOutcome::default() })
    })
}

/// Refuses a staging table that holds rows.
pub(in crate::migrate) async fn refuse_rows(session: &Connection, pair: &Pair) -> Result<()> {
    if !staging::has_rows(session, pair).await? {
        return Ok(());
    }
    Err(Error::refused(format!("{} holds rows already", pair.staging))
        .hint("`sterna stage drop` removes it; or use its rows with --from 3.3"))
}

fn validate(site: &Site, _: &StepOutcome) -> Result<()> {
    site.exclusive.session(async |session, pair| {
        let made = catalog::replaceable(session, &pair.staging).await?.oid;
        let made = catalog::columns(session, made).await?;
        match catalog::columns(session, pair.table_oid).await? == made {
            true => Ok(()),
            false => {
                let what = format!("{} lacks the columns of {}", pair.staging, pair.table);
                Err(Error::new(Kind::Validation, what))
            }
        }
    })
}

fn undo(site: &Site) -> Result<Option<Value>> {
    let is_own = made(site)?.staging;
    let (patience, stop) = (Patience::new(site.max_wait), &site.watch.stop);
    let dropped = site.exclusive.session_alone(async |session, pair| {
        let found = staging::find(session, pair).await?.filter(|_| is_own);
        let Some(found) = found else { return Ok(None) };
        staging::drop(session, pair, found.oid, patience, stop).await?;
        Ok(Some(json!({"dropped": pair.staging.to_string()})))
    })?;
    end_journal(site)?;
    Ok(dropped)
}
