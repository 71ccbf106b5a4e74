//! What a resumed run takes from its beginning, and where it departs from it.

use std::path::PathBuf;

use serde_json::Value;

use super::MigrateArgs;
use crate::migrate::Run;

/// What gates go by: where the ledger has it, and how it is typed.
const GATES: [(&str, &str); 9] = [
    ("/expect_rows", "--expect-rows"),
    ("/load/max_rejects", "--max-rejects"),
    ("/queries", "--queries"),
    ("/max_regression", "--max-regression"),
    ("/limits/checks", "--checks"),
    ("/limits/first_year", "--first-year"),
    ("/limits/last_year", "--last-year"),
    ("/limits/max_shrinkage", "--max-shrinkage"),
    ("/limits/max_quantity_change", "--max-quantity-change"),
];

/// The arguments to go on with: what was asserted at the beginning and is left out now
/// still holds.
pub(super) fn carried_on(args: &MigrateArgs, run: &Run) -> MigrateArgs {
    let mut args = args.clone();
    let began = |place: &str| run.arguments.pointer(place);
    let path = |place: &str| began(place).and_then(Value::as_str).map(PathBuf::from);
    let year = |place: &str| began(place).and_then(Value::as_i64)?.try_into().ok();
    let choices = &mut args.choices;
    choices.expect_rows =
        choices.expect_rows.or_else(|| began("/expect_rows").and_then(Value::as_u64));
    choices.queries = choices.queries.take().or_else(|| path("/queries"));
    let limits = &mut choices.limits;
    limits.checks = limits.checks.take().or_else(|| path("/limits/checks"));
    limits.last_year = limits.last_year.or_else(|| year("/limits/last_year"));
    args
}

/// Where gates go by something else than at the beginning, and the ledger does not say so
/// yet.
pub(super) fn departures(args: &MigrateArgs, run: &Run) -> Vec<String> {
    let now = args.recorded();
    let changed = GATES.iter().filter_map(|(place, option)| {
        let (before, now) = (run.arguments.pointer(place)?, now.pointer(place)?);
        (before != now).then(|| format!("resumed with {option} {} {}", shown(now), instead(before)))
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
