//! Trade profiles: what is traded of a group of taxa, between whom, from where
//! and why. The shares were counted in public files and are kept in `data/`.

use std::collections::HashMap;

use super::choice::Choice;
use super::quantity::Law;
use crate::list::{Entry, List};
use sterna_error::Result;

const PROFILES: List = List::new("data/profiles.csv", include_str!("../../data/profiles.csv"));
const TERMS: List =
    List::new("data/profile-terms.csv", include_str!("../../data/profile-terms.csv"));
const CODES: List =
    List::new("data/profile-codes.csv", include_str!("../../data/profile-codes.csv"));

/// Traded goods: a term, its unit, and the distribution of quantities per shipment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goods {
    pub(super) term: &'static str,
    pub(super) unit: &'static str,
    pub(super) law: Law,
}

/// The trade profile of a group of taxa. Empty codes are empty cells.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// Permille of records that repeat the previous one except for the id.
    pub(super) repeat: u64,
    pub(super) goods: Choice<Goods>,
    pub(super) importer: Choice<&'static str>,
    pub(super) exporter: Choice<&'static str>,
    pub(super) origin: Choice<&'static str>,
    pub(super) purpose: Choice<&'static str>,
    pub(super) source: Choice<&'static str>,
    pub(super) reporter: Choice<&'static str>,
}

/// All profiles, and their indexes by name.
#[derive(Debug)]
pub(super) struct Profiles {
    profiles: Vec<Profile>,
    places: HashMap<&'static str, usize>,
}

impl Profiles {
    /// Reads the embedded lists.
    pub(super) fn read() -> Result<Self> {
        let mut goods: HashMap<&str, Vec<(Goods, u64)>> = HashMap::new();
        for entry in TERMS.entries() {
            let kind =
                Goods { term: entry.text(1), unit: entry.text(2), law: Law::read(&entry, 4)? };
            goods.entry(entry.text(0)).or_default().push((kind, entry.number(3)?));
        }
        let mut codes: HashMap<(&str, &str), Vec<(&'static str, u64)>> = HashMap::new();
        for entry in CODES.entries() {
            let key = (entry.text(0), entry.text(1));
            codes.entry(key).or_default().push((entry.text(2), entry.number(3)?));
        }
        let mut all = Profiles { profiles: Vec::new(), places: HashMap::new() };
        for entry in PROFILES.entries() {
            let name = entry.text(0);
            let field = |field| choice(&entry, codes.get(&(name, field)));
            let profile = Profile {
                repeat: entry.number(1)?,
                goods: choice(&entry, goods.get(name))?,
                importer: field("importer")?,
                exporter: field("exporter")?,
                origin: field("origin")?,
                purpose: field("purpose")?,
                source: field("source")?,
                reporter: field("reporter")?,
            };
            all.places.insert(name, all.profiles.len());
            all.profiles.push(profile);
        }
        Ok(all)
    }

    /// The index of the profile that `entry` names in `column`.
    pub(super) fn place(&self, entry: &Entry, column: usize) -> Result<usize> {
        let name = entry.text(column);
        self.places.get(name).copied().ok_or_else(|| entry.wrong(name, "trade profile"))
    }

    pub(super) fn get(&self, place: usize) -> &Profile {
        &self.profiles[place]
    }
}

fn choice<T: Copy>(entry: &Entry, weighted: Option<&Vec<(T, u64)>>) -> Result<Choice<T>> {
    weighted
        .and_then(|weighted| Choice::new(weighted))
        .ok_or_else(|| entry.wrong(entry.text(0), "profile with values for every field"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::codes;

    #[test]
    fn profiles_use_listed_codes_only() {
        Profiles::read().unwrap();
        for entry in TERMS.entries() {
            assert!(codes::is_term(entry.text(1)), "{}", entry.text(1));
            assert!(entry.text(2).is_empty() || codes::is_unit(entry.text(2)));
        }
        for entry in CODES.entries() {
            let (field, code) = (entry.text(1), entry.text(2));
            let listed = match field {
                "importer" | "exporter" | "origin" => codes::is_country(code),
                "purpose" => codes::is_purpose(code),
                "source" => codes::is_source(code),
                "reporter" => codes::is_reporter_type(code),
                _ => false,
            };
            assert!(listed || code.is_empty(), "{field} `{code}`");
        }
    }

    #[test]
    fn arctic_profiles_know_all_the_terms_of_the_public_files() {
        let arctic = TERMS.entries().filter(|entry| !entry.text(0).starts_with("world-"));
        let terms: HashSet<_> = arctic.map(|entry| entry.text(1)).collect();
        assert_eq!(terms.len(), 72);
    }
}
