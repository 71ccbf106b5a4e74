//! The lists under `data/`, compiled into the program.
//!
//! They are the project's own files and have a simple format: a header, then one
//! entry per line, no quotes, no commas within a field, no blanks around a field
//! except those that belong to the value. Other files go through the CSV reader.

use std::str::FromStr;

use sterna_error::{Error, Result};

/// One embedded list: the name of its file, for messages, and its text.
pub(crate) struct List {
    name: &'static str,
    text: &'static str,
}

/// One entry of a list.
pub(crate) struct Entry {
    list: &'static str,
    line: usize,
    fields: Vec<&'static str>,
}

impl List {
    pub(crate) const fn new(name: &'static str, text: &'static str) -> Self {
        List { name, text }
    }

    /// The fields of the header.
    pub(crate) fn header(&self) -> Vec<&'static str> {
        self.text.lines().next().unwrap_or_default().split(',').collect()
    }

    /// The entries below the header.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.text.lines().enumerate().skip(1).map(|(line, text)| Entry {
            list: self.name,
            line: line + 1,
            fields: text.split(',').collect(),
        })
    }
}

impl Entry {
    /// The field at `column`; empty if the line is too short.
    pub(crate) fn text(&self, column: usize) -> &'static str {
        self.fields.get(column).copied().unwrap_or_default()
    }

    /// The field at `column` as a number.
    pub(crate) fn number<T: FromStr>(&self, column: usize) -> Result<T> {
        self.text(column).parse().map_err(|_| self.wrong(self.text(column), "number"))
    }

    /// The field at `column` as weighted values: `II:960 I:40`.
    pub(crate) fn weighted(&self, column: usize) -> Result<Vec<(&'static str, u64)>> {
        self.text(column)
            .split_whitespace()
            .map(|pair| {
                let (value, weight) =
                    pair.split_once(':').ok_or_else(|| self.wrong(pair, "weighted value"))?;
                let weight = weight.parse().map_err(|_| self.wrong(pair, "weighted value"))?;
                Ok((value, weight))
            })
            .collect()
    }

    /// Number of fields in the line.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// An error about a value of this entry.
    pub(crate) fn wrong(&self, value: &str, expected: &str) -> Error {
        Error::bad_file(
            format_args!("{}, line {}", self.list, self.line),
            format_args!("`{value}` is not a {expected}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: List = List::new("data/test.csv", "name,n,parts\na b ,3,I:1 II:20\nc,x,I\n");

    #[test]
    fn entries_keep_the_blanks_that_belong_to_a_value() {
        let first = LIST.entries().next().unwrap();
        assert_eq!(first.text(0), "a b ");
        assert_eq!(first.number::<u64>(1).unwrap(), 3);
        assert_eq!(first.weighted(2).unwrap(), [("I", 1), ("II", 20)]);
    }

    #[test]
    fn a_wrong_entry_names_its_list_and_line() {
        let second = LIST.entries().nth(1).unwrap();
        let error = second.number::<u64>(1).unwrap_err();
        assert_eq!(error.to_string(), "data/test.csv, line 3: `x` is not a number");
        assert!(second.weighted(2).is_err());
    }
}
