//! `sterna config`: the effective options and where each comes from.

use clap::{Args, Subcommand};

use super::Context;
use crate::cli::GlobalArgs;
use crate::cli::config;
use crate::cli::render;
use crate::cli::render::config::Configuration;
use crate::error::Result;

/// Inspect the configuration
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: ConfigAction,
}

#[derive(Clone, Debug, Subcommand)]
enum ConfigAction {
    /// Show the options that have a value, where each comes from, and the database
    ///
    /// The command line takes precedence over the environment, the environment over the
    /// file, the file over the built-in defaults. A table of the file holds the options of
    /// a command: `[load] batch_size = 5000` is `sterna load --batch-size 5000`.
    Show,
}

/// Prints the effective options, and returns the exit code.
///
/// # Errors
/// If the file is invalid or stdout cannot be written.
pub fn run(args: &ConfigArgs, global: &GlobalArgs, context: &Context) -> Result<u8> {
    let ConfigAction::Show = args.action;
    let (file, options) = config::in_force(global.config.as_ref(), std::path::Path::new(""))?;
    let database = match context.conninfo() {
        Ok(info) => info.display(),
        Err(error) => error.to_string(),
    };
    let file = file.map(|path| path.display().to_string());
    let configuration = Configuration { file, database, options };
    context.print(&configuration, || render::config::text(&configuration))?;
    Ok(0)
}
