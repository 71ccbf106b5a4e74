//! 2.1: one year of the files.

use serde_json::{Value, json};

use super::{MigrationChoices, Site, unload};
use crate::cli::commands::outcome;
use crate::error::{Error, Result};
use crate::inspect::{InspectOptions, inspect};
use crate::load::{LoadOptions, Years};
use crate::migrate::{Outcome, Step, Verbs};

pub(super) struct TestLoad;

impl Verbs<Site, MigrationChoices> for TestLoad {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
        let (year, years) = test_year(site, args)?;
        let options = args.load.options(&site.exclusive.pair.table, &args.inputs);
        let done = site.load(&LoadOptions { years, resume: true, ..options })?;
        let mut told = outcome::load(&done)?;
        told.summary = format!("{year}: {}", told.summary);
        told.detail["test_year"] = json!(year);
        Ok(told)
    }

    fn undo(&self, site: &Site, _: &Value) -> Result<Option<Value>> {
        unload(site)
    }
}

/// The year to test with.
fn test_year(site: &Site, args: &MigrationChoices) -> Result<(i32, Years)> {
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
            .hint("begin at 2.1, or leave the step out with --skip")
    })?;
    year.to_string().parse()
}

fn newest_year(site: &Site, args: &MigrationChoices) -> Result<i32> {
    let table = site.exclusive.pair.table.clone();
    let options = InspectOptions {
        inputs: args.inputs.clone(),
        read: args.load.read.options(),
        years: Years::default(),
        on_inexact: Some(args.load.on_inexact),
        synonyms: args.load.synonyms.clone(),
        mapping: args.load.mapping.clone(),
        matching: None,
        workers: args.load.options(&table, &args.inputs).workers,
        table,
    };
    let found = inspect(&site.exclusive.info, &options, &site.watch)?;
    let newest = found.years.last_key_value().map(|(year, _)| *year);
    newest.ok_or_else(|| match found.account.rows_loaded {
        0 => Error::refused("no record of the files can be loaded")
            .hint("`sterna inspect INPUT...` says what they hold, and what maps to no species"),
        _ => Error::refused("the files have no year to test with").hint(
            "name the field in `year` of the format, or leave the test out by --skip 2.1, and 2.2 \
             and 2.3 with it",
        ),
    })
}
