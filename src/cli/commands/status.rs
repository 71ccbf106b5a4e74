//! `sterna status`: the progress of the latest run and its current activity.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::Context;
use crate::cli::OutputFormat;
use crate::cli::render;
use crate::cli::render::status::ShownStatus;
use crate::error::{Error, Result};
use crate::migrate::{RunState, ledger, live, status};
use crate::pg::{Connection, connect};
use crate::runtime;
use crate::table::staging;
use crate::watch::Watch;

/// How often `--watch` refreshes.
const PAUSE: Duration = Duration::from_secs(1);
/// Moves the cursor to the top left and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Show the progress of the latest migration, step by step
///
/// For a running migration it also shows what its sessions are doing, what they wait for and
/// who blocks them.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna status
  sterna status --watch                        until the run ends, or Ctrl-C
  sterna status --format json | jq .next_command")]
pub struct StatusArgs {
    /// Refresh every second until the run ends; in a log, whenever a step changes
    #[arg(long)]
    pub watch: bool,
}

/// Prints the status, and returns the exit code. Writes nothing except an upgrade of the
/// ledger, if the role has the privileges.
///
/// # Errors
/// If the ledger cannot be read.
pub fn run(args: &StatusArgs, context: &Context) -> Result<u8> {
    runtime::blocking()?.block_on(async {
        let mut session = connect(&context.conninfo()?).await?;
        session.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
        crate::ledger::open(&mut session).await?;
        let mut shown = look(&session, context).await?;
        if args.watch {
            shown = watch(&session, context, shown).await?;
        }
        let text = || match &shown {
            Some(shown) => render::status::text(shown),
            None => format!(
                "no migration of {} is in the ledger; `sterna plan` shows what one would do, \
                 `sterna report` what single commands have done\n",
                context.table
            ),
        };
        context.print(&shown, text)
    })?;
    Ok(0)
}

async fn look(session: &Connection, context: &Context) -> Result<Option<ShownStatus>> {
    let Some(run) = ledger::last(session, &context.table).await? else { return Ok(None) };
    let staging = context.table.with_suffix(staging::SUFFIX)?;
    let live = live(session, &context.table, &staging).await?;
    Ok(Some(ShownStatus { status: status::of(&run), live }))
}

/// Refreshes until the run ends or the user interrupts.
async fn watch(
    session: &Connection,
    context: &Context,
    mut shown: Option<ShownStatus>,
) -> Result<Option<ShownStatus>> {
    let stop = Arc::new(Watch::default());
    context.stop_on_signal(&stop)?;
    let mut last = String::new();
    while let Some(running) = shown.as_ref().filter(|s| s.status.state == RunState::Running)
        && !stop.stop.load(Ordering::Relaxed)
    {
        if context.format == OutputFormat::Text {
            let mut stdout = std::io::stdout().lock();
            let steps = render::status::steps(&running.status);
            let written = if stdout.is_terminal() {
                write!(stdout, "{CLEAR}{}", render::status::text(running))
            } else if steps != last {
                writeln!(stdout, "{}", render::status::text(running))
            } else {
                Ok(())
            };
            match written.and_then(|()| stdout.flush()) {
                // The reader has closed the pipe, such as `head`.
                Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => break,
                result => result.map_err(|e| Error::file("stdout", e))?,
            }
            last = steps;
        }
        tokio::time::sleep(PAUSE).await;
        shown = look(session, context).await?;
    }
    if context.format == OutputFormat::Text && std::io::stdout().is_terminal() {
        let cleared = write!(std::io::stdout().lock(), "{CLEAR}");
        cleared.map_err(|e| Error::file("stdout", e))?;
    }
    Ok(shown)
}
