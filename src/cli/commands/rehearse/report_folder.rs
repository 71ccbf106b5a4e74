//! The report of a rehearsal: written to a draft folder, then copied to its destination.

use std::fs;
use std::path::Path;

use crate::cli::render;
use crate::error::{Error, Kind, Result};
use crate::migrate::folder;
use crate::private;
use crate::rehearse::Rehearsed;

const JSON: &str = "rehearsal.json";
const MARKDOWN: &str = "rehearsal.md";

/// Adds the report of the rehearsal to that of the plan, and copies both to `out`.
pub(super) fn publish(done: &mut Rehearsed, out: Option<&Path>) -> Result<()> {
    let draft = done.files();
    private::own_folder(&draft)?;
    let report = &mut done.report;
    let place = out.map_or_else(|| folder("rehearsal", report.rehearsal_id), Path::to_owned);
    report.folder = Some(place.display().to_string());
    let json = serde_json::to_string_pretty(report);
    let json = json.map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))? + "\n";
    for (name, text) in [(JSON, json), (MARKDOWN, render::rehearsal::markdown(report))] {
        private::put(&draft.join(name), &text, |_| true)?;
    }
    copy(&draft, &place)
}

/// Copies the files of a folder to a private folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    private::own_folder(to)?;
    let entries = fs::read_dir(from).map_err(|e| Error::file(from, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::file(from, e))?.path();
        let Some(name) = path.file_name() else { continue };
        let text = fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        private::put(&to.join(name), &text, |_| true)?;
    }
    Ok(())
}
