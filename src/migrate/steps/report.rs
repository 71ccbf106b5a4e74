//! Step 5.3: writes the report of the run to files.

use serde_json::json;

use super::{Definition, MigrationOptions, Site};
use crate::error::{Error, Result};
use crate::migrate::outcome::StepOutcome;
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Report,
        number: "5.3",
        name: "report",
        title: "write the report",
        does: "Writes what the ledger says about the run to files, even if the run has failed.",
        statements: &[sql!("migrate/steps.sql")],
        locks: "none",
        transaction: "no",
        validated_by: "the files are written",
        undone_by: "nothing: the files stay",
        leaves_traces: false,
        is_gate: false,
        rows: Rows::Few,
    },
    act,
    validate: None,
    undo: None,
};

fn act(site: &Site, _: &MigrationOptions) -> Result<StepOutcome> {
    let Some(write) = site.write_report else {
        return Ok(StepOutcome {
            summary: "no files were requested".into(),
            ..StepOutcome::default()
        });
    };
    let page = site
        .exclusive
        .session(async |session, pair| write(session, &pair.table, &site.report).await)?;
    let summary = page.display().to_string();
    // The working directory is not recorded.
    let folder = std::path::absolute(&site.report).map_err(|e| Error::file(&site.report, e))?;
    let detail = json!({"folder": folder});
    Ok(StepOutcome { summary, detail, ..StepOutcome::default() })
}
