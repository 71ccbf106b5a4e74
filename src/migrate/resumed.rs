//! What a resumed run takes from its beginning, and where it departs from it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::options::{Gates, MigrationOptions};
use super::state::Run;

/// What gates went by at the beginning, as the ledger has it.
#[derive(Deserialize)]
struct Began {
    #[serde(flatten)]
    gates: Gates,
    load: BeganLoad,
}

#[derive(Deserialize)]
struct BeganLoad {
    max_rejects: String,
}

impl Began {
    /// None where another version of sterna recorded something else.
    fn read(run: &Run) -> Option<Self> {
        Began::deserialize(&run.arguments).ok()
    }

    /// Each value with its option.
    fn named(&self) -> [(&'static str, Value); 9] {
        let Gates { expect_rows, queries, max_regression, limits: checks } = &self.gates;
        let limits = checks.limits;
        [
            ("--expect-rows", json!(expect_rows)),
            ("--max-rejects", json!(self.load.max_rejects)),
            ("--queries", json!(queries)),
            ("--max-regression", json!(max_regression)),
            ("--checks", json!(checks.checks)),
            ("--first-year", json!(limits.first_year)),
            ("--last-year", json!(limits.last_year)),
            ("--max-shrinkage", json!(limits.max_shrinkage_percent)),
            ("--max-quantity-change", json!(limits.max_quantity_change_percent)),
        ]
    }
}

/// The options to go on with: what was asserted at the beginning and is left out now
/// still holds.
pub(super) fn carried_on(mut options: MigrationOptions, run: &Run) -> MigrationOptions {
    if let Some(began) = Began::read(run) {
        let (gates, began) = (&mut options.gates, began.gates);
        gates.expect_rows = gates.expect_rows.or(began.expect_rows);
        gates.queries = gates.queries.take().or(began.queries);
        let (checks, began) = (&mut gates.limits, began.limits);
        checks.checks = checks.checks.take().or(began.checks);
        checks.limits.last_year = checks.limits.last_year.or(began.limits.last_year);
    }
    options
}

/// Where gates go by something else than at the beginning, and the ledger does not say so
/// yet.
pub(super) fn departures(options: &MigrationOptions, run: &Run) -> Vec<String> {
    let Some(began) = Began::read(run) else { return Vec::new() };
    let max_rejects = options.load.max_rejects.to_string();
    let now = Began { gates: options.gates.clone(), load: BeganLoad { max_rejects } };
    let both = began.named().into_iter().zip(now.named());
    let changed = both.filter(|((_, before), (_, now))| before != now);
    let changed = changed.map(|((option, before), (_, now))| {
        format!("resumed with {option} {} {}", shown(&now), instead(&before))
    });
    changed.filter(|what| !run.deviations.contains(what)).collect()
}

fn instead(before: &Value) -> String {
    match before {
        Value::Null => "instead of none".to_owned(),
        before => format!("instead of {}", shown(before)),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
