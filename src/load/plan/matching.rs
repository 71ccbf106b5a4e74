//! Decides how records are matched with rows of production, and which values they keep.
//!
//! A matched row keeps its key and every value that the files do not fill: a new release
//! must not lose keys that other tables refer to, or values that people entered by hand.
//! Rows match if they agree in the columns of a natural key.
//!
//! Does no I/O: decides from the catalog and the mapping, before anything is written.

use serde::{Deserialize, Serialize};

use crate::cites::Format;
use crate::error::{Error, Result, did_you_mean};
use crate::pg::{Column, ColumnType, Columns, Ident, Table};

/// How columns that the files do not fill get their values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Unfilled {
    /// Keep the values of the matching row of production.
    #[default]
    Keep,
    /// Use the column default, except for keys.
    Default,
}

/// How to match rows with production.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchOptions {
    /// The columns of the natural key; if empty, the mapping decides.
    pub by: Vec<String>,
    /// How columns that the files do not fill get their values.
    pub unfilled: Unfilled,
}

/// The keys of production that rows can be matched by, and whether it has rows to lose.
#[derive(Clone, Debug, Default)]
pub(in crate::load) struct Production {
    /// The columns of each unique index, those of the primary key first.
    pub(in crate::load) unique: Vec<Vec<Ident>>,
    /// The columns of the primary key.
    pub(in crate::load) primary: Vec<Ident>,
    /// Columns that foreign keys refer to, each with a referring table.
    pub(in crate::load) referred: Vec<(Ident, String)>,
    /// Whether it holds any row.
    pub(in crate::load) has_rows: bool,
    /// Whether it holds more rows than the client should keep in memory.
    pub(in crate::load) is_large: bool,
}

/// How a column gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Treatment {
    /// From the files.
    Filled,
    /// From the matching row of production; a new value if none matches.
    Kept,
    /// From the column default.
    Default,
    /// Computed by the server from other columns.
    Computed,
}

/// A column of the target, and how it gets its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnUse {
    /// Its name.
    pub column: String,
    /// Its SQL type.
    pub sql_type: String,
    /// How it gets its value.
    pub treatment: Treatment,
    /// The formats that do not fill it while others do; if not empty, `treatment` applies to
    /// the rows of these formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacked_by: Vec<String>,
}

/// How the columns of a table get their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnUses {
    /// The columns by which rows are matched with production; empty if they are not matched.
    pub matched_by: Vec<String>,
    /// Whether the server matches them, with a join after the rows are in, and writes them again.
    #[serde(default)]
    pub matched_on_server: bool,
    /// Every column of the target, in its order.
    pub columns: Vec<ColumnUse>,
}

impl ColumnUses {
    /// The names of the columns with this treatment.
    #[must_use]
    pub fn of(&self, treatment: Treatment) -> Vec<&str> {
        let such = self.columns.iter().filter(|column| column.treatment == treatment);
        such.map(|column| column.column.as_str()).collect()
    }

    /// Whether any file fills a column.
    #[must_use]
    pub fn is_filled(&self, name: &str) -> bool {
        let column = self.columns.iter().find(|column| column.column == name);
        column.is_some_and(|c| c.treatment == Treatment::Filled || !c.lacked_by.is_empty())
    }

    /// Describes the columns that the files do not fill, one line per treatment.
    #[must_use]
    pub fn unfilled(&self) -> Vec<String> {
        let named = |treatment: Treatment| -> Vec<String> {
            let such = self.columns.iter().filter(|column| column.treatment == treatment);
            let name = |c: &ColumnUse| match c.lacked_by.as_slice() {
                [] => c.column.clone(),
                formats => format!("{} (files of {})", c.column, formats.join(", ")),
            };
            such.map(name).collect()
        };
        let (kept, default) = (named(Treatment::Kept), named(Treatment::Default));
        let mut lines = Vec::new();
        if !kept.is_empty() {
            let by = self.matched_by.join(", ");
            lines.push(format!("kept where {by} is production's: {}", kept.join(", ")));
        }
        if !default.is_empty() {
            lines.push(format!("by default: {}", default.join(", ")));
        }
        lines
    }
}

/// Who matches rows with production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nobody: there is nothing to keep.
    Nobody,
    /// The client, which carries row ids over by record id while it reads.
    Client,
    /// The server, with one join after the rows are in.
    Server,
}

/// How rows are matched with production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matching {
    pub(crate) way: Way,
    /// The natural key; empty if no rows are matched.
    pub(crate) by: Columns,
    /// How each column gets its value.
    pub(crate) uses: ColumnUses,
    /// The column of row ids that sterna makes for new rows.
    pub(crate) made: Option<Ident>,
    /// A table that refers to a kept column.
    pub(crate) referred_by: Option<String>,
    /// A NOT NULL column for which new rows have no value.
    pub(crate) required: Option<Ident>,
}

