//! The fingerprint of a table: everything that the catalog says about the table and its
//! dependents, so that before and after can be compared.
//!
//! The key of an entry consists of names, never of OIDs, so an object that is dropped and
//! created again gives the same entry. Rows, sizes and statistics are not part of the
//! fingerprint, nor is anything that sterna itself adds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::pg::{Session, is_lost};

/// Finds the objects in scope; each of [`PARTS`] describes some of them.
const SCOPE: &str = include_str!("../../sql/table/fingerprint/scope.sql");

/// One query for each source in the catalog; all return `(kind, key, definition)`.
const PARTS: [&str; 22] = [
    include_str!("../../sql/table/fingerprint/relation.sql"),
    include_str!("../../sql/table/fingerprint/column.sql"),
    include_str!("../../sql/table/fingerprint/privilege.sql"),
    include_str!("../../sql/table/fingerprint/index.sql"),
    include_str!("../../sql/table/fingerprint/constraint.sql"),
    include_str!("../../sql/table/fingerprint/constraint-trigger.sql"),
    include_str!("../../sql/table/fingerprint/trigger.sql"),
    include_str!("../../sql/table/fingerprint/rule.sql"),
    include_str!("../../sql/table/fingerprint/policy.sql"),
    include_str!("../../sql/table/fingerprint/statistics.sql"),
    include_str!("../../sql/table/fingerprint/publication.sql"),
    include_str!("../../sql/table/fingerprint/subscription.sql"),
    include_str!("../../sql/table/fingerprint/inheritance.sql"),
    include_str!("../../sql/table/fingerprint/function.sql"),
    include_str!("../../sql/table/fingerprint/type.sql"),
    include_str!("../../sql/table/fingerprint/row-type-column.sql"),
    include_str!("../../sql/table/fingerprint/default.sql"),
    include_str!("../../sql/table/fingerprint/comment.sql"),
    include_str!("../../sql/table/fingerprint/security-label.sql"),
    include_str!("../../sql/table/fingerprint/extension.sql"),
    include_str!("../../sql/table/fingerprint/dependent.sql"),
    include_str!("../../sql/table/fingerprint/distribution.sql"),
];

/// One fact from the catalog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// The kind of object: `table`, `column`, `index`, `privilege` ...
    pub kind: String,
    /// The object, by qualified and quoted names.
    pub key: String,
    /// Its definition, usually one line for each property.
    pub definition: String,
}

/// Everything that the catalog says about a table, as a set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(BTreeSet<Entry>);

/// Whether a definition is that of an object which a partition has from its parent.
pub(crate) fn is_inherited(definition: &str) -> bool {
    let from_parent = ["inherited: ", "parent: "];
    definition.lines().any(|line| from_parent.iter().any(|name| line.starts_with(name)))
}

/// A difference between two fingerprints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// As [`Entry::kind`].
    pub kind: String,
    /// As [`Entry::key`].
    pub key: String,
    /// The earlier definition; `None` if the object did not exist.
    pub before: Option<String>,
    /// The later definition; `None` if the object is gone.
    pub after: Option<String>,
}

/// The kind, the key, and the lines that differ.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = |text: &'_ Option<String>| -> Vec<String> {
            text.iter().flat_map(|text| text.lines().map(str::to_owned)).collect()
        };
        let (before, after) = (lines(&self.before), lines(&self.after));
        let only = |these: &[String], those: &[String]| {
            let left: Vec<_> = these.iter().filter(|line| !those.contains(line)).cloned().collect();
            if left.is_empty() { "nothing".to_owned() } else { left.join(", ") }
        };
        let (gone, new) = (only(&before, &after), only(&after, &before));
        write!(f, "{} {}: {gone} -> {new}", self.kind, self.key)
    }
}

/// Takes the fingerprint of a table in one round trip, in a session or a transaction
/// whose `search_path` is empty.
///
/// Takes ACCESS SHARE locks on what the dependent views, rules and functions read.
///
/// # Errors
/// If the table is gone, or the server fails.
pub async fn take(session: &Session, table_oid: u32) -> Result<Fingerprint> {
    take_beside(session, table_oid, &[]).await
}

/// As [`take`], without the objects of `siblings`: tables that sterna created next to the
/// table, which may refer to it or use its sequences.
///
/// # Errors
/// As [`take`].
pub async fn take_beside(
    session: &Session,
    table_oid: u32,
    siblings: &[u32],
) -> Result<Fingerprint> {
    let failed = |e| {
        let error = Error::from(e).context("could not take the table's fingerprint");
        match is_lost(&error) {
            true => error,
            false => error.hint("try again when no other session is changing the schema"),
        }
    };
    let rows = session.query(&query(), &[&table_oid, &siblings]).await.map_err(failed)?;
    if rows.is_empty() {
        return Err(Error::refused(format!("the table with OID {table_oid} is gone"))
            .hint("another session has dropped or replaced it; see `sterna status`"));
    }
    let entries = rows.iter().map(|row| {
        // A name is NULL if the object was dropped while the catalog was read.
        Ok(Entry { kind: row.try_get(0)?, key: row.try_get(1)?, definition: row.try_get(2)? })
    });
    let entries: Result<_, tokio_postgres::Error> = entries.collect();
    Ok(Fingerprint(entries.map_err(failed)?))
}

