//! The report of a run as files: an HTML page, Markdown for a repository, JUnit XML for CI,
//! and JSON with all data.

#[cfg_attr(not(feature = "charts"), path = "no_chart.rs")]
mod chart;
mod finding;
mod junit;
mod markdown;
mod page;
mod previous;
mod show;

use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::visible::{readable, readable_markup};
use crate::error::{Error, Kind, Result};
use crate::history::{FILES, RunReport, collect};
use crate::pg::{Connection, Table};
use crate::private;

/// The file name of the HTML page.
pub const PAGE: &str = FILES[0];

/// Writes the report of the latest run on a table; returns the path of the page.
///
/// # Errors
/// If the ledger cannot be read; otherwise as [`write()`].
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

/// Writes all files to a private folder, which is created if it is missing; files of an
/// earlier report are replaced.
///
/// # Errors
/// If a file cannot be written, or the folder is not sterna's.
pub fn write(folder: &Path, report: &RunReport) -> Result<()> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))?;
    private::own_folder(folder)?;
    let texts = [
        readable_markup(&page::render(report, folder)?).into_owned(),
        readable(&markdown::render(report)?).into_owned(),
        json + "\n",
        junit::render(report)?,
    ];
    for (name, text) in FILES.iter().zip(texts) {
        private::put(&folder.join(name), &text, |_| true)?;
    }
    Ok(())
}
