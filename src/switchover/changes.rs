//! What was changed on one of two tables since a switchover, and would not be on the other after
//! a rollback: partitions, columns, indexes, constraints.

use tokio_postgres::Row;

use super::Exchange;
use super::obstacle::Obstacle;
use super::record::SwitchoverRecord;
use crate::error::Result;
use crate::pg::{Connection, Table, Typed};
use crate::table::fingerprint::{self, Difference, Fingerprint};

/// Finds objects that were added to, dropped from or altered on the live table since the
/// switchover and not on the old one. What an exchange moves to the other table, such as
/// privileges and triggers, is not in the way.
pub(super) async fn find(
    session: &Connection,
    exchange: &Exchange,
    last: &SwitchoverRecord,
) -> Result<Vec<Obstacle>> {
    let (live, incoming) = (exchange.live, exchange.incoming);
    let name = include_str!("../../sql/switchover/obstacle/name.sql");
    let (beside_live, beside_old) = ([incoming], [live]);
    let inherited = include_str!("../../sql/switchover/obstacle/inherited.sql");
    let (old_table, suffix) = (exchange.incoming_table()?, exchange.incoming_suffix);
    let parameters: [&dyn Typed; 3] = [&live, &incoming, &suffix];
    let (now, old, names, inherited) = futures::join!(
        fingerprint::take_beside(session, live, &beside_live),
        fingerprint::take_beside(session, incoming, &beside_old),
        session.query(name, &[&live]),
        session.query(inherited, &parameters),
    );
    let (now, old, inherited) = (now?, old?, inherited?);
    let mut names: Vec<String> = names?.iter().map(|row| row.get(0)).collect();
    // Without it, the old table cannot be attached.
    let from_above = |Difference { kind, key, .. }: &Difference| {
        let is_this = |row: &&Row| row.get::<_, &str>(0) == kind && row.get::<_, &str>(1) == key;
        let row = inherited.iter().find(is_this)?;
        let sql = row.get::<_, Option<&str>>(2).map(|sql| format!(" (`{sql}`)"));
        Some(format!(
            "it was added to the partitioned table since the switchover, so it cannot be left \
             behind: create the same on {old_table}{}, or drop it from the partitioned table",
            sql.unwrap_or_default()
        ))
    };
    let differences = last.fingerprint.differences(&now);
    let mut found = partitions(&exchange.table, &last.fingerprint, &now, &differences);
    // What belongs to these comes and goes with them.
    names.retain(|name| !found.iter().any(|obstacle| obstacle.object == *name));
    let as_live = |text: &str| without_suffix(text, exchange.incoming_suffix);
    // What was done to both tables is not in the way.
    let differs = |difference: &Difference| {
        let mut entries = old.entries().iter();
        let same = entries
            .find(|entry| entry.kind == difference.kind && as_live(&entry.key) == difference.key);
        let there = same.map(|entry| as_live(&entry.definition));
        stays(&there) != stays(&difference.after)
    };
    let own = differences
        .iter()
        .filter(|d| !last.exceptions.contains(d) && is_own(d, &names) && differs(d));
    let obstacle = |difference: &Difference| {
        let kind = match difference.kind.as_str() {
            "index" => "index",
            "column" => "column",
            _ => "constraint",
        };
        let what = match (&difference.before, &difference.after) {
            (None, _) => "it was added to the live table since the switchover",
            (_, None) => "it was dropped from the live table since the switchover",
            _ => "it was altered since the switchover",
        };
        let addition = difference.before.is_none();
        if addition && let Some(detail) = from_above(difference) {
            return Obstacle::new(kind, &difference.key, detail);
        }
        let or = if addition { ", or leave it behind with --leave-additions" } else { "" };
        let detail = format!("{what}: do the same to the old one as well, or undo it{or}");
        Obstacle { addition, ..Obstacle::new(kind, &difference.key, detail) }
    };
    found.extend(own.map(obstacle));
    Ok(found)
}

/// Finds partitions that were added or removed since the switchover.
fn partitions(
    table: &Table,
    before: &Fingerprint,
    now: &Fingerprint,
    differences: &[Difference],
) -> Vec<Obstacle> {
    let above = |of: &Fingerprint, name: &str| {
        let place = |key: &str| key.strip_prefix(&format!("{name} from ")).map(str::to_owned);
        let mut places = of.entries().iter().filter(|entry| entry.kind == "inheritance");
        places.find_map(|entry| place(&entry.key))
    };
    let obstacle = |difference: &Difference| {
        let name = &difference.key;
        let detail = match (&difference.before, &difference.after) {
            (None, Some(_)) => {
                let above = above(now, name)?;
                format!(
                    "it was added since the switchover, and the old table has none like it: detach \
                     it (`ALTER TABLE {above} DETACH PARTITION {name}`), roll back, and attach it \
                     again"
                )
            }
            (Some(definition), None) => {
                let above = above(before, name)?;
                let bound = definition.lines().find_map(|line| line.strip_prefix("partition: "));
                format!(
                    "it was detached or dropped since the switchover: attach it again (`ALTER TABLE \
                     {above} ATTACH PARTITION {name} {}`); if it was dropped, restore the backup of \
                     {table} instead",
                    bound.unwrap_or_default()
                )
            }
            _ => return None,
        };
        Some(Obstacle::new("partition", name, detail))
    };
    differences.iter().filter(|d| d.kind == "table").filter_map(obstacle).collect()
}

/// Whether a difference is about the table itself or a partition of it, and about something that
/// stays with it.
fn is_own(difference: &Difference, tables: &[String]) -> bool {
    let is_about = |table: &String| {
        let said = |text: &Option<String>| {
            let on = [format!(" ON {table} "), format!(" ON ONLY {table} ")];
            text.as_ref().is_some_and(|text| on.iter().any(|on| text.contains(on)))
        };
        match difference.kind.as_str() {
            "index" => said(&difference.before) || said(&difference.after),
            "constraint" => difference.key.ends_with(&format!(" on {table}")),
            "column" => {
                difference.key.starts_with(&format!("{table}."))
                    && stays(&difference.before) != stays(&difference.after)
            }
            _ => false,
        }
    };
    tables.iter().any(is_about)
}

/// Removes a suffix from the names in a text.
fn without_suffix(text: &str, suffix: &str) -> String {
    let mut parts = text.split(suffix);
    let mut shorter = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if part.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            shorter.push_str(suffix);
        }
        shorter.push_str(part);
    }
    shorter
}

/// The lines of a definition, without the properties that are made equal before an exchange, and
/// those that a partition has from its parent.
fn stays(definition: &Option<String>) -> Option<Vec<&str>> {
    const EQUALLED: [&str; 6] = [
        "storage: ",
        "compression: ",
        "statistics target: ",
        "options: ",
        "inherited: ",
        "parent: ",
    ];
    let lines = definition.as_ref()?.lines();
    Some(lines.filter(|line| !EQUALLED.iter().any(|name| line.starts_with(name))).collect())
}
