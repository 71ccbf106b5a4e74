//! The two tables that a switchover or its rollback exchanges.

use crate::error::Result;
use crate::pg::{Ident, Table};
use crate::table::staging;

/// An exchange of two tables: the live one leaves, the incoming one takes over its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The name that the application uses.
    pub table: Table,
    /// OID of the table that has this name now.
    pub live: u32,
    /// OID of the table that takes it over.
    pub incoming: u32,
    /// Current suffix of the incoming table's name and of the names of its objects.
    pub incoming_suffix: &'static str,
    /// Future suffix of the leaving table's name and of the names of its objects.
    pub leaving_suffix: &'static str,
    /// Whether the leaving table keeps what was added to it and the incoming one lacks.
    pub leaves_additions: bool,
}

impl Exchange {
    /// A switchover: the staging table takes the live table's place.
    #[must_use]
    pub fn forwards(table: Table, live: u32, staging: u32) -> Self {
        let (incoming_suffix, leaving_suffix) = (staging::SUFFIX, staging::OLD_SUFFIX);
        Exchange {
            table,
            live,
            incoming: staging,
            incoming_suffix,
            leaving_suffix,
            leaves_additions: false,
        }
    }

    /// A rollback: the old table becomes live, and the new one is the staging table again.
    #[must_use]
    pub fn backwards(table: Table, live: u32, old: u32) -> Self {
        let (incoming_suffix, leaving_suffix) = (staging::OLD_SUFFIX, staging::SUFFIX);
        Exchange {
            table,
            live,
            incoming: old,
            incoming_suffix,
            leaving_suffix,
            leaves_additions: false,
        }
    }

    /// The incoming table's current name.
    ///
    /// # Errors
    /// If the name would be truncated.
    pub fn incoming_table(&self) -> Result<Table> {
        self.table.with_suffix(self.incoming_suffix)
    }

    /// The leaving table's future name.
    ///
    /// # Errors
    /// If the name would be truncated.
    pub fn leaving_table(&self) -> Result<Table> {
        self.table.with_suffix(self.leaving_suffix)
    }

    /// The current name of the incoming table's object whose final name is `name`.
    pub(super) fn incoming_name(&self, name: &Ident) -> Result<Ident> {
        staging::attached_name(name.name(), self.incoming_suffix)
    }

    /// The future name of the live table's object that is called `name` now.
    pub(super) fn leaving_name(&self, name: &Ident) -> Result<Ident> {
        staging::attached_name(name.name(), self.leaving_suffix)
    }
}
