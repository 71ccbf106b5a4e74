//! What a step is, and what is said of it before it is taken; the steps themselves are in
//! `steps`.

use crate::error::Result;
use crate::pg::{Quoted, Table, fill};

/// A step of the plan. The ledger keeps its number: none is changed or given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is described in the plan itself")]
#[non_exhaustive]
pub enum Step {
    Backup,
    Staging,
    Species,
    TestLoad,
    TestValidation,
    TestBench,
    Truncate,
    Load,
    Validation,
    BackupTable,
    Switchover,
    Indexes,
    Summary,
    Comprehensive,
    Report,
    CleanUp,
}

/// What is known of a step before it is taken.
#[derive(Debug)]
pub struct StepPlan {
    /// Which it is.
    pub step: Step,
    /// Its number in the plan: `4.2`.
    pub number: &'static str,
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// The same in a sentence or two.
    pub does: &'static str,
    /// The statements that matter, in the order in which they run.
    pub statements: &'static [Statement],
    /// What they lock, and how.
    pub locks: &'static str,
    /// What is one transaction.
    pub transaction: &'static str,
    /// What must hold after it.
    pub validated_by: &'static str,
    /// What takes it back.
    pub undone_by: &'static str,
    /// Whether taking it back does anything to the database.
    pub leaves_traces: bool,
    /// Whether it judges what is there, and its verdict can be overridden.
    pub is_gate: bool,
    /// Which rows it reads or writes.
    pub rows: Rows,
}

/// Whose rows a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rows {
    /// None, or a handful.
    Few,
    /// Those of the live table.
    Live,
    /// Those of the newest year of the files.
    TestYear,
    /// Those of the files.
    Files,
    /// Those of the table of species.
    Species,
}

/// A statement of a step.
#[derive(Debug)]
pub struct Statement {
    /// The file that holds it.
    pub file: &'static str,
    text: &'static str,
}

impl Statement {
    pub(super) const fn new(file: &'static str, text: &'static str) -> Self {
        Statement { file, text }
    }

    /// Its SQL without the header, with the names of a table and those beside it. What
    /// only the run knows, such as the name of an index, stays a `{placeholder}`.
    #[must_use]
    pub fn sql(&self, names: &Names) -> String {
        let body: Vec<_> = self.text.lines().filter(|line| !line.starts_with("--")).collect();
        fill(body.join("\n").trim(), &names.quoted())
    }
}

/// The names that the plan is about.
#[derive(Clone, Debug)]
pub struct Names {
    table: Table,
    staging: Table,
    backup: Table,
    journal: Table,
}

impl Names {
    /// Those of a table and what stands beside it.
    ///
    /// # Errors
    /// Where one of them would be cut.
    pub fn new(table: &Table, staging_suffix: &str, backup_suffix: &str) -> Result<Self> {
        Ok(Names {
            table: table.clone(),
            staging: table.with_suffix(staging_suffix)?,
            backup: table.with_suffix(backup_suffix)?,
            journal: Table::new("sterna", "journal_<oid>")?,
        })
    }

    fn quoted(&self) -> [(&str, &dyn Quoted); 5] {
        [
            ("table", &self.table),
            ("staging", &self.staging),
            ("backup", &self.backup),
            ("checked", &self.staging),
            ("journal", &self.journal),
        ]
    }
}
