//! The few rows whose quantity overflows `numeric(10,2)`.
//!
//! They are too few to leave to chance: the default size has exactly three, like
//! the public files, at rows determined by the layout.

use super::layout::{Layout, Place};
use super::quantity::{OVERFLOWING, Quantity};
use super::taxa::Taxon;

/// Number of rows that overflow, and number of Arctic rows in which they were counted.
const COUNTED: (u64, u64) = (3, 464_042);

/// The rows that overflow: some of the taxon with the most rows, evenly spaced.
#[derive(Clone, Debug)]
pub(super) struct Overflows {
    taxon: usize,
    /// The taxon's rows before each year.
    before: Vec<u64>,
    rows: u64,
    count: u64,
}

impl Overflows {
    pub(super) fn new(taxa: &[Taxon], layout: &Layout) -> Self {
        let arctic: Vec<(u64, usize)> = (0..taxa.len())
            .filter(|&taxon| taxa[taxon].arctic)
            .map(|taxon| (layout.rows_of(taxon), taxon))
            .collect();
        let (rows, taxon) = arctic.iter().copied().max().unwrap_or_default();
        let (overflows, counted) = COUNTED;
        let all: u64 = arctic.iter().map(|&(rows, _)| rows).sum();
        let count = (all * overflows + counted / 2) / counted;
        Overflows { taxon, before: layout.rows_before_years(taxon), rows, count }
    }

    /// The quantity of the row at `place`, if it is one that overflows.
    pub(super) fn quantity(&self, place: Place, layout: &Layout) -> Option<Quantity> {
        if self.count == 0 || place.taxon as usize != self.taxon {
            return None;
        }
        let row = self.before[place.year as usize] + layout.row_of_cell(place);
        let nth = row * self.count / self.rows;
        let chosen = (2 * nth + 1) * self.rows / (2 * self.count) == row;
        chosen.then(|| OVERFLOWING[nth as usize % OVERFLOWING.len()])
    }
}
