//! What a rehearsal needs to know about production. It is only read, except that the ledger
//! is created if it is missing.

use crate::error::Result;
use crate::ledger;
use crate::pg::{Connection, Table, catalog};
use crate::table::fingerprint::{self, Difference, Fingerprint};

/// A restore changes how the server spells a condition on `varchar` columns, but only in
/// brackets and casts.
const REWRITTEN: [&str; 6] = ["(", ")", "[", "]", "::character varying", "::text"];

/// The original database and table.
#[derive(Clone, Debug)]
pub struct Production {
    /// The table to replace.
    pub table: Table,
    /// The database's name.
    pub database: String,
    /// The connected role, which also runs the plan on the copy.
    pub role: String,
    /// The server's version, as it reports it.
    pub server_version: String,
    /// Its major version.
    pub major: u32,
    /// Size of the table with its indexes, in bytes.
    pub bytes: u64,
    /// The same of the whole partitioned table, if it is a partition.
    pub whole_bytes: u64,
    /// Size of the database, in bytes.
    pub database_bytes: u64,
    /// The table's catalog entries.
    pub fingerprint: Fingerprint,
    /// Free bytes on its disks, if that can be seen from here.
    pub free_bytes: Option<u64>,
    /// Tables that sterna created or left beside it.
    pub(super) own: Vec<Table>,
    /// Each role that a dump names, and the statement that creates it.
    pub(super) roles: Vec<(String, String)>,
    /// Statements that give these roles their memberships and rights on the database.
    pub(super) rights: Vec<String>,
}

impl Production {
    /// Reads it through `session`.
    ///
    /// # Errors
    /// If the table is missing or of a kind that cannot be replaced, or the ledger cannot be
    /// created.
    pub async fn look(session: &mut Connection, table: &Table) -> Result<Self> {
        session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
        let oid = catalog::replaceable(session, table).await?.oid;
        ledger::ensure(session).await?;
        let own = include_str!("../../sql/rehearse/own-tables.sql");
        let own = session.query(own, &[&oid]).await?;
        let oids: Vec<u32> = own.iter().map(|row| row.get(0)).collect();
        let tables = own.iter().map(|row| Table::new(row.get::<_, &str>(1), row.get::<_, &str>(2)));
        let asked = include_str!("../../sql/rehearse/production.sql");
        let asked = session.query_one(asked, &[&oid]).await?;
        let role: String = asked.get(1);
        let roles = include_str!("../../sql/rehearse/roles.sql");
        let roles = session.query(roles, &[&role]).await?;
        let roles: Vec<(String, String)> =
            roles.iter().map(|row| (row.get(0), row.get(1))).collect();
        let names: Vec<&str> = roles.iter().map(|(name, _)| name.as_str()).collect();
        let rights = include_str!("../../sql/rehearse/rights.sql");
        let rights = session.query(rights, &[&names, &role]).await?;
        Ok(Production {
            table: table.clone(),
            database: asked.get(0),
            role,
            server_version: asked.get(2),
            major: u32::try_from(asked.get::<_, i32>(3)).unwrap_or_default(),
            bytes: asked.get::<_, i64>(4).unsigned_abs(),
            whole_bytes: asked.get::<_, i64>(5).unsigned_abs(),
            database_bytes: asked.get::<_, i64>(6).unsigned_abs(),
            fingerprint: fingerprint::take_beside(session, oid, &oids).await?,
            free_bytes: crate::preflight::free_bytes(session, oid).await?,
            own: tables.collect::<Result<_>>()?,
            roles,
            rights: rights.iter().map(|row| row.get(0)).collect(),
        })
    }

    /// Compares the catalog entries with those of a copy, ignoring what a restore always
    /// rewrites. What no dump holds is listed separately.
    #[must_use]
    pub fn compare(&self, copy: &Fingerprint) -> Compared {
        let found = self.fingerprint.differences(copy).into_iter();
        let found = found.filter(|difference| match (&difference.before, &difference.after) {
            (Some(before), Some(after)) => rewritten(before) != rewritten(after),
            _ => true,
        });
        let (unsaved, differences) = found.partition(|difference| {
            is_unsaved(difference) || self.is_comment_of_inherited(difference)
        });
        Compared { differences, unsaved }
    }

    /// Whether pg_dump does not save it: a comment on a constraint that a partition has from the
    /// table above.
    fn is_comment_of_inherited(&self, difference: &Difference) -> bool {
        let is_lost = difference.kind == "comment" && difference.after.is_none();
        let Some(key) = difference.key.strip_prefix("table constraint ") else { return false };
        let mut entries = self.fingerprint.entries().iter();
        is_lost && entries.any(|one| one.key == key && one.definition.contains("\ninherited: "))
    }
}

/// The differences between two catalogs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Differences that mean that the copy does not match.
    pub differences: Vec<Difference>,
    /// What pg_dump does not save.
    pub unsaved: Vec<Difference>,
}

/// Whether pg_dump does not save it: comments, rights and labels on a table's row type.
fn is_unsaved(difference: &Difference) -> bool {
    let of_type = difference.key.starts_with("type ");
    of_type && matches!(difference.kind.as_str(), "comment" | "privilege" | "security label")
}

/// A definition without the parts that a restore may change.
fn rewritten(definition: &str) -> String {
    REWRITTEN.iter().fold(definition.to_owned(), |text, spelling| text.replace(spelling, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_may_rewrite_casts_and_brackets_and_no_more() {
        let before = "CHECK (((code)::text = ANY ((ARRAY['I'::character varying, \
            'II'::character varying])::text[])))";
        let after = "CHECK (((code)::text = ANY (ARRAY[('I'::character varying)::text, \
            ('II'::character varying)::text])))";
        assert_eq!(rewritten(before), rewritten(after));
        assert_ne!(rewritten(before), rewritten(&after.replace("II", "III")));
    }
}
