//! 5.3: what the ledger says of the run, in files.

use serde_json::json;

use super::{MigrationChoices, Site};
use crate::cli::render;
use crate::error::Result;
use crate::history::collect;
use crate::migrate::{Outcome, Verbs};

pub(super) struct Report;

impl Verbs<Site, MigrationChoices> for Report {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        let collected =
            site.exclusive.session(async |session, pair| collect(session, &pair.table).await)?;
        render::run::write(&site.folder, &collected)?;
        let summary = site.folder.join(render::run::PAGE).display().to_string();
        let detail = json!({"folder": site.folder});
        Ok(Outcome { summary, detail, ..Outcome::default() })
    }
}
