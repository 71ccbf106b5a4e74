//! A check: one SQL file with a header that describes it.
//!
//! ```sql
//! -- Name: year-bounds
//! -- Purpose: every year lies between the first of CITES trade data and the year of
//! --   the release.
//! -- Fault: row of an impossible year
//! -- Severity: error
//! -- Form: condition
//! -- Columns: year
//! -- Parameters: {first_year}, {last_year}
//! ```

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How serious a failed check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// The rows must not go live.
    Error,
    /// Somebody should look at the rows.
    Warning,
}

/// The form of a check's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A condition that is true for a wrong row. All conditions share one pass.
    Condition,
    /// A query that returns one row for each thing that is wrong.
    Query,
    /// A query that returns one row with `expected` and `observed`.
    Figures,
}

/// What a check is repeated for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Each {
    /// Nothing: it runs once.
    Once,
    /// Those of these columns that exist, as `{column}`.
    Column(Vec<String>),
    /// Production's unique keys, as `{key}`.
    UniqueKey,
    /// Production's outgoing foreign keys, as `{key}`, `{other}`, `{other_key}`.
    ForeignKey,
    /// The foreign keys of other tables to production, likewise.
    ReferringKey,
    /// The sequences of the table, as `{sequence}`, `{column}`.
    Sequence,
}

/// A check, as its file defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: String,
    /// What is true if it passes.
    pub(super) purpose: String,
    /// What is wrong if it fails, as a noun in the singular and what follows it.
    pub(super) fault: Option<String>,
    pub(super) severity: Severity,
    /// Severity on the live table, to which others may write.
    pub(super) severity_live: Severity,
    pub(super) form: Form,
    pub(super) each: Each,
    /// Columns that it reads; it is skipped without them.
    pub(super) columns: Vec<String>,
    /// Columns that it reads and that the load must have filled.
    pub(super) filled: Vec<String>,
    /// Placeholders that must have a value.
    pub(super) parameters: Vec<String>,
    pub(super) on_staging: bool,
    pub(super) on_live: bool,
    /// Why it cannot be run on a table that Citus distributes, if it cannot.
    pub(super) not_on_shards: Option<String>,
    /// The SQL after the header.
    pub(super) sql: String,
    /// Whether it comes from the user's folder and so has a time limit.
    pub(super) is_own: bool,
}

const FIELDS: [&str; 11] = [
    "Name",
    "Purpose",
    "Fault",
    "Severity",
    "Form",
    "For each",
    "Columns",
    "Filled",
    "Applies to",
    "Not on shards",
    "Parameters",
];

impl Check {
    /// Parses a file. `file` is its name in messages; `name` is the check's name if the header
    /// has none.
    ///
    /// # Errors
    /// If the header is wrong.
    pub(super) fn parse(file: &str, name: &str, text: &str) -> Result<Self> {
        let bad = |what: String| {
            Error::usage(format!("{file}: {what}"))
                .hint("a check begins with -- Severity: error (or warning) and -- Purpose: ...")
        };
        let fields = header(text);
        let field = |name: &str| fields.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        let list = |name: &str| -> Vec<String> {
            let items = field(name).unwrap_or_default().split(',').map(str::trim);
            items.filter(|i| !i.is_empty()).map(|i| i.trim_matches(['{', '}']).into()).collect()
        };
        let purpose = field("Purpose").ok_or_else(|| bad("its header has no Purpose".into()))?;
        let (severity, severity_live) = match field("Severity") {
            Some("error") => (Severity::Error, Severity::Error),
            Some("warning") => (Severity::Warning, Severity::Warning),
            Some("error, warning on the live table") => (Severity::Error, Severity::Warning),
            other => return Err(bad(format!("the severity is {}", other.unwrap_or("not given")))),
        };
        let form = match field("Form") {
            None | Some("query") => Form::Query,
            Some("condition") => Form::Condition,
            Some("figures") => Form::Figures,
            Some(other) => return Err(bad(format!("{other:?} is not a form of a check"))),
        };
        let each = match field("For each") {
            None => Each::Once,
            Some("unique key") => Each::UniqueKey,
            Some("foreign key") => Each::ForeignKey,
            Some("referring key") => Each::ReferringKey,
            Some("sequence") => Each::Sequence,
            Some(columns) => match columns.strip_prefix("column ") {
                Some(names) => Each::Column(names.split(',').map(|n| n.trim().into()).collect()),
                None => return Err(bad(format!("a check cannot be made for each {columns:?}"))),
            },
        };
        let (on_staging, on_live) = match field("Applies to") {
            None => (true, true),
            Some("staging") => (true, false),
            Some("live") => (false, true),
            Some(other) => return Err(bad(format!("it cannot apply to {other:?}"))),
        };
        let sql = body(text).trim_end().trim_end_matches(';');
        if sql.is_empty() {
            return Err(bad("there is no SQL below its header".into()));
        }
        Ok(Check {
            name: field("Name").unwrap_or(name).into(),
            purpose: purpose.into(),
            fault: field("Fault").map(str::to_owned),
            severity,
            severity_live,
            form,
            each,
            columns: list("Columns"),
            filled: list("Filled"),
            parameters: list("Parameters"),
            on_staging,
            on_live,
            not_on_shards: field("Not on shards").map(str::to_owned),
            sql: sql.into(),
            is_own: false,
        })
    }
}

