//! The command line, with defaults from a file: `sterna.toml`, or the one that `--config` names.
//!
//! The command line takes precedence over the environment, the environment over
//! the file, the file over the built-in defaults. The file's values become the
//! defaults in clap's own definitions, which then parse the command line: no
//! option is listed here, and a value from any source goes through the same parser.

use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::cli::Cli;
use crate::cli::render::password::without_passwords;
use crate::error::{Error, Result};

mod file;
mod in_force;

use file::{Setting, Settings};
pub use in_force::{InForce, in_force};

/// The file that is read by default, if it exists.
pub const FILE_NAME: &str = "sterna.toml";
/// A rehearsal uses the migration's settings: `[migrate]` applies to `rehearse` too, except for
/// options that it does not have or that `[rehearse]` sets.
const REHEARSE: &str = "rehearse";
const MIGRATE: &str = "migrate";
/// Not taken over from `[migrate]`: each report has its own folder.
const OUT: &str = "out";
/// Only the command line can name the file itself.
const CONFIG: &str = "config";

/// The reason why there is no command to run.
#[derive(Debug)]
pub enum Refusal {
    /// Clap's message: an error, or the requested help or version.
    CommandLine(clap::Error),
    /// An error in the file.
    File(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::File(error)
    }
}

/// Reads the command line `args`, including the program's name, with the defaults
/// of `folder`'s file.
///
/// # Errors
/// [`Refusal::File`] is a usage error that names the file, the line and the key.
pub fn read(
    args: impl IntoIterator<Item = OsString>,
    folder: &Path,
) -> std::result::Result<Cli, Refusal> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = Cli::command();
    // Lenient, because required options that are missing may be in the file.
    let lenient = command.clone().ignore_errors(true).try_get_matches_from(&args);
    let given = lenient.map_err(Refusal::CommandLine)?;
    let settings = Settings::find(innermost(&given).get_one(CONFIG), folder, &command)?;
    let mut applied = Vec::new();
    if let Some(settings) = &settings {
        applied = applicable(settings, &command, &given)?;
        for setting in &applied {
            command = with_default(command, setting, given.subcommand_name());
        }
    }
    let matches = command.try_get_matches_from_mut(&args).map_err(|error| {
        let of_file = applied.iter().find(|s| is_about(&error, s, &command));
        match (of_file, &settings) {
            (Some(setting), Some(settings)) => settings.refuse_value(setting, &error).into(),
            _ => Refusal::CommandLine(error),
        }
    })?;
    Cli::from_arg_matches(&matches)
        .map_err(|error| Refusal::CommandLine(error.format(&mut command)))
}

/// The settings of the file that this command line does not override.
fn applicable<'a>(
    settings: &'a Settings,
    command: &Command,
    given: &ArgMatches,
) -> Result<Vec<&'a Setting>> {
    let subcommand = given.subcommand_name();
    let matches = innermost(given);
    let is_given = |id: &str| {
        let source = matches.value_source(id);
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    let mut applied: Vec<&Setting> = Vec::new();
    for setting in settings.iter().filter(|s| concerns(s, settings, command, subcommand)) {
        let scope = setting.scope(command);
        let mut rivals = rivals(scope, &setting.id);
        if is_given(&setting.id) || rivals.iter().any(|id| is_given(id)) {
            continue;
        }
        rivals.retain(|id| applied.iter().any(|s| s.table == setting.table && s.id == *id));
        if let Some(rival) = rivals.first() {
            return Err(settings.refuse(setting, format!("excludes {rival}, which is also set")));
        }
        applied.push(setting);
    }
    Ok(applied)
}

/// Whether a setting applies to the subcommand.
fn concerns(
    setting: &Setting,
    settings: &Settings,
    command: &Command,
    subcommand: Option<&str>,
) -> bool {
    let Some(table) = setting.table.as_deref() else { return true };
    if subcommand == Some(table) {
        return true;
    }
    let understands =
        |command: &Command| command.get_arguments().any(|a| *a.get_id() == setting.id);
    (subcommand, table) == (Some(REHEARSE), MIGRATE)
        && setting.id != OUT
        && command.find_subcommand(REHEARSE).is_some_and(understands)
        && !settings.iter().any(|s| s.table.as_deref() == Some(REHEARSE) && s.id == setting.id)
}

/// The options that conflict with `id`.
fn rivals(scope: &Command, id: &str) -> Vec<String> {
    let in_groups = scope.get_groups().filter(|group| !(*group).clone().is_multiple());
    let in_groups = in_groups.filter(|group| group.get_args().any(|a| a == id));
    let mut found: Vec<String> =
        in_groups.flat_map(|group| group.get_args().map(ToString::to_string)).collect();
    for arg in scope.get_arguments() {
        let conflicts = scope.get_arg_conflicts_with(arg);
        if arg.get_id() == id {
            found.extend(conflicts.iter().map(|other| other.get_id().to_string()));
        } else if conflicts.iter().any(|other| other.get_id() == id) {
            found.push(arg.get_id().to_string());
        }
    }
    found.retain(|other| other != id);
    found
}

fn with_default(command: Command, setting: &Setting, subcommand: Option<&str>) -> Command {
    let apply = |scope: Command| {
        let groups: Vec<_> = scope
            .get_groups()
            .filter(|group| group.is_required_set() && group.get_args().any(|a| *a == setting.id))
            .map(|group| group.get_id().clone())
            .collect();
        let scope = scope.mut_arg(&setting.id, |arg| {
            // A value that is hidden if it comes from the environment is hidden here as well.
            let hidden = arg.is_hide_env_values_set()
                || setting.values.iter().any(|value| without_passwords(value) != **value);
            arg.required(false).default_values(&setting.values).hide_default_value(hidden)
        });
        // A default does not satisfy a required group.
        groups.into_iter().fold(scope, |s, id| s.mut_group(id, |group| group.required(false)))
    };
    match (&setting.table, subcommand) {
        (Some(_), Some(subcommand)) => command.mut_subcommand(subcommand, apply),
        _ => apply(command),
    }
}

/// Whether clap complains about a value that came from the file.
fn is_about(error: &clap::Error, setting: &Setting, command: &Command) -> bool {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let of_value = matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation);
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else {
        return false;
    };
    let mut arguments = setting.scope(command).get_arguments();
    of_value
        && arguments.any(|arg| arg.get_id() == setting.id.as_str() && arg.to_string() == *named)
}

/// The matches of the innermost subcommand, which include global options given after it.
fn innermost(mut matches: &ArgMatches) -> &ArgMatches {
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    matches
}

#[cfg(test)]
mod tests;
