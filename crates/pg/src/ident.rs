//! Quoted identifiers: the only way for a name to enter SQL text.

use std::fmt;

use sterna_error::{Error, Result};

/// PostgreSQL truncates longer names silently (`NAMEDATALEN` - 1), so they are refused.
pub const MAX_NAME_BYTES: usize = 63;

/// An SQL identifier. `Display` always quotes it: `weird"name` shows as `"weird""name"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(String);

impl Ident {
    /// Accepts any name of 1 to 63 bytes without a NUL.
    ///
    /// # Errors
    /// A usage error that says what is wrong with the name.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.contains('\0') {
            return Err(Error::usage(format!("{name:?} is not a name that PostgreSQL accepts")));
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(Error::usage(format!(
                "the name {name:?} has {} bytes; PostgreSQL would cut it to {MAX_NAME_BYTES}",
                name.len()
            )));
        }
        Ok(Ident(name))
    }

    /// The bare name, for parameters and messages; never for SQL text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A relation's schema and name; displays as `"schema"."name"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// The schema; names never depend on `search_path`.
    pub schema: Ident,
    /// The relation's name.
    pub name: Ident,
}

impl Table {
    /// A table from the bare names of its schema and itself.
    ///
    /// # Errors
    /// As [`Ident::new`].
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Result<Self> {
        Ok(Table { schema: Ident::new(schema)?, name: Ident::new(name)? })
    }

    /// The relation `<name><suffix>` in the same schema.
    ///
    /// # Errors
    /// Refused if the longer name would be truncated: it could be another table's name.
    pub fn with_suffix(&self, suffix: &str) -> Result<Self> {
        Self::new(self.schema.name(), format!("{}{suffix}", self.name.name()))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(Ident::new("a\"b").unwrap().to_string(), "\"a\"\"b\"");
        assert_eq!(Table::new("public", "t").unwrap().to_string(), "\"public\".\"t\"");
    }

    #[test]
    fn a_name_that_would_be_cut_is_refused() {
        assert!(Ident::new("x".repeat(63)).is_ok());
        assert!(Ident::new("x".repeat(64)).is_err());
        assert!(Table::new("public", "x".repeat(60)).unwrap().with_suffix("_staging").is_err());
        assert!(Ident::new("").is_err());
    }
}
