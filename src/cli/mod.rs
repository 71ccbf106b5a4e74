//! The command line: global options and subcommands. Each command interprets its own arguments.

pub mod commands;
pub mod config;
pub mod render;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::commands::backup::BackupArgs;
use crate::cli::commands::bench::BenchArgs;
use crate::cli::commands::check::CheckArgs;
use crate::cli::commands::completions::{CompletionsArgs, ManArgs};
use crate::cli::commands::config::ConfigArgs;
#[cfg(feature = "demo")]
use crate::cli::commands::demo::DemoArgs;
#[cfg(feature = "demo")]
use crate::cli::commands::generate::GenerateArgs;
use crate::cli::commands::inspect::InspectArgs;
use crate::cli::commands::load::LoadArgs;
use crate::cli::commands::migrate::MigrateArgs;
use crate::cli::commands::plan::PlanArgs;
use crate::cli::commands::prune::PruneArgs;
use crate::cli::commands::rehearse::RehearseArgs;
use crate::cli::commands::reindex::ReindexArgs;
use crate::cli::commands::report::ReportArgs;
use crate::cli::commands::rollback::RollbackArgs;
#[cfg(feature = "demo")]
use crate::cli::commands::sandbox::SandboxArgs;
use crate::cli::commands::species::SpeciesArgs;
use crate::cli::commands::stage::StageArgs;
use crate::cli::commands::status::StatusArgs;
use crate::cli::commands::summary::SummaryArgs;
use crate::cli::commands::switchover::{CleanupArgs, SwitchoverArgs};
use crate::cli::commands::validate::ValidateArgs;

/// Replaces a PostgreSQL table from files: fast, provably and reversibly.
#[derive(Debug, Parser)]
#[command(name = "sterna", version, about, arg_required_else_help = true)]
#[command(after_help = "Exit codes:
  0    done
  1    database, network or file error
  2    wrong usage or configuration
  3    more rejects than allowed
  4    a validation or the proof of a load failed
  5    a query is certainly slower than allowed
  6    refused as unsafe
  7    a lock was not obtained in time
  130  interrupted; --resume continues")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct GlobalArgs {
    /// Database URL or key=value string [default: libpq's environment variables and files]
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Connection"
    )]
    pub database_url: Option<String>,
    /// Schema of the table
    #[arg(long, global = true, default_value = "public", help_heading = "Connection")]
    pub schema: String,
    /// Table to replace
    #[arg(long, global = true, default_value = "cites_trade_records", help_heading = "Connection")]
    pub table: String,
    /// Replace only this partition of the table
    #[arg(long, global = true, value_name = "NAME", help_heading = "Connection")]
    pub partition: Option<String>,
    /// The database is production: `sterna migrate` requires a passed rehearsal with the same input
    #[arg(long, global = true, help_heading = "Connection")]
    pub production: bool,
    /// Format of the results on stdout
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Text, help_heading = "Output")]
    pub format: OutputFormat,
    /// Whether to show progress on stderr
    #[arg(long, global = true, value_enum, default_value_t = Progress::Auto, help_heading = "Output")]
    pub progress: Progress,
    /// Whether to colour results and messages [default: on a terminal, unless NO_COLOR is set]
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, hide_default_value = true, help_heading = "Output")]
    pub color: Color,
    /// Print more to stderr: -v for what is done, -vv for every detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// Print only errors to stderr
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// File with defaults for the options [default: sterna.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub config: Option<PathBuf>,
}

/// The format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Readable text.
    Text,
    /// One JSON document.
    Json,
}

/// Whether to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, a line every few seconds elsewhere.
    Auto,
    /// Like auto, but with a line every second if stderr is not a terminal.
    Always,
    /// No progress.
    Never,
}

/// Whether to colour what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the arguments' own help")]
pub enum Command {
    Plan(PlanArgs),
    Migrate(Box<MigrateArgs>),
    Status(StatusArgs),
    Backup(BackupArgs),
    Check(CheckArgs),
    Load(LoadArgs),
    Inspect(InspectArgs),
    Stage(StageArgs),
    Validate(ValidateArgs),
    Species(SpeciesArgs),
    Rehearse(Box<RehearseArgs>),
    Reindex(ReindexArgs),
    Report(ReportArgs),
    Summary(SummaryArgs),
    Bench(BenchArgs),
    #[cfg(feature = "demo")]
    Generate(GenerateArgs),
    Switchover(SwitchoverArgs),
    Rollback(RollbackArgs),
    Cleanup(CleanupArgs),
    Prune(PruneArgs),
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    #[cfg(feature = "demo")]
    Sandbox(SandboxArgs),
    Config(ConfigArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    /// Whether it works on a table, and so on the partition that `--partition` names.
    #[must_use]
    pub fn is_on_a_table(&self) -> bool {
        match self {
            Command::Config(_) | Command::Completions(_) | Command::Man(_) => false,
            #[cfg(feature = "demo")]
            Command::Generate(_) | Command::Demo(_) | Command::Sandbox(_) => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_agree_with_each_other() {
        Cli::command().debug_assert();
    }
}
