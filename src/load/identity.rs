//! What identifies the input of a load in the ledger.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::input::hex;

/// The digest of all members of an input, from the digests of their keys in order.
pub(in crate::load) fn input_digest(members: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut digest = Sha256::new();
    members.for_each(|member| digest.update(member.as_ref()));
    hex(&digest.finalize())
}

/// Replaces the digest of each member, as earlier versions recorded them, by the digest of all.
pub(in crate::load) fn with_one_digest(mut identity: Value) -> Value {
    if let Some(members) = identity["input"].as_array() {
        let members = members.iter().map(|member| member.as_str().unwrap_or_default());
        identity["input"] = Value::String(input_digest(members));
    }
    identity
}

/// A table of what differs between the options of an unfinished run and those given now, to follow
/// a message; other values in parentheses.
pub(crate) fn changed(before: &Value, now: &Value) -> String {
    let (Value::Object(then), Value::Object(current)) = (before, now) else {
        let [before, now] = [before, now].map(|value| match value {
            Value::Null => "none".to_owned(),
            value => value.to_string(),
        });
        return format!(" ({before}, now {now})");
    };
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let names = then.keys().chain(current.keys().filter(|name| !then.contains_key(*name)));
    let changed = names.filter(|name| then.get(*name) != current.get(*name));
    let changed = changed.map(|name| [name.clone(), text(then.get(name)), text(current.get(name))]);
    let header = ["option", "then", "now"].map(str::to_owned);
    let rows: Vec<[String; 3]> = std::iter::once(header).chain(changed).collect();
    let [first, second] = [0, 1].map(|at| rows.iter().map(|row| row[at].chars().count()).max());
    let (first, second) = (first.unwrap_or(0), second.unwrap_or(0));
    let lines =
        rows.iter().map(|[name, then, now]| format!("\n  {name:<first$}  {then:<second$}  {now}"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_that_differ_are_a_table() {
        let before = json!({ "on_inexact": "widen", "years": [2024], "match": null });
        let now = json!({ "on_inexact": "reject", "years": [2024], "match": null, "all": true });
        let table =
            "\n  option      then   now\n  on_inexact  widen  reject\n  all         -      true";
        assert_eq!(changed(&before, &now), table);
        assert_eq!(changed(&json!(2024), &json!(null)), " (2024, now none)");
    }

    #[test]
    fn the_digests_of_earlier_versions_are_the_same_input() {
        let members = ["0a".repeat(32), "0b".repeat(32)];
        let now = json!({ "input": input_digest(members.iter()), "options": {} });
        let before = json!({ "input": members, "options": {} });
        assert_eq!(with_one_digest(before), now);
        assert_eq!(with_one_digest(now.clone()), now);
        assert_ne!(now["input"], input_digest(members.iter().rev()));
    }
}
