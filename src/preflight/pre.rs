//! Before a migration: checks that it is safe to begin.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use futures::FutureExt;
use futures::future::join_all;

use super::question::{QUESTIONS, found, version};
use super::{
    ExpectedStep, Finding, PreflightCheck, PreflightSeverity, place, rights, saved, space,
};
use crate::command_line;
use crate::error::{Kind, Result, grouped};
use crate::estimate::{Basis, Distance, MAIN_STEPS};
use crate::inspect::{self, InspectOptions, MissingReport};
use crate::ledger::State;
use crate::load::{ColumnUses, ledger};
use crate::pg::{ConnInfo, Connection, Table, catalog, connect_for, pooler};
use crate::switchover::{self, Alterations};
use crate::table::staging::SUFFIX;
use crate::table::summary;
use crate::trust;

/// The number of taxa that are named.
const TAXA_NAMED: usize = 5;

/// Options of the checkpoint, and what is known from outside the database.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PreOptions {
    /// A backup to verify, instead of the last one of the ledger.
    pub backup: Option<PathBuf>,
    /// The operator has checked the server's disks.
    pub disk_space_checked: bool,
    /// What the database may take, in bytes, if the server's plan sets a limit.
    pub disk_limit: Option<u64>,
    /// The taxa of the files without a species, if the files were read.
    pub missing: Option<MissingReport>,
    /// The files whose headers to compare with the columns of the table.
    pub files: Option<InspectOptions>,
}

/// What to do about what cannot be replaced.
const UNSUPPORTED_HINT: &str = "drop it before the switchover and create it again afterwards";

/// Checks everything that could keep a migration of `table` from finishing. Writes nothing.
///
/// # Errors
/// If the server cannot be reached, or there is no such table.
pub async fn pre(
    info: &ConnInfo,
    table: &Table,
    options: &PreOptions,
    stop: &AtomicBool,
) -> Result<PreflightCheck> {
    let begun = Instant::now();
    let session = match connect_for(info, "check pre").await {
        Ok(session) => session,
        Err(error) => {
            let Some(mode) = pooler::refused(&error) else { return Err(error) };
            let what = format!("behind a pooler in {mode}");
            let pooled = Finding::bad("pooler", PreflightSeverity::Error, what, pooler::HINT);
            return Ok(PreflightCheck::new(table.to_string(), vec![pooled], begun.elapsed()));
        }
    };
    // Before anything else is on the line; the settings follow the first probe.
    let settings = include_str!("../../sql/catalog/session.sql");
    let (distance, set) =
        futures::join!(Distance::measure(&session), session.batch_execute(settings));
    set?;
    let distance = distance?;
    let found = match catalog::loadable(&session, table).await {
        Ok(found) => found,
        // The other checks are meant for tables that can be replaced.
        Err(error) if error.kind() == Kind::Unsafe => {
            let hint = error.next_step().unwrap_or(UNSUPPORTED_HINT).to_owned();
            let what = error.to_string();
            let kind = Finding::bad("supported", PreflightSeverity::Error, what, hint);
            return Ok(PreflightCheck::new(table.to_string(), vec![kind], begun.elapsed()));
        }
        Err(error) => return Err(error),
    };
    let (oid, partitioned) = (found.oid, found.partitioned.then_some(found.oid));
    if found.distribution.is_elsewhere() {
        return super::distributed::check(&session, table, oid, begun).await;
    }
    let (state, ledger) = looked_at(&session).await?;
    let has_ledger = state == Some(State::Current);
    let staging = match table.with_suffix(SUFFIX) {
        Ok(staging) => catalog::relation(&session, &staging).await?.map(|found| found.oid),
        Err(_) => None,
    };
    let staging = staging.filter(|_| has_ledger);
    let alterations = switchover::alterations(&session, oid).await?;
    let (uses, columns) = columns(info, &session, staging, options).await?;
    // None depends on another's answer, so they run together.
    let of_sterna = async {
        futures::join!(
            saved::backed_up(&session, table, options.backup.as_deref(), state, stop),
            loaded(&session, staging, options.files.is_some()),
            mapped(&session, staging, options.missing.as_ref()),
            place::leftovers(&session, table, partitioned, state),
            place::remembered(&session, oid),
            place::recorded(&session, table, partitioned.filter(|_| has_ledger)),
        )
    };
    let known = space::Known { checked: options.disk_space_checked, limit: options.disk_limit };
    let of_table = async {
        futures::join!(
            space::check(&session, oid, known, &uses),
            rights::check(&session, oid, &alterations.altered),
            others_code(&session, &found.whole, oid),
            supported(&session, table, oid, &alterations),
            Basis::read(&session, distance, (table, oid), has_ledger),
            version(&session),
        )
    };
    let others = join_all(QUESTIONS.iter().map(|question| question.ask(&session, oid)));
    let (of_sterna, of_table, others) =
        futures::join!(of_sterna.boxed_local(), of_table.boxed_local(), others.boxed_local());
    let (backed_up, loaded, mapped, leftovers, remembered, recorded) = of_sterna;
    let (space, rights, others_code, supported, basis, version) = of_table;
    let estimates = estimates(&basis?, options.missing.as_ref());
    let mut checks = vec![
        Finding::good(
            "pooler",
            PreflightSeverity::Error,
            "every session has a server process of its own",
        ),
        Finding::good("distance", PreflightSeverity::Info, distance.describe()),
        time(&estimates),
        version?,
        ledger,
        backed_up?,
        loaded?,
        mapped?,
        columns,
        space?,
        rights?,
        others_code?,
        supported?,
        place::names(table),
        leftovers?,
        remembered?,
    ];
    checks.extend(recorded?);
    checks.extend(others);
    Ok(PreflightCheck {
        columns: uses,
        distance: Some(distance),
        estimates,
        ..PreflightCheck::new(table.to_string(), checks, begun.elapsed())
    })
}

