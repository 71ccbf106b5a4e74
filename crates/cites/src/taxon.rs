//! Maps taxon names to species.
//!
//! A name is looked up exactly, then normalised (Unicode NFC, blanks trimmed and
//! collapsed, case folded), then as a synonym. An ambiguous name maps to no
//! species: nothing is guessed.

use hashbrown::HashMap;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use sterna_error::{Error, Result, did_you_mean};

/// The normal form of a name, in which blanks, case and composition do not matter.
#[must_use]
pub fn normalise(name: &str) -> String {
    let collapsed = name.split_whitespace().collect::<Vec<_>>().join(" ");
    // Folding can undo NFC, so it comes between two compositions.
    let composed: String = collapsed.nfc().collect();
    caseless::default_case_fold_str(&composed).nfc().collect()
}

/// Names with at least this Jaro-Winkler similarity are near misses.
const NEAR: f64 = 0.93;

/// A normalised name with data to rule out similarity quickly: every name in a
/// worldwide download is compared with every species.
#[derive(Clone, Debug, Default)]
struct Compared {
    text: String,
    chars: usize,
    /// Number of characters by the low bits of their code point.
    counts: [u8; 32],
}

impl Compared {
    fn new(text: String) -> Self {
        let mut compared = Compared { chars: text.chars().count(), ..Compared::default() };
        for c in text.chars() {
            let count = &mut compared.counts[c as usize % 32];
            *count = count.saturating_add(1);
        }
        Compared { text, ..compared }
    }

    /// Whether the similarity can reach [`NEAR`]. At most the characters in common
    /// match, which bounds Jaro; a common prefix of four characters adds the maximum bonus.
    fn may_be_near(&self, other: &Compared) -> bool {
        let common = self.counts.iter().zip(&other.counts).map(|(a, b)| usize::from(*a.min(b)));
        let common = common.sum::<usize>() as f64;
        let jaro = (common / self.chars as f64 + common / other.chars as f64 + 1.0) / 3.0;
        let saturated = self.counts.iter().chain(&other.counts).any(|n| *n == u8::MAX);
        saturated || jaro + 0.4 * (1.0 - jaro) >= NEAR
    }
}

/// A species of the target database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Species {
    /// The id of its row.
    pub id: Uuid,
    /// Its name in the database.
    pub name: String,
}

/// Every name that maps to a species.
#[derive(Clone, Debug, Default)]
pub struct Taxa {
    species: Vec<Species>,
    /// Each species' name, prepared for the search for near misses.
    compared: Vec<Compared>,
    exact: HashMap<String, u32>,
    /// `None` if two species share the normalised form.
    normalised: HashMap<String, Option<u32>>,
    synonyms: HashMap<String, u32>,
}

impl Taxa {
    /// Indexes the species of a database.
    ///
    /// # Errors
    /// If two species have exactly the same name: a record could belong to either.
    pub fn new(species: Vec<Species>) -> Result<Self> {
        let mut taxa = Taxa::default();
        for one in species {
            let index = u32::try_from(taxa.species.len())
                .map_err(|_| Error::usage("more species than sterna can index"))?;
            if let Some(other) = taxa.exact.insert(one.name.clone(), index) {
                return Err(Error::refused(format!(
                    "two species are named {:?}: {} and {}",
                    one.name, taxa.species[other as usize].id, one.id
                ))
                .hint("rename or merge one of them: a record cannot belong to both"));
            }
            let compared = normalise(&one.name);
            taxa.normalised
                .entry(compared.clone())
                .and_modify(|known| *known = None)
                .or_insert(Some(index));
            taxa.compared.push(Compared::new(compared));
            taxa.species.push(one);
        }
        Ok(taxa)
    }

    /// Adds `synonym` as another name of the species `name`.
    ///
    /// # Errors
    /// A sentence, if the species is unknown or the synonym already means something else.
    pub fn add_synonym(&mut self, synonym: &str, name: &str) -> std::result::Result<(), String> {
        let Some(index) = self.find_species(name) else {
            let species = self.species.iter().map(|species| species.name.as_str());
            let meant = did_you_mean(name, species).map_or_else(String::new, |m| format!("; {m}"));
            return Err(format!("{name:?} is not the name of a species in the database{meant}"));
        };
        match self.find_species(synonym) {
            Some(same) if same == index => return Ok(()),
            Some(_) => return Err(format!("{synonym:?} is itself the name of another species")),
            None => {}
        }
        match self.synonyms.insert(normalise(synonym), index) {
            Some(other) if other != index => Err(format!("{synonym:?} stands for two species")),
            _ => Ok(()),
        }
    }

