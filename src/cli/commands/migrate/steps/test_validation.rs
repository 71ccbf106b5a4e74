//! 2.2: whether the test year is right.

use super::test_load::loaded_year;
use super::{MigrationChoices, Site};
use crate::cli::commands::outcome;
use crate::error::Result;
use crate::migrate::{Outcome, Verbs};
use crate::validate::{ValidateOptions, validate};

pub(super) struct TestValidation;

impl Verbs<Site, MigrationChoices> for TestValidation {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        let options = args.limits.options(&site.exclusive.pair.table);
        let options = ValidateOptions { years: Some(loaded_year(site)?), ..options };
        let work = validate(&site.exclusive.info, &options, &site.watch.stop);
        outcome::validation(&site.exclusive.runtime.block_on(work)?, &args.accept_check)
    }
}
