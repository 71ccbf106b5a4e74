//! Checks prepared for one table: repeated for each of its columns, keys or sequences, and
//! skipped if something that they need is missing.

use super::check::{Check, Each, Form, Severity};
use super::report::CheckReport;
use super::subject::{Key, Subject};
use super::value::{Known, Value};
use crate::cites::codes;
use crate::error::Result;
use crate::pg::{Columns, Ident};

/// A check that can be run.
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) severity: Severity,
    pub(super) form: Form,
    pub(super) purpose: String,
    pub(super) fault: Option<String>,
    pub(super) sql: String,
    /// What its placeholders stand for.
    pub(super) known: Known,
    /// Whether it is one of the user's own checks, which have a time limit.
    pub(super) is_own: bool,
}

/// A check that can be run, or the report of a skipped one.
pub(super) type Ready = std::result::Result<Instance, CheckReport>;

/// Prepares a check, once or for each object that it is repeated for.
pub(super) fn prepare(check: &Check, subject: &Subject) -> Result<Vec<Ready>> {
    let severity = if subject.is_live { check.severity_live } else { check.severity };
    let one = |suffix: Option<&str>, mut known: Known, column: Option<&Ident>| -> Result<Ready> {
        let name = suffix.map_or_else(|| check.name.clone(), |s| format!("{}.{s}", check.name));
        known.name("shown", &shown(check, subject, column)?);
        Ok(match missing(check, subject, &known) {
            Some(why) => Err(CheckReport::skipped(name, severity, &check.purpose, why)),
            None => Ok(Instance {
                name,
                severity,
                form: check.form,
                purpose: check.purpose.clone(),
                fault: check.fault.as_ref().map(|fault| match column {
                    Some(column) => fault.replace("{column}", column.name()),
                    None => fault.clone(),
                }),
                sql: check.sql.clone(),
                known,
                is_own: check.is_own,
            }),
        })
    };
    let known = || subject.known.clone();
    let of_columns = |columns: &[Ident], suffix: &str, known: Known| match subject.lacks(columns) {
        Some(column) => {
            let (name, why) = (format!("{}.{suffix}", check.name), no_column(column.name()));
            Ok(Err(CheckReport::skipped(name, severity, &check.purpose, why)))
        }
        None => one(Some(suffix), known, None),
    };
    let keyed = |kind: &str| -> Result<Vec<Ready>> {
        let keys = subject.keys.iter().filter(|key| key.kind == kind);
        keys.map(|key| of_columns(&key.columns.0, &key.name, with_key(known(), key))).collect()
    };
    let left_out = |why: &str| {
        let report =
            CheckReport::skipped(check.name.clone(), severity, &check.purpose, why.to_owned());
        Ok(vec![Err(report)])
    };
    let (applies, table) = match subject.is_live {
        true => (check.on_live, "staging"),
        false => (check.on_staging, "the live table (--comprehensive)"),
    };
    if !applies {
        return left_out(&format!("it applies only to {table}"));
    }
    if let Some(why) = &check.not_on_shards
        && subject.pair.distribution.is_elsewhere()
    {
        return left_out(why);
    }
    let ready = match &check.each {
        Each::Once => vec![one(None, known(), None)?],
        Each::Column(names) => {
            let there = subject.columns.iter().map(|c| &c.name);
            let there = there.filter(|c| names.iter().any(|name| name == c.name()));
            let column = |column: &Ident| {
                let mut known = known();
                known.name("column", column);
                if let Some(codes) = codes::codes_of(column.name()) {
                    let codes = codes.into_iter().map(str::to_owned).collect();
                    known.value("codes", Value::Texts(codes));
                }
                if let Some(totals) = subject.totals.get(column.name()) {
                    known.value("quantities", totals.clone());
                }
                one(Some(column.name()), known, Some(column))
            };
            there.map(column).collect::<Result<_>>()?
        }
        Each::UniqueKey => keyed("unique")?,
        Each::ForeignKey => keyed("foreign")?,
        Each::ReferringKey if !subject.years.is_all() => {
            return left_out("not all years are checked");
        }
        Each::ReferringKey => keyed("referring")?,
        Each::Sequence => {
            let sequence = |(column, sequence): &(Ident, crate::pg::Table)| {
                let mut known = known();
                known.name("column", column);
                known.name("sequence", sequence);
                of_columns(std::slice::from_ref(column), column.name(), known)
            };
            subject.sequences.iter().map(sequence).collect::<Result<_>>()?
        }
    };
    if ready.is_empty() { left_out("the table has nothing that it applies to") } else { Ok(ready) }
}

fn with_key(mut known: Known, key: &Key) -> Known {
    known.name("key", &key.columns);
    if let Some((table, columns)) = &key.other {
        known.name("other", table);
        known.name("other_key", columns);
    }
    known
}

fn no_column(name: &str) -> String {
    format!("there is no column {name}")
}

/// Returns why a check cannot be run, if it cannot.
fn missing(check: &Check, subject: &Subject, known: &Known) -> Option<String> {
    if let Some(column) = check.columns.iter().find(|name| !subject.has_column(name)) {
        return Some(no_column(column));
    }
    if let Some(column) = check.filled.iter().find(|name| !subject.is_filled(name)) {
        return Some(format!("no file has filled a column {column}"));
    }
    let parameter = check.parameters.iter().find(|name| !known.has(name))?;
    let whole = &subject.pair.whole;
    if parameter == "summary" && *whole != subject.pair.table {
        return Some(format!(
            "the summary also counts the other partitions of {whole}; it was compared with all of \
             them when it was computed"
        ));
    }
    Some(format!("{parameter} was not given or does not exist"))
}

/// The columns that are shown of a wrong row.
fn shown(check: &Check, subject: &Subject, column: Option<&Ident>) -> Result<Columns> {
    let mut shown = subject.row_id();
    let named = check.columns.iter().chain(&check.filled).filter(|name| subject.has_column(name));
    for name in named {
        shown.push(Ident::new(name.as_str())?);
    }
    shown.extend(column.cloned());
    if check.parameters.iter().any(|name| name == "taxon") {
        shown.extend(subject.names.iter().cloned());
    }
    let mut seen = Vec::new();
    shown.retain(|column| {
        let is_new = !seen.contains(column);
        seen.push(column.clone());
        is_new
    });
    Ok(Columns(shown))
}
