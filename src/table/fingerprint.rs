//! The fingerprint of a table: everything that the catalog says about it and about
//! what depends on it, so that before and after can be compared.
//!
//! An entry says one thing under a key made of names, never of OIDs: the same thing
//! created again is the same entry. Rows, sizes and statistics are no part of it, nor is
//! what sterna itself adds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::pg::Session;

/// Finds what belongs to the table; each of [`PARTS`] describes some of it.
const SCOPE: &str = include_str!("../../sql/table/fingerprint/scope.sql");

/// One file for each source in the catalog, all of `(kind, key, definition)`.
const PARTS: [&str; 21] = [
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
];

/// One thing that the catalog says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// What sort of thing: `table`, `column`, `index`, `privilege` ...
    pub kind: String,
    /// Which one of its kind, by qualified and quoted names.
    pub key: String,
    /// What there is to say of it, usually a line for each property.
    pub definition: String,
}

/// What the catalog says about a table, as a set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(BTreeSet<Entry>);

/// Something that two fingerprints do not say alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// As [`Entry::kind`].
    pub kind: String,
    /// As [`Entry::key`].
    pub key: String,
    /// The earlier definition; none where the thing was not there.
    pub before: Option<String>,
    /// The later definition; none where the thing is gone.
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
/// Takes ACCESS SHARE on what the dependent views, rules and functions read.
///
/// # Errors
/// Where the table is gone, or the server fails.
pub async fn take(session: &Session, table_oid: u32) -> Result<Fingerprint> {
    take_beside(session, table_oid, &[]).await
}

/// As [`take`], without what belongs to `siblings`: the tables that sterna made beside
/// the table, which may refer to it or use its sequences.
///
/// # Errors
/// As [`take`].
pub async fn take_beside(
    session: &Session,
    table_oid: u32,
    siblings: &[u32],
) -> Result<Fingerprint> {
    let failed = |e| {
        Error::from(e)
            .context("could not take the table's fingerprint")
            .hint("try again when nobody else changes the schema")
    };
    let rows = session.query(&query(), &[&table_oid, &siblings]).await.map_err(failed)?;
    if rows.is_empty() {
        return Err(Error::refused(format!("the table with OID {table_oid} is gone"))
            .hint("another session has dropped or replaced it; see `sterna status`"));
    }
    let entries = rows.iter().map(|row| {
        // A name is NULL where the thing was dropped while the catalog was read.
        Ok(Entry { kind: row.try_get(0)?, key: row.try_get(1)?, definition: row.try_get(2)? })
    });
    let entries: Result<_, tokio_postgres::Error> = entries.collect();
    Ok(Fingerprint(entries.map_err(failed)?))
}

/// The query that takes a fingerprint: of the table `$1`, beside the tables `$2`.
pub(crate) fn query() -> String {
    format!("{SCOPE}{}", PARTS.join("UNION ALL\n"))
}

impl Entry {
    fn name(&self) -> (&str, &str) {
        (&self.kind, &self.key)
    }

    /// A difference about the same thing, which neither side has yet.
    fn absent(&self) -> Difference {
        Difference { kind: self.kind.clone(), key: self.key.clone(), before: None, after: None }
    }
}

impl Fingerprint {
    /// Everything it says, by kind and key.
    #[must_use]
    pub fn entries(&self) -> &BTreeSet<Entry> {
        &self.0
    }

    /// What `after` says otherwise, by kind and key.
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

    /// Less the indexes, columns and constraints, with their comments, that it has and an
    /// earlier one has not.
    #[must_use]
    pub(crate) fn without_additions_to(&self, before: &Fingerprint) -> Fingerprint {
        let added = |entry: &Entry| {
            matches!(entry.kind.as_str(), "index" | "column" | "constraint" | "comment")
                && !before.0.iter().any(|earlier| earlier.name() == entry.name())
        };
        Fingerprint(self.0.iter().filter(|entry| !added(entry)).cloned().collect())
    }

    /// The same, but materialized views that had rows in an earlier one have them.
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
                // With its length, so that text cannot move from one field to the next.
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
