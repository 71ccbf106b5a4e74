//! `sterna report`: writes the ledger's records of the latest run to files.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::Context;
use crate::cli::render;
use crate::error::Result;
use crate::history::{RunOutcome, collect};
use crate::ledger;
use crate::pg::connect_for;
use crate::runtime;

/// Write the report of the latest migration: HTML, Markdown, JSON and JUnit XML
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna report --out report            report.html, report.md, report.json, junit.xml
  sterna report --out report --format json

`sterna migrate` and `sterna rollback` write it at their end, even if they fail. This command
writes it again from the ledger at any time, without the input files.")]
pub struct ReportArgs {
    /// Folder for the files; those of an earlier report are replaced
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// The result of the command.
#[derive(Clone, Debug, Serialize)]
struct Written {
    /// How the run ended.
    outcome: RunOutcome,
    /// Path of the page.
    page: PathBuf,
}

/// Writes the report, and returns the exit code.
///
/// # Errors
/// Refused if the ledger has no run for the table; a file error if a file cannot be
/// written.
pub fn run(args: &ReportArgs, context: &Context) -> Result<u8> {
    let collected = runtime::blocking()?.block_on(async {
        let mut session = connect_for(&context.conninfo()?, "report").await?;
        session.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
        ledger::open(&mut session).await?;
        let collected = collect(&session, &context.table).await?;
        session.close().await?;
        Ok::<_, crate::Error>(collected)
    })?;
    render::run::write(&args.out, &collected)?;
    let written = Written { outcome: collected.outcome, page: args.out.join(render::run::PAGE) };
    context.print(&written, || {
        format!("{}\n{}\n", written.outcome.sentence, written.page.display())
    })?;
    Ok(0)
}
