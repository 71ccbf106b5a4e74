//! The identity of a run, which must not change before it is resumed: the input, and the
//! options that decide which rows result.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::additions::texts;
use super::options::MigrationOptions;
use super::plan::Step;
use super::state::Run;
use crate::command_line;
use crate::error::{Error, Result};
use crate::input::{Inputs, hex};
use crate::load::identity::changed;

/// The identity of a run with these options, by topic.
pub(crate) fn of(options: &MigrationOptions, stop: &AtomicBool) -> Result<Value> {
    let load = &options.load;
    if load.inputs.iter().any(|input| input == "-") {
        return Err(Error::usage("a migration reads its input several times")
            .hint("write standard input to a file first"));
    }
    let mut inputs = Inputs::discover(&load.inputs, load.read.recursive)?;
    if inputs.has_pipes() {
        return Err(Error::usage(
            "a migration reads its input several times, and a pipe is read once",
        )
        .hint("write it to a file first"));
    }
    inputs.identify(load.workers, stop)?;
    let file = |path: &Option<std::path::PathBuf>| path.as_deref().map(digest).transpose();
    Ok(json!({
        "input": inputs.sha256s().map(|digest| hex(digest)).collect::<Vec<_>>(),
        "options": load.decisive(),
        "synonyms": file(&load.synonyms)?,
        "mapping": file(&load.mapping)?,
        "species": texts(&options.additions),
        "test-year": options.test_year,
    }))
}

/// Refuses to resume a run whose identity has changed.
pub(super) fn same(run: &Run, now: &Value) -> Result<()> {
    let before = &run.identity;
    let topics = [
        ("input", "the input has changed since the run began"),
        ("options", "the load options have changed since the run began"),
        ("synonyms", "the file of --synonyms has changed since the run began"),
        ("mapping", "the file of --mapping has changed since the run began"),
        ("species", "--add-species, --like or --add-synonym have changed since the run began"),
        ("test-year", "--test-year has changed since the run began"),
    ];
    let found = topics.iter().find(|(topic, _)| before[topic] != now[topic]);
    found.map_or(Ok(()), |(topic, what)| {
        let detail = match *topic {
            "input" => String::new(),
            _ => changed(&before[topic], &now[topic]),
        };
        Err(Error::refused(format!("cannot resume: {what}{detail}")).hint(format!(
            "resume with the original input and options: `{}`; or roll back with `{}` and start \
             again",
            command_line::resume(&run.arguments),
            command_line::roll_back(&run.arguments, Some(Step::Backup.number())),
        )))
    })
}

fn digest(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| Error::file(path, e))?;
    Ok(hex(&Sha256::digest(bytes)))
}
