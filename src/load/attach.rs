//! Decides whether a load starts a new run or resumes an unfinished one.

use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::load::identity;
use crate::load::ledger::{self, LoadRun, LoadState, NewLoad};
use crate::load::plan::matching::Way;
use crate::load::plan::options::LoadOptions;
use crate::load::plan::prepare::Prepared;
use crate::load::settle::completion;
use crate::pg::{Column, Connection, catalog};
use crate::table::locks::Patience;
use crate::table::partition;
use crate::table::staging::{self, Pair};
use crate::trust;

/// A run recorded in the ledger, with a staging table that is ready for its rows.
pub(super) struct Attached {
    pub(super) run: LoadRun,
    pub(super) staging_oid: u32,
    /// The loads whose rows staging holds, this one last.
    pub(super) runs: Vec<LoadRun>,
    /// Whether an earlier attempt began this run.
    pub(super) resumed: bool,
}

/// Finds the run to resume, or prepares staging and records a new run.
pub(super) async fn attach(
    session: &mut Connection,
    pair: &Pair,
    options: &LoadOptions,
    prepared: &Prepared,
    stop: &AtomicBool,
) -> Result<Attached> {
    let found = staging::find(session, pair).await?;
    let mut runs = match &found {
        Some(relation) => {
            let written = [relation.oid];
            let (code, runs) = futures::join!(
                trust::code(session, &[], &written),
                ledger::runs(session, relation.oid),
            );
            code?;
            runs?
        }
        None => Vec::new(),
    };
    if let (Some(relation), [only]) = (&found, runs.as_slice())
        && only.state == LoadState::Loading
        && only.identity != prepared.identity
        && ledger::batches(session, only.id).await?.is_empty()
        && !staging::has_rows(session, pair).await?
    {
        // It failed before it wrote a row: nothing is lost by starting over.
        staging::truncate(session, pair, relation.oid, Patience::default(), stop).await?;
        runs.clear();
    }
    let mut mends = None;
    if let (Some(relation), Some(last)) = (&found, runs.last()) {
        let unfinished = matches!(last.state, LoadState::Loading | LoadState::Built);
        let same = last.identity == prepared.identity;
        if last.state == LoadState::Failed && last.report.is_none() {
            return Err(Error::refused(format!(
                "{} lacks rows of load {}: a trigger or rule on it drops rows",
                pair.staging, last.id
            ))
            .hint("drop the trigger or rule, and empty staging with `sterna stage truncate`"));
        }
        if options.resume && (same || unfinished || !options.append) {
            // Rows deleted along with their species are on record, and no record is mapped
            // any more.
            let follows = last.state == LoadState::Built
                && ledger::rows_cascaded(session, last.id).await? > 0;
            check_same(&last.identity, &prepared.identity, follows)?;
            let run = last.clone();
            partition::claim(session, pair, relation.oid).await?;
            return Ok(Attached { run, staging_oid: relation.oid, runs, resumed: true });
        }
        may_append(pair, options, last)?;
        if runs.iter().any(|run| run.identity["input"] == prepared.identity["input"]) {
            return Err(Error::refused(format!(
                "{} already holds the rows of this input",
                pair.staging
            ))
            .hint("if its load was interrupted, resume it with --append --resume"));
        }
        if last.identity["target"] != prepared.identity["target"] {
            return Err(Error::refused(
                "cannot append: staging was loaded with other columns or types",
            )
            .hint(
                "append files of the same formats, all in one command, with the same \
                 --on-inexact and --mapping",
            ));
        }
        mends = Some(last.id);
    }
    let staging_oid = match found {
        Some(relation) if mends.is_some() => {
            check_structure(session, pair, relation.oid, &prepared.plan.columns).await?;
            partition::claim(session, pair, relation.oid).await?;
            relation.oid
        }
        Some(relation) => {
            if staging::has_rows(session, pair).await? {
                return Err(Error::refused(format!(
                    "{} holds rows that no load of the ledger wrote",
                    pair.staging
                ))
                .hint("empty it with `sterna stage truncate`"));
            }
            // It may have indexes or an outdated structure: create it again.
            staging::drop(session, pair, relation.oid, Patience::default(), stop).await?;
            staging::create(session, pair, &prepared.plan.widened).await?
        }
        None => staging::create(session, pair, &prepared.plan.widened).await?,
    };
    if prepared.matching.way == Way::Server {
        completion::loosen(session, pair, staging_oid, &prepared.matching).await?;
    }
    let mut arguments = options.arguments();
    // The files may be gone when the rows are validated.
    arguments["synonym_names"] = json!(prepared.taxa.synonyms());
    arguments["looks_up"] = json!(prepared.looks_up);
    arguments["columns"] = json!(prepared.matching.uses);
    let files = prepared.ledger_files();
    let run = NewLoad {
        staging: staging_oid,
        target: &pair.table,
        identity: &prepared.identity,
        arguments: &arguments,
        mends,
        files: &files,
    };
    // First, because a run that is resumed has no other chance to note it.
    staging::note_baseline(session, pair, staging_oid).await?;
    let run = ledger::begin(session, &run).await?;
    let runs = runs.into_iter().chain([run.clone()]).collect();
    Ok(Attached { run, staging_oid, runs, resumed: false })
}

