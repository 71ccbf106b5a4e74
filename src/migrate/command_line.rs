//! The commands that resume a run or roll it back, with the options it was begun with.

use serde_json::Value;

use super::plan::Step;

/// Options with a value that are not kept. The URLs may hold a password; `--from` and `--to`
/// belong to the attempt, not to the run.
const OWN_VALUES: [&str; 4] = ["--database-url", "--application-url", "--from", "--to"];
/// The same, without a value.
const OWN: &str = "--resume";
/// Global options that every later command needs as well.
const GLOBAL: [&str; 3] = ["--schema", "--table", "--config"];

/// The words of a `sterna migrate` to keep: its arguments, without secrets and without
/// where it begins and ends.
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

/// The command that rolls a run back, down to and including a step; only its last step if
/// none is given.
#[must_use]
pub fn roll_back(arguments: &Value, to: Option<Step>) -> String {
    let to = match to {
        None => String::new(),
        Some(Step::Switchover) => format!(" {}", Step::Switchover.plan().name),
        Some(step) => format!(" {}", step.number()),
    };
    format!("sterna {}rollback{to}", global(arguments))
}

/// Another command on the table of a run.
#[must_use]
pub fn other(arguments: &Value, command: &str) -> String {
    format!("sterna {}{command}", global(arguments))
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
    use serde_json::json;

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
            roll_back(&run, Some(Step::Switchover)),
            format!("sterna {global} rollback switchover")
        );
        assert_eq!(other(&run, "status"), format!("sterna {global} status"));
        // From a sterna that did not keep the words.
        let run = json!({"inputs": ["it's.csv"]});
        assert_eq!(resume(&run), r"sterna migrate 'it'\''s.csv' --resume");
        assert_eq!(roll_back(&run, Some(Step::Backup)), "sterna rollback 1.1");
    }
}
