//! 4.3: whether all indexes are valid.

use super::{MigrationChoices, Site};
use crate::cli::commands::outcome;
use crate::error::Result;
use crate::migrate::{Outcome, Verbs};
use crate::table::reindex::{Rebuild, reindex};

pub(super) struct Indexes;

impl Verbs<Site, MigrationChoices> for Indexes {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        let stop = &site.watch.stop;
        let found = site.exclusive.session(async |session, pair| {
            reindex(session, &pair.table, &Rebuild::Nothing, stop).await
        })?;
        outcome::indexes(&found)
    }
}
