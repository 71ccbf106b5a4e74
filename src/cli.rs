//! What the user can type; what it means is each command's own affair.

use clap::{Parser, Subcommand};

use crate::commands::sandbox::SandboxArgs;

/// Replaces a PostgreSQL table from files: fast, provably and reversibly.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[allow(missing_docs, reason = "a doc comment here would replace the arguments' own help")]
    Sandbox(SandboxArgs),
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
