//! What a rehearsal has to know of production. It is asked, and nothing is written but
//! the ledger where it is missing.

use crate::error::Result;
use crate::ledger;
use crate::pg::{Connection, Table, catalog};
use crate::table::fingerprint::{self, Difference, Fingerprint};

/// How the server spells a condition on `varchar` columns differs before and after
/// a restore, in brackets and casts alone.
const REWRITTEN: [&str; 6] = ["(", ")", "[", "]", "::character varying", "::text"];

/// The original.
#[derive(Clone, Debug)]
pub struct Production {
    /// The table that is to be replaced.
    pub table: Table,
    /// The database's name.
    pub database: String,
    /// The role that asks, and runs the plan on the copy as well.
    pub role: String,
    /// The server's version, as it says itself.
    pub server_version: String,
    /// Its major version.
    pub major: u32,
    /// Size of the table with its indexes, in bytes.
    pub bytes: u64,
    /// What the catalog says of the table.
    pub fingerprint: Fingerprint,
    /// What is free on its disks, in bytes, where that can be seen from here.
    pub free_bytes: Option<u64>,
    /// Tables that sterna has made or left beside it.
    pub(super) own: Vec<Table>,
    /// Each role that a dump names, and the statement that makes it.
    pub(super) roles: Vec<(String, String)>,
    /// Statements that give these roles their memberships and rights on the database.
    pub(super) rights: Vec<String>,
}

impl Production {
    /// Looks at it.
    ///
    /// # Errors
    /// Where the table is missing or no plain table, or the ledger cannot be made.
    pub async fn look(session: &mut Connection, table: &Table) -> Result<Self> {
        session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
        let oid = catalog::plain_table(session, table).await?.oid;
        ledger::ensure(session).await?;
        let own = include_str!("../../sql/rehearse/own-tables.sql");
        let own = session.query(own, &[&oid]).await?;
        let oids: Vec<u32> = own.iter().map(|row| row.get(0)).collect();
        let tables = own.iter().map(|row| Table::new(row.get::<_, &str>(1), row.get::<_, &str>(2)));
        let asked = include_str!("../../sql/rehearse/production.sql");
        let asked = session.query_one(asked, &[&oid, &oids]).await?;
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
            fingerprint: fingerprint::take_beside(session, oid, &oids).await?,
            free_bytes: crate::preflight::free_bytes(session, oid).await?,
            own: tables.collect::<Result<_>>()?,
            roles,
            rights: rights.iter().map(|row| row.get(0)).collect(),
        })
    }

    /// What the catalog of a copy says otherwise, but for what a restore always rewrites.
    /// What no dump holds is told apart.
    #[must_use]
    pub fn compare(&self, copy: &Fingerprint) -> Compared {
        let found = self.fingerprint.differences(copy).into_iter();
        let found = found.filter(|difference| match (&difference.before, &difference.after) {
            (Some(before), Some(after)) => rewritten(before) != rewritten(after),
            _ => true,
        });
        let (unsaved, differences) = found.partition(is_unsaved);
        Compared { differences, unsaved }
    }
}

/// What two catalogs do not say alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What means that they are not of the same thing.
    pub differences: Vec<Difference>,
    /// What pg_dump does not save.
    pub unsaved: Vec<Difference>,
}

/// Comments on and rights to the row type of a table are not saved by pg_dump.
fn is_unsaved(difference: &Difference) -> bool {
    let of_type = difference.key.starts_with("type ");
    of_type && matches!(difference.kind.as_str(), "comment" | "privilege" | "security label")
}

/// A definition without what a restore may change in it, and nothing else.
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
