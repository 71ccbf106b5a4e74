//! The 43 Arctic taxa: as named and classified in the CITES files, and as rows
//! of the production database's `species` table.
//!
//! The two differ in places, as in production: the table follows a newer
//! classification, and its ranks differ in case and trailing blanks.

use std::sync::LazyLock;

use uuid::Uuid;

use super::list::List;

pub(crate) const TAXA: List = List::new("data/taxa.csv", include_str!("../data/taxa.csv"));
const SPECIES: List = List::new("data/species.csv", include_str!("../data/species.csv"));

/// The UUID namespace for the ids of demo species; an arbitrary fixed value.
const SPECIES_NAMESPACE: Uuid = Uuid::from_u128(0x7d1c_9f0e_52b4_4a68_9c3b_0e6a_41d8_f725);

/// An Arctic taxon as in the CITES files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArcticTaxon {
    /// The name in the column `Taxon`.
    pub scientific_name: &'static str,
    /// The English name.
    pub common_name: &'static str,
    /// The kingdom, which is not in the files.
    pub kingdom: &'static str,
    /// The phylum, which is not in the files.
    pub phylum: &'static str,
    /// The class; empty for plants.
    pub class: &'static str,
    /// The order.
    pub order: &'static str,
    /// The family.
    pub family: &'static str,
    /// The genus.
    pub genus: &'static str,
    /// The appendix under which most of its trade was reported.
    pub appendix: &'static str,
}

/// A row of the `species` table: its id and every other column that is not null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeciesRow {
    /// The primary key: UUIDv5 of the scientific name.
    pub id: Uuid,
    /// Column `scientific_name`.
    pub scientific_name: &'static str,
    /// Column `common_name`.
    pub common_name: &'static str,
    /// Column `kingdom`.
    pub kingdom: &'static str,
    /// Column `phylum`.
    pub phylum: &'static str,
    /// Column `class`.
    pub class: &'static str,
    /// Column `order_name`.
    pub order_name: &'static str,
    /// Column `family`.
    pub family: &'static str,
    /// Column `genus`.
    pub genus: &'static str,
    /// Column `species_name`: the epithet.
    pub species_name: &'static str,
}

static ARCTIC: LazyLock<Vec<ArcticTaxon>> = LazyLock::new(|| {
    TAXA.entries()
        .map(|entry| ArcticTaxon {
            scientific_name: entry.text(0),
            common_name: entry.text(1),
            kingdom: entry.text(2),
            phylum: entry.text(3),
            class: entry.text(4),
            order: entry.text(5),
            family: entry.text(6),
            genus: entry.text(7),
            appendix: entry.text(8),
        })
        .collect()
});

/// The 43 Arctic taxa, by scientific name.
#[must_use]
pub fn arctic_taxa() -> &'static [ArcticTaxon] {
    &ARCTIC
}

/// The rows of the `species` table that the 43 taxa map to, by scientific name.
#[must_use]
pub fn species_rows() -> Vec<SpeciesRow> {
    SPECIES
        .entries()
        .map(|entry| SpeciesRow {
            id: Uuid::new_v5(&SPECIES_NAMESPACE, entry.text(0).as_bytes()),
            scientific_name: entry.text(0),
            common_name: entry.text(1),
            kingdom: entry.text(2),
            phylum: entry.text(3),
            class: entry.text(4),
            order_name: entry.text(5),
            family: entry.text(6),
            genus: entry.text(7),
            species_name: entry.text(8),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::codes;

    #[test]
    fn every_taxon_has_its_species_row() {
        let rows = species_rows();
        assert_eq!(rows.len(), 43);
        let names: Vec<_> = rows.iter().map(|row| row.scientific_name).collect();
        assert_eq!(names, arctic_taxa().iter().map(|t| t.scientific_name).collect::<Vec<_>>());
        assert_eq!(rows.iter().map(|row| row.id).collect::<HashSet<_>>().len(), 43);
    }

    #[test]
    fn no_column_that_must_not_be_null_is_empty() {
        for row in species_rows() {
            let columns = [
                row.scientific_name,
                row.common_name,
                row.kingdom,
                row.phylum,
                row.class,
                row.order_name,
                row.family,
                row.genus,
                row.species_name,
            ];
            assert!(columns.iter().all(|column| !column.is_empty()), "{row:?}");
        }
    }

    #[test]
    fn lists_are_rectangular_and_use_listed_codes() {
        for list in [&TAXA, &SPECIES] {
            assert!(list.entries().all(|entry| entry.len() == list.header().len()));
        }
        assert!(arctic_taxa().iter().all(|taxon| codes::is_appendix(taxon.appendix)));
    }
}
