//! The report of a run as files: a page for people, Markdown for a repository, JUnit for
//! machines that show tests, and JSON with all of it.

#[cfg_attr(not(feature = "charts"), path = "no_chart.rs")]
mod chart;
mod junit;
mod markdown;
mod page;
mod show;

use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::visible::{readable, readable_markup};
use crate::error::{Error, Kind, Result};
use crate::history::{RunReport, collect};
use crate::pg::{Connection, Table};
use crate::private;

/// The page for people.
pub const PAGE: &str = "report.html";

/// Writes the report of the latest run on a table; returns the page.
///
/// # Errors
/// Where the ledger cannot be read; otherwise as [`write()`].
pub fn write_latest<'a>(
    session: &'a Connection,
    table: &'a Table,
    folder: &'a Path,
) -> BoxFuture<'a, Result<PathBuf>> {
    async move {
        write(folder, &collect(session, table).await?)?;
        Ok(folder.join(PAGE))
    }
    .boxed()
}

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
