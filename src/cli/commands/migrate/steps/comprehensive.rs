//! 5.2: the live table, and all that stands around it.

use super::{MigrationChoices, Site};
use crate::cli::commands::outcome;
use crate::cli::commands::parity::parity;
use crate::error::{Error, Result};
use crate::migrate::{Outcome, Verbs};
use crate::validate::{ValidateOptions, validate};

pub(super) struct Comprehensive;

impl Verbs<Site, MigrationChoices> for Comprehensive {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        let table = &site.exclusive.pair.table;
        let parity = site.exclusive.session(async |session, pair| parity(session, pair).await)?;
        let parity = parity.ok_or_else(|| {
            Error::refused(format!("{table} is not what a switchover put there"))
                .hint("`sterna switchover` comes first")
        })?;
        let options = args.limits.options(table);
        let ask_dependents = site.application.clone();
        let further = vec![parity];
        let options = ValidateOptions { comprehensive: true, ask_dependents, further, ..options };
        let work = validate(&site.exclusive.info, &options, &site.watch.stop);
        outcome::validation(&site.exclusive.runtime.block_on(work)?, &args.accept_check)
    }
}