/// Decides how rows are matched.
///
/// # Errors
/// Wrong usage if the requested columns cannot be matched by, or if a required column gets no
/// value; refused if keys or values of production would be lost, with a hint on what to add
/// to the mapping.
pub(in crate::load) fn decide(
    table: &Table,
    columns: &[Column],
    formats: &[&Format],
    production: &Production,
    options: &MatchOptions,
) -> Result<Matching> {
    let target = Target { table, columns, formats, production };
    let made = formats.iter().find_map(|format| format.row_id.as_deref());
    let made = columns.iter().map(|c| &c.name).find(|name| Some(name.name()) == made);
    let lacked_by = |c: &Column| formats.iter().filter(|f| !fills(f, &c.name)).collect::<Vec<_>>();
    let is_partly_filled = |c: &Column| lacked_by(c).len() < formats.len();
    let unfilled: Vec<&Column> = columns
        .iter()
        .filter(|c| c.identity || !c.generated)
        .filter(|c| !lacked_by(c).is_empty())
        .collect();
    let is_key = |name: &Ident| {
        production.primary.contains(name) || production.referred.iter().any(|(c, _)| c == name)
    };
    let keeps = |c: &&&Column| options.unfilled == Unfilled::Keep || is_key(&c.name);
    let mut kept: Vec<&Ident> = unfilled.iter().filter(keeps).map(|c| &c.name).collect();
    let by = target.key(options)?;
    if by.is_empty() {
        target.refuse_loss(&kept, is_key, options)?;
        kept.clear();
    }
    let needs_value =
        |c: &&&Column| c.not_null && c.default.is_none() && !c.identity && Some(&c.name) != made;
    // A column that only some formats fill is not an error: their records are rejected singly.
    let required: Vec<&Column> =
        unfilled.iter().filter(needs_value).filter(|c| !is_partly_filled(c)).copied().collect();
    if let Some(column) = required.iter().find(|c| !kept.contains(&&c.name)) {
        return Err(Error::usage(format!(
            "column {} of {table} is NOT NULL without a default, but no field fills it",
            column.name
        ))
        .hint("map a field to it with --mapping, or give the column a default"));
    }
    let treatment = |column: &Column| match column {
        c if kept.contains(&&c.name) => Treatment::Kept,
        c if unfilled.iter().any(|u| u.name == c.name) => Treatment::Default,
        c if c.generated => Treatment::Computed,
        _ => Treatment::Filled,
    };
    let is_put = |c: &&Column| c.identity || is_partly_filled(c) && c.default.is_some();
    let way = match kept.as_slice() {
        _ if unfilled.iter().any(is_put) => Way::Server,
        [] => Way::Nobody,
        [only] if Some(*only) == made && target.is_carried_over(&by) => Way::Client,
        _ => Way::Server,
    };
    let referred = production.referred.iter().find(|(column, _)| kept.contains(&column));
    let by = if kept.is_empty() { Vec::new() } else { by };
    let column = |c: &Column| ColumnUse {
        column: c.name.name().to_owned(),
        sql_type: c.sql_type.clone(),
        treatment: treatment(c),
        lacked_by: match is_partly_filled(c) {
            true => lacked_by(c).iter().map(|format| format.name.clone()).collect(),
            false => Vec::new(),
        },
    };
    let uses = ColumnUses {
        matched_by: by.iter().map(|c| c.name().to_owned()).collect(),
        matched_on_server: way == Way::Server,
        columns: columns.iter().map(column).collect(),
    };
    Ok(Matching {
        way,
        by: Columns(by),
        uses,
        made: made.cloned(),
        referred_by: referred.map(|(_, table)| table.clone()),
        required: required.first().map(|column| column.name.clone()),
    })
}

/// Whether files of a format have a value for a column.
fn fills(format: &Format, column: &Ident) -> bool {
    let looked_up = format.lookup.iter().map(|lookup| &lookup.column);
    format.columns.values().chain(looked_up).any(|filled| filled == column.name())
}

/// The column of a format's record id.
fn record_id(format: &Format) -> Option<&str> {
    format.columns.get(format.record_id.as_ref()?).map(String::as_str)
}

/// The inputs of the decision.
struct Target<'a> {
    table: &'a Table,
    columns: &'a [Column],
    formats: &'a [&'a Format],
    production: &'a Production,
}

