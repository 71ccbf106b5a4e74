//! 5.4: not a part of the run, for it waits until people trust the new table.

use super::{MigrationChoices, Site};
use crate::error::{Error, Result};
use crate::migrate::{Outcome, Verbs};

pub(super) struct CleanUp;

impl Verbs<Site, MigrationChoices> for CleanUp {
    fn run(&self, _: &Site, _: &MigrationChoices) -> Result<Outcome> {
        Err(Error::refused("a run does not clean up after itself")
            .hint("`sterna cleanup --older-than 7d`, once the new table has proved itself"))
    }
}
