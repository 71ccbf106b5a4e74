//! What `sterna migrate` understands.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::site::Addition;
use crate::cli::commands::application::ApplicationArgs;
use crate::cli::commands::bench::{not_negative, ratio};
use crate::cli::commands::load::LoadChoices;
use crate::cli::commands::switchover::duration;
use crate::cli::commands::validate::LimitArgs;
use crate::error::{Error, Result};
use crate::migrate::{Accepted, Step};
use crate::pg::Table;
use crate::validate::refuse_unknown_checks;

/// Run the whole plan: backup, test, load, validate, switch over, validate again
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna migrate download.zip --expect-rows 489107
  sterna migrate download.zip --to 3.3            up to the switchover, which is left for later
  sterna migrate download.zip --resume            after an interruption, a failure, or --to
  sterna rollback switchover                      back to before step 4.2
  sterna migrate download.zip --add-synonym 'Branta hutchinsii leucopareia=Branta canadensis leucopareia'

`sterna plan` shows every step, `sterna status` how far the run is. A gate that fails (exit code
4 or 5) stops the run before production is touched.")]
pub struct MigrateArgs {
    /// How it goes.
    #[command(flatten)]
    pub choices: MigrationChoices,
    /// First step to run, by number or name; earlier steps are assumed to be done
    #[arg(long, value_name = "STEP", conflicts_with = "resume")]
    pub from: Option<Step>,
    /// Last step to run
    #[arg(long, value_name = "STEP", default_value = Step::LAST.number())]
    pub to: Step,
    /// Resume the unfinished run at the first step that is not done
    #[arg(long)]
    pub resume: bool,
    /// Folder of the backup [default: sterna-backup-RUN]
    #[arg(long, value_name = "DIR")]
    pub backup_out: Option<PathBuf>,
    /// Folder of the report [default: sterna-report-RUN]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What was typed, without secrets.
    #[arg(skip)]
    pub typed: Vec<String>,
    /// Really ask views and functions over the table for a row in step 5.2, as the
    /// application: those of superusers and of the connected role
    #[arg(long)]
    pub ask_dependents: bool,
    /// Who asks them.
    #[command(flatten)]
    pub application: ApplicationArgs,
    /// Begin without a passed rehearsal on what is called production, which is written
    /// down as a deviation
    #[arg(long)]
    pub without_rehearsal: bool,
}

/// How a migration goes, the real one or a rehearsal of it.
#[derive(Args, Clone, Debug)]
pub struct MigrationChoices {
    /// CSV files, .csv.gz, .zip, folders or globs
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Skip a step; recorded as a deviation (repeatable)
    #[arg(long, value_name = "STEP")]
    pub skip: Vec<Step>,
    /// Continue even if a validation fails; recorded as a deviation
    #[arg(long)]
    pub accept_failed_validation: bool,
    /// Go on although this check fails, which is recorded as a deviation with its figures; may
    /// be given several times
    #[arg(long, value_name = "NAME")]
    pub accept_check: Vec<String>,
    /// Continue even if a query is certainly slower; recorded as a deviation
    #[arg(long)]
    pub accept_regression: bool,
    /// Add a species, with its common name (repeatable)
    #[arg(long, value_name = "NAME=COMMON NAME")]
    pub add_species: Vec<String>,
    /// The species whose ranks it has: one for each --add-species
    #[arg(long, value_name = "NAME", requires = "add_species")]
    pub like: Vec<String>,
    /// Treat a name in the files as a species of the database (repeatable)
    #[arg(long, value_name = "NAME=SPECIES")]
    pub add_synonym: Vec<String>,
    /// Year to test with [default: the newest in the files]
    #[arg(long, value_name = "Y")]
    pub test_year: Option<i32>,
    /// Expected number of rows
    #[arg(long, value_name = "N")]
    pub expect_rows: Option<u64>,
    /// Seconds to time queries for, at each of the two gates
    #[arg(long, default_value_t = 5.0, value_name = "S", value_parser = not_negative)]
    pub bench_seconds: f64,
    /// Folder of further queries to time, one .sql file each
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// Allowed slowdown of staging over production
    #[arg(long, default_value_t = 1.20, value_name = "RATIO", value_parser = ratio)]
    pub max_regression: f64,
    /// How long to keep trying to get all locks
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub max_wait: Duration,
    /// Compute materialized views after the exchange; until then they cannot be read
    #[arg(long)]
    pub refresh_after: bool,
    /// How files are loaded.
    #[command(flatten)]
    pub load: LoadChoices,
    /// What is checked, and what is still accepted.
    #[command(flatten)]
    pub limits: LimitArgs,
}

