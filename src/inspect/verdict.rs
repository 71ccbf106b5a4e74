//! The verdict of an inspection: whether the files can be loaded, and with which policy.

use serde::Serialize;

use crate::load::OnInexact;
use crate::load::account::Account;

/// Whether the files can be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// `ready`, `ready with --on-inexact widen|round`, or `not ready: ...`.
    pub verdict: String,
    /// Whether a load with the requested policy, or else the default one, would reject
    /// nothing.
    pub ready: bool,
    /// The policies with which a load would reject nothing.
    pub ready_with: Vec<OnInexact>,
    /// Whether a load would reject nothing with the requested policy, or else with any.
    #[serde(skip)]
    pub loadable: bool,
}

/// The outcome for the records under one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyReport {
    /// The policy.
    pub on_inexact: OnInexact,
    /// Records that would be loaded.
    pub rows_loaded: u64,
    /// Records that would be rejected.
    pub rows_rejected: u64,
    /// Loaded records in which a value would be rounded.
    pub rows_rounded: u64,
}

/// Judges the outcome under each policy. `account` may be that of any policy.
pub(super) fn judge(
    asked: Option<OnInexact>,
    account: &Account,
    policies: &[PolicyReport],
) -> Verdict {
    let kept = account.rows_loaded + account.rows_rejected;
    let clean = policies.iter().filter(|p| kept > 0 && p.rows_rejected == 0);
    let ready_with: Vec<OnInexact> = clean.map(|p| p.on_inexact).collect();
    let policy = asked.unwrap_or(OnInexact::Reject);
    let ready = ready_with.contains(&policy);
    let loadable = asked.map_or(!ready_with.is_empty(), |asked| ready_with.contains(&asked));
    let verdict = if kept == 0 {
        format!("not ready: {}", nothing_to_load(account))
    } else if ready_with.contains(&OnInexact::Reject) {
        "ready".into()
    } else if loadable {
        format!("ready with --on-inexact {}", asked.map_or_else(|| names(&ready_with), name))
    } else {
        format!("not ready: {}", rejected(asked, policies, &ready_with))
    };
    Verdict { verdict, ready, ready_with, loadable }
}

fn nothing_to_load(account: &Account) -> String {
    if account.rows_read == 0 {
        "the files hold no records".into()
    } else if account.rows_filtered > 0 {
        "no record has both a known species and one of the requested years".into()
    } else {
        "no record's taxon maps to a species".into()
    }
}

fn rejected(asked: Option<OnInexact>, policies: &[PolicyReport], clean: &[OnInexact]) -> String {
    let records = |n: u64| if n == 1 { "1 record".to_owned() } else { format!("{n} records") };
    if let Some(policy) = policies.iter().find(|p| Some(p.on_inexact) == asked) {
        let (rejects, name) = (policy.rows_rejected, name(policy.on_inexact));
        let way_out = match clean {
            [] => format!("fix them, or accept them with --max-rejects {rejects}"),
            clean => format!("--on-inexact {} accepts all", names(clean)),
        };
        return format!(
            "{} would be rejected with --on-inexact {name}; {way_out}",
            records(rejects)
        );
    }
    // The first of the best: policies are in order of how much they change.
    let Some(best) = policies.iter().min_by_key(|p| p.rows_rejected) else {
        return "no policy was tried".into();
    };
    let rejects = best.rows_rejected;
    let even = match best.on_inexact {
        OnInexact::Reject => String::new(),
        policy => format!(" even with --on-inexact {}", name(policy)),
    };
    format!(
        "{} would be rejected{even}; fix them, or accept them with --max-rejects {rejects}",
        records(rejects)
    )
}

fn names(policies: &[OnInexact]) -> String {
    policies.iter().map(|policy| name(*policy)).collect::<Vec<_>>().join("|")
}

fn name(policy: OnInexact) -> String {
    match policy {
        OnInexact::Reject => "reject",
        OnInexact::Widen => "widen",
        OnInexact::Round => "round",
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict if each policy rejects that many of 100 records.
    fn verdict(asked: Option<OnInexact>, [reject, widen, round]: [u64; 3]) -> Verdict {
        let policy = |on_inexact, rows_rejected| PolicyReport {
            on_inexact,
            rows_loaded: 100 - rows_rejected,
            rows_rejected,
            rows_rounded: 0,
        };
        let policies = [
            policy(OnInexact::Reject, reject),
            policy(OnInexact::Widen, widen),
            policy(OnInexact::Round, round),
        ];
        let account = Account {
            rows_read: 100,
            rows_loaded: 100 - reject,
            rows_rejected: reject,
            ..Account::default()
        };
        judge(asked, &account, &policies)
    }

    #[test]
    fn the_policies_that_reject_nothing_are_named() {
        let clean = verdict(None, [0, 0, 0]);
        assert_eq!((clean.verdict.as_str(), clean.ready), ("ready", true));
        assert_eq!(clean.ready_with, [OnInexact::Reject, OnInexact::Widen, OnInexact::Round]);
        let either = verdict(None, [7, 0, 0]);
        assert_eq!(
            (either.verdict.as_str(), either.ready),
            ("ready with --on-inexact widen|round", false)
        );
        let one = verdict(None, [7, 0, 3]);
        assert_eq!(one.verdict, "ready with --on-inexact widen");
        assert_eq!(one.ready_with, [OnInexact::Widen]);
    }

    #[test]
    fn what_no_policy_takes_is_to_be_mended() {
        let none = verdict(None, [7, 2, 3]);
        assert_eq!(
            none.verdict,
            "not ready: 2 records would be rejected even with --on-inexact widen; \
             fix them, or accept them with --max-rejects 2"
        );
        assert!(!none.ready && none.ready_with.is_empty());
        assert_eq!(
            verdict(None, [1, 1, 1]).verdict,
            "not ready: 1 record would be rejected; \
             fix them, or accept them with --max-rejects 1"
        );
    }

    #[test]
    fn the_policy_asked_for_is_the_one_judged() {
        let widen = verdict(Some(OnInexact::Widen), [7, 0, 0]);
        assert_eq!((widen.verdict.as_str(), widen.ready), ("ready with --on-inexact widen", true));
        let round = verdict(Some(OnInexact::Round), [7, 0, 3]);
        assert_eq!(
            round.verdict,
            "not ready: 3 records would be rejected with --on-inexact round; \
             --on-inexact widen accepts all"
        );
        assert!(!round.ready);
        let strict = verdict(Some(OnInexact::Reject), [7, 1, 3]);
        assert!(strict.verdict.ends_with("--max-rejects 7"), "{}", strict.verdict);
    }

    #[test]
    fn nothing_to_load_is_not_ready() {
        let verdict = |account: Account| {
            let verdict = judge(None, &account, &[]);
            assert!(!verdict.ready);
            verdict.verdict
        };
        assert_eq!(verdict(Account::default()), "not ready: the files hold no records");
        let unmapped = Account { rows_read: 9, rows_unmapped: 9, ..Account::default() };
        assert_eq!(verdict(unmapped), "not ready: no record's taxon maps to a species");
        let filtered =
            Account { rows_read: 9, rows_unmapped: 8, rows_filtered: 1, ..Account::default() };
        assert!(verdict(filtered).ends_with("one of the requested years"));
    }
}