/// The query that takes the fingerprint of the table `$1`, without the tables `$2`.
pub(crate) fn query() -> String {
    format!("{SCOPE}{}", PARTS.join("UNION ALL\n"))
}

impl Entry {
    fn name(&self) -> (&str, &str) {
        (&self.kind, &self.key)
    }

    /// A difference about the same object, with neither side filled in yet.
    fn absent(&self) -> Difference {
        Difference { kind: self.kind.clone(), key: self.key.clone(), before: None, after: None }
    }
}

impl Fingerprint {
    /// All entries, by kind and key.
    #[must_use]
    pub fn entries(&self) -> &BTreeSet<Entry> {
        &self.0
    }

    /// The differences between this fingerprint and a later one, by kind and key.
    #[must_use]
    pub fn differences(&self, after: &Fingerprint) -> Vec<Difference> {
        let mut found: BTreeMap<(&str, &str), Difference> = BTreeMap::new();
        for entry in self.0.difference(&after.0) {
            let difference = found.entry(entry.name()).or_insert_with(|| entry.absent());
            difference.before = Some(entry.definition.clone());
        }
        for entry in after.0.difference(&self.0) {
            let difference = found.entry(entry.name()).or_insert_with(|| entry.absent());
            difference.after = Some(entry.definition.clone());
        }
        found.into_values().collect()
    }

    /// Removes the indexes, columns, constraints and comments that an earlier fingerprint does
    /// not have.
    #[must_use]
    pub(crate) fn without_additions_to(&self, before: &Fingerprint) -> Fingerprint {
        // Of a partitioned table, what partitions have from it is left behind with it.
        let is_partitioned = |entry: &Entry| {
            entry.kind == "table"
                && entry.definition.lines().any(|l| l.starts_with("partitioned: "))
        };
        let is_whole = self.0.iter().any(is_partitioned);
        let added = |entry: &Entry| {
            matches!(entry.kind.as_str(), "index" | "column" | "constraint" | "comment")
                && (is_whole || !is_inherited(&entry.definition))
                && !before.0.iter().any(|earlier| earlier.name() == entry.name())
        };
        Fingerprint(self.0.iter().filter(|entry| !added(entry)).cloned().collect())
    }

    /// Marks those materialized views as populated that were so in an earlier fingerprint.
    #[must_use]
    pub(crate) fn populated_as(&self, before: &Fingerprint) -> Fingerprint {
        let populated = |entry: &Entry| {
            let definition = entry.definition.replace("populated: false", "populated: true");
            let populated = Entry { definition, ..entry.clone() };
            if before.0.contains(&populated) { populated } else { entry.clone() }
        };
        Fingerprint(self.0.iter().map(populated).collect())
    }

    /// SHA-256 over all entries, as 64 hexadecimal digits; equal fingerprints have
    /// equal digests.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for entry in &self.0 {
            for text in [&entry.kind, &entry.key, &entry.definition] {
                // The length keeps the boundaries of the fields distinct.
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(entries: &[(&str, &str, &str)]) -> Fingerprint {
        let entry = |(kind, key, definition): &(&str, &str, &str)| Entry {
            kind: (*kind).to_owned(),
            key: (*key).to_owned(),
            definition: (*definition).to_owned(),
        };
        Fingerprint(entries.iter().map(entry).collect())
    }

    #[test]
    fn what_changed_is_paired_and_what_came_or_went_is_not() {
        let before =
            fingerprint(&[("column", "a", "1"), ("column", "b", "1"), ("index", "i", "x")]);
        let after = fingerprint(&[("column", "a", "1"), ("column", "b", "2"), ("view", "i", "x")]);
        let found = before.differences(&after);
        let found: Vec<_> = found
            .iter()
            .map(|d| (d.kind.as_str(), d.key.as_str(), d.before.as_deref(), d.after.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("column", "b", Some("1"), Some("2")),
                ("index", "i", Some("x"), None),
                ("view", "i", None, Some("x")),
            ]
        );
        assert_eq!(before.differences(&before), []);
    }

    #[test]
    fn the_digest_tells_fields_apart() {
        let [one, other] = [[("a", "bc", "")], [("ab", "c", "")]].map(|e| fingerprint(&e));
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest(), one.clone().digest());
        assert_eq!(one.digest().len(), 64);
    }

    #[test]
    fn what_is_kept_in_the_ledger_comes_back_the_same() {
        let taken = fingerprint(&[("column", "public.t.\"odd \"\"name\"\"\"", "type: text\n")]);
        let json = serde_json::to_string(&taken).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), taken);
    }
}
