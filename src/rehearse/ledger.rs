//! Passed rehearsals in production's ledger.

use serde_json::Value;
use uuid::Uuid;

use super::RehearsalReport;
use crate::error::{Error, Kind, Result};
use crate::pg::{Connection, Table};

/// A rehearsal that passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// Its id.
    pub rehearsal_id: Uuid,
    /// What was rehearsed: the input and the options that decide which rows result, by topic.
    pub identity: Value,
    /// Digest of the table's catalog entries on production.
    pub fingerprint: String,
    /// The version of sterna.
    pub version: String,
    /// When it passed, in UTC.
    pub at: String,
}

/// Whether a passed rehearsal covers a migration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Speaks {
    /// This one does.
    For(Passed),
    /// None does, and why.
    Not(String),
}

/// Records a passed rehearsal. The session must have opened the ledger.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn record(
    session: &Connection,
    table: &Table,
    identity: &Value,
    report: &RehearsalReport,
) -> Result<()> {
    let json = serde_json::to_value(report);
    let json = json.map_err(|e| Error::new(Kind::File, "no JSON").caused_by(e))?;
    let (schema, name) = (table.schema.name(), table.name.name());
    let (fingerprint, version) = (&report.fingerprint, env!("CARGO_PKG_VERSION"));
    let sql = include_str!("../../sql/rehearse/record.sql");
    let id = report.rehearsal_id;
    session.execute(sql, &[&id, &schema, &name, identity, fingerprint, &version, &json]).await?;
    Ok(())
}

/// Whether a rehearsal of the same migration has passed, with the same version of sterna and
/// production as it is now. The session must have opened the ledger.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn passed(
    session: &Connection,
    table: &Table,
    identity: &Value,
    fingerprint: &str,
) -> Result<Speaks> {
    let (schema, name) = (table.schema.name(), table.name.name());
    let sql = include_str!("../../sql/rehearse/passed.sql");
    let rows = session.query(sql, &[&schema, &name]).await?;
    let passed = rows.iter().map(|row| Passed {
        rehearsal_id: row.get(0),
        identity: row.get(1),
        fingerprint: row.get(2),
        version: row.get(3),
        at: row.get(4),
    });
    Ok(judge(passed.collect(), identity, fingerprint, env!("CARGO_PKG_VERSION")))
}

/// The latest rehearsal that covers the migration, or why the latest of all does not.
fn judge(mut passed: Vec<Passed>, identity: &Value, fingerprint: &str, version: &str) -> Speaks {
    let against = |one: &Passed| {
        if one.identity["input"] != identity["input"] {
            Some("had another input")
        } else if one.identity != *identity {
            Some("had other options")
        } else if one.version != version {
            Some("was run by another version of sterna")
        } else if one.fingerprint != fingerprint {
            Some("had another table: the catalog has changed since")
        } else {
            None
        }
    };
    if let Some(at) = passed.iter().position(|one| against(one).is_none()) {
        return Speaks::For(passed.swap_remove(at));
    }
    Speaks::Not(match passed.first() {
        None => "there was none that passed".to_owned(),
        Some(last) => format!("the one of {} {}", last.at, against(last).unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rehearsed(input: &str, options: &str, fingerprint: &str, version: &str) -> Passed {
        Passed {
            rehearsal_id: Uuid::nil(),
            identity: json!({"input": [input], "options": options}),
            fingerprint: fingerprint.into(),
            version: version.into(),
            at: "2026-01-02T03:04:05Z".into(),
        }
    }

    #[test]
    fn only_the_same_thing_speaks_for_a_migration() {
        let now = json!({"input": ["a"], "options": "o"});
        let judged = |passed: Vec<Passed>| judge(passed, &now, "f", "1");
        let good = rehearsed("a", "o", "f", "1");
        assert_eq!(judged(vec![good.clone()]), Speaks::For(good.clone()));
        let not = |passed: &Passed| match judged(vec![passed.clone()]) {
            Speaks::Not(why) => why,
            Speaks::For(_) => panic!("{passed:?} does not speak for it"),
        };
        for (other, why) in [
            (rehearsed("b", "o", "f", "1"), "another input"),
            (rehearsed("a", "p", "f", "1"), "other options"),
            (rehearsed("a", "o", "g", "1"), "another table"),
            (rehearsed("a", "o", "f", "2"), "another version"),
        ] {
            assert!(not(&other).contains(why), "{}", not(&other));
            // A later one that does not count leaves an earlier one valid.
            assert_eq!(judged(vec![other, good.clone()]), Speaks::For(good.clone()));
        }
        assert_eq!(judged(Vec::new()), Speaks::Not("there was none that passed".into()));
    }
}
