//! What a table has beside its rows and structure, and what must not be on two tables
//! at a time: who may do what with it, what fires on it, who refers to it. Each
//! property is a query that says how to take it off and how to put it on again.

use futures::future::try_join_all;

use crate::error::Result;
use crate::pg::Session;

/// Statements that move a property from one table to another of the same name.
#[derive(Clone, Debug, Default)]
pub(super) struct Property {
    /// Takes it off the live table, by the name that it still has.
    pub(super) detach: Vec<String>,
    /// Puts it on the incoming table, by the name that it then has.
    pub(super) attach: Vec<String>,
    /// Can wait until after the commit.
    pub(super) finish: Vec<String>,
}

/// In the order in which they are taken off, and put on. Who may read comes last,
/// when everything that limits it is there.
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

/// What a view has beside its query.
const OF_VIEW: [&str; 4] = [
    include_str!("../../sql/switchover/property/rules.sql"),
    include_str!("../../sql/switchover/property/triggers.sql"),
    include_str!("../../sql/switchover/property/comments.sql"),
    include_str!("../../sql/switchover/property/privileges.sql"),
];

/// The properties of the live table.
pub(super) async fn of_table(session: &Session, oid: u32) -> Result<Property> {
    read(session, &OF_TABLE, oid).await
}

/// The properties of a view or materialized view that is created again.
pub(super) async fn of_view(session: &Session, oid: u32) -> Result<Property> {
    read(session, &OF_VIEW, oid).await
}

async fn read(session: &Session, queries: &[&str], oid: u32) -> Result<Property> {
    let answers = try_join_all(queries.iter().map(async |sql| session.query(sql, &[&oid]).await));
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