/// How long the main steps will take, with the rows of the files if they were read.
fn estimates(basis: &Basis, missing: Option<&MissingReport>) -> Vec<ExpectedStep> {
    let files = missing.map(|found| found.rows_read - found.rows_unmapped);
    let step = |(step, name)| {
        let rows = match name {
            "backup" => basis.live_rows,
            "load" => files,
            _ => None,
        };
        ExpectedStep { step, name, time: basis.step(step, rows) }
    };
    MAIN_STEPS.map(step).into()
}

fn time(estimates: &[ExpectedStep]) -> Finding {
    let lines = estimates.iter().map(|step| format!("{} {}", step.name, step.time.describe()));
    Finding::good("time", PreflightSeverity::Info, lines.collect::<Vec<_>>().join("; "))
}

/// What becomes of each column, by the files or else by the last load, and whether anything
/// of production would be lost.
async fn columns(
    info: &ConnInfo,
    session: &Connection,
    staging: Option<u32>,
    options: &PreOptions,
) -> Result<(ColumnUses, Finding)> {
    const NAME: &str = "columns";
    let uses = match (&options.files, staging) {
        (Some(files), _) => match inspect::columns(info, files).await {
            Ok(uses) => uses,
            Err(error) if matches!(error.kind(), Kind::Unsafe | Kind::Usage) => {
                let hint = error.next_step().unwrap_or("sterna inspect INPUT").to_owned();
                let found = Finding::bad(NAME, PreflightSeverity::Error, error.to_string(), hint);
                return Ok((ColumnUses::default(), found));
            }
            Err(error) => return Err(error),
        },
        (None, Some(staging)) => {
            let last = ledger::runs(session, staging).await?.pop();
            let uses = last.map(|run| run.arguments["columns"].clone());
            uses.and_then(|uses| serde_json::from_value(uses).ok()).unwrap_or_default()
        }
        (None, None) => ColumnUses::default(),
    };
    if uses.columns.is_empty() {
        let what = "not known: no files were given and nothing is loaded";
        let hint = "sterna check pre INPUT says what is filled, kept and new";
        return Ok((uses, Finding::bad(NAME, PreflightSeverity::Info, what, hint)));
    }
    let mut lines = uses.unfilled();
    if lines.is_empty() {
        lines.push("the files fill all of them".into());
    }
    Ok((uses, Finding::good(NAME, PreflightSeverity::Info, lines.join("; "))))
}

/// The ledger as it is, and a check that nothing is wrong with it; `None` if it cannot be used.
async fn looked_at(session: &Connection) -> Result<(Option<State>, Finding)> {
    const NAME: &str = "ledger";
    let state = async { crate::ledger::look(session).await?.state(session).await };
    let good = |text: &str| Finding::good(NAME, PreflightSeverity::Error, text);
    match state.await {
        Ok(State::Current) => Ok((Some(State::Current), good("it can be used"))),
        Ok(State::Nothing) => Ok((Some(State::Nothing), good("there is none yet"))),
        Ok(State::Older(version)) => {
            let what = format!(
                "it has version {version}, which `sterna status` and every command that writes \
                 upgrade to {}; what it says is not read here",
                crate::ledger::VERSION
            );
            Ok((Some(State::Older(version)), good(&what)))
        }
        Err(error) if error.kind() == Kind::Unsafe => {
            let hint = error.next_step().unwrap_or_default().to_owned();
            Ok((None, Finding::bad(NAME, PreflightSeverity::Error, error.to_string(), hint)))
        }
        Err(error) => Err(error),
    }
}

