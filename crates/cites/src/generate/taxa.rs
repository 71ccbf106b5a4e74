//! The taxa that rows are generated for, with their weights: the Arctic ones,
//! and on request as many others as a full worldwide download contains.

use std::collections::HashSet;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::choice::Choice;
use super::profile::Profiles;
use crate::arctic::{TAXA, arctic_taxa};
use crate::list::{Entry, List};
use sterna_error::Result;

const GROUPS: List =
    List::new("data/world-groups.csv", include_str!("../../data/world-groups.csv"));
const KNOWN: List = List::new("data/world-taxa.csv", include_str!("../../data/world-taxa.csv"));
const NAMES: List = List::new("data/world-names.csv", include_str!("../../data/world-names.csv"));

/// Permille of a group's rows that go to its well-known taxa.
const KNOWN_PERMILLE: u64 = 600;
/// Scales the weight of a group, so that the rarest name still has a weight above zero.
const WEIGHT_SCALE: u64 = 1_000_000_000;
/// Average number of epithets per made-up genus.
const EPITHETS_PER_GENUS: u64 = 9;

/// A taxon and its trade profile.
#[derive(Clone, Debug)]
pub(super) struct Taxon {
    /// `Taxon,Class,Order,Family,Genus` as in the files.
    pub(super) classification: Box<str>,
    pub(super) appendix: Choice<&'static str>,
    /// Index of its trade profile.
    pub(super) profile: usize,
    /// Whether it maps to a species of the production database.
    pub(super) arctic: bool,
    /// Its share of the rows, relative to other Arctic or non-Arctic taxa.
    pub(super) weight: u64,
}

impl Taxon {
    /// The name in the column `Taxon`.
    pub(super) fn name(&self) -> &str {
        self.classification.split(',').next().unwrap_or_default()
    }
}

/// The Arctic taxa, by name; a weight is the number of rows in release v2025.1.
pub(super) fn arctic(profiles: &Profiles) -> Result<Vec<Taxon>> {
    let entries = TAXA.entries().zip(arctic_taxa());
    entries
        .map(|(entry, taxon)| {
            let name = taxon.scientific_name;
            let (class, order) = (taxon.class, taxon.order);
            let (family, genus) = (taxon.family, taxon.genus);
            Ok(Taxon {
                classification: format!("{name},{class},{order},{family},{genus}").into(),
                appendix: appendices(&entry, 9)?,
                profile: profiles.place(&entry, 10)?,
                arctic: true,
                weight: entry.number(11)?,
            })
        })
        .collect()
}

/// The taxa of the rest of the world: well-known and made-up ones. They do not
/// depend on the seed, so that two worlds differ only in their rows.
pub(super) fn world(profiles: &Profiles) -> Result<Vec<Taxon>> {
    let mut namer = Namer::new();
    let mut taxa = Vec::new();
    for group in GROUPS.entries() {
        let known: Vec<Entry> =
            KNOWN.entries().filter(|entry| entry.text(1) == group.text(0)).collect();
        let share = group.number::<u64>(6)? * WEIGHT_SCALE / 1000;
        let mut known_weight = 0;
        for entry in &known {
            known_weight += entry.number::<u64>(2)?;
        }
        let group_taxon = |name: &str, weight| -> Result<Taxon> {
            let (class, order, family) = (group.text(1), group.text(2), group.text(3));
            let genus = genus(name);
            Ok(Taxon {
                classification: format!("{name},{class},{order},{family},{genus}").into(),
                appendix: appendices(&group, 5)?,
                profile: profiles.place(&group, 4)?,
                arctic: false,
                weight,
            })
        };
        for entry in &known {
            let weight = share * KNOWN_PERMILLE / known_weight * entry.number::<u64>(2)?;
            taxa.push(group_taxon(entry.text(0), weight)?);
        }
        let made_up = group.number::<u64>(7)?;
        // Zipf's law: the tenth name has a tenth of the rows of the first.
        let harmonic: u64 = (1..=made_up).map(|rank| WEIGHT_SCALE / rank).sum();
        for (rank, name) in (1..).zip(namer.names(made_up)) {
            let part =
                u128::from(share * (1000 - KNOWN_PERMILLE)) * u128::from(WEIGHT_SCALE / rank);
            taxa.push(group_taxon(&name, (part / u128::from(harmonic)) as u64)?);
        }
    }
    Ok(taxa)
}

