//! 5.2: the live table, and all that stands around it.

use serde_json::{Value, json};

use super::{MigrationChoices, Site};
use crate::backup_table;
use crate::commands::outcome;
use crate::error::{Error, Result};
use crate::migrate::{Outcome, Verbs};
use crate::pg::{Connection, catalog};
use crate::staging::{OLD_SUFFIX, Pair, SUFFIX};
use crate::switchover::{fingerprint, record};
use crate::validate::{CheckReport, Severity, ValidateOptions, validate};

pub(super) struct Comprehensive;

impl Verbs<Site, MigrationChoices> for Comprehensive {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        let parity = site.exclusive.session(async |session, pair| parity(session, pair).await)?;
        let options = args.limits.options(&site.exclusive.pair.table);
        let options = ValidateOptions { comprehensive: true, further: vec![parity], ..options };
        let work = validate(&site.exclusive.info, &options, &site.watch.stop);
        outcome::validation(&site.exclusive.runtime.block_on(work)?)
    }
}

/// Whether the catalog still says of the table what it said before the switchover.
async fn parity(session: &Connection, pair: &Pair) -> Result<CheckReport> {
    let last = record::last(&**session, &pair.table).await?;
    let last = last.filter(|last| last.new == pair.table_oid).ok_or_else(|| {
        Error::refused(format!("{} is not what a switchover put there", pair.table))
            .hint("`sterna switchover` comes first")
    })?;
    let mut siblings = vec![last.old];
    for suffix in [SUFFIX, OLD_SUFFIX, backup_table::SUFFIX] {
        let beside = pair.table.with_suffix(suffix)?;
        siblings.extend(catalog::relation(session, &beside).await?.map(|found| found.oid));
    }
    let now = fingerprint::take_beside(&**session, pair.table_oid, &siblings).await?;
    let differences = last.fingerprint.differences(&now);
    let unexplained: Vec<_> = differences.iter().filter(|d| !last.exceptions.contains(d)).collect();
    let detail = match unexplained.first() {
        None => "as expected".to_owned(),
        Some(first) => {
            format!("{} differences, the first: {} {}", unexplained.len(), first.kind, first.key)
        }
    };
    Ok(CheckReport {
        name: "catalog-parity".into(),
        severity: Severity::Error,
        passed: unexplained.is_empty(),
        expected: json!(0),
        observed: json!(unexplained.len()),
        detail,
        purpose: "the catalog says of the table what it said before the switchover".into(),
        skipped: None,
        rows: unexplained
            .iter()
            .filter_map(|difference| match json!(difference) {
                Value::Object(row) => Some(row),
                _ => None,
            })
            .collect(),
    })
}
