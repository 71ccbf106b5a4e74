//! Rehearsals that passed, in production's ledger.

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
    /// Of what: the input, and what decides about the rows, by topic.
    pub identity: Value,
    /// Digest of what production's catalog said of the table.
    pub fingerprint: String,
    /// The version of sterna.
    pub version: String,
    /// When, in UTC.
    pub at: String,
}

/// Whether a rehearsal speaks for a migration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Speaks {
    /// This one does.
    For(Passed),
    /// None does, and why not.
    Not(String),
}

/// Records a rehearsal that passed. The session is one that has the ledger.
///
/// # Errors
/// Where the ledger cannot be written.
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

/// Whether a rehearsal of the same input by the same sterna has passed, on what
/// production is now. The session is one that has the ledger.
///
/// # Errors
/// Where the ledger cannot be read.
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

/// The latest that speaks for it, or what speaks against the latest of all.
fn judge(mut passed: Vec<Passed>, identity: &Value, fingerprint: &str, version: &str) -> Speaks {
    let against = |one: &Passed| {
        if one.identity["input"] != identity["input"] {
            Some("was of another input")
        } else if one.identity != *identity {
            Some("was with other options")
        } else if one.version != version {
            Some("was by another version of sterna")
        } else if one.fingerprint != fingerprint {
            Some("was of another table: the catalog says otherwise now")
        } else {
            None
        }
    };
    if let Some(at) = passed.iter().position(|one| against(one).is_none()) {
        return Speaks::For(passed.swap_remove(at));
    }
    Speaks::Not(match passed.first() {
        None => "there was none that passed".to_owned(),
        Some(last) => format!("that of {} {}", last.at, against(last).unwrap_or_default()),
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
            // An earlier one that does is not undone by a later one that does not.
            assert_eq!(judged(vec![other, good.clone()]), Speaks::For(good.clone()));
        }
        assert_eq!(judged(Vec::new()), Speaks::Not("there was none that passed".into()));
    }
}
