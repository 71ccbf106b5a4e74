//! Turns findings into the report.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::InspectOptions;
use super::findings::{FileFindings, Findings, Sightings};
use super::report::{
    CodeReport, Example, InspectReport, InspectedFile, MisfitReport, TaxonReport, UnmappedReport,
};
use super::subject::Subject;
use super::verdict::{self, PolicyReport};
use crate::cites::Taxa;
use crate::load::account::Account;
use crate::load::{OnInexact, Reading, UnmappedTaxa};
use crate::watch::peak_memory_bytes;

/// The maximum number of unmapped taxa listed, and of near misses.
const UNMAPPED_NAMED: usize = 50;
/// The maximum number of unlisted codes listed.
const CODES_NAMED: usize = 200;
/// In order of what they change: nothing, the column, the value.
const POLICIES: [OnInexact; 3] = [OnInexact::Reject, OnInexact::Widen, OnInexact::Round];

/// Builds the report; the caller adds times and bytes.
pub(super) fn summarise(
    subject: &Subject<'_>,
    findings: Findings,
    unmapped: &UnmappedTaxa,
    options: &InspectOptions,
) -> InspectReport {
    let policies = POLICIES.map(|policy| {
        let all = findings.files.iter().map(|file| file.account_with(policy));
        all.fold(Account::default(), |mut sum, account| {
            sum += account;
            sum
        })
    });
    let policy = options.on_inexact.unwrap_or(OnInexact::Reject);
    let account = POLICIES.iter().position(|p| *p == policy).map(|at| policies[at]);
    let account = account.unwrap_or_default();
    let policies: Vec<PolicyReport> =
        POLICIES.iter().zip(&policies).map(|(policy, account)| outcome(*policy, account)).collect();
    let mut years = BTreeMap::new();
    for (year, rows) in findings.files.iter().flat_map(|file| &file.years) {
        *years.entry(*year).or_default() += rows;
    }
    let (species, species_without_rows) = species(subject, &findings);
    let (unmapped_taxa, near_misses) = unmapped_taxa(&subject.reading.taxa, unmapped);
    let (unlisted_codes, unlisted_codes_unnamed) = codes(subject, &findings);
    InspectReport {
        verdict: verdict::judge(options.on_inexact, &account, &policies),
        target: options.table.to_string(),
        columns: subject.reading.matching().map(|m| m.uses.clone()).unwrap_or_default(),
        on_inexact: policy,
        account,
        policies,
        bytes_read: 0,
        seconds: 0.0,
        read_seconds: 0.0,
        peak_memory_bytes: peak_memory_bytes(),
        left_out: subject.reading.inputs.left_out().to_vec(),
        years,
        species,
        species_without_rows,
        unmapped_names: unmapped.names() as u64,
        unmapped_taxa,
        near_misses,
        misfits: misfits(subject, &findings),
        unlisted_codes,
        unlisted_codes_unnamed,
        files: files(subject, findings.files, policy),
    }
}

impl FileFindings {
    /// The outcome for the records under a policy.
    pub(super) fn account_with(&self, policy: OnInexact) -> Account {
        let saved = match policy {
            OnInexact::Reject => 0,
            OnInexact::Round => self.rounded,
            OnInexact::Widen => self.widened,
        };
        Account {
            rows_loaded: self.account.rows_loaded + saved,
            rows_rejected: self.account.rows_rejected - saved,
            rows_rounded: if policy == OnInexact::Round { saved } else { 0 },
            ..self.account
        }
    }
}

fn outcome(on_inexact: OnInexact, account: &Account) -> PolicyReport {
    PolicyReport {
        on_inexact,
        rows_loaded: account.rows_loaded,
        rows_rejected: account.rows_rejected,
        rows_rounded: account.rows_rounded,
    }
}