/// Returns the text after the leading comments.
pub(super) fn body(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, tail)| tail);
    }
    rest
}

/// Returns the fields of the header, each with its continuation lines.
fn header(text: &str) -> Vec<(&'static str, String)> {
    let mut fields: Vec<(&'static str, String)> = Vec::new();
    let mut is_known = false;
    for line in text.lines().map_while(|line| line.strip_prefix("--")) {
        let begins = FIELDS.iter().find_map(|name| {
            let value = line.trim().strip_prefix(name)?.strip_prefix(':')?;
            Some((*name, value.trim().to_owned()))
        });
        let is_further = line.starts_with("  ");
        match begins {
            Some(field) => {
                fields.push(field);
                is_known = true;
            }
            None if is_further && is_known => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            }
            // A field that is not used here, such as Lock.
            None => is_known = is_further && is_known,
        }
    }
    fields
}

/// Returns the built-in checks.
///
/// # Errors
/// Never in a release: a test parses the same files.
pub(super) fn built_in() -> Result<Vec<Check>> {
    macro_rules! checks {
        ($($file:literal),+ $(,)?) => { [$(($file, include_str!(concat!("../../", $file)))),+] };
    }
    let files = checks![
        "sql/checks/load-complete.sql",
        "sql/checks/rows-expected.sql",
        "sql/checks/rows-shrunk.sql",
        "sql/checks/rows-accounted.sql",
        "sql/checks/load-account.sql",
        "sql/checks/rows-as-loaded.sql",
        "sql/checks/rows-lost.sql",
        "sql/checks/unique-key.sql",
        "sql/checks/record-id-present.sql",
        "sql/checks/record-id-unique.sql",
        "sql/checks/foreign-key.sql",
        "sql/checks/referring-key.sql",
        "sql/checks/taxon-of-species.sql",
        "sql/checks/required.sql",
        "sql/checks/year-bounds.sql",
        "sql/checks/year-asked.sql",
        "sql/checks/year-present.sql",
        "sql/checks/year-shrunk.sql",
        "sql/checks/quantity-positive.sql",
        "sql/checks/reported-quantity.sql",
        "sql/checks/quantity-missing.sql",
        "sql/checks/listed-code.sql",
        "sql/checks/blank-at-end.sql",
        "sql/checks/species-year-missing.sql",
        "sql/checks/species-year-shrunk.sql",
        "sql/checks/quantity-lost.sql",
        "sql/checks/quantity-grown.sql",
        "sql/checks/few-rows-in-year.sql",
        "sql/checks/structure.sql",
        "sql/checks/statistics.sql",
        "sql/checks/summary-records.sql",
        "sql/checks/summary-quantity.sql",
        "sql/checks/summary-years.sql",
        "sql/checks/summary-lists.sql",
        "sql/checks/summary-distinct.sql",
        "sql/checks/sequence-ahead.sql",
    ];
    files.iter().map(|(file, text)| Check::parse(file, file, text)).collect()
}

/// Reads the user's own checks: the `.sql` files of a folder, by name.
///
/// # Errors
/// If a file cannot be read or its header is wrong; names the file.
pub(super) fn read_folder(folder: &std::path::Path) -> Result<Vec<Check>> {
    let failed = |e| Error::file(folder, e);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    paths.sort();
    if paths.is_empty() {
        return Err(Error::usage(format!("there is no .sql file in {}", folder.display())));
    }
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        let name = path.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into());
        let check = Check::parse(&path.display().to_string(), &name, &text)?;
        Ok(Check { is_own: true, ..check })
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_checks_are_named_after_their_files() {
        let checks = built_in().unwrap();
        let mut names: Vec<_> = checks.iter().map(|check| check.name.clone()).collect();
        for name in &names {
            let file = format!("{}/sql/checks/{name}.sql", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&file).exists(), "{file}");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), checks.len());
    }

    #[test]
    fn a_header_is_read_and_the_rest_is_sql() {
        let text = "-- Name: x\n-- Purpose: a\n--   b\n-- Severity: warning\n-- Lock: none\n\
                    --   more\n-- Columns: c, d\n-- Parameters: {e}\nSELECT 1;\n";
        let check = Check::parse("x.sql", "other", text).unwrap();
        assert_eq!((check.name.as_str(), check.purpose.as_str()), ("x", "a b"));
        assert_eq!((check.severity, check.form), (Severity::Warning, Form::Query));
        assert_eq!((check.columns.len(), check.parameters), (2, vec!["e".to_owned()]));
        assert_eq!(check.sql, "SELECT 1");
    }

    #[test]
    fn a_wrong_header_is_refused() {
        for (text, why) in [
            ("SELECT 1", "no Purpose"),
            ("-- Purpose: x\nSELECT 1", "severity is not given"),
            ("-- Purpose: x\n-- Severity: fatal\nSELECT 1", "severity is fatal"),
            ("-- Purpose: x\n-- Severity: error\n", "no SQL"),
            ("-- Purpose: x\n-- Severity: error\n-- Form: y\nSELECT 1", "not a form"),
        ] {
            let error = Check::parse("x.sql", "x", text).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
