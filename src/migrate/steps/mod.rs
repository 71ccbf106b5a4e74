//! The steps of the plan, one file each: its description, what it does, how the result is
//! validated, and how it is rolled back.

macro_rules! sql {
    ($file:literal) => {
        Statement::new(concat!("sql/", $file), include_str!(concat!("../../../sql/", $file)))
    };
}

mod backup;
mod backup_table;
mod cleanup;
mod comprehensive;
mod indexes;
mod load;
mod report;
mod species;
mod staging;
mod summary;
mod switchover;
mod test_bench;
mod test_load;
mod test_validation;
mod truncate;
mod validation;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::ledger::{self, Made};
use super::options::MigrationOptions;
use super::outcome::StepOutcome;
use super::plan::{Step, StepPlan};
use super::site::Site;
use crate::error::{Error, Result, did_you_mean};
use crate::switchover::journal::{self, Toward};
use crate::table::locks::Patience;

pub(super) use staging::refuse_rows;

type Undo = fn(&Site) -> Result<Option<Value>>;

/// A step: its description and its code.
pub(super) struct Definition {
    plan: StepPlan,
    /// Runs the step. An earlier attempt that was killed may have done any part of it; this
    /// continues from there.
    act: fn(&Site, &MigrationOptions) -> Result<StepOutcome>,
    /// Looks again at what the step did; fails as a validation if that is wrong.
    validate: Option<fn(&Site, &StepOutcome) -> Result<()>>,
    /// Rolls it back as far as it got, by what exists and not by what it reported, since a
    /// killed run has no report. Returns what was done; `None` if nothing was.
    undo: Option<Undo>,
}

static STEPS: [Definition; 16] = [
    backup::STEP,
    staging::STEP,
    species::STEP,
    test_load::STEP,
    test_validation::STEP,
    test_bench::STEP,
    truncate::STEP,
    load::STEP,
    validation::STEP,
    backup_table::STEP,
    switchover::STEP,
    indexes::STEP,
    summary::STEP,
    comprehensive::STEP,
    report::STEP,
    cleanup::STEP,
];

impl Step {
    /// The last step that a run takes by itself; later steps wait for people.
    pub const LAST: Step = Step::Comprehensive;

    /// All steps, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Step> {
        STEPS.iter().map(|step| step.plan.step)
    }

    /// Its description.
    #[must_use]
    pub fn plan(self) -> &'static StepPlan {
        // Both are in the same order; a test checks that.
        &STEPS[self as usize].plan
    }

    /// Runs the step and validates the result.
    ///
    /// # Errors
    /// If it could not be run; what it found wrong is in the outcome.
    pub(super) fn take(self, site: &Site, options: &MigrationOptions) -> Result<StepOutcome> {
        let step = &STEPS[self as usize];
        let mut outcome = (step.act)(site, options)?;
        if outcome.failures.is_empty()
            && let Some(Err(error)) = step.validate.map(|validate| validate(site, &outcome))
        {
            outcome.failures.push(error);
        }
        Ok(outcome)
    }

    /// Rolls it back as far as it got. Returns what was done; `None` if nothing was.
    ///
    /// # Errors
    /// If that is not possible or not safe.
    pub(super) fn undo(self, site: &Site) -> Result<Option<Value>> {
        STEPS[self as usize].undo.map_or(Ok(None), |undo| undo(site))
    }

    /// Its number in the plan.
    #[must_use]
    pub fn number(self) -> &'static str {
        self.plan().number
    }

    /// Whether a run may skip it.
    #[must_use]
    pub fn may_be_skipped(self) -> bool {
        !matches!(
            self,
            Step::Staging | Step::Truncate | Step::Load | Step::Switchover | Step::CleanUp
        )
    }

    /// The step that it needs, among those that may be skipped.
    #[must_use]
    pub fn needs(self) -> Option<Step> {
        matches!(self, Step::TestValidation | Step::TestBench).then_some(Step::TestLoad)
    }

    /// Whether it is the switchover or comes after it.
    #[must_use]
    pub fn is_live(self) -> bool {
        self >= Step::Switchover
    }
}

/// The number and the name.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.plan().number, self.plan().name)
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.number())
    }
}

impl FromStr for Step {
    type Err = Error;

    /// Reads a number or a name.
    fn from_str(text: &str) -> Result<Self> {
        let found = Step::all().find(|step| [step.number(), step.plan().name].contains(&text));
        found.ok_or_else(|| {
            let known: Vec<_> = Step::all().map(|step| step.to_string()).collect();
            let meant = did_you_mean(text, Step::all().map(|step| step.plan().name))
                .unwrap_or_else(|| format!("the steps are {}", known.join(", ")));
            // Not as a hint, which the command line's parser would not show.
            Error::usage(format!("{text:?} is not a step; {meant}"))
        })
    }
}

/// Stops recording writes for staging, unless a staging table is left that needs them: one
/// that the run found and did not create.
fn end_journal(site: &Site) -> Result<()> {
    site.exclusive.session(async |session, pair| {
        if crate::table::staging::find(session, pair).await?.is_some() {
            return Ok(());
        }
        let (patience, stop) = (Patience::new(site.max_wait), &site.watch.stop);
        let (table, oid) = (&pair.table, pair.table_oid);
        journal::end(session, table, oid, Toward::Staging, patience, stop).await
    })
}

/// Rolls a load back: empties staging if it has only rows of the run. Rows of other loads
/// stay.
fn unload(site: &Site) -> Result<Option<Value>> {
    let made = made(site)?;
    if !made.rows {
        return Ok(None);
    }
    let staging = site.exclusive.pair.staging.to_string();
    Ok(empty_staging(site)?.then(|| json!({"emptied": staging})))
}

/// Which of the tables beside the live one belong to the run.
fn made(site: &Site) -> Result<Made> {
    site.exclusive
        .session(async |session, pair| ledger::made_by(session, site.run, &pair.table).await)
}

/// Empties staging, if it exists. Returns whether it had rows.
fn empty_staging(site: &Site) -> Result<bool> {
    site.exclusive.session_alone(async |session, pair| {
        let Some(found) = crate::table::staging::find(session, pair).await? else {
            return Ok(false);
        };
        let had = crate::table::staging::has_rows(session, pair).await?;
        let (patience, stop) = (Patience::new(site.max_wait), &site.watch.stop);
        crate::table::staging::truncate(session, pair, found.oid, patience, stop).await?;
        Ok(had)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::plan::Names;
    use crate::pg::Table;

    #[test]
    fn steps_are_found_by_number_and_by_name() {
        for (at, step) in Step::all().enumerate() {
            assert_eq!(step as usize, at);
            assert_eq!(step.number().parse::<Step>().unwrap(), step);
            assert_eq!(step.plan().name.parse::<Step>().unwrap(), step);
        }
        assert!("4.4".parse::<Step>().is_err());
    }

    #[test]
    fn statements_are_shown_with_their_names_and_without_their_header() {
        let suffixes = ["_staging", "_old", "_backup"];
        let names = Names::new(&Table::new("public", "t").unwrap(), suffixes).unwrap();
        for step in Step::all() {
            for statement in step.plan().statements {
                let sql = statement.sql(step, &names);
                assert!(!sql.is_empty() && !sql.contains("-- Purpose"), "{}", statement.file);
            }
        }
        let first = |step: Step| step.plan().statements[0].sql(step, &names);
        assert!(first(Step::Truncate).contains("\"public\".\"t_staging\""));
        assert!(first(Step::CleanUp).contains("DROP TABLE \"public\".\"t_old\""));
        assert!(first(Step::Comprehensive).contains("FROM \"public\".\"t\""));
    }
}
