//! 5.3: what the ledger says of the run, in files.

use serde_json::json;

use super::{MigrateArgs, Site};
use crate::error::Result;
use crate::migrate::{Outcome, Verbs};
use crate::report;
use crate::run_report::collect;

pub(super) struct Report;

impl Verbs<Site, MigrateArgs> for Report {
    fn run(&self, site: &Site, _: &MigrateArgs) -> Result<Outcome> {
        let collected =
            site.exclusive.session(async |session, pair| collect(session, &pair.table).await)?;
        report::run::write(&site.folder, &collected)?;
        let summary = site.folder.join(report::run::PAGE).display().to_string();
        let detail = json!({"folder": site.folder});
        Ok(Outcome { summary, detail, ..Outcome::default() })
    }
}