/// Whether rows may be added to those of `last`.
fn may_append(pair: &Pair, options: &LoadOptions, last: &LoadRun) -> Result<()> {
    let staging = &pair.staging;
    match last.state {
        LoadState::Loading | LoadState::Built => Err(Error::refused(format!(
            "{staging} holds the unfinished load {}",
            last.id
        ))
        .hint("resume it with the same command and --resume, or empty staging with `sterna stage truncate`")),
        LoadState::Failed => Err(Error::refused(format!(
            "{staging} holds load {}, which failed verification",
            last.id
        ))
        .hint("empty it with `sterna stage truncate`")),
        LoadState::Loaded | LoadState::Rejected if options.append => Ok(()),
        LoadState::Loaded | LoadState::Rejected => Err(Error::refused(format!(
            "{staging} holds the rows of load {}",
            last.id
        ))
        .hint("empty it with `sterna stage truncate`, or add fixed rejects with --append")),
    }
}

/// Refuses to resume if anything that determines the rows has changed. If the load `follows`
/// deleted species, the species may have changed.
fn check_same(before: &Value, now: &Value, follows: bool) -> Result<()> {
    let topics = [
        ("input", "the input is not the one that was being loaded"),
        ("options", "the options are not those of the unfinished load"),
        ("mapping", "the mapping is not that of the unfinished load"),
        ("species", "the species, or the synonyms, have changed since"),
        ("target", "the columns of the target have changed since"),
    ];
    for (topic, what) in topics.into_iter().filter(|(topic, _)| !follows || *topic != "species") {
        let (before, now) = (&before[topic], &now[topic]);
        if before != now {
            let detail = match topic {
                "options" => identity::changed(before, now),
                _ => String::new(),
            };
            return Err(Error::refused(format!("cannot resume: {what}{detail}"))
                .hint("resume with the original input and options, or empty staging with `sterna stage truncate`"));
        }
    }
    Ok(())
}

/// Refuses to append if staging lacks a column of this load or has it with another type.
async fn check_structure(
    session: &Connection,
    pair: &Pair,
    oid: u32,
    wanted: &[Column],
) -> Result<()> {
    let present = catalog::columns(session, oid).await?;
    for column in wanted {
        let same = |c: &&Column| c.name == column.name && c.kind == column.kind;
        if !present.iter().any(|c| same(&c)) {
            return Err(Error::refused(format!(
                "column {} of {} is not {}, which this load requires",
                column.name, pair.staging, column.sql_type
            ))
            .hint("use the same --on-inexact as the load that staging holds"));
        }
    }
    Ok(())
}