fn appendices(entry: &Entry, column: usize) -> Result<Choice<&'static str>> {
    let weighted = entry.weighted(column)?;
    Choice::new(&weighted).ok_or_else(|| entry.wrong(entry.text(column), "weighted appendix"))
}

/// The genus of a name; empty for a taxon above genus.
fn genus(name: &str) -> &str {
    let first = name.split(' ').next().unwrap_or_default();
    let above_genus = ["idae", "aceae", "formes", "actinia", "patharia"];
    if above_genus.iter().any(|ending| first.ends_with(ending)) { "" } else { first }
}

/// Makes up names that look like species names and are not in the project's lists of
/// real names.
struct Namer {
    rng: ChaCha8Rng,
    starts: Vec<&'static str>,
    middles: Vec<&'static str>,
    ends: Vec<&'static str>,
    epithets: Vec<&'static str>,
    taken: HashSet<String>,
}

impl Namer {
    fn new() -> Self {
        let of = |kind| {
            NAMES.entries().filter(|entry| entry.text(0) == kind).map(|e| e.text(1)).collect()
        };
        let known = KNOWN.entries().map(|entry| entry.text(0));
        let arctic = arctic_taxa().iter().map(|taxon| taxon.scientific_name);
        Namer {
            rng: ChaCha8Rng::from_seed([0; 32]),
            starts: of("genus_start"),
            middles: of("genus_middle"),
            ends: of("genus_end"),
            epithets: of("epithet"),
            taken: known.chain(arctic).map(str::to_owned).collect(),
        }
    }

    /// `count` names that were not returned before.
    fn names(&mut self, count: u64) -> Vec<String> {
        let genera: Vec<String> = (0..=count / EPITHETS_PER_GENUS).map(|_| self.genus()).collect();
        let mut names = Vec::new();
        while (names.len() as u64) < count {
            let genus = pick(&mut self.rng, &genera);
            let name = format!("{genus} {}", pick(&mut self.rng, &self.epithets));
            if self.taken.insert(name.clone()) {
                names.push(name);
            }
        }
        names
    }

    fn genus(&mut self) -> String {
        let start = pick(&mut self.rng, &self.starts);
        let middle = pick(&mut self.rng, &self.middles);
        let end = pick(&mut self.rng, &self.ends);
        format!("{start}{middle}{end}")
    }
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, from: &'a [T]) -> &'a T {
    &from[(rng.next_u32() as usize) % from.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn the_world_is_large_and_holds_no_arctic_taxon() {
        let profiles = Profiles::read().unwrap();
        let world = world(&profiles).unwrap();
        assert!(world.len() > 5_000, "{}", world.len());
        let names: HashSet<_> = world.iter().map(|taxon| taxon.name().to_lowercase()).collect();
        assert_eq!(names.len(), world.len());
        for taxon in arctic_taxa() {
            assert!(!names.contains(&taxon.scientific_name.to_lowercase()));
        }
        assert!(world.iter().all(|taxon| taxon.weight > 0 && !taxon.arctic));
        assert!(names.contains("loxodonta africana") && names.contains("falco spp."));
    }

    #[test]
    fn every_well_known_taxon_has_its_group() {
        let groups: HashSet<_> = GROUPS.entries().map(|entry| entry.text(0)).collect();
        assert!(KNOWN.entries().all(|entry| groups.contains(entry.text(1))));
    }

    #[test]
    fn taxa_above_genus_have_no_genus() {
        assert_eq!(genus("Testudinidae spp."), "");
        assert_eq!(genus("Scleractinia spp."), "");
        assert_eq!(genus("Falco spp."), "Falco");
        assert_eq!(genus("Caiman crocodilus fuscus"), "Caiman");
    }

    #[test]
    fn arctic_weights_are_the_counts_of_the_release() {
        let taxa = arctic(&Profiles::read().unwrap()).unwrap();
        assert_eq!(taxa.len(), 43);
        assert_eq!(taxa.iter().map(|taxon| taxon.weight).sum::<u64>(), 489_107);
        for entry in TAXA.entries() {
            let appendices = entry.weighted(9).unwrap();
            assert!(appendices.iter().all(|(appendix, _)| codes::is_appendix(appendix)));
        }
    }
}
