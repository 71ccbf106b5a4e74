//! `sterna status`: the progress of the latest run and its current activity.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::Context;
use crate::cli::OutputFormat;
use crate::cli::render;
use crate::cli::render::screen;
use crate::cli::render::status::ShownStatus;
use crate::command_line;
use crate::error::{Error, Result};
use crate::migrate::{RunState, ledger, live, partition, status};
use crate::pg::{Connection, Table, connect_for};
use crate::runtime;
use crate::table::staging;
use crate::watch::Watch;

/// How often `--watch` refreshes.
const PAUSE: Duration = Duration::from_secs(1);
/// Moves the cursor to the top left and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Show the progress of the latest migration, and what single commands have done since
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
        let mut session = connect_for(&context.conninfo()?, "status").await?;
        session.batch_execute(include_str!("../../../sql/catalog/session.sql")).await?;
        crate::ledger::open(&mut session).await?;
        let (mut shown, below) = look(&session, context).await?;
        if args.watch {
            shown = watch(&session, context, shown).await?;
        }
        let text = || {
            let mut text = match &shown {
                Some(shown) => render::status::text(shown),
                None => format!(
                    "no migration of {} is in the ledger; `sterna plan` shows what one would do\n",
                    context.table
                ),
            };
            if let Some(partition) = &below {
                text.push_str(&format!(
                    "the last run on one of its partitions was on {partition}: add --partition {} to \
                     see it\n",
                    command_line::shell_quoted(partition.name.name())
                ));
            }
            text
        };
        context.print(&shown, text)
    })?;
    Ok(0)
}

/// What is known about the table, and its partition that was worked on last.
async fn look(
    session: &Connection,
    context: &Context,
) -> Result<(Option<ShownStatus>, Option<Table>)> {
    if !ledger::is_there(session).await? {
        return Ok((None, None));
    }
    let staging = context.table.with_suffix(staging::SUFFIX)?;
    let (run, commands, live, below) = futures::join!(
        ledger::find(session, &context.table, None),
        ledger::commands(session, &context.table),
        live(session, &context.table, &staging),
        partition::last_run_below(session, &context.table),
    );
    let (run, commands, below) = (run?, commands?, below?);
    if run.is_none() && commands.is_empty() {
        return Ok((None, below));
    }
    let status = run.as_ref().map(status::of);
    let commands = commands.iter().map(|r| status::of_step(r.step, Some(r))).collect();
    Ok((Some(ShownStatus { status, commands, live: live? }), below))
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
    let is_running = |shown: &&ShownStatus| {
        shown.status.as_ref().is_some_and(|status| status.state == RunState::Running)
    };
    while let Some(running) = shown.as_ref().filter(is_running)
        && !stop.stop.load(Ordering::Relaxed)
    {
        if context.format == OutputFormat::Text {
            let mut stdout = std::io::stdout().lock();
            let steps = render::status::steps(running);
            let written = if stdout.is_terminal() {
                write!(stdout, "{CLEAR}{}", screen::shown(&render::status::text(running), &stdout))
            } else if steps != last {
                writeln!(stdout, "{}", screen::shown(&render::status::text(running), &stdout))
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
        (shown, _) = look(session, context).await?;
    }
    if context.format == OutputFormat::Text && std::io::stdout().is_terminal() {
        let cleared = write!(std::io::stdout().lock(), "{CLEAR}");
        cleared.map_err(|e| Error::file("stdout", e))?;
    }
    Ok(shown)
}
