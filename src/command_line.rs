//! The commands that go on from here, with the options of those before them: what resumes a load or
//! a run, rolls it back, or is named in a hint.

use serde_json::{Value, json};

use crate::pg::Table;

/// Options with a value that are not kept. The URLs may hold a password; `--from` and `--to`
/// belong to the attempt, not to the run.
const OWN_VALUES: [&str; 4] = ["--database-url", "--application-url", "--from", "--to"];
/// The same, without a value.
const OWN: &str = "--resume";
/// Global options that every later command needs as well.
const GLOBAL: [&str; 4] = ["--schema", "--table", "--partition", "--config"];

/// The words of a `sterna migrate` or `sterna load` to keep: its arguments, without secrets and
/// without where it begins and ends.
#[must_use]
pub fn kept(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut words = words.into_iter();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        if OWN_VALUES.contains(&name) {
            if name == word {
                words.next();
            }
        } else if word != OWN {
            kept.push(word);
        }
    }
    kept
}

/// The same words about another table.
#[must_use]
pub fn on_table(words: Vec<String>, table: &Table) -> Vec<String> {
    let mut on_table =
        ["--schema", table.schema.name(), "--table", table.name.name()].map(str::to_owned).to_vec();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        match name {
            "--schema" | "--table" if name == word => drop(words.next()),
            "--schema" | "--table" => {}
            _ => on_table.push(word),
        }
    }
    on_table
}

/// The command that resumes an unfinished run, from its arguments in the ledger.
#[must_use]
pub fn resume(arguments: &Value) -> String {
    let mut words = typed(arguments);
    if words.is_empty() {
        words.push("migrate".to_owned());
        words.extend(texts(&arguments["inputs"]));
    }
    format!("sterna {} --resume", quoted(&words))
}

/// The command that resumes an unfinished load, from its arguments in the ledger: a `sterna load`, or
/// the run that it was a step of. Those of earlier versions were not kept.
#[must_use]
pub fn resume_load(arguments: Option<Value>) -> String {
    match arguments {
        Some(arguments) if arguments.get("typed").is_some() => resume(&arguments),
        _ => "sterna load INPUT... --resume".to_owned(),
    }
}

/// The command that rolls a run back, down to and including a step, by its number or name; only
/// its last step if none is given.
#[must_use]
pub fn roll_back(arguments: &Value, to: Option<&str>) -> String {
    let to = to.map(|step| format!(" {step}")).unwrap_or_default();
    format!("sterna {}rollback{to}", global(arguments))
}

/// Another command on the table of a run.
#[must_use]
pub fn other(arguments: &Value, command: &str) -> String {
    format!("sterna {}{command}", global(arguments))
}

/// A hint whose commands act on the table that the command line names.
#[must_use]
pub fn in_hint(hint: &str, line: impl IntoIterator<Item = String>) -> String {
    const COMMAND: &str = "`sterna ";
    let global = global(&json!({"typed": kept(line)}));
    let mut commands = hint.split(COMMAND);
    let mut said = commands.next().unwrap_or_default().to_owned();
    for command in commands {
        let ends = command.find('`').unwrap_or(command.len());
        let names_its_own = GLOBAL.iter().any(|option| command[..ends].contains(option));
        said.push_str(COMMAND);
        said.push_str(if names_its_own { "" } else { &global });
        said.push_str(command);
    }
    said
}

/// The global options, to put in front of a command.
fn global(arguments: &Value) -> String {
    let words = typed(arguments);
    let mut global = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        if GLOBAL.contains(&name) {
            global.push(word.clone());
            if name == word {
                global.extend(words.next().cloned());
            }
        }
    }
    if global.is_empty() { String::new() } else { quoted(&global) + " " }
}

fn typed(arguments: &Value) -> Vec<String> {
    texts(&arguments["typed"])
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| shell_quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Quotes text as one word for a shell.
#[must_use]
pub fn shell_quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@=%,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &[&str]) -> Value {
        json!({"typed": kept(line.iter().map(|word| (*word).to_owned())), "inputs": ["x.csv"]})
    }

    #[test]
    fn a_run_is_resumed_with_its_own_arguments_and_without_its_password() {
        let run = arguments(&[
            "--table",
            "my trade",
            "migrate",
            "a b.zip",
            "--database-url",
            "postgres://me:secret@host/db",
            "--database-url=postgres://me:secret@host/db",
            "--expect-rows=5",
            "--to",
            "3.3",
            "--from=2.1",
            "--schema=s",
        ]);
        assert_eq!(
            resume(&run),
            "sterna --table 'my trade' migrate 'a b.zip' --expect-rows=5 --schema=s --resume"
        );
        let global = "--table 'my trade' --schema=s";
        assert_eq!(roll_back(&run, None), format!("sterna {global} rollback"));
        assert_eq!(
            roll_back(&run, Some("switchover")),
            format!("sterna {global} rollback switchover")
        );
        assert_eq!(other(&run, "status"), format!("sterna {global} status"));
        // From a sterna that did not keep the words.
        let run = json!({"inputs": ["it's.csv"]});
        assert_eq!(resume(&run), r"sterna migrate 'it'\''s.csv' --resume");
        assert_eq!(roll_back(&run, Some("1.1")), "sterna rollback 1.1");
    }
    #[test]
    fn a_hint_names_the_table_that_the_command_line_names() {
        let line = || ["load", "--table=ports", "x.csv", "--config", "it's"].map(str::to_owned);
        assert_eq!(
            in_hint("`sterna stage truncate` empties it; see `sterna --table a status`", line()),
            r"`sterna --table=ports --config 'it'\''s' stage truncate` empties it; see `sterna --table a status`"
        );
        let hint = "`sterna status` says more";
        assert_eq!(in_hint(hint, ["load".to_owned()]), hint);
    }
}
