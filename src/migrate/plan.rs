//! The steps of the plan and how they are described; what they do is in `steps`.

use crate::error::Result;
use crate::pg::{CatalogText, Quoted, Table, fill};

/// A step of the plan. The ledger keeps its number, so numbers never change and are never
/// reused.
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

/// The description of a step.
#[derive(Debug)]
pub struct StepPlan {
    /// The step.
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
    /// The locks they take.
    pub locks: &'static str,
    /// How they are grouped into transactions.
    pub transaction: &'static str,
    /// What must hold after it.
    pub validated_by: &'static str,
    /// How it is rolled back.
    pub undone_by: &'static str,
    /// Whether rolling it back changes the database.
    pub leaves_traces: bool,
    /// Whether it is a gate: a check whose verdict can be overridden.
    pub is_gate: bool,
    /// Which rows it reads or writes.
    pub rows: Rows,
}

/// The rows that a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rows {
    /// None, or a handful.
    Few,
    /// Rows of the live table.
    Live,
    /// Rows of the newest year of the files.
    TestYear,
    /// All rows of the files.
    Files,
    /// Rows of the species table.
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

    /// Its SQL without the header, with the names that the tables have at a step filled in. What only the run
    /// knows, such as the name of an index, stays a `{placeholder}`.
    #[must_use]
    pub fn sql(&self, step: Step, names: &Names) -> String {
        let body: Vec<_> = self.text.lines().filter(|line| !line.starts_with("--")).collect();
        fill(body.join("\n").trim(), &names.quoted(step))
    }
}

/// The table names to fill into the plan's statements.
#[derive(Clone, Debug)]
pub struct Names {
    table: Table,
    staging: Table,
    old: Table,
    backup: Table,
    journal: Table,
    identity: CatalogText,
    partitioning: CatalogText,
}

impl Names {
    /// The names of a table, its staging table, the old table after the switchover, its backup
    /// table and its journal.
    ///
    /// # Errors
    /// If one of them would be truncated.
    pub fn new(table: &Table, [staging, old, backup]: [&str; 3]) -> Result<Self> {
        Ok(Names {
            table: table.clone(),
            staging: table.with_suffix(staging)?,
            old: table.with_suffix(old)?,
            backup: table.with_suffix(backup)?,
            journal: Table::new("sterna", "journal_<oid>")?,
            identity: CatalogText::from_catalog("INCLUDING IDENTITY"),
            partitioning: CatalogText::from_catalog(""),
        })
    }

    /// The same for a table that is partitioned in this way.
    #[must_use]
    pub fn partitioned(self, partitioning: CatalogText) -> Self {
        Names { partitioning, ..self }
    }

    fn quoted(&self, step: Step) -> [(&str, &dyn Quoted); 7] {
        let table = if step == Step::CleanUp { &self.old } else { &self.table };
        let checked = if step == Step::Comprehensive { &self.table } else { &self.staging };
        [
            ("table", table),
            ("staging", &self.staging),
            ("backup", &self.backup),
            ("checked", checked),
            ("journal", &self.journal),
            ("identity", &self.identity),
            ("partitioning", &self.partitioning),
        ]
    }
}
