//! One short file per subcommand: turns arguments into calls of the library.

pub mod application;
pub mod backup;
pub mod bench;
pub mod check;
pub mod completions;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(feature = "demo")]
pub mod generate;
pub mod inspect;
pub mod load;
pub mod migrate;
mod partition;
pub mod plan;
pub mod prune;
pub mod rehearse;
pub mod reindex;
pub mod report;
pub mod rollback;
#[cfg(feature = "demo")]
pub mod sandbox;
mod size;
pub mod species;
pub mod stage;
pub mod status;
mod step;
pub mod summary;
pub mod switchover;
pub mod validate;

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::render::screen::shown;
use crate::cli::{GlobalArgs, OutputFormat, Progress};
use crate::command_line;
use crate::error::{Error, Kind, Result};
use crate::load::Years;
use crate::migrate::exclusive::Exclusive;
use crate::pg::{ConnInfo, Table};
use crate::runtime;
use crate::table::partition::Takes;
use crate::watch::Watch;

/// The resolved global options.
#[derive(Clone, Debug)]
pub struct Context {
    /// `--database-url`; without it, libpq's rules apply when a connection is needed.
    database_url: Option<String>,
    /// The table to replace.
    pub table: Table,
    /// Whether `--partition` was given.
    names_partition: bool,
    /// Whether `--year` has found the table, a partition.
    is_found: bool,
    /// Whether `--production` was given.
    pub production: bool,
    /// The format of results.
    pub format: OutputFormat,
    /// Whether to show progress.
    pub progress: Progress,
}

impl Context {
    /// Validates the global options, and finds the partition that they name if the command is on a
    /// table.
    ///
    /// # Errors
    /// A usage error that names the option; those of the database if a partition is to be found.
    pub fn new(args: &GlobalArgs, on_a_table: bool) -> Result<Self> {
        let mut context = Context {
            database_url: args.database_url.clone(),
            table: Table::new(args.schema.as_str(), args.table.as_str())?,
            names_partition: args.partition.is_some(),
            is_found: false,
            production: args.production,
            format: args.format,
            progress: if args.quiet { Progress::Never } else { args.progress },
        };
        if let Some(name) = args.partition.as_ref().filter(|_| on_a_table) {
            let info = context.conninfo()?;
            let found = partition::named(&info, &context.table, name);
            context.table = runtime::blocking()?.block_on(found)?;
        }
        Ok(context)
    }

    /// The same with the partition of these years as its table, unless none are given or a
    /// partition is named.
    ///
    /// # Errors
    /// A usage error if the table has none; those of the database.
    fn narrowed(&self, years: Option<&Years>, mapping: Option<&Path>) -> Result<Self> {
        let mut context = self.clone();
        let first = years.and_then(|years| years.iter().next());
        if let Some(year) = first.filter(|_| !self.names_partition) {
            let info = self.conninfo()?;
            let found = partition::of_year(&info, &self.table, year, mapping);
            context.table = runtime::blocking()?.block_on(found)?;
            context.is_found = context.table != self.table;
        }
        Ok(context)
    }

    /// The words of the command line to keep, with the partition that `--year` has found as the
    /// table.
    fn typed(&self) -> Vec<String> {
        let typed = command_line::kept(std::env::args().skip(1));
        match self.is_found {
            true => command_line::on_table(typed, &self.table),
            false => typed,
        }
    }

    /// The error with the partition that `--year` has found in the commands of its hint.
    fn explain(&self, error: Error) -> Error {
        match error.next_step().map(str::to_owned).filter(|_| self.is_found) {
            Some(hint) => error.hint(command_line::in_hint(&hint, self.typed())),
            None => error,
        }
    }

    /// The connection parameters of the database.
    ///
    /// # Errors
    /// If the URL, the environment or libpq's files are invalid; refused if production is
    /// remote and the connection is not required to be encrypted.
    pub fn conninfo(&self) -> Result<ConnInfo> {
        let url = self.database_url.as_deref();
        let info = ConnInfo::resolve(url, &|name| std::env::var(name).ok())?;
        if self.production && info.may_be_overheard() {
            let what = format!("{} may be reached without encryption", info.display());
            return Err(Error::refused(what).hint(
                "production is remote: use sslmode=verify-full (PGSSLMODE) with the server's \
                 root certificate, or at least sslmode=require",
            ));
        }
        Ok(info)
    }

    /// Takes the lock on the table, which must be of such a kind.
    fn exclusive(&self, takes: Takes, watch: &Arc<Watch>) -> Result<Exclusive> {
        Exclusive::take(&self.conninfo()?, &self.table, takes, watch, 1)
    }

    /// Writes a result to stdout, in the requested format.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub fn print(&self, result: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        let mut stdout = std::io::stdout().lock();
        let written = match self.format {
            OutputFormat::Text => stdout.write_all(shown(&text(), &stdout).as_bytes()),
            OutputFormat::Json => {
                let mut buffered = BufWriter::new(&mut stdout);
                let json = serde_json::to_writer_pretty(&mut buffered, result);
                json.map_err(std::io::Error::from)
                    .and_then(|()| buffered.write_all(b"\n"))
                    .and_then(|()| buffered.flush())
            }
        };
        match written.and_then(|()| stdout.flush()) {
            // The reader has closed the pipe, such as `head`.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|e| Error::file("stdout", e)),
        }
    }

    /// Stops the command cleanly on the first Ctrl-C or SIGTERM, and at once on the second.
    ///
    /// # Errors
    /// If signal handlers cannot be installed.
    pub fn stop_on_signal(&self, watch: &Arc<Watch>) -> Result<()> {
        let failed = |e| Error::file("signals", e);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (mut interrupt, mut terminate) = {
            let _inside = runtime.enter();
            let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
            (interrupt, signal(SignalKind::terminate()).map_err(failed)?)
        };
        let watch = Arc::clone(watch);
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                    if watch.stop.swap(true, Ordering::Relaxed) {
                        std::process::exit(i32::from(Kind::Interrupted.exit_code()));
                    }
                    tracing::warn!("stopping; repeat to stop at once");
                }
            });
        });
        Ok(())
    }
}