impl MigrateArgs {
    /// All of the plan.
    pub(in crate::cli::commands) fn whole(
        choices: MigrationChoices,
        backup_out: PathBuf,
        out: PathBuf,
    ) -> Self {
        MigrateArgs {
            choices,
            from: None,
            to: Step::LAST,
            resume: false,
            backup_out: Some(backup_out),
            out: Some(out),
            ask_dependents: false,
            application: ApplicationArgs::default(),
            without_rehearsal: false,
            typed: Vec::new(),
        }
    }

    /// What the user has decided against the plan.
    pub(super) fn accepted(&self) -> Result<Accepted> {
        if self.from.is_some_and(|from| from > self.to) {
            return Err(Error::usage(format!("--to {} comes before --from", self.to)));
        }
        let MigrationChoices { skip, accept_failed_validation, accept_regression, .. } =
            &self.choices;
        if let Some(step) = skip.iter().find(|step| !step.may_be_skipped()) {
            return Err(Error::usage(format!("step {step} cannot be left out"))
                .hint("--from and --to say which part of the plan is run"));
        }
        refuse_unknown_checks(&self.choices.accept_check, self.choices.limits.checks.as_deref())?;
        Ok(Accepted {
            failed_validation: *accept_failed_validation,
            regression: *accept_regression,
            skip: skip.clone(),
        })
    }

    /// For the ledger: what was asked for, which holds no secret.
    pub(super) fn recorded(&self) -> Value {
        let mut all = self.choices.recorded();
        let own = json!({
            "from": self.from,
            "to": self.to,
            "backup_out": self.backup_out,
            "out": self.out,
            "ask_dependents": self.ask_dependents,
            "without_rehearsal": self.without_rehearsal,
            "typed": self.typed,
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
            all.extend(own);
        }
        all
    }
}

impl MigrationChoices {
    /// The species and synonyms to add.
    pub(super) fn additions(&self) -> Result<Vec<Addition>> {
        additions(&self.add_species, &self.like, &self.add_synonym)
    }

    /// For the ledger: what was asked for, which holds no secret.
    pub(super) fn recorded(&self) -> Value {
        let nowhere = Table::new("-", "-");
        let load = nowhere.map(|table| self.load.options(&table, &self.inputs).arguments());
        json!({
            "inputs": self.inputs,
            "skip": self.skip,
            "accept_failed_validation": self.accept_failed_validation,
            "accept_check": self.accept_check,
            "accept_regression": self.accept_regression,
            "add_species": self.add_species,
            "like": self.like,
            "add_synonym": self.add_synonym,
            "test_year": self.test_year,
            "expect_rows": self.expect_rows,
            "bench_seconds": self.bench_seconds,
            "queries": self.queries,
            "max_regression": self.max_regression,
            "max_wait_seconds": self.max_wait.as_secs_f64(),
            "refresh_after": self.refresh_after,
            "load": load.unwrap_or_default(),
            "limits": {
                "checks": self.limits.checks,
                "first_year": self.limits.first_year,
                "last_year": self.limits.last_year,
                "max_shrinkage": self.limits.max_shrinkage,
                "max_quantity_change": self.limits.max_quantity_change,
            },
        })
    }
}

/// The additions that a run was asked for, by what the ledger says of it.
pub(in crate::cli::commands) fn recorded_additions(arguments: &Value) -> Result<Vec<Addition>> {
    let list = |name: &str| -> Vec<String> {
        let texts = arguments[name].as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    additions(&list("add_species"), &list("like"), &list("add_synonym"))
}

fn additions(species: &[String], like: &[String], synonyms: &[String]) -> Result<Vec<Addition>> {
    if !like.is_empty() && like.len() != species.len() {
        return Err(Error::usage("there has to be one --like for each --add-species"));
    }
    let species = species.iter().enumerate().map(|(at, text)| {
        let (name, common_name) = match text.split_once('=') {
            Some((name, common)) => (name.trim(), Some(common.trim().to_owned())),
            None => (text.trim(), None),
        };
        Ok(Addition::Species { name: name.into(), common_name, like: like.get(at).cloned() })
    });
    let synonyms = synonyms.iter().map(|text| match text.split_once('=') {
        Some((name, of)) => {
            Ok(Addition::Synonym { name: name.trim().into(), of: of.trim().into() })
        }
        None => Err(Error::usage(format!("--add-synonym {text:?} is not NAME=SPECIES"))),
    });
    species.chain(synonyms).collect()
}
