//! The values of options without a command line, and where each comes from.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, CommandFactory};
use serde::Serialize;

use super::concerns;
use super::file::{Setting, Settings, settable};
use crate::cli::Cli;
use crate::cli::render::password::without_passwords;
use crate::error::Result;

/// Shown in place of a value that may be a secret.
const HIDDEN: &str = "(not shown)";

/// An option that has a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// The command of the option; null for a global option.
    pub command: Option<String>,
    /// Its long name, without the dashes.
    pub option: String,
    /// Its values.
    pub values: Vec<String>,
    /// The environment variable, the file and line, or `built in`.
    pub from: String,
}

/// Every option that has a value without being given on the command line, and the file that
/// was read: the `named` one, or else `folder`'s.
///
/// # Errors
/// A usage error that names the file, the line and the key.
pub fn in_force(named: Option<&PathBuf>, folder: &Path) -> Result<(Option<PathBuf>, Vec<InForce>)> {
    let command = Cli::command();
    let settings = Settings::find(named, folder, &command)?;
    let settings = settings.as_ref();
    let mut found = Vec::new();
    let scopes = command.get_subcommands().map(|scope| (Some(scope.get_name()), scope));
    for (name, scope) in std::iter::once((None, &command)).chain(scopes) {
        for arg in settable(scope) {
            let set = settings.and_then(|all| Some((all, in_file(all, &command, name, arg)?)));
            found.extend(option_in_force(name, arg, set));
        }
    }
    Ok((settings.map(|settings| settings.path().to_owned()), found))
}

/// What the file sets for an option, as [`super::read`] would apply it.
fn in_file<'a>(
    settings: &'a Settings,
    command: &Command,
    name: Option<&str>,
    arg: &Arg,
) -> Option<&'a Setting> {
    settings.iter().find(|setting| {
        arg.get_id() == &*setting.id
            && setting.table.is_some() == name.is_some()
            && concerns(setting, settings, command, name)
    })
}

fn option_in_force(
    command: Option<&str>,
    arg: &Arg,
    set: Option<(&Settings, &Setting)>,
) -> Option<InForce> {
    let of_environment = arg.get_env().and_then(|name| {
        let value = std::env::var(name).ok()?;
        Some((vec![value], name.to_string_lossy().into_owned()))
    });
    let of_file =
        || set.map(|(settings, setting)| (setting.values.clone(), settings.place(setting)));
    let built_in = || {
        let values = arg.get_default_values().iter().map(|v| v.to_string_lossy().into_owned());
        let values: Vec<_> = values.collect();
        // A flag has a default too, but showing it would only be noise.
        let is_flag = matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::Count);
        (!values.is_empty() && !is_flag).then(|| (values, "built in".to_owned()))
    };
    let (mut values, from) = of_environment.or_else(of_file).or_else(built_in)?;
    if arg.is_hide_env_values_set() {
        values = vec![HIDDEN.into()];
    }
    for value in &mut values {
        *value = without_passwords(value).into_owned();
    }
    let option = arg.get_long()?.to_owned();
    Some(InForce { command: command.map(str::to_owned), option, values, from })
}
