//! Finds the taxa in files that map to no species, and the closest species to each.

use std::time::Instant;

use serde::Serialize;

use super::{InspectOptions, read};
use crate::error::Result;
use crate::input::LeftOut;
use crate::load::OnInexact;
use crate::load::account::Account;
use crate::pg::ConnInfo;
use crate::watch::Watch;

/// The taxa in files that map to no species.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MissingReport {
    /// The table that the files are to be loaded into.
    pub target: String,
    /// Records read.
    pub rows_read: u64,
    /// Records whose taxon maps to no species.
    pub rows_unmapped: u64,
    /// The newest year with records that map to a species; null if there is none.
    pub newest_year: Option<i32>,
    /// The number of distinct taxa among those without a species, up to the limit of names kept in
    /// memory.
    pub names: u64,
    /// The most frequent of them, most records first.
    pub taxa: Vec<MissingTaxon>,
    /// Files that were found but not read.
    pub left_out: Vec<LeftOut>,
    /// Seconds for the whole command.
    pub seconds: f64,
}

/// A taxon that maps to no species.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingTaxon {
    /// The name as written in the files.
    pub taxon: String,
    /// The number of records with it.
    pub rows: u64,
    /// The species with the most similar names, closest first.
    pub closest: Vec<String>,
}

/// Finds the taxa that map to no species, and lists the `limit` most frequent.
///
/// Blocks; must not be called inside an async runtime.
///
/// # Errors
/// Those of [`super::inspect`].
pub fn missing(
    info: &ConnInfo,
    options: &InspectOptions,
    limit: usize,
    watch: &Watch,
) -> Result<MissingReport> {
    let begun = Instant::now();
    let mut report = read(info, options, watch, |subject, findings, unmapped, _| {
        let accounts = findings.files.iter().map(|file| file.account_with(OnInexact::Reject));
        let account = accounts.fold(Account::default(), |mut sum, account| {
            sum += account;
            sum
        });
        let taxon = |(taxon, rows): (&str, u64)| MissingTaxon {
            taxon: taxon.to_owned(),
            rows,
            closest: subject.reading.taxa.closest(taxon).into_iter().map(str::to_owned).collect(),
        };
        MissingReport {
            target: options.table.to_string(),
            rows_read: account.rows_read,
            rows_unmapped: account.rows_unmapped,
            newest_year: findings.files.iter().flat_map(|file| file.years.keys()).copied().max(),
            names: unmapped.names() as u64,
            taxa: unmapped.most_frequent(limit).into_iter().map(taxon).collect(),
            left_out: subject.reading.inputs.left_out().to_vec(),
            seconds: 0.0,
        }
    })?;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}
