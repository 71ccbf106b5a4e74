//! 3.3: whether all of it is right, and as fast as before.

use serde_json::json;

use super::test_bench::measure;
use super::{MigrationChoices, Site};
use crate::cli::commands::outcome;
use crate::error::Result;
use crate::load::Years;
use crate::migrate::{Outcome, Step, Verbs};
use crate::validate::{ValidateOptions, validate};

pub(super) struct Validation;

impl Verbs<Site, MigrationChoices> for Validation {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        let options = args.limits.options(&site.exclusive.pair.table);
        let years = Some(Years::default());
        let options = ValidateOptions { years, expect_rows: args.expect_rows, ..options };
        let work = validate(&site.exclusive.info, &options, &site.watch.stop);
        let mut found =
            outcome::validation(&site.exclusive.runtime.block_on(work)?, &args.accept_check)?;
        if args.skip.contains(&Step::TestBench)
            || !(found.failures.is_empty() || args.accept_failed_validation)
        {
            return Ok(found);
        }
        let measured = measure(site, args)?;
        found.summary = format!("{}; {}", found.summary, measured.summary);
        found.detail = json!({"validation": found.detail, "bench": measured.detail});
        found.failures.extend(measured.failures);
        Ok(found)
    }
}