fn files(
    subject: &Subject<'_>,
    findings: Vec<FileFindings>,
    policy: OnInexact,
) -> Vec<InspectedFile> {
    let Reading { inputs, formats, .. } = subject.reading;
    let members = inputs.members().iter().zip(subject.strict.iter()).zip(findings);
    let reports = members.map(|((member, plan), found)| InspectedFile {
        path: member.name.to_string(),
        layout: formats.get(plan.layout.format).name.clone(),
        account: found.account_with(policy),
        years: found.years,
    });
    reports.collect()
}

/// The species with records, and the names of the species without.
fn species(subject: &Subject<'_>, findings: &Findings) -> (Vec<TaxonReport>, Vec<String>) {
    let all = subject.reading.taxa.all().iter().zip(&findings.species);
    let (with, without): (Vec<_>, Vec<_>) = all.partition(|(_, found)| found.rows > 0);
    let mut with: Vec<TaxonReport> = with
        .into_iter()
        .map(|(species, found)| TaxonReport {
            taxon: species.name.clone(),
            rows: found.rows,
            first_year: found.years.map(|(first, _)| first),
            last_year: found.years.map(|(_, last)| last),
            spellings: found.spellings.iter().map(ToString::to_string).collect(),
        })
        .collect();
    with.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.taxon.cmp(&b.taxon)));
    (with, without.into_iter().map(|(species, _)| species.name.clone()).collect())
}

/// The most frequent taxa without a species, and those whose name is close to one.
fn unmapped_taxa(
    taxa: &Taxa,
    unmapped: &UnmappedTaxa,
) -> (Vec<UnmappedReport>, Vec<UnmappedReport>) {
    let report = |(taxon, rows): (&str, u64)| UnmappedReport {
        taxon: taxon.to_owned(),
        rows,
        near_misses: taxa.near_misses(taxon).into_iter().map(str::to_owned).collect(),
    };
    // Misspelt names are rare: search all taxa for them.
    let all = unmapped.most_frequent(usize::MAX);
    let frequent = all.iter().copied().take(UNMAPPED_NAMED).map(report).collect();
    let near = all.iter().copied().map(report).filter(|u| !u.near_misses.is_empty());
    (frequent, near.take(UNMAPPED_NAMED).collect())
}

fn misfits(subject: &Subject<'_>, findings: &Findings) -> Vec<MisfitReport> {
    let members = subject.reading.inputs.members();
    let found = findings.misfits.iter().map(|((column, reason), misfits)| {
        let column = column.map(|index| &subject.columns[index]);
        let examples = misfits.examples.iter().map(|(place, value)| Example {
            path: members[place.member].name.to_string(),
            line: place.line,
            value: value.to_string(),
        });
        MisfitReport {
            column: column.map(|c| c.name.name().to_owned()),
            sql_type: column.map(|c| c.sql_type.clone()),
            reason: *reason,
            values: misfits.values,
            fit_with_round: misfits.rounded,
            fit_with_widen: misfits.widened,
            examples: examples.collect(),
        }
    });
    found.collect()
}

/// The unlisted codes by column, most frequent first, and the number of cells with others.
fn codes(subject: &Subject<'_>, findings: &Findings) -> (Vec<CodeReport>, u64) {
    let mut codes: Vec<(usize, &str, Sightings)> = Vec::new();
    for (column, found) in &findings.codes {
        codes.extend(found.iter().map(|(code, seen)| (*column, &**code, *seen)));
    }
    codes.sort_by_key(|(column, code, seen)| (*column, Reverse(seen.rows), *code));
    let unnamed: u64 = codes.iter().skip(CODES_NAMED).map(|(_, _, seen)| seen.rows).sum();
    let members = subject.reading.inputs.members();
    let named = codes.into_iter().take(CODES_NAMED).map(|(column, code, seen)| CodeReport {
        column: subject.columns[column].name.name().to_owned(),
        code: code.to_string(),
        rows: seen.rows,
        path: members[seen.first.member].name.to_string(),
        line: seen.first.line,
    });
    (named.collect(), unnamed + findings.other_codes)
}
