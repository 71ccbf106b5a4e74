//! The steps of the demo.

use indicatif::{HumanBytes, HumanCount};

use super::plan;
use super::stage::{EARLIER_RELEASE, NEW_RELEASE, Stage};
use super::summary::DemoProduction;
use crate::cites::arctic::{SpeciesRow, species_rows};
use crate::error::{Error, Result};
use crate::ledger;
use crate::load::Loaded;
use crate::pg::embedded::ModelSchema;
use crate::pg::interruptible;
use crate::table::locks::Patience;
use crate::table::staging;

/// One step: acts on the stage and returns its result in a few words.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) run: fn(&mut Stage) -> Result<String>,
}

/// The steps after the start of the server.
pub(super) const STEPS: [Step; 7] = [
    Step { name: "schema", title: "create production's schema and species", run: schema },
    Step { name: "files", title: "generate the earlier and the new release", run: files },
    Step { name: "earlier", title: "load the earlier release into staging", run: load_earlier },
    Step { name: "production", title: "move it into production", run: fill_production },
    Step {
        name: "plan",
        title: "run the plan on the new release, with an application at work",
        run: plan::run_plan,
    },
    Step { name: "rollback", title: "roll back the switchover", run: plan::run_back },
    Step { name: "application", title: "stop the application", run: plan::end_traffic },
];

fn schema(stage: &mut Stage) -> Result<String> {
    let rows = species_rows();
    let texts = |get: fn(&SpeciesRow) -> &'static str| rows.iter().map(get).collect::<Vec<_>>();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let inserted = stage.with_session(async |session| {
        ModelSchema::Production.install(session).await?;
        let sql = include_str!("../../../../sql/demo/insert-species.sql");
        let inserted = session
            .execute(
                sql,
                &[
                    &ids,
                    &texts(|row| row.scientific_name),
                    &texts(|row| row.common_name),
                    &texts(|row| row.kingdom),
                    &texts(|row| row.phylum),
                    &texts(|row| row.class),
                    &texts(|row| row.order_name),
                    &texts(|row| row.family),
                    &texts(|row| row.genus),
                    &texts(|row| row.species_name),
                ],
            )
            .await?;
        Ok::<_, Error>(inserted)
    })?;
    stage.summary.production.species = inserted;
    Ok(format!("{inserted} species"))
}

fn files(stage: &mut Stage) -> Result<String> {
    // In parallel: each of them keeps one core busy.
    let (earlier, new) = std::thread::scope(|scope| {
        let earlier = scope.spawn(|| stage.generate(EARLIER_RELEASE, true));
        let new = stage.generate(NEW_RELEASE, false);
        (earlier.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), new)
    });
    let (earlier, new) = (earlier?, new?);
    stage.summary.release = new;
    Ok(format!(
        "{} and {} records, {} and {} files, {}",
        HumanCount(earlier.rows),
        HumanCount(new.rows),
        earlier.files,
        new.files,
        HumanBytes(earlier.bytes + new.bytes)
    ))
}

fn load_earlier(stage: &mut Stage) -> Result<String> {
    let Loaded { report, failure } = stage.load(EARLIER_RELEASE)?;
    failure.map_or(Ok(()), Err)?;
    Ok(format!("{} rows", HumanCount(report.rows.account.rows_loaded)))
}

fn fill_production(stage: &mut Stage) -> Result<String> {
    let species = stage.summary.production.species;
    let production = stage.with_session(async |session| {
        let stop = &stage.watch.stop;
        let inexact = include_str!("../../../../sql/demo/count-inexact.sql");
        let inexact = interruptible(session, stop, session.query_one(inexact, &[])).await?;
        session.batch_execute(include_str!("../../../../sql/demo/trust-references.sql")).await?;
        let fill = include_str!("../../../../sql/demo/fill-production.sql");
        let rows = interruptible(session, stop, session.execute(fill, &[])).await?;
        let analyze = include_str!("../../../../sql/demo/analyze.sql");
        interruptible(session, stop, session.batch_execute(analyze)).await?;
        let pair = staging::pair(session, &stage.table).await?;
        ledger::lock(session, &pair.staging).await?;
        if let Some(relation) = staging::find(session, &pair).await? {
            staging::drop(session, &pair, relation.oid, Patience::default(), stop).await?;
        }
        let (rounded, without_quantity) = (inexact.get(0), inexact.get(1));
        Ok::<_, Error>(DemoProduction { species, rows, rounded, without_quantity })
    })?;
    stage.summary.production = production;
    Ok(format!(
        "{} rows, {} quantities rounded to two decimals, {} too large for the column",
        HumanCount(production.rows),
        HumanCount(production.rounded.unsigned_abs()),
        production.without_quantity
    ))
}
