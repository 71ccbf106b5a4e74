//! Which row of production a record stands for, and what it keeps of it.
//!
//! A row keeps its key, and every value that the files do not fill: what other tables
//! refer to, and what people have written by hand, is not the release's to lose. Rows
//! are the same where they agree in the columns of a natural key.
//!
//! Pure: decides from the catalog and the mapping, before anything is written.

use serde::{Deserialize, Serialize};

use crate::cites::Format;
use crate::error::{Error, Result};
use crate::pg::{Column, ColumnType, Columns, Ident, Table};

/// What becomes of columns that the files do not fill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Unfilled {
    /// Where a row of production matches, they keep its values.
    #[default]
    Keep,
    /// They take their default, but for keys.
    Default,
}

/// How rows are to be matched with production's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchOptions {
    /// The columns of the natural key; none leaves the choice to the mapping.
    pub by: Vec<String>,
    /// What becomes of columns that the files do not fill.
    pub unfilled: Unfilled,
}

/// What production has to match rows by, and to lose.
#[derive(Clone, Debug, Default)]
pub(in crate::load) struct Production {
    /// The columns of each unique index, those of the primary key first.
    pub(in crate::load) unique: Vec<Vec<Ident>>,
    /// The columns of the primary key.
    pub(in crate::load) primary: Vec<Ident>,
    /// Columns that foreign keys refer to, each with a table that does.
    pub(in crate::load) referred: Vec<(Ident, String)>,
    /// Whether it holds any row.
    pub(in crate::load) has_rows: bool,
    /// Whether it holds more rows than a client should remember.
    pub(in crate::load) is_large: bool,
}

/// What becomes of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Treatment {
    /// The files fill it.
    Filled,
    /// It keeps production's value where a row matches, and is new otherwise.
    Kept,
    /// It takes its default.
    Default,
    /// The server computes it from the others.
    Computed,
}

/// A column of the target and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnUse {
    /// Its name.
    pub column: String,
    /// Its type as SQL writes it.
    pub sql_type: String,
    /// What becomes of it.
    pub treatment: Treatment,
    /// The formats whose files do not fill it, where files of others do: it is of their rows
    /// that it says what becomes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacked_by: Vec<String>,
}

/// What becomes of the columns of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnUses {
    /// The columns by which rows are matched with production's; none where they are not.
    pub matched_by: Vec<String>,
    /// Every column of the target, in its order.
    pub columns: Vec<ColumnUse>,
}

impl ColumnUses {
    /// The names of columns of which that becomes.
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

    /// What becomes of the columns that the files do not fill, a line for each way.
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

/// Who finds production's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// There is nothing to keep.
    Nobody,
    /// The client, which carries row ids over by record id as it reads.
    Client,
    /// The server, by one join after the rows are in.
    Server,
}

/// How rows find what they keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matching {
    pub(crate) way: Way,
    /// The natural key; empty where no row is to be matched.
    pub(crate) by: Columns,
    /// What becomes of each column.
    pub(crate) uses: ColumnUses,
    /// The column of row ids that sterna makes for new rows.
    pub(crate) made: Option<Ident>,
    /// A table that refers to a column which is kept.
    pub(crate) referred_by: Option<String>,
    /// A column that refuses NULL and for which new rows have no value.
    pub(crate) required: Option<Ident>,
}

/// Decides how rows are matched.
///
/// # Errors
/// Wrong usage where the columns asked for cannot tell rows apart; refused where keys
/// or values of production would be lost, naming what to add to the mapping.
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
    // A record that lacks what files of another format have is rejected by itself.
    let required: Vec<&Column> =
        unfilled.iter().filter(needs_value).filter(|c| !is_partly_filled(c)).copied().collect();
    if let Some(column) = required.iter().find(|c| !kept.contains(&&c.name)) {
        return Err(Error::usage(format!(
            "column {} of {table} refuses NULL and has no default, but no field fills it",
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

/// What is decided about.
struct Target<'a> {
    table: &'a Table,
    columns: &'a [Column],
    formats: &'a [&'a Format],
    production: &'a Production,
}

impl Target<'_> {
    /// The natural key; empty where there is none.
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
                .hint("name columns of the table that the files fill"));
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

    /// The key that the mapping names, or else the first that the files fill.
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

    /// Whether production's row ids can be carried over by the client: by the text of
    /// record ids, and not too many.
    fn is_carried_over(&self, by: &[Ident]) -> bool {
        let [by] = by else { return false };
        let is_record_id = self.formats.iter().all(|f| record_id(f) == Some(by.name()));
        let column = self.columns.iter().find(|c| c.name == *by);
        let is_text = column
            .is_some_and(|c| matches!(c.kind, Some(ColumnType::Text | ColumnType::Varchar(_))));
        is_record_id && is_text && !self.production.is_large
    }

    /// Refuses where `kept` would be lost for want of a key.
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
            "rows cannot be matched with those of {}, so {} would be lost: the files do not fill \
             them, nor a unique key",
            self.table,
            lost.join(" and ")
        );
        Err(Error::refused(what).hint(self.what_to_add(child.is_none(), options)))
    }

    /// The line that would tell rows apart.
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
            hint.push_str("; --unfilled default gives every row new ones");
        }
        hint
    }
}

#[cfg(test)]
mod tests;
