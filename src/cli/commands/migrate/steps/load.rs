//! 3.2: all years.

use serde_json::Value;

use super::{MigrationChoices, Site, unload};
use crate::cli::commands::outcome;
use crate::error::Result;
use crate::load::LoadOptions;
use crate::migrate::{Outcome, Verbs};

pub(super) struct Load;

impl Verbs<Site, MigrationChoices> for Load {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        let options = args.load.options(&site.exclusive.pair.table, &args.inputs);
        let done = site.load(&LoadOptions { resume: true, verify: true, ..options })?;
        outcome::load(&done)
    }

    fn undo(&self, site: &Site, _: &Value) -> Result<Option<Value>> {
        unload(site)
    }
}
