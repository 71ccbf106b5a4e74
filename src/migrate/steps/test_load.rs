//! Step 2.1: loads one year of the files.

use serde_json::{Value, json};

use super::{Definition, MigrationOptions, Site, unload};
use crate::error::{Error, Result};
use crate::inspect::inspect;
use crate::load::{LoadOptions, Years, load};
use crate::migrate::outcome::{self, StepOutcome};
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::migrate::state::StepState;

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::TestLoad,
        number: "2.1",
        name: "test-load",
        title: "load the newest year",
        does: "Loads one year of the files into staging and builds its indexes.",
        statements: &[sql!("load/copy-in.sql")],
        locks: "staging only",
        transaction: "one for each batch, with its row in the ledger",
        validated_by: "every record is loaded, rejected, unmapped or filtered; rejects within \
                       --max-rejects",
        undone_by: "emptying staging",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::TestYear,
    },
    act,
    validate: None,
    undo: Some(undo),
};

fn act(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    let (year, years) = test_year(site, args)?;
    let options = args.load.clone();
    let done =
        load(&site.exclusive.info, &LoadOptions { years, resume: true, ..options }, &site.watch)?;
    let mut told = outcome::load(&done)?;
    told.summary = format!("{year}: {}", told.summary);
    told.detail["test_year"] = json!(year);
    Ok(told)
}

fn undo(site: &Site) -> Result<Option<Value>> {
    unload(site)
}

/// The year to test with.
fn test_year(site: &Site, args: &MigrationOptions) -> Result<(i32, Years)> {
    let year = match args.test_year {
        Some(year) => year,
        None => newest_year(site, args)?,
    };
    Ok((year, year.to_string().parse()?))
}

/// The year that 2.1 has loaded.
pub(super) fn loaded_year(site: &Site) -> Result<Years> {
    let run = site.last_run()?;
    let year = run.step(Step::TestLoad).and_then(|record| record.detail["test_year"].as_i64());
    let year = year.ok_or_else(|| {
        Error::refused("no year was loaded to test with")
            .hint("begin at 2.1, or skip the step with --skip")
    })?;
    year.to_string().parse()
}

/// The newest year in the files; as step 1.3 has found it, if it has read them.
fn newest_year(site: &Site, args: &MigrationOptions) -> Result<i32> {
    let run = site.last_run()?;
    let read = run.step(Step::Species).filter(|record| record.state == StepState::Done);
    let newest = read.and_then(|record| record.detail["missing"]["newest_year"].as_i64());
    if let Some(newest) = newest.and_then(|year| i32::try_from(year).ok()) {
        return Ok(newest);
    }
    let found = inspect(&site.exclusive.info, &args.inspection(), &site.watch)?;
    let newest = found.years.last_key_value().map(|(year, _)| *year);
    newest.ok_or_else(|| match found.account.rows_loaded {
        0 => Error::refused("no record of the files can be loaded")
            .hint("`sterna inspect INPUT...` says what they hold, and what maps to no species"),
        _ => Error::refused("the files have no year to test with").hint(
            "name the field in `year` of the format, or skip the test with --skip 2.1, which also \
             skips 2.2 and 2.3",
        ),
    })
}
