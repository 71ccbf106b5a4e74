//! Which two tables change places.

use crate::error::Result;
use crate::pg::{Ident, Table};
use crate::table::staging;

/// Two tables that change places: the live one leaves, the incoming one gets its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The name that the application knows.
    pub table: Table,
    /// OID of the table that bears it now.
    pub live: u32,
    /// OID of the table that is to bear it.
    pub incoming: u32,
    /// What the names of the incoming table and its own end in now.
    pub incoming_suffix: &'static str,
    /// What the names of the leaving table and its own will end in.
    pub leaving_suffix: &'static str,
    /// Whether what the leaving table was given and the incoming one lacks stays with it.
    pub leaves_additions: bool,
}

impl Exchange {
    /// Staging takes the table's place.
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

    /// The old table takes its place back, and the new one is staging again.
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

    /// The incoming table's present name.
    ///
    /// # Errors
    /// Where it would be cut.
    pub fn incoming_table(&self) -> Result<Table> {
        self.table.with_suffix(self.incoming_suffix)
    }

    /// The leaving table's future name.
    ///
    /// # Errors
    /// Where it would be cut.
    pub fn leaving_table(&self) -> Result<Table> {
        self.table.with_suffix(self.leaving_suffix)
    }

    /// The name of something of the incoming table's own whose final name is `name`.
    pub(super) fn incoming_name(&self, name: &Ident) -> Result<Ident> {
        staging::attached_name(name.name(), self.incoming_suffix)
    }

    /// The name that something of the live table's own will bear.
    pub(super) fn leaving_name(&self, name: &Ident) -> Result<Ident> {
        staging::attached_name(name.name(), self.leaving_suffix)
    }
}
