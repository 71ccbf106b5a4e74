//! SQL text from `sql/`, with names filled in at run time.

use std::fmt::Display;

use super::{Ident, Table};

/// Text that may be put into SQL: only quoted names. Values are sent as parameters.
pub trait Quoted: Display + private::Sealed {}

impl Quoted for Ident {}
impl Quoted for Table {}
impl Quoted for Columns {}
impl Quoted for CatalogText {}
impl Quoted for SqlText {}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Ident {}
    impl Sealed for super::Table {}
    impl Sealed for super::Columns {}
    impl Sealed for super::CatalogText {}
    impl Sealed for super::SqlText {}
}

/// SQL text from the server's own catalog functions, such as the definition of an
/// index, or a literal made of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogText(String);

impl CatalogText {
    /// Text that `pg_get_indexdef`, `pg_get_constraintdef` or the like returned.
    #[must_use]
    pub fn from_catalog(text: impl Into<String>) -> Self {
        CatalogText(text.into())
    }

    /// An OID, as a literal.
    #[must_use]
    pub fn oid(oid: u32) -> Self {
        CatalogText(oid.to_string())
    }

    /// The position before the first row of a page, as a `tid` literal.
    #[must_use]
    pub fn tid(page: u32) -> Self {
        CatalogText(format!("'({page},0)'::pg_catalog.tid"))
    }
}

impl Display for CatalogText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a statement that is assembled from files in `sql/`; its names are already
/// quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlText(String);

impl SqlText {
    /// A quoted name, to be combined with other text.
    #[must_use]
    pub fn quoted(name: &dyn Quoted) -> Self {
        SqlText(name.to_string())
    }

    /// `template` with names filled in.
    #[must_use]
    pub fn filled(template: &str, names: &[(&str, &dyn Quoted)]) -> Self {
        SqlText(fill(template, names))
    }

    /// The placeholder of a parameter: `$2::integer[]`.
    #[must_use]
    pub fn parameter(number: usize, sql_type: &'static str) -> Self {
        SqlText(format!("${number}::{sql_type}"))
    }

    /// Several parts, separated by commas.
    #[must_use]
    pub fn list(parts: &[SqlText]) -> Self {
        SqlText(parts.iter().map(|part| part.0.as_str()).collect::<Vec<_>>().join(", "))
    }
}

impl Display for SqlText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A list of columns, displayed as `"a", "b"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(pub Vec<Ident>);

impl Display for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, column) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{column}")?;
        }
        Ok(())
    }
}

/// Replaces every `{key}` in `template` with its quoted name.
#[must_use]
pub fn fill(template: &str, names: &[(&str, &dyn Quoted)]) -> String {
    let mut sql = String::with_capacity(template.len() + 64);
    let mut rest = template;
    // One pass, so that a name that looks like a placeholder is not replaced.
    while let Some((before, after)) = rest.split_once('{') {
        sql.push_str(before);
        let found = after.split_once('}').and_then(|(key, tail)| {
            names.iter().find(|(name, _)| *name == key).map(|(_, name)| (name, tail))
        });
        match found {
            Some((name, tail)) => {
                sql.push_str(&name.to_string());
                rest = tail;
            }
            None => {
                sql.push('{');
                rest = after;
            }
        }
    }
    sql.push_str(rest);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_not_expanded_again() {
        let odd = Ident::new("{b}").unwrap();
        let table = Table::new("s", "t\"").unwrap();
        let columns = Columns(vec![odd.clone(), Ident::new("c").unwrap()]);
        let sql =
            fill("put {t} ({cols}) {x} '{}'", &[("t", &table), ("cols", &columns), ("b", &odd)]);
        assert_eq!(sql, "put \"s\".\"t\"\"\" (\"{b}\", \"c\") {x} '{}'");
    }
}
