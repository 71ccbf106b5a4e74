//! Plans the rows to write from the target's columns and the files' headers.
//!
//! Does no I/O. Whatever headers and columns rule out is refused here, before a record is
//! read.

use std::collections::BTreeMap;

use crate::cites::{Format, Formats, Layout};
use crate::error::{Error, Result};
use crate::load::encode::{ColumnPlan, OnInexact, Origin, RowPlan};
use crate::load::read::per_member::PerMember;
use crate::pg::{Column, ColumnType, Ident, Table};

/// The columns that a load writes, and how each file fills them.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// The columns of the COPY statement, with their types in staging.
    pub columns: Vec<Column>,
    /// The columns that become plain `numeric`, with their original types.
    pub widened: Vec<Column>,
    /// How the records of each member become rows.
    pub rows: PerMember<RowPlan>,
}

impl LoadPlan {
    /// Leaves to the server the columns that it fills when it matches rows with production:
    /// row ids, and columns that some formats lack. They are left out of the row hashes, and
    /// columns that are `kept`, have a default or are identity columns may be absent from files.
    pub(in crate::load) fn leave_to_server(&mut self, kept: &[&str]) {
        let is_left = |at: &usize| {
            let mut origins = self.rows.distinct().iter().map(|row| row.columns[*at].origin);
            origins.any(|origin| matches!(origin, Origin::RowId | Origin::Absent))
        };
        let unhashed: Vec<usize> = (0..self.columns.len()).filter(is_left).collect();
        for row in self.rows.distinct_mut() {
            for (column, plan) in self.columns.iter().zip(&mut row.columns) {
                let is_put = column.default.is_some()
                    || column.identity
                    || kept.contains(&column.name.name());
                plan.not_null &= plan.origin != Origin::Absent || !is_put;
            }
            row.unhashed.clone_from(&unhashed);
        }
    }

    /// The columns that a file lacks but other files fill, as pairs of file index and column.
    pub(in crate::load) fn lacking(&self) -> Vec<(i32, &str)> {
        let columns = |(file, row): (usize, &RowPlan)| {
            let columns = self.columns.iter().zip(row.columns.clone());
            let lacking = columns.filter(|(_, plan)| plan.origin == Origin::Absent);
            lacking.map(move |(column, _)| (file as i32, column.name.name()))
        };
        self.rows.iter().enumerate().flat_map(columns).collect()
    }

    /// The columns whose values are hashed, in order.
    pub(in crate::load) fn hashed(&self) -> Vec<&Column> {
        let unhashed = self.rows.distinct().first().map_or(&[][..], |row| &row.unhashed);
        let columns = self.columns.iter().enumerate();
        columns.filter(|(at, _)| !unhashed.contains(at)).map(|(_, column)| column).collect()
    }

    /// The columns that every file fills with species ids.
    pub(in crate::load) fn looked_up(&self) -> Vec<&Ident> {
        let is_looked_up = |at: usize| {
            let rows = self.rows.distinct();
            !rows.is_empty() && rows.iter().all(|row| row.columns[at].origin == Origin::Lookup)
        };
        let columns = self.columns.iter().enumerate();
        columns.filter(|(at, _)| is_looked_up(*at)).map(|(_, column)| &column.name).collect()
    }
}

/// Decides which columns are written and where their values come from.
///
/// # Errors
/// If a column cannot be filled, naming it and the format.
pub fn plan(
    table: &Table,
    columns: &[Column],
    formats: &Formats,
    layouts: &PerMember<Layout>,
    on_inexact: OnInexact,
) -> Result<LoadPlan> {
    let mut sources: BTreeMap<&str, &Format> = BTreeMap::new();
    for layout in layouts.distinct() {
        let format = formats.get(layout.format);
        for column in filled(format) {
            sources.entry(column).or_insert(format);
        }
    }
    for (name, format) in &sources {
        if !columns.iter().any(|c| c.name.name() == *name) {
            return Err(Error::usage(format!(
                "{table} has no column {name:?}, which files of format {} ({}) would fill",
                format.name, format.about
            ))
            .hint("load such files into a table that has it, or map the fields with --mapping"));
        }
    }
    let (mut planned, mut widened) = (Vec::new(), Vec::new());
    let mut kinds = Vec::new();
    for column in columns {
        let Some(format) = sources.get(column.name.name()) else { continue };
        let kind = check(table, column, format)?;
        let is_field = format.columns.values().any(|c| c == column.name.name());
        let mut column = column.clone();
        let kind = match kind {
            ColumnType::Numeric(Some(_)) if is_field && on_inexact == OnInexact::Widen => {
                widened.push(column.clone());
                column.kind = Some(ColumnType::Numeric(None));
                column.sql_type = "numeric".into();
                ColumnType::Numeric(None)
            }
            kind => kind,
        };
        kinds.push((column.name.name().to_owned(), kind, column.not_null));
        planned.push(column);
    }
    let rows = layouts.map(|layout| {
        let format = formats.get(layout.format);
        let columns = kinds.iter().map(|(name, kind, not_null)| ColumnPlan {
            origin: origin(format, layout, name),
            kind: *kind,
            not_null: *not_null,
        });
        let columns: Vec<ColumnPlan> = columns.collect();
        let kind =
            |field| columns.iter().find(|c| c.origin == Origin::Field(field)).map(|c| c.kind);
        let record_id = layout.record_id.and_then(|field| Some((field, kind(field)?)));
        RowPlan { columns, record_id, layout: layout.clone(), unhashed: Vec::new() }
    });
    Ok(LoadPlan { columns: planned, widened, rows })
}

