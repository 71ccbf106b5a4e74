//! The report of a run as Markdown, for a repository.

use askama::Template;
use serde_json::{Map, Value};

use super::show;
use crate::error::{Error, Kind, Result};
use crate::history::RunReport;

/// Maximum number of wrong rows listed per check, and of changes.
const ROWS_LISTED: usize = 5;
const CHANGES_LISTED: usize = 10;

pub(super) fn render(report: &RunReport) -> Result<String> {
    let page = Page { report };
    page.render().map_err(|e| Error::new(Kind::File, "no Markdown").caused_by(e))
}

#[derive(Template)]
#[template(path = "report.md", config = "src/cli/render/run/askama.toml", escape = "none")]
struct Page<'a> {
    report: &'a RunReport,
}

impl Page<'_> {
    fn row(&self, row: &Map<String, Value>) -> String {
        let told = row.iter().filter(|(_, value)| !value.is_null());
        let told = told.map(|(name, value)| format!("{} {}", name, show::plain(value)));
        show::markdown(&told.collect::<Vec<_>>().join(", "))
    }
}
