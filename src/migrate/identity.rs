//! What a resumed run must find unchanged: the input, and what decides about the rows.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::additions::texts;
use super::command_line;
use super::options::MigrationOptions;
use super::plan::Step;
use super::state::Run;
use crate::error::{Error, Result};
use crate::input::{Inputs, hex};

/// By topic.
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

/// Refuses to go on where something has changed.
pub(super) fn same(run: &Run, now: &Value) -> Result<()> {
    let before = &run.identity;
    let topics = [
        ("input", "the input is not the one that the run began with"),
        ("options", "options of the load are not those that the run began with"),
        ("synonyms", "the file of --synonyms is not the one that the run began with"),
        ("mapping", "the file of --mapping is not the one that the run began with"),
        ("species", "--add-species, --like or --add-synonym are not those of the run"),
        ("test-year", "--test-year is not that of the run"),
    ];
    let changed = topics.iter().find(|(topic, _)| before[topic] != now[topic]);
    changed.map_or(Ok(()), |(topic, what)| {
        let detail = match *topic {
            "input" => String::new(),
            _ => format!(" ({}, now {})", before[topic], now[topic]),
        };
        Err(Error::refused(format!("cannot resume: {what}{detail}")).hint(format!(
            "resume with what the run began with: `{}`; or take it back by `{}` and begin again",
            command_line::resume(&run.arguments),
            command_line::roll_back(&run.arguments, Some(Step::Backup)),
        )))
    })
}

fn digest(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| Error::file(path, e))?;
    Ok(hex(&Sha256::digest(bytes)))
}
