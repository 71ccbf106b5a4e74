//! The query plans on both tables and their shapes.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use tokio_postgres::error::SqlState;

use super::report::QueryPlan;
use super::trial::{State, Trial};
use crate::error::Result;
use crate::pg::{Connection, Typed, interruptible};
use crate::table::staging::{Pair, SUFFIX};

/// Records the plans of every query for its first parameters.
///
/// # Errors
/// A query's own, with its file.
pub(super) async fn explain(
    session: &Connection,
    trials: &mut [Trial],
    pair: &Pair,
    stop: &AtomicBool,
) -> Result<()> {
    for trial in trials.iter_mut().filter(|trial| trial.state == State::Open) {
        let values: Vec<&dyn Typed> = trial.draws[0].iter().map(|value| value as _).collect();
        let statements = &trial.statements;
        let production = statements.production.iter().map(|(_, sql)| (sql, false));
        for (sql, is_staging) in production.chain([(&statements.staging.1, true)]) {
            let sql = format!("{}{sql}", include_str!("../../sql/bench/run/explain.sql"));
            let row = async { session.query_one(&sql, &values).await };
            let row = match interruptible(session, stop, row).await {
                Ok(row) => row,
                Err(e) if e.sqlstate() == Some(SqlState::QUERY_CANCELED.code()) => continue,
                Err(error) => return Err(error.context(&trial.query.origin)),
            };
            let plan = of(row.get(0), is_staging.then_some(pair));
            *(if is_staging { &mut trial.plans.staging } else { &mut trial.plans.production }) =
                Some(plan);
        }
    }
    Ok(())
}

/// Reads the server's JSON; the names of `staging` are replaced by production's.
fn of(explain: Value, staging: Option<&Pair>) -> QueryPlan {
    let root = &explain[0]["Plan"];
    let pages = |what| root[what].as_u64().unwrap_or_default();
    QueryPlan {
        shape: lines(root, 0, &|line, node| name(line, node, staging)),
        shared_hit: pages("Shared Hit Blocks"),
        shared_read: pages("Shared Read Blocks"),
        explain,
    }
}

/// Adds to the line of a node what it works on.
type Naming<'a> = &'a dyn Fn(&mut String, &Value);

/// A line per node: its type, how it works, on which relation.
fn lines(node: &Value, depth: usize, naming: Naming<'_>) -> Vec<String> {
    let text = |key: &str| node[key].as_str();
    let kind = text("Node Type").unwrap_or("?");
    let mut line = format!("{}{kind}", "  ".repeat(depth));
    for how in ["Strategy", "Partial Mode", "Join Type"] {
        if let Some(how) = text(how).filter(|how| !matches!(*how, "Plain" | "Simple" | "Inner")) {
            line.push_str(&format!(" {}", how.to_lowercase()));
        }
    }
    if text("Scan Direction") == Some("Backward") {
        line.push_str(" backward");
    }
    naming(&mut line, node);
    let mut lines_of_all = vec![line];
    let children = node["Plans"].as_array().into_iter().flatten();
    if matches!(kind, "Append" | "Merge Append") {
        lines_of_all.extend(alike(children, depth + 1, naming));
    } else {
        lines_of_all.extend(children.flat_map(|child| lines(child, depth + 1, naming)));
    }
    lines_of_all
}

/// The lines of nodes such as those of partitions, whose order depends on small differences in
/// cost: those that do the same on several relations become one.
fn alike<'a>(
    nodes: impl Iterator<Item = &'a Value>,
    depth: usize,
    naming: Naming<'_>,
) -> Vec<String> {
    let mut groups: BTreeMap<Vec<String>, Vec<&Value>> = BTreeMap::new();
    for node in nodes {
        groups.entry(lines(node, depth, &|_, _| {})).or_default().push(node);
    }
    let shown = groups.into_iter().flat_map(|(mut unnamed, nodes)| match nodes[..] {
        [only] => lines(only, depth, naming),
        _ => {
            unnamed[0].push_str(&format!(" ({} times)", nodes.len()));
            unnamed
        }
    });
    shown.collect()
}

/// Adds the index and the relation of a node.
fn name(line: &mut String, node: &Value, staging: Option<&Pair>) {
    let text = |key: &str| node[key].as_str();
    if let Some(index) = text("Index Name") {
        let cut = match staging {
            None => index.to_owned(),
            // The server names the indexes of partitions after these.
            Some(pair) if pair.partitioned => index.replacen(SUFFIX, "", 1),
            Some(_) => index.strip_suffix(SUFFIX).unwrap_or(index).to_owned(),
        };
        line.push_str(&format!(" using {cut}"));
    }
    if let Some(relation) = text("Relation Name") {
        let is_own = |pair: &Pair| pair.partitioned || relation == pair.staging.name.name();
        let cut = staging.filter(|pair| is_own(pair)).and_then(|_| relation.strip_suffix(SUFFIX));
        line.push_str(&format!(" on {}", cut.unwrap_or(relation)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pg::{Distribution, Table};

    #[test]
    fn staging_has_the_shape_of_production_under_its_own_names() {
        let document = |table: &str, index: &str| {
            json!([{"Plan": {
                "Node Type": "Aggregate", "Strategy": "Hashed", "Partial Mode": "Simple",
                "Shared Hit Blocks": 12, "Shared Read Blocks": 3,
                "Plans": [{
                    "Node Type": "Index Scan", "Scan Direction": "Backward",
                    "Index Name": index, "Relation Name": table,
                }],
            }}])
        };
        let table = Table::new("public", "t").unwrap();
        let pair = Pair {
            staging: table.with_suffix(SUFFIX).unwrap(),
            whole: table.clone(),
            table,
            table_oid: 1,
            distribution: Distribution::None,
            partitioned: false,
        };
        let production = of(document("t", "t_pkey"), None);
        let staging = of(document("t_staging", "t_pkey_staging"), Some(&pair));
        let shape = ["Aggregate hashed", "  Index Scan backward using t_pkey on t"];
        assert_eq!(production.shape, shape);
        assert_eq!(staging.shape, production.shape);
        assert_eq!((staging.shared_hit, staging.shared_read), (12, 3));
        let other = of(document("t_staging", "t_other_staging"), Some(&pair));
        assert_ne!(other.shape, production.shape);
    }

    #[test]
    fn what_is_done_on_many_partitions_is_one_line_in_any_order() {
        let scan = |kind: &str, on: &str| json!({"Node Type": kind, "Relation Name": on});
        let plan = |scans: &[Value]| {
            let append = json!([{"Plan": {"Node Type": "Append", "Plans": scans}}]);
            of(append, None).shape
        };
        let scans = [scan("Seq Scan", "a"), scan("Index Scan", "b"), scan("Seq Scan", "c")];
        let expected = ["Append", "  Index Scan on b", "  Seq Scan (2 times)"];
        assert_eq!(plan(&scans), expected);
        let [a, b, c] = scans;
        assert_eq!(plan(&[b.clone(), c, a.clone()]), expected);
        assert_eq!(plan(&[b, a]), ["Append", "  Index Scan on b", "  Seq Scan on a"]);
    }
}
