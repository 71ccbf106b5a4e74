//! The report of a run as files: a page for people, Markdown for a repository, JUnit for
//! machines that show tests, and JSON with all of it.

mod chart;
mod junit;
mod markdown;
mod page;
mod show;

use std::fs;
use std::path::Path;

use super::visible::visible;
use crate::error::{Error, Kind, Result};
use crate::run_report::RunReport;

/// The page for people.
pub const PAGE: &str = "report.html";

/// Writes all files into a folder, which is made where it is missing; files of an earlier
/// report are replaced.
///
/// # Errors
/// Where a file cannot be written.
pub fn write(folder: &Path, report: &RunReport) -> Result<()> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))?;
    fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
    for (name, text) in [
        (PAGE, visible(&page::render(report)?).into_owned()),
        ("report.md", visible(&markdown::render(report)?).into_owned()),
        ("report.json", json + "\n"),
        ("junit.xml", junit::render(report)?),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| Error::file(&path, e))?;
    }
    Ok(())
}
