//! The report of a rehearsal: written aside, and put in its place when all is there.

use std::fs;
use std::path::{Path, PathBuf};

use super::stages::Rehearsing;
use crate::cli::commands::migrate::folder;
use crate::cli::render;
use crate::error::{Error, Kind, Result};
use crate::private;
use crate::rehearse::RehearsalReport;

const JSON: &str = "rehearsal.json";
const MARKDOWN: &str = "rehearsal.md";

impl Rehearsing<'_> {
    /// The folder that the plan's own report is written to.
    pub(super) fn report_draft(&self) -> Result<PathBuf> {
        let folder = self.scratch.path().join("report");
        private::own_folder(&folder)?;
        Ok(folder)
    }

    /// Writes the report, and puts all of it where it was asked for.
    pub(super) fn publish(&self, done: &mut RehearsalReport) -> Result<()> {
        let draft = self.report_draft()?;
        let place = self.args.out.clone().unwrap_or_else(|| folder("rehearsal", done.rehearsal_id));
        done.folder = Some(place.display().to_string());
        let json = serde_json::to_string_pretty(done);
        let json = json.map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))? + "\n";
        for (name, text) in [(JSON, json), (MARKDOWN, render::rehearsal::markdown(done))] {
            private::put(&draft.join(name), &text, |_| true)?;
        }
        copy(&draft, &place)
    }
}

/// Copies a folder of files to a private one.
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
