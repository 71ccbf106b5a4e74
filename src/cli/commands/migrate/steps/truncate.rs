//! 3.1: nothing of the test is left.

use super::{MigrationChoices, Site, empty_staging};
use crate::error::{Error, Kind, Result};
use crate::migrate::{Outcome, Verbs};
use crate::table::staging;

pub(super) struct Truncate;

impl Verbs<Site, MigrationChoices> for Truncate {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        let summary = match empty_staging(site)? {
            true => "the test year is gone",
            false => "there was nothing in it",
        };
        Ok(Outcome { summary: summary.into(), ..Outcome::default() })
    }

    fn validate(&self, site: &Site, _: &MigrationChoices, _: &Outcome) -> Result<()> {
        site.exclusive.session(async |session, pair| {
            let there = staging::find(session, pair).await?.is_some();
            match there && staging::has_rows(session, pair).await? {
                true => Err(Error::new(Kind::Validation, format!("{} holds rows", pair.staging))),
                false => Ok(()),
            }
        })
    }
}