/// Checks that staging exists and that its loads are complete. Rows in it are in the way of a
/// migration of files.
async fn loaded(session: &Connection, staging: Option<u32>, has_files: bool) -> Result<Finding> {
    const NAME: &str = "staging";
    let Some(staging) = staging else {
        let hint = "sterna load creates and fills it";
        return Ok(Finding::bad(NAME, PreflightSeverity::Info, "there is none yet", hint));
    };
    let sql = include_str!("../../sql/switchover/loads.sql");
    let row = session.query_one(sql, &[&staging]).await?;
    let (loads, unfinished, rows): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let of_loads = if loads == 1 { "1 load".to_owned() } else { format!("{loads} loads") };
    let held = format!("{} rows of {of_loads}", grouped(rows.unsigned_abs()));
    Ok(if unfinished > 0 {
        let what = format!("{unfinished} of {of_loads} not finished");
        let resume = command_line::resume_load(row.get(4));
        let hint = format!("`{resume}`, or `sterna stage truncate`");
        Finding::bad(NAME, PreflightSeverity::Error, what, hint)
    } else if loads == 0 {
        Finding::bad(NAME, PreflightSeverity::Info, "it is empty", "sterna load fills it")
    } else if has_files && rows > 0 {
        let what = format!("{held}: a new migration does not begin while it holds rows");
        let hint = "`sterna stage drop`; or `sterna migrate INPUT --from 3.3` uses these rows";
        Finding::bad(NAME, PreflightSeverity::Warning, what, hint)
    } else {
        Finding::good(NAME, PreflightSeverity::Error, held)
    })
}

/// Checks that every taxon of the files, or else of the last load, has a species.
async fn mapped(
    session: &Connection,
    staging: Option<u32>,
    missing: Option<&MissingReport>,
) -> Result<Finding> {
    let (from, rows, taxa): (_, u64, Vec<(String, u64)>) = match (missing, staging) {
        (Some(found), _) => {
            let taxa = found.taxa.iter().map(|t| (t.taxon.clone(), t.rows));
            ("the files", found.rows_unmapped, taxa.collect())
        }
        (None, Some(staging)) => {
            let runs = ledger::runs(session, staging).await?;
            let Some(report) = runs.into_iter().filter_map(|run| run.report).next_back() else {
                return Ok(not_known());
            };
            let taxa = report.unmapped_taxa.into_iter().map(|t| (t.taxon, t.rows));
            ("the last load", report.account.rows_unmapped, taxa.collect())
        }
        (None, None) => return Ok(not_known()),
    };
    let named = taxa.iter().take(TAXA_NAMED);
    let named = named.map(|(taxon, rows)| format!("{taxon} ({} records)", grouped(*rows)));
    let (count, named) = (grouped(rows), named.collect::<Vec<_>>().join(", "));
    let line = format!("{count} records of {from} have no species, most often {named}");
    let lines = if rows > 0 { vec![line] } else { Vec::new() };
    let good = format!("every taxon of {from} has a species");
    let hint = "sterna species add, or a synonym; sterna species missing INPUT names them all";
    Ok(found(SPECIES, PreflightSeverity::Error, &lines, &good, hint))
}

const SPECIES: &str = "species";

fn not_known() -> Finding {
    let what = "not known: no files were given and nothing is loaded";
    Finding::bad(
        SPECIES,
        PreflightSeverity::Warning,
        what,
        "sterna check pre INPUT looks at the files",
    )
}

/// Checks that no code of other roles would run with this role's rights: on the table, and on
/// what is written beside it.
async fn others_code(session: &Connection, whole: &Table, oid: u32) -> Result<Finding> {
    let mut written = Vec::new();
    for beside in summary::WRITTEN {
        let beside = Table::new(whole.schema.name(), beside)?;
        written.extend(catalog::relation(session, &beside).await?.map(|found| found.oid));
    }
    let lines = trust::strange_code(session, &[oid], &written).await?;
    let good = "the table's definition calls no code of another role";
    Ok(found("others-code", PreflightSeverity::Error, &lines, good, trust::HINT))
}

/// Checks that nothing about the table keeps it from being replaced.
async fn supported(
    session: &Connection,
    table: &Table,
    oid: u32,
    alterations: &Alterations,
) -> Result<Finding> {
    let mut lines = Vec::new();
    match switchover::refuse_unsupported(session, table, oid).await {
        Ok(()) => {}
        Err(error) if error.kind() == Kind::Unsafe => lines.push(error.to_string()),
        Err(error) => return Err(error),
    }
    let cannot = alterations.unsupported.iter();
    lines.extend(cannot.map(|what| format!("{what} cannot be pointed at another table")));
    let good = format!(
        "the table can be replaced, and the {} dependents that have to be altered with it",
        alterations.altered.len()
    );
    Ok(found("supported", PreflightSeverity::Error, &lines, &good, UNSUPPORTED_HINT))
}
