//! The configuration file, with its keys checked against the command line's definitions.

use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use nix::unistd::Uid;
use toml::Value;
use toml::de::DeTable;

use super::{CONFIG, FILE_NAME};
use crate::cli::render::password::without_passwords;
use crate::error::{Error, Result, did_you_mean};

/// One option's value from the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The subcommand; `None` for a global option.
    pub(super) table: Option<String>,
    /// The option's name, with underscores.
    pub(super) id: String,
    /// Its values, written as on the command line.
    pub(super) values: Vec<String>,
    line: usize,
}

impl Setting {
    /// The command whose definition contains the option.
    pub(super) fn scope<'c>(&self, command: &'c Command) -> &'c Command {
        let table = self.table.as_deref();
        table.and_then(|name| command.find_subcommand(name)).unwrap_or(command)
    }
}

/// The file decides where rows go and which folder of SQL files is run, so only this user or
/// root may be able to write it.
fn refuse_strange(path: &Path, there: &Metadata) -> Result<()> {
    let me = Uid::effective().as_raw();
    let what = if there.uid() != me && there.uid() != 0 {
        "belongs to another user"
    } else if there.is_file() && there.mode() & 0o022 != 0 {
        "can be written to by others"
    } else {
        return Ok(());
    };
    let path = path.display();
    Err(Error::usage(format!("{path}: the configuration {what}"))
        .hint(format!("check its contents, then: chown $(id -u) {path}; chmod go-w {path}")))
}

/// The settings of a file.
#[derive(Debug)]
pub(super) struct Settings {
    path: PathBuf,
    settings: Vec<Setting>,
}

impl Settings {
    /// Reads the `named` file, or else `folder`'s, if there is one.
    pub(super) fn find(
        named: Option<&PathBuf>,
        folder: &Path,
        command: &Command,
    ) -> Result<Option<Self>> {
        let path = named.cloned().unwrap_or_else(|| folder.join(FILE_NAME));
        let unreadable = |e| {
            let what = format!("{}: the configuration cannot be read", path.display());
            Error::usage(what).caused_by(e)
        };
        let mut file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(e) => return Err(unreadable(e)),
        };
        let there = file.metadata().map_err(unreadable)?;
        refuse_strange(&path, &there)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        let settings = Self::parse(path, &text, command)?;
        settings.refuse_open_secret(&there)?;
        Ok(Some(settings))
    }

    /// Refuses a password in a file that others can read, as libpq does for its password file.
    fn refuse_open_secret(&self, there: &Metadata) -> Result<()> {
        let secret =
            self.settings.iter().find(|s| s.values.iter().any(|v| without_passwords(v) != **v));
        match secret {
            Some(setting) if there.is_file() && there.mode() & 0o077 != 0 => Err(self
                .refuse(setting, "holds a password that others can read".to_owned())
                .hint(format!("chmod 0600 {}, or keep it in ~/.pgpass", self.path.display()))),
            _ => Ok(()),
        }
    }

    fn parse(path: PathBuf, text: &str, command: &Command) -> Result<Self> {
        let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
        let not_toml = |e: toml::de::Error| {
            let line = line_of(e.span().map_or(0, |span| span.start));
            let what = e.message().lines().next().unwrap_or_default();
            Error::usage(format!("{}: line {line}: {what}", path.display()))
        };
        let places = DeTable::parse(text).map_err(not_toml)?;
        let values: toml::Table = toml::from_str(text).map_err(not_toml)?;
        let mut file = Settings { path: path.clone(), settings: Vec::new() };
        for (key, place) in places.get_ref() {
            let (name, line) = (key.get_ref().as_ref(), line_of(key.span().start));
            let (Value::Table(inner), Some(places)) = (&values[name], place.get_ref().as_table())
            else {
                file.add(command, None, (name, line), &values[name])?;
                continue;
            };
            let Some(scope) = command.find_subcommand(name) else {
                let known = command.get_subcommands().map(Command::get_name);
                return Err(file.unknown(line, &format!("table [{name}]"), name, known));
            };
            for key in places.keys() {
                let (id, line) = (key.get_ref().as_ref(), line_of(key.span().start));
                file.add(scope, Some(name), (id, line), &inner[id])?;
            }
        }
        Ok(file)
    }

    fn add(
        &mut self,
        scope: &Command,
        table: Option<&str>,
        (id, line): (&str, usize),
        value: &Value,
    ) -> Result<()> {
        let Some(arg) = settable(scope).find(|arg| arg.get_id() == id) else {
            let known = settable(scope).map(|arg| arg.get_id().as_str());
            let place = table.map(|name| format!(" in [{name}]")).unwrap_or_default();
            return Err(self.unknown(line, &format!("key {id}{place}"), id, known));
        };
        let setting = Setting {
            table: table.map(str::to_owned),
            id: id.to_owned(),
            values: Vec::new(),
            line,
        };
        match texts(arg, value) {
            // `false` for a flag is the same as leaving it out.
            Ok(values) if values.is_empty() => Ok(()),
            Ok(values) => {
                self.settings.push(Setting { values, ..setting });
                Ok(())
            }
            Err(wanted) => Err(self.refuse(&setting, format!("has to be {wanted}"))),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file and line of a setting.
    pub(super) fn place(&self, setting: &Setting) -> String {
        format!("{} line {}", self.path.display(), setting.line)
    }

    /// A usage error about a setting.
    pub(super) fn refuse(&self, setting: &Setting, what: impl std::fmt::Display) -> Error {
        let table = setting.table.as_ref().map(|name| format!("[{name}] ")).unwrap_or_default();
        let (path, line, id) = (self.path.display(), setting.line, &setting.id);
        Error::usage(format!("{path}: line {line}: {table}{id} {what}"))
    }

    /// A usage error about a value that the option's own parser refused.
    pub(super) fn refuse_value(&self, setting: &Setting, error: &clap::Error) -> Error {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let what = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let refused = self.refuse(setting, format!("is refused: {what}"));
        match lines.next() {
            Some(values) if values.starts_with("[possible values") => {
                refused.hint(values.trim_matches(['[', ']']).to_owned())
            }
            _ => refused,
        }
    }

    fn unknown<'a>(
        &self,
        line: usize,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Error {
        let known: Vec<&str> = known.collect();
        let hint = match did_you_mean(name, known.iter().copied()) {
            Some(hint) => hint,
            None if known.is_empty() => "nothing can be set there".into(),
            None => format!("known: {}", known.join(", ")),
        };
        Error::usage(format!("{}: line {line}: unknown {what}", self.path.display())).hint(hint)
    }
}

/// The options that a file may set.
pub(super) fn settable(scope: &Command) -> impl Iterator<Item = &Arg> {
    scope.get_arguments().filter(|arg| arg.get_long().is_some() && arg.get_id() != CONFIG)
}

/// The value as written on the command line; the error names the expected type.
fn texts(arg: &Arg, value: &Value) -> std::result::Result<Vec<String>, &'static str> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    };
    match (arg.get_action(), value) {
        (ArgAction::SetTrue, Value::Boolean(true)) => Ok(vec!["true".into()]),
        (ArgAction::SetTrue, Value::Boolean(false)) => Ok(Vec::new()),
        (ArgAction::SetTrue, _) => Err("true or false"),
        (ArgAction::Append, Value::Array(values)) => {
            let texts: Option<Vec<_>> = values.iter().map(scalar).collect();
            texts.ok_or("a list of strings or numbers")
        }
        _ => scalar(value).map(|text| vec![text]).ok_or("a string or a number"),
    }
}
