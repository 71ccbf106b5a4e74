//! How a run ended, in one line, and the ways back from there.

use serde::Serialize;
use serde_json::Value;

use super::RunReport;
use crate::command_line::{self, shell_quoted};
use crate::error::grouped;
use crate::migrate::{RunState, Step};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunOutcome {
    /// In one word.
    pub verdict: RunVerdict,
    /// In one line, for readers who read nothing else.
    pub sentence: String,
}

/// How a run ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunVerdict {
    /// All steps were run.
    Finished,
    /// A step failed.
    Failed,
    /// It ended early, on request.
    Stopped,
    /// The switchover, or the whole run, was rolled back.
    RolledBack,
    /// It is running, or was killed.
    Running,
    /// There is no migration, only separate commands.
    Commands,
}

/// A way to go on from here: to resume, roll back or restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayBack {
    /// What the command does.
    pub effect: String,
    /// The command to run.
    pub command: String,
}

/// The state of production.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Production {
    Untouched,
    New,
    Returned,
}

fn production(report: &RunReport) -> Production {
    match report.switchovers.last().map(|switchover| switchover.state.as_str()) {
        None => Production::Untouched,
        Some("returned") => Production::Returned,
        Some(_) => Production::New,
    }
}

/// How the run of a report ended.
pub(super) fn of(report: &RunReport) -> RunOutcome {
    let (table, stands) = (&report.table, production(report));
    let Some(run) = &report.run else {
        let sentence = format!(
            "{} by single commands; {}.",
            if stands == Production::New { "Replaced" } else { "Worked on" },
            stood(report, stands)
        );
        return RunOutcome { verdict: RunVerdict::Commands, sentence };
    };
    let verdict = match (run.state, stands) {
        (RunState::RolledBack, _) | (RunState::Stopped, Production::Returned) => {
            RunVerdict::RolledBack
        }
        (RunState::Finished, _) => RunVerdict::Finished,
        (RunState::Failed, _) => RunVerdict::Failed,
        (RunState::Stopped, _) => RunVerdict::Stopped,
        (RunState::Running, _) => RunVerdict::Running,
    };
    let failed = run.steps.iter().find(|step| step.state == "failed");
    let sentence = match verdict {
        RunVerdict::Finished => format!("{table} was replaced: {}.", stood(report, stands)),
        RunVerdict::RolledBack if run.state == RunState::RolledBack => {
            format!("The migration of {table} was rolled back: {}.", stood(report, stands))
        }
        RunVerdict::RolledBack => {
            format!("The switchover of {table} was rolled back: {}.", stood(report, stands))
        }
        _ => {
            let at = failed.map(|step| step.step).or(run.next);
            let at = at.map_or_else(String::new, |step| {
                format!(" at step {} ({})", step.number(), step.plan().title)
            });
            let what = match verdict {
                RunVerdict::Failed => "failed",
                RunVerdict::Stopped => "was stopped",
                _ => "has not ended",
            };
            format!("The migration of {table} {what}{at}: {}.", stood(report, stands))
        }
    };
    RunOutcome { verdict, sentence }
}

/// The state of production, in words.
fn stood(report: &RunReport, stands: Production) -> String {
    match (stands, report.switchovers.last()) {
        (Production::New, Some(switchover)) => {
            let before = report.rows_compared().map_or_else(String::new, |(before, _)| {
                format!(" instead of {}", grouped(before.unsigned_abs()))
            });
            format!(
                "the new table is live with {} rows{before}",
                grouped(switchover.rows.unsigned_abs())
            )
        }
        (Production::Returned, _) => {
            "the old table is live again, with all that was written since".to_owned()
        }
        _ => "production was not touched".to_owned(),
    }
}

/// A quoted name without the quotes that are not needed.
pub fn readable(name: &str) -> String {
    let plain = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let parts = name.split("\".\"").map(|part| part.trim_matches('"'));
    match parts.clone().all(|part| plain(&part)) {
        true => parts.collect::<Vec<_>>().join("."),
        false => name.to_owned(),
    }
}

/// The ways to go on from where a run is.
pub(super) fn way_back(report: &RunReport) -> Vec<WayBack> {
    let mut ways = Vec::new();
    // Without a migration there are no arguments to repeat.
    let none = Value::Null;
    let arguments = report.run.as_ref().map_or(&none, |run| &run.arguments);
    let back = |to| command_line::roll_back(arguments, to);
    let resumed = report.run.as_ref().filter(|run| run.next.is_some());
    if let Some(command) = resumed.and_then(|run| run.next_command.clone()) {
        ways.push(WayBack { effect: "resumes the run where it ended".to_owned(), command });
    }
    let steps = report.run.iter().flat_map(|run| run.can_roll_back.iter().copied());
    let steps: Vec<Step> = steps.collect();
    let is_live = production(report) == Production::New
        && report.switchovers.last().is_some_and(|last| last.cleaned_at.is_none());
    if is_live {
        ways.push(WayBack {
            effect: "brings back the old table, with all that was written to the new one since; \
                     readers wait for milliseconds, as in the switchover"
                .to_owned(),
            command: back(Some(Step::Switchover.plan().name)),
        });
    }
    if let Some(last) = steps.first().filter(|last| **last != Step::Switchover) {
        ways.push(WayBack {
            effect: format!("restores the state before the last step ({})", last.plan().title),
            command: back(None),
        });
    }
    if !steps.is_empty() {
        ways.push(WayBack {
            effect: "restores the state before the run".to_owned(),
            command: back(Some(Step::Backup.number())),
        });
    }
    if let Some(backup) = report.backups.last() {
        ways.push(WayBack {
            effect: format!(
                "proves that the backup of {} can be restored, by restoring it into a temporary \
                 server",
                backup.at
            ),
            command: format!("sterna backup verify --restore {}", shell_quoted(&backup.path)),
        });
    }
    ways.extend(restored(report));
    ways
}

/// The commands that restore the run's own backup into a database beside production.
fn restored(report: &RunReport) -> Option<WayBack> {
    let run = report.run.as_ref()?;
    let backup = &run.steps.iter().find(|step| step.step == Step::Backup)?.detail;
    let path = backup["path"].as_str()?;
    let restore = match backup["method"].as_str()? {
        "pg-dump" => format!(
            "pg_restore --section=pre-data --section=data --no-owner --no-privileges \
             --dbname=sterna_restored {}",
            shell_quoted(&format!("{path}/backup.dump"))
        ),
        _ => format!(
            "(cd {} && psql --dbname=sterna_restored --file=restore.sql)",
            shell_quoted(path)
        ),
    };
    Some(WayBack {
        effect: "restores the backup of the run into a new database beside production, from \
                 where its rows can be copied; the role has to be allowed to create one"
            .to_owned(),
        command: format!("createdb sterna_restored && {restore}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable() {
        assert_eq!(readable("\"public\".\"trade_1\""), "public.trade_1");
        for odd in ["\"public\".\"Trade\"", "\"a\"\"b\".\"c\"", "\"\".\"c\""] {
            assert_eq!(readable(odd), odd);
        }
    }
}
