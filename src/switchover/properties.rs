//! Properties of a table apart from its rows and structure that must not be on two tables at
//! the same time: privileges, triggers, foreign keys and the like. Each property is a query
//! that returns the statements to detach it and to attach it again.

use futures::future::try_join_all;

use crate::error::Result;
use crate::pg::Session;

/// Statements that move a property from one table to another of the same name.
#[derive(Clone, Debug, Default)]
pub(super) struct Property {
    /// Detaches it from the live table, by the name that the table still has.
    pub(super) detach: Vec<String>,
    /// Attaches it to the incoming table, by the name that the table then has.
    pub(super) attach: Vec<String>,
    /// Runs after the commit.
    pub(super) finish: Vec<String>,
}

/// The properties of a table, in the order in which they are detached and attached. Privileges
/// come last, when everything that restricts access is in place.
const OF_TABLE: [&str; 9] = [
    include_str!("../../sql/switchover/property/incoming-foreign-keys.sql"),
    include_str!("../../sql/switchover/property/outgoing-foreign-keys.sql"),
    include_str!("../../sql/switchover/property/publications.sql"),
    include_str!("../../sql/switchover/property/serials.sql"),
    include_str!("../../sql/switchover/property/rules.sql"),
    include_str!("../../sql/switchover/property/triggers.sql"),
    include_str!("../../sql/switchover/property/policies.sql"),
    include_str!("../../sql/switchover/property/row-security.sql"),
    include_str!("../../sql/switchover/property/privileges.sql"),
];

/// The properties of a view.
const OF_VIEW: [&str; 4] = [
    include_str!("../../sql/switchover/property/rules.sql"),
    include_str!("../../sql/switchover/property/triggers.sql"),
    include_str!("../../sql/switchover/property/comments.sql"),
    include_str!("../../sql/switchover/property/privileges.sql"),
];

/// Reads the properties of the live table and its partitions. Each kind comes for all of them
/// before the next, and for the table first: partitions have some of its properties.
pub(super) async fn of_tables(session: &Session, tables: &[u32]) -> Result<Property> {
    read(session, OF_TABLE.iter().flat_map(|sql| tables.iter().map(|oid| (*sql, *oid)))).await
}

/// Reads the properties of a view or materialized view that is created again.
pub(super) async fn of_view(session: &Session, oid: u32) -> Result<Property> {
    read(session, OF_VIEW.iter().map(|sql| (*sql, oid))).await
}

async fn read(
    session: &Session,
    queries: impl Iterator<Item = (&'static str, u32)>,
) -> Result<Property> {
    let answers = try_join_all(queries.map(async |(sql, oid)| session.query(sql, &[&oid]).await));
    let mut all = Property::default();
    for row in answers.await?.iter().flatten() {
        // Aggregates over nothing are NULL.
        all.detach.extend(row.get::<_, Option<Vec<String>>>(0).unwrap_or_default());
        all.attach.extend(row.get::<_, Option<Vec<String>>>(1).unwrap_or_default());
        if row
            .columns()
            .get(2)
            .is_some_and(|column| column.type_() == &tokio_postgres::types::Type::TEXT_ARRAY)
        {
            all.finish.extend(row.get::<_, Option<Vec<String>>>(2).unwrap_or_default());
        }
    }
    Ok(all)
}
