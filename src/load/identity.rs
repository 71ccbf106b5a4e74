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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
