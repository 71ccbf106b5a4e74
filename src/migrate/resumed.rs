//! The settings of a resumed run: what it keeps from its beginning, and what differs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::exclusive::Exclusive;
use super::options::{BackupTableChoice, Gates, MigrationOptions};
use super::plan::Step;
use super::state::Run;
use crate::command_line;
use crate::error::{Error, Result};
use crate::switchover::record::{self, SwitchoverState};

/// The settings at the beginning of the run, from the ledger.
#[derive(Deserialize)]
pub(super) struct Began {
    #[serde(flatten)]
    gates: Gates,
    load: BeganLoad,
    /// Earlier versions had no choice.
    #[serde(default)]
    backup_table: BackupTableChoice,
}

#[derive(Deserialize)]
struct BeganLoad {
    max_rejects: String,
}

/// The checks that fail if staging has been the live table, and others have written to it.
const CHECKS: [&str; 4] = ["rows-accounted", "rows-as-loaded", "rows-lost", "equal-to-files"];

/// Refuses to go on with a run whose switchover was rolled back, if that would drop what others have
/// written since the run began, or if staging is no longer what the files are and nobody has said
/// that this is as it should be.
///
/// # Errors
/// The refusal, with the commands that go on.
pub(super) fn refuse_to_drop_writes(
    exclusive: &Exclusive,
    run: &Run,
    options: &MigrationOptions,
) -> Result<()> {
    let made = exclusive
        .session(async |session, pair| record::of_run(session, &pair.table, run.run_id).await)?;
    let Some(made) = made.filter(|made| made.state == SwitchoverState::Returned) else {
        return Ok(());
    };
    let back = command_line::roll_back(&run.arguments, Some(Step::Backup.number()));
    let new_run =
        format!("`{back}`, then begin a new run, which replaces all rows by those of the files");
    if !run.is_settled(Step::Load) {
        return match made.replayed + made.carried_back {
            0 => Ok(()),
            writes => Err(Error::refused(format!(
                "others have made {writes} writes since the run began, which its switchover and the \
                 rollback have kept; loading the files again would drop them"
            ))
            .hint(new_run)),
        };
    }
    let is_accepted = |name: &&str| options.accept_check.iter().any(|given| given == *name);
    if (made.replayed + made.carried_back == 0 && !made.has_left)
        || options.accept_failed_validation
        || CHECKS.iter().all(is_accepted)
    {
        return Ok(());
    }
    let what = match made.has_left {
        true => "and also what the rollback has left behind",
        false => "which production has as well",
    };
    let resume = command_line::resume(&run.arguments);
    let accepted: String = CHECKS.iter().map(|name| format!(" --accept-check {name}")).collect();
    Err(Error::refused(format!(
        "staging was the live table until its switchover was rolled back: it holds what others have \
         written since the run began, {what}, and is no longer what the files are"
    ))
    .hint(format!("go on with it as it is: `{resume}{accepted}`; or {new_run}")))
}

impl Began {
    /// Refuses arguments that sterna did not write: settings given at the beginning must not
    /// be lost.
    pub(super) fn read(run: &Run) -> Result<Self> {
        Began::deserialize(&run.arguments).map_err(|error| {
            let what =
                "cannot resume: the ledger has arguments of the run that sterna did not write";
            let back = command_line::roll_back(&run.arguments, Some(Step::Backup.number()));
            Error::refused(what)
                .caused_by(error)
                .hint(format!("roll the run back with `{back}` and start again"))
        })
    }

    /// Each value with its option.
    fn named(&self) -> [(&'static str, Value); 10] {
        let Gates { expect_rows, queries, max_regression, limits: checks } = &self.gates;
        let limits = checks.limits;
        [
            ("--expect-rows", json!(expect_rows)),
            ("--max-rejects", json!(self.load.max_rejects)),
            ("--queries", json!(queries)),
            ("--max-regression", json!(max_regression)),
            ("--checks", json!(checks.checks)),
            ("--first-year", json!(limits.first_year)),
            ("--last-year", json!(limits.last_year)),
            ("--max-shrinkage", json!(limits.max_shrinkage_percent)),
            ("--max-quantity-change", json!(limits.max_quantity_change_percent)),
            ("--backup-table", json!(self.backup_table)),
        ]
    }
}

/// The options to resume with: what was given at the beginning and is omitted now still
/// holds.
pub(super) fn carried_on(mut options: MigrationOptions, began: &Began) -> MigrationOptions {
    let (gates, began) = (&mut options.gates, &began.gates);
    gates.expect_rows = gates.expect_rows.or(began.expect_rows);
    gates.queries = gates.queries.take().or_else(|| began.queries.clone());
    let (checks, began) = (&mut gates.limits, &began.limits);
    checks.checks = checks.checks.take().or_else(|| began.checks.clone());
    checks.limits.last_year = checks.limits.last_year.or(began.limits.last_year);
    options
}

/// The settings that differ from the beginning and are not yet recorded as deviations.
pub(super) fn departures(options: &MigrationOptions, began: &Began, run: &Run) -> Vec<String> {
    let max_rejects = options.load.max_rejects.to_string();
    let (gates, backup_table) = (options.gates.clone(), options.backup_table);
    let now = Began { gates, load: BeganLoad { max_rejects }, backup_table };
    let both = began.named().into_iter().zip(now.named());
    let changed = both.filter(|((_, before), (_, now))| before != now);
    let changed = changed.map(|((option, before), (_, now))| {
        format!("resumed with {option} {} {}", shown(&now), instead(&before))
    });
    changed.filter(|what| !run.deviations.contains(what)).collect()
}

fn instead(before: &Value) -> String {
    match before {
        Value::Null => "instead of none".to_owned(),
        before => format!("instead of {}", shown(before)),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::state::RunState;
    use crate::pg::Table;

    fn began(arguments: Value) -> Run {
        Run { state: RunState::Stopped, arguments, ..Run::empty() }
    }

    #[test]
    fn what_was_asserted_at_the_beginning_still_holds_or_the_run_is_refused() {
        let table = Table::new("public", "t").unwrap();
        let mut first = MigrationOptions::new(table.clone(), vec!["in.csv".to_owned()]);
        first.gates.expect_rows = Some(489_107);
        first.gates.limits.limits.last_year = Some(2024);
        let mut run = began(first.arguments().unwrap());

        let now = MigrationOptions::new(table, vec!["in.csv".to_owned()]);
        let recorded = Began::read(&run).unwrap();
        let now = carried_on(now, &recorded);
        assert_eq!(now.gates, first.gates);
        assert_eq!(departures(&now, &recorded, &run), [""; 0]);

        let mut lax = now;
        lax.gates.limits.limits.max_shrinkage_percent = 50.0;
        lax.backup_table = BackupTableChoice::Auto;
        let told = [
            "resumed with --max-shrinkage 50.0 instead of 10.0",
            "resumed with --backup-table auto instead of always",
        ];
        assert_eq!(departures(&lax, &recorded, &run), told);

        // A run of an earlier version made the copy.
        run.arguments.as_object_mut().unwrap().remove("backup_table");
        assert_eq!(departures(&lax, &Began::read(&run).unwrap(), &run), told);

        run.arguments["expect_rows"] = json!("many");
        let refused = Began::read(&run).err().unwrap();
        assert!(refused.to_string().contains("that sterna did not write"), "{refused}");
    }
}
