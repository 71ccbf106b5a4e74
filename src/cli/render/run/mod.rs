//! The report of a run as files: a page for people, Markdown for a repository, JUnit for
//! machines that show tests, and JSON with all of it.

mod chart;
mod junit;
mod markdown;
mod page;
mod show;

use std::path::Path;

use super::visible::{readable, readable_markup};
use crate::error::{Error, Kind, Result};
use crate::history::RunReport;
use crate::private;

/// The page for people.
pub const PAGE: &str = "report.html";

/// Writes all files into a private folder, which is made where it is missing; files of an
/// earlier report are replaced.
///
/// # Errors
/// Where a file cannot be written, or the folder is not sterna's.
pub fn write(folder: &Path, report: &RunReport) -> Result<()> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))?;
    private::own_folder(folder)?;
    for (name, text) in [
        (PAGE, readable_markup(&page::render(report)?).into_owned()),
        ("report.md", readable(&markdown::render(report)?).into_owned()),
        ("report.json", json + "\n"),
        ("junit.xml", junit::render(report)?),
    ] {
        private::put(&folder.join(name), &text, |_| true)?;
    }
    Ok(())
}
