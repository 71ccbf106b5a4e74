//! 5.4: not a part of the run, for it waits until people trust the new table.

use super::{MigrateArgs, Site};
use crate::error::{Error, Result};
use crate::migrate::{Outcome, Verbs};

pub(super) struct CleanUp;

impl Verbs<Site, MigrateArgs> for CleanUp {
    fn run(&self, _: &Site, _: &MigrateArgs) -> Result<Outcome> {
        Err(Error::refused("a run does not clean up after itself")
            .hint("`sterna cleanup --older-than 7d`, once the new table has proved itself"))
    }
}
