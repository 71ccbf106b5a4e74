//! Sizes, where sterna cannot see disks: what a migration adds to the database, compared with
//! what a hosted server's plan allows.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::estimate;
use crate::pg::Connection;

/// What to do if the limit is too small.
pub(super) const HINT: &str = "free some space, or have the provider raise the limit; `sterna \
                               rehearse` measures the need";

/// The size of a database, and what a migration of a table adds to it. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// The database.
    database: u64,
    /// The table with its indexes. Staging will be as large.
    table: u64,
    /// The rows with their primary key, which the backup table holds; 0 if none is made.
    backup_table: u64,
}

impl Sizes {
    /// Reads the sizes of this database and of a table in it.
    ///
    /// # Errors
    /// If the server cannot be queried.
    pub async fn read(session: &Connection, oid: u32) -> Result<Self> {
        let sql = include_str!("../../sql/preflight/sizes.sql");
        let row = session.query_one(sql, &[&oid]).await?;
        let [database, table, backup_table] =
            [0, 1, 2].map(|at| row.get::<_, i64>(at).unsigned_abs());
        Ok(Sizes { database, table, backup_table })
    }

    /// The same for a migration that makes no backup table.
    #[must_use]
    pub fn without_backup_table(self) -> Self {
        Sizes { backup_table: 0, ..self }
    }

    /// What the migration adds: staging, the backup table, and as much WAL, which a server keeps
    /// until it is archived and replicated.
    fn needed(&self) -> u64 {
        self.table.saturating_add(self.backup_table).saturating_mul(2)
    }

    /// Whether the database and what is added stay within the limit.
    pub(super) fn fit(&self, limit: u64) -> bool {
        self.database.saturating_add(self.needed()) <= limit
    }

    /// The figures in words, with the limit if there is one.
    #[must_use]
    pub fn describe(&self, limit: Option<u64>) -> String {
        let shown = |bytes: u64| estimate::size(bytes as f64);
        let Sizes { database, table, backup_table } = *self;
        let needed = self.needed();
        let [in_all, wal] = [database.saturating_add(needed), needed / 2].map(shown);
        let text = format!(
            "the database takes {}, of which the table with its indexes {}; the migration adds \
             up to {} (staging {}, backup table {}, WAL {wal}), together {in_all}",
            shown(database),
            shown(table),
            shown(needed),
            shown(table),
            shown(backup_table),
        );
        match limit {
            Some(limit) => format!("{text}; the limit is {}", shown(limit)),
            None => text,
        }
    }
}

/// Refuses a migration of these sizes that would take the database above the limit, in bytes.
///
/// # Errors
/// Refused, with all figures.
pub fn refuse_above(sizes: Sizes, limit: u64) -> Result<()> {
    if sizes.fit(limit) {
        return Ok(());
    }
    let what = format!("too little space on the server: {}", sizes.describe(Some(limit)));
    Err(Error::refused(what).hint(format!("{HINT}; without --disk-limit nothing is compared")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes =
        Sizes { database: 1_500_000_000, table: 700_000_000, backup_table: 300_000_000 };

    #[test]
    fn the_database_and_what_is_added_must_stay_within_the_limit() {
        assert_eq!(SIZES.needed(), 2_000_000_000);
        assert!(SIZES.fit(3_500_000_000) && !SIZES.fit(3_499_999_999));
        assert!(SIZES.without_backup_table().fit(2_900_000_000));
        let huge = Sizes { table: u64::MAX / 2, ..SIZES };
        assert!(!huge.fit(u64::MAX - 1), "{huge:?}");
    }

    #[test]
    fn every_figure_is_named() {
        let text = SIZES.describe(Some(8_000_000_000));
        for part in [
            "database takes 1.5 GB",
            "indexes 700.0 MB",
            "up to 2.0 GB",
            "staging 700.0 MB",
            "backup table 300.0 MB",
            "WAL 1.0 GB",
            "together 3.5 GB",
            "limit is 8.0 GB",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!SIZES.describe(None).contains("limit"));
    }
}
