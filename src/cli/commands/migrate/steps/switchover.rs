//! 4.2: staging takes the table's place.

use serde_json::Value;

use super::{MigrationChoices, Site};
use crate::cli::commands::exclusive::{Exclusive, json as value};
use crate::cli::commands::{outcome, unvalidated};
use crate::error::{Error, Kind, Result};
use crate::migrate::{Outcome, Step, Verbs};
use crate::switchover::record::{self, State};
use crate::switchover::{SwitchoverReport, roll_back, switch_over};

pub(super) struct Switchover;

impl Verbs<Site, MigrationChoices> for Switchover {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        let Exclusive { runtime, info, pair, .. } = &site.exclusive;
        let mut deviations = Vec::new();
        if !args.accept_failed_validation && !args.skip.contains(&Step::Validation) {
            let limits = args.limits.options(&pair.table);
            let (accepted, stop) = (&args.accept_check, &site.watch.stop);
            deviations = runtime.block_on(unvalidated::refuse(info, limits, accepted, stop))?;
        }
        let options = &site.switchover;
        let report = runtime.block_on(switch_over(info, options, &site.watch.stop))?;
        let differences = report.parity_differences.iter();
        let differences: Vec<_> = differences.map(|d| format!("{} {}", d.kind, d.key)).collect();
        let mut told = Outcome { deviations, ..outcome::switchover(&report)? };
        if !differences.is_empty() {
            let what = format!("the catalog differs from before: {}", differences.join(", "));
            told.failures.push(Error::new(Kind::Validation, what));
        }
        Ok(told)
    }

    fn undo(&self, site: &Site, _: &Value) -> Result<Option<Value>> {
        back(site)?.map(|report| value(&report)).transpose()
    }
}

/// Goes back to the old table, where the run has put the new one in its place, or finishes
/// going back. The switchover is found by the run and not by the step's record, which a
/// killed run has not written; what another run has made stays.
fn back(site: &Site) -> Result<Option<SwitchoverReport>> {
    let made = site
        .exclusive
        .session(async |session, pair| record::of_run(&**session, &pair.table, site.run).await)?;
    match made {
        None => return Ok(None),
        // The exchange is made; what can wait until after it may not be.
        Some(made) if made.state == State::Returned && made.to_validate.is_empty() => {
            return Ok(None);
        }
        Some(_) => {}
    }
    let Exclusive { runtime, info, .. } = &site.exclusive;
    let options = &site.switchover;
    runtime.block_on(roll_back(info, options, &site.watch.stop)).map(Some)
}