impl Target<'_> {
    /// The natural key; empty if there is none.
    fn key(&self, options: &MatchOptions) -> Result<Vec<Ident>> {
        if options.by.is_empty() {
            return Ok(self.own_key().unwrap_or_default());
        }
        let mut key = Vec::new();
        for name in &options.by {
            let name = name.trim();
            let Some(column) = self.columns.iter().find(|c| c.name.name() == name) else {
                return Err(Error::usage(format!(
                    "--match: {} has no column {name:?}",
                    self.table
                ))
                .hint(
                    did_you_mean(name, self.columns.iter().map(|c| c.name.name())).unwrap_or_else(
                        || "name columns of the table that the files fill".to_owned(),
                    ),
                ));
            };
            if let Some(format) = self.formats.iter().find(|f| !fills(f, &column.name)) {
                return Err(Error::usage(format!(
                    "--match: files of format {} do not fill column {}",
                    format.name, column.name
                ))
                .hint("name columns that every file fills, or map a field to it"));
            }
            if !key.contains(&column.name) {
                key.push(column.name.clone());
            }
        }
        Ok(key)
    }

    /// The record id of the mapping, or else the first unique key that the files fill.
    fn own_key(&self) -> Option<Vec<Ident>> {
        let named = self.formats.first().and_then(|format| record_id(format));
        let is_shared = |id: &&str| self.formats.iter().all(|f| record_id(f) == Some(id));
        let named = named.filter(is_shared);
        let record_id = self.columns.iter().find(|c| Some(c.name.name()) == named);
        let unique = || {
            let mut keys = self.production.unique.iter();
            keys.find(|key| key.iter().all(|c| self.formats.iter().all(|f| fills(f, c)))).cloned()
        };
        record_id.map(|column| vec![column.name.clone()]).or_else(unique)
    }

    /// Whether the client can carry over production's row ids: only by record ids of a text
    /// type, and only if there are not too many.
    fn is_carried_over(&self, by: &[Ident]) -> bool {
        let [by] = by else { return false };
        let is_record_id = self.formats.iter().all(|f| record_id(f) == Some(by.name()));
        let column = self.columns.iter().find(|c| c.name == *by);
        let is_text = column
            .is_some_and(|c| matches!(c.kind, Some(ColumnType::Text | ColumnType::Varchar(_))));
        is_record_id && is_text && !self.production.is_large
    }

    /// Refuses if `kept` columns would be lost for lack of a key.
    fn refuse_loss(
        &self,
        kept: &[&Ident],
        is_key: impl Fn(&Ident) -> bool,
        options: &MatchOptions,
    ) -> Result<()> {
        let referred = &self.production.referred;
        let child = kept.iter().find_map(|name| referred.iter().find(|(c, _)| c == *name));
        let is_lost = options.unfilled == Unfilled::Keep || child.is_some();
        if kept.is_empty() || !self.production.has_rows || !is_lost {
            return Ok(());
        }
        let names = |names: Vec<&Ident>| {
            names.iter().map(|name| name.name()).collect::<Vec<_>>().join(", ")
        };
        let (keys, values): (Vec<&Ident>, Vec<&Ident>) = kept.iter().partition(|c| is_key(c));
        let mut lost = Vec::new();
        if !keys.is_empty() {
            let by = child.map_or_else(String::new, |(_, by)| format!(", to which {by} refers,"));
            lost.push(format!("the key {}{by}", names(keys)));
        }
        if !values.is_empty() {
            lost.push(format!("the values of {}", names(values)));
        }
        let what = format!(
            "rows cannot be matched with those of {}, so {} would be lost: the files fill neither \
             them nor a unique key",
            self.table,
            lost.join(" and ")
        );
        Err(Error::refused(what).hint(self.what_to_add(child.is_none(), options)))
    }

    /// The hint on what would make rows distinguishable.
    fn what_to_add(&self, may_be_default: bool, options: &MatchOptions) -> String {
        let filled = |c: &Ident| self.formats.iter().all(|f| fills(f, c));
        let lacking = |key: &Vec<Ident>| -> Vec<Ident> {
            key.iter().filter(|c| !filled(c)).cloned().collect()
        };
        let keys = self.production.unique.iter().map(lacking);
        let lines = keys.min_by_key(Vec::len).unwrap_or_default();
        let lines: Vec<String> =
            lines.iter().map(|c| format!("\"FIELD\" = \"{}\"", c.name())).collect();
        let mut hint = match lines.is_empty() {
            true => String::new(),
            false => format!(
                "add {} to [format.columns] of the mapping, with the field that holds it, or ",
                lines.join(" and ")
            ),
        };
        hint.push_str("name the columns that tell rows apart with --match");
        if may_be_default && options.unfilled == Unfilled::Keep {
            hint.push_str("; --unfilled default gives every row new values");
        }
        hint
    }
}

#[cfg(test)]
mod tests;
