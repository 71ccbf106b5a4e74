//! 5.1: the summary per species.

use serde_json::{Value, json};

use super::{MigrationChoices, Site};
use crate::cli::commands::exclusive::json as value;
use crate::cli::commands::outcome;
use crate::error::Result;
use crate::migrate::{Outcome, Verbs};
use crate::table::summary::{self, Found};

pub(super) struct Summary;

impl Verbs<Site, MigrationChoices> for Summary {
    fn run(&self, site: &Site, _: &MigrationChoices) -> Result<Outcome> {
        site.exclusive.session(async |session, pair| {
            match summary::find(session, &pair.table).await? {
                // Under the run's own id: another attempt keeps the rows of the first.
                Found::Target(target) => {
                    outcome::summary(&summary::recompute(session, &target, site.run).await?)
                }
                Found::Nothing(reason) => {
                    let summary = format!("none to recompute: {reason}");
                    let detail = json!({"reason": reason});
                    Ok(Outcome { summary, detail, ..Outcome::default() })
                }
            }
        })
    }

    fn undo(&self, site: &Site, _: &Value) -> Result<Option<Value>> {
        site.exclusive.session(async |session, pair| {
            let Found::Target(target) = summary::find(session, &pair.table).await? else {
                return Ok(None);
            };
            if !summary::stands(session, site.run).await? {
                return Ok(None);
            }
            value(&summary::undo(session, &target, site.run).await?).map(Some)
        })
    }
}
