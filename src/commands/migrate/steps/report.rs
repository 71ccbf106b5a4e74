//! 5.3: what the ledger says of the run, in files.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{MigrationChoices, Site};
use crate::error::{Error, Kind, Result};
use crate::migrate::{Outcome, Verbs, status};
use crate::report;

const JSON: &str = "report.json";
const MARKDOWN: &str = "report.md";

pub(super) struct Report;

impl Verbs<Site, MigrationChoices> for Report {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        let status = status::of(&site.last_run()?);
        let json = serde_json::to_string_pretty(&status)
            .map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))?;
        fs::create_dir_all(&site.folder).map_err(|e| Error::file(&site.folder, e))?;
        write(&site.folder.join(JSON), &(json + "\n"))?;
        write(&site.folder.join(MARKDOWN), &report::migrate::markdown(&status))?;
        let summary = format!("{} and {MARKDOWN}", site.folder.join(JSON).display());
        let detail = json!({"folder": site.folder});
        Ok(Outcome { summary, detail, ..Outcome::default() })
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|e| Error::file(path, e))
}