/// The columns that files of a format fill.
fn filled(format: &Format) -> impl Iterator<Item = &str> {
    let made = format.row_id.iter().chain(format.lookup.iter().map(|l| &l.column));
    format.columns.values().chain(made).map(String::as_str)
}

fn origin(format: &Format, layout: &Layout, column: &str) -> Origin {
    if format.row_id.as_deref() == Some(column) {
        Origin::RowId
    } else if format.lookup.as_ref().is_some_and(|l| l.column == column) {
        Origin::Lookup
    } else {
        layout.columns.get(column).map_or(Origin::Absent, |index| Origin::Field(*index))
    }
}

fn check(table: &Table, column: &Column, format: &Format) -> Result<ColumnType> {
    let refused = |what: String| {
        Error::usage(format!("column {} of {table} {what}", column.name))
            .hint("use a mapping of your own (--mapping) that leaves out the field")
    };
    if column.generated {
        return Err(refused("is computed by the server, so no field can fill it".into()));
    }
    let Some(kind) = column.kind else {
        return Err(refused(format!("is of type {}, which sterna cannot encode", column.sql_type)));
    };
    let made = [format.row_id.as_deref(), format.lookup.as_ref().map(|l| l.column.as_str())];
    if made.contains(&Some(column.name.name())) && kind != ColumnType::Uuid {
        return Err(refused(format!("is of type {}, but has to be uuid", column.sql_type)));
    }
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::{Ident, NumericType};

    fn column(name: &str, type_name: &str, typmod: i32) -> Column {
        Column {
            name: Ident::new(name).unwrap(),
            kind: ColumnType::from_catalog(type_name, typmod),
            sql_type: type_name.into(),
            not_null: false,
            default: None,
            generated: false,
            identity: false,
        }
    }

    fn production() -> Vec<Column> {
        let formats = Formats::built_in().unwrap();
        let format = formats.get(0);
        let mut columns = vec![column("id", "uuid", -1), column("species_id", "uuid", -1)];
        for name in format.columns.values() {
            columns.push(match name.as_str() {
                "quantity" => column(name, "numeric", ((10 << 16) | 2) + 4),
                "year" => column(name, "int4", -1),
                _ => column(name, "text", -1),
            });
        }
        columns
    }

    fn planned(columns: &[Column], on_inexact: OnInexact) -> Result<LoadPlan> {
        let formats = Formats::built_in().unwrap();
        let header: Vec<&str> = formats.get(0).fields().collect();
        let layout = formats.layout(&header).unwrap();
        let table = Table::new("public", "t").unwrap();
        plan(&table, columns, &formats, &PerMember::same(layout, 1), on_inexact)
    }

    #[test]
    fn every_column_has_an_origin() {
        let plan = planned(&production(), OnInexact::Reject).unwrap();
        assert_eq!(plan.columns.len(), 22);
        let origins: Vec<_> = plan.rows[0].columns.iter().map(|c| c.origin).collect();
        assert_eq!(origins[..2], [Origin::RowId, Origin::Lookup]);
        assert!(origins[2..].iter().all(|o| matches!(o, Origin::Field(_))));
        assert!(plan.widened.is_empty());
    }

    #[test]
    fn widening_concerns_declared_precision_only() {
        let plan = planned(&production(), OnInexact::Widen).unwrap();
        assert_eq!(plan.widened.len(), 1);
        let money = ColumnType::Numeric(Some(NumericType { precision: 10, scale: 2 }));
        assert_eq!(plan.widened[0].kind, Some(money));
        assert!(plan.rows[0].columns.iter().any(|c| c.kind == ColumnType::Numeric(None)));
    }

    #[test]
    fn what_cannot_be_filled_is_named() {
        let error = |change: &dyn Fn(&mut Vec<Column>)| {
            let mut columns = production();
            change(&mut columns);
            planned(&columns, OnInexact::Reject).unwrap_err().to_string()
        };
        assert!(error(&|c| c.retain(|c| c.name.name() != "unit")).contains("no column \"unit\""));
        assert!(error(&|c| c[3] = column(c[3].name.name(), "jsonb", -1)).contains("cannot encode"));
        assert!(error(&|c| c[0] = column("id", "int8", -1)).contains("has to be uuid"));
        assert!(error(&|c| c[2].generated = true).contains("computed by the server"));
        let mut columns = production();
        columns.push(column("y", "jsonb", -1));
        let number = columns.iter_mut().find(|c| c.name.name() == "year").unwrap();
        number.identity = true;
        assert!(planned(&columns, OnInexact::Reject).is_ok());
    }
}