    /// The index of the species that `name` maps to.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<u32> {
        self.exact.get(name).copied().or_else(|| {
            let normal = normalise(name);
            match self.normalised.get(&normal) {
                Some(found) => *found,
                None => self.synonyms.get(&normal).copied(),
            }
        })
    }

    fn find_species(&self, name: &str) -> Option<u32> {
        self.exact
            .get(name)
            .copied()
            .or_else(|| self.normalised.get(&normalise(name)).copied().flatten())
    }

    /// The species at `index`, as returned by [`Taxa::find`].
    #[must_use]
    pub fn species(&self, index: u32) -> &Species {
        &self.species[index as usize]
    }

    /// All species, in the order given.
    #[must_use]
    pub fn all(&self) -> &[Species] {
        &self.species
    }

    /// Every synonym, normalised, with the name of its species, sorted.
    #[must_use]
    pub fn synonyms(&self) -> std::collections::BTreeMap<&str, &str> {
        let synonyms = self.synonyms.iter();
        synonyms.map(|(name, at)| (name.as_str(), self.species(*at).name.as_str())).collect()
    }

    /// Every name and synonym with its species' id, sorted, for comparison by a resumed load.
    #[must_use]
    pub fn canonical(&self) -> Vec<(String, Uuid)> {
        let exact = self.exact.iter().map(|(name, i)| (name.clone(), *i));
        let synonyms = self.synonyms.iter().map(|(name, i)| (format!("={name}"), *i));
        let mut all: Vec<_> =
            exact.chain(synonyms).map(|(name, i)| (name, self.species(i).id)).collect();
        all.sort();
        all
    }

    /// Up to three names that are similar to `name`, most similar first: typos and variants.
    #[must_use]
    pub fn near_misses(&self, name: &str) -> Vec<&str> {
        let name = Compared::new(normalise(name));
        let species = self.species.iter().zip(&self.compared);
        let mut near: Vec<(f64, &str)> = species
            .filter(|(_, other)| name.may_be_near(other))
            .map(|(s, other)| (strsim::jaro_winkler(&name.text, &other.text), s.name.as_str()))
            .filter(|(similarity, _)| *similarity >= NEAR)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter().take(3).map(|(_, name)| name).collect()
    }

    /// Up to three species that `name` may be another name for, closest first: species
    /// that share words with it, then near misses, each by similarity. Most renamings
    /// keep the genus or the epithet.
    #[must_use]
    pub fn closest(&self, name: &str) -> Vec<&str> {
        let name = normalise(name);
        let words: Vec<&str> = name.split(' ').collect();
        let species = self.species.iter().zip(&self.compared);
        let similar = species.map(|(s, other)| {
            let shared = other.text.split(' ').filter(|word| words.contains(word)).count();
            (shared, strsim::jaro_winkler(&name, &other.text), s.name.as_str())
        });
        let mut close: Vec<_> = similar.filter(|(n, near, _)| *n > 0 || *near >= NEAR).collect();
        close.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(b.2)));
        close.into_iter().take(3).map(|(.., name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taxa(names: &[&str]) -> Taxa {
        let species = names
            .iter()
            .enumerate()
            .map(|(i, name)| Species { id: Uuid::from_u128(i as u128), name: (*name).into() });
        Taxa::new(species.collect()).unwrap()
    }

    #[test]
    fn exact_then_normalised_then_synonym() {
        let mut taxa = taxa(&["Falco rusticolus", "FALCO RUSTICOLUS", "Ursus maritimus "]);
        assert_eq!(taxa.find("Falco rusticolus"), Some(0));
        assert_eq!(taxa.find("FALCO RUSTICOLUS"), Some(1));
        assert_eq!(taxa.find("falco rusticolus"), None, "two species fold to it");
        assert_eq!(taxa.find("ursus  Maritimus"), Some(2));
        assert_eq!(taxa.find("Thalarctos maritimus"), None);
        taxa.add_synonym("Thalarctos maritimus", "Ursus maritimus").unwrap();
        assert_eq!(taxa.find("Thalarctos  MARITIMUS"), Some(2));
        assert!(taxa.add_synonym("x", "Unknown species").is_err());
        assert!(taxa.add_synonym("Ursus maritimus", "Falco rusticolus").is_err());
        assert!(taxa.add_synonym("Thalarctos maritimus", "Falco rusticolus").is_err());
    }

    #[test]
    fn two_species_of_one_name_are_refused() {
        let one = |id| Species { id: Uuid::from_u128(id), name: "Falco rusticolus".into() };
        assert!(Taxa::new(vec![one(1), one(2)]).is_err());
    }

    #[test]
    fn near_misses_are_suggested() {
        let taxa = taxa(&["Acipenser baerii", "Ursus maritimus"]);
        assert_eq!(taxa.near_misses("Acipenser baeri"), ["Acipenser baerii"]);
        assert!(taxa.near_misses("Python regius").is_empty());
    }

    #[test]
    fn the_closest_shares_most_words() {
        let taxa =
            taxa(&["Branta ruficollis", "Branta canadensis leucopareia", "Antigone canadensis"]);
        let closest = taxa.closest("Branta hutchinsii leucopareia");
        assert_eq!(closest, ["Branta canadensis leucopareia", "Branta ruficollis"]);
        assert_eq!(taxa.closest("Grus canadensis").first(), Some(&"Antigone canadensis"));
        assert!(taxa.closest("Python regius").is_empty());
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(name in "\\PC{0,24}") {
            let once = normalise(&name);
            prop_assert_eq!(normalise(&once), once.clone());
        }

        #[test]
        fn no_near_name_is_passed_over(name in "[a-e]{0,9}( [a-cé]{1,8})?", change in 0usize..20) {
            let mut other: Vec<char> = name.chars().collect();
            other.insert(change.min(other.len()), 'x');
            other.swap(0, change % name.chars().count().max(1));
            let other: String = other.into_iter().collect();
            let near = strsim::jaro_winkler(&normalise(&name), &normalise(&other)) >= NEAR;
            let found = !taxa(&[&other]).near_misses(&name).is_empty();
            prop_assert_eq!(found, near);
        }

        #[test]
        fn blanks_and_case_do_not_matter(name in "[A-Za-zé]{1,8}( [a-zé]{1,8}){0,2}") {
            let taxa = taxa(&[&name]);
            let shouted = format!("  {} ", name.to_uppercase().replace(' ', " \u{a0}"));
            prop_assert_eq!(taxa.find(&shouted), Some(0));
        }
    }
}
