//! The layout of rows: the number of rows per taxon and year, and the rows of
//! each file.
//!
//! Rows are numbered by year and, within a year, by taxon. Everything is derived
//! from that number, so files can be generated in any order and in parallel,
//! without storing any row.

use std::ops::Range;

use super::apportion::{give_each_one, share_out};
use super::permutation::Spread;
use super::taxa::Taxon;
use crate::list::List;
use sterna_error::Result;

const ROWS_BY_YEAR: List =
    List::new("data/rows-by-year.csv", include_str!("../../data/rows-by-year.csv"));
const WORLD_YEARS: List =
    List::new("data/world-years.csv", include_str!("../../data/world-years.csv"));

/// Rows per file of the public download.
const ROWS_PER_FILE: u64 = 500_000;
/// Files of the public download.
const DOWNLOAD_FILES: u64 = 56;
/// Rows of the whole public download, and those of the Arctic taxa in it.
const DOWNLOAD_ROWS: u64 = 27_901_870;
pub(super) const ARCTIC_ROWS: u64 = 489_107;
/// Rows of [`ARCTIC_ROWS`] that production had before the newer release.
const EARLIER_ROWS: u64 = 461_042;

/// The position of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Index of the taxon; files are ordered by it.
    pub(super) taxon: u32,
    /// Index of the year, counted from the first one.
    pub(super) year: u32,
    /// The row's number among all rows.
    pub(super) number: u64,
}

/// The rows of a generated download.
#[derive(Debug)]
pub(super) struct Layout {
    first_year: u32,
    years: usize,
    taxa: usize,
    /// Number of rows before each cell, that is, each taxon in each year, ordered
    /// by year; the last element is the total.
    before: Vec<u64>,
    files: Vec<Range<u64>>,
    /// The last year in the earlier release, and its rows per taxon in that year.
    /// It has all rows of the years before, and none of the years after.
    earlier_year: usize,
    earlier_rows: Vec<u64>,
}

impl Layout {
    /// Lays out `rows` rows of `taxa`, which are sorted by name.
    pub(super) fn new(taxa: &[Taxon], rows: u64) -> Result<Self> {
        let (first_year, arctic_years) = arctic_years()?;
        let world_years = world_years()?;
        let (arctic, others): (Vec<usize>, Vec<usize>) =
            (0..taxa.len()).partition(|&taxon| taxa[taxon].arctic);
        let world = !others.is_empty();
        let arctic_rows = if world { scaled(rows, ARCTIC_ROWS, DOWNLOAD_ROWS) } else { rows };
        let weights = |of: &[usize]| of.iter().map(|&taxon| taxa[taxon].weight).collect::<Vec<_>>();
        let mut arctic_counts = share_out(&weights(&arctic), arctic_rows);
        give_each_one(&mut arctic_counts);
        let other_counts = share_out(&weights(&others), rows - arctic_rows);
        let arctic = arctic.into_iter().zip(arctic_counts).zip(&arctic_years);
        let others = others.into_iter().zip(other_counts).zip(std::iter::repeat(&world_years));

        let years = world_years.len();
        let mut cells = vec![0; years * taxa.len()];
        for ((taxon, count), weights) in arctic.chain(others) {
            for (year, count) in share_out(weights, count).into_iter().enumerate() {
                cells[year * taxa.len() + taxon] = count;
            }
        }
        let mut before = Vec::with_capacity(cells.len() + 1);
        let mut total = 0;
        for cell in cells {
            before.push(total);
            total += cell;
        }
        before.push(total);
        let mut layout = Layout {
            first_year,
            years,
            taxa: taxa.len(),
            before,
            files: Vec::new(),
            earlier_year: 0,
            earlier_rows: Vec::new(),
        };
        layout.files =
            if world { even_files(rows) } else { layout.extract_files(&world_years, rows) };
        layout.set_earlier(scaled(rows, EARLIER_ROWS, ARCTIC_ROWS));
        Ok(layout)
    }

    /// The files, each as a range of positions; none is empty.
    pub(super) fn files(&self) -> &[Range<u64>] {
        &self.files
    }

    /// The files that contain rows of the earlier release.
    pub(super) fn earlier_files(&self) -> &[Range<u64>] {
        let end = self.year_rows(self.earlier_year).end;
        &self.files[..self.files.partition_point(|file| file.start < end)]
    }

    /// The calendar year of a row.
    pub(super) fn calendar_year(&self, place: Place) -> u32 {
        self.first_year + place.year
    }

    /// Number of rows of `taxon`, over all years.
    pub(super) fn rows_of(&self, taxon: usize) -> u64 {
        (0..self.years).map(|year| self.cell(year, taxon)).map(|cell| cell.end - cell.start).sum()
    }

    /// Number of rows of `taxon` before each year.
    pub(super) fn rows_before_years(&self, taxon: usize) -> Vec<u64> {
        let cells = (0..self.years).map(|year| self.cell(year, taxon));
        let sums = cells.scan(0, |sum, cell| {
            let before = *sum;
            *sum += cell.end - cell.start;
            Some(before)
        });
        sums.collect()
    }

    /// The number of a row among those of its taxon and year.
    pub(super) fn row_of_cell(&self, place: Place) -> u64 {
        place.number - self.cell(place.year as usize, place.taxon as usize).start
    }

    /// Number of rows of the earlier release.
    pub(super) fn earlier_total(&self) -> u64 {
        self.year_rows(self.earlier_year).start + self.earlier_rows.iter().sum::<u64>()
    }

    /// Whether the row is in the earlier release.
    pub(super) fn is_earlier(&self, place: Place) -> bool {
        let (year, taxon) = (place.year as usize, place.taxon as usize);
        match year.cmp(&self.earlier_year) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => self.row_of_cell(place) < self.earlier_rows[taxon],
            std::cmp::Ordering::Greater => false,
        }
    }

    /// The rows of one file, sorted by taxon and year as in the public files.
    pub(super) fn places(&self, file: &Range<u64>) -> Vec<Place> {
        let mut places = Vec::with_capacity((file.end - file.start) as usize);
        for year in 0..self.years {
            let rows = self.year_rows(year);
            let (start, end) = (file.start.max(rows.start), file.end.min(rows.end));
            let spread = Spread::new(rows.end - rows.start);
            let cells = &self.before[year * self.taxa..][..self.taxa];
            for position in start..end {
                let number = rows.start + spread.row(position - rows.start);
                let taxon = cells.partition_point(|&before| before <= number) - 1;
                places.push(Place { taxon: taxon as u32, year: year as u32, number });
            }
        }
        places.sort_unstable();
        places
    }

    fn cell(&self, year: usize, taxon: usize) -> Range<u64> {
        let cell = year * self.taxa + taxon;
        self.before[cell]..self.before[cell + 1]
    }

    fn year_rows(&self, year: usize) -> Range<u64> {
        self.before[year * self.taxa]..self.before[(year + 1) * self.taxa]
    }

    /// The files of an extract from a full download: boundaries are where the world's
    /// rows fill a file, and each file contains the rows of the extract's taxa in it.
    fn extract_files(&self, world_years: &[u64], rows: u64) -> Vec<Range<u64>> {
        let per_file = ARCTIC_ROWS.div_ceil(DOWNLOAD_FILES);
        let files = rows.div_ceil(per_file).min(DOWNLOAD_FILES).max(rows.div_ceil(ROWS_PER_FILE));
        let world: u64 = world_years.iter().sum();
        let mut ends = Vec::new();
        for file in 1..=files {
            // In fractions of a file, so that division loses no rows between years.
            let cut = world * file;
            let (mut year, mut passed) = (0, 0);
            while year + 1 < self.years && passed + world_years[year] * files <= cut {
                passed += world_years[year] * files;
                year += 1;
            }
            let rows = self.year_rows(year);
            let part = scaled(rows.end - rows.start, cut - passed, world_years[year] * files);
            ends.push((rows.start + part).min(rows.end));
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts
            .zip(ends.iter().copied())
            .map(|(a, b)| a..b)
            .filter(|file| !file.is_empty())
            .collect()
    }

    fn set_earlier(&mut self, target: u64) {
        let years = 0..self.years;
        let year = years.rev().find(|&year| self.year_rows(year).start <= target).unwrap_or(0);
        let cells = (0..self.taxa).map(|taxon| self.cell(year, taxon));
        let sizes: Vec<u64> = cells.map(|cell| cell.end - cell.start).collect();
        self.earlier_rows = share_out(&sizes, target - self.year_rows(year).start);
        self.earlier_year = year;
    }
}

/// The first year, and the weight of each year for each Arctic taxon.
fn arctic_years() -> Result<(u32, Vec<Vec<u64>>)> {
    let columns = ROWS_BY_YEAR.header().len();
    let by_taxon = ROWS_BY_YEAR
        .entries()
        .map(|entry| (1..columns).map(|column| entry.number(column)).collect())
        .collect::<Result<_>>()?;
    let first = WORLD_YEARS.entries().next().map_or(Ok(0), |entry| entry.number(0))?;
    Ok((first, by_taxon))
}

/// The weight of each year for the world's trade.
fn world_years() -> Result<Vec<u64>> {
    WORLD_YEARS.entries().map(|entry| entry.number(1)).collect()
}

fn even_files(rows: u64) -> Vec<Range<u64>> {
    (0..rows.div_ceil(ROWS_PER_FILE))
        .map(|file| file * ROWS_PER_FILE..((file + 1) * ROWS_PER_FILE).min(rows))
        .collect()
}

/// `value * numerator / denominator`, rounded to the nearest.
fn scaled(value: u64, numerator: u64, denominator: u64) -> u64 {
    let product = u128::from(value) * u128::from(numerator);
    ((product + u128::from(denominator / 2)) / u128::from(denominator.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::super::profile::Profiles;
    use super::super::taxa;
    use super::*;
    use crate::arctic::{TAXA, arctic_taxa};

    fn arctic(rows: u64) -> Layout {
        Layout::new(&taxa::arctic(&Profiles::read().unwrap()).unwrap(), rows).unwrap()
    }

    #[test]
    fn the_default_has_the_counts_of_the_release() {
        let layout = arctic(ARCTIC_ROWS);
        let known = [
            ("Acipenser baerii", 195_775),
            ("Falco rusticolus", 86_802),
            ("Lynx canadensis", 38_822),
            ("Falco peregrinus", 34_668),
            ("Odobenus rosmarus", 26_139),
            ("Monodon monoceros", 25_683),
            ("Ursus maritimus", 24_730),
            ("Lontra canadensis", 19_361),
            ("Antigone canadensis", 11_865),
            ("Physeter macrocephalus", 7_282),
            ("Mesoplodon stejnegeri", 16),
            ("Phoebastria albatrus", 12),
            ("Numenius borealis", 7),
        ];
        for (name, rows) in known {
            let taxon = arctic_taxa().iter().position(|t| t.scientific_name == name).unwrap();
            assert_eq!(layout.rows_of(taxon), rows, "{name}");
        }
        for (entry, taxon) in TAXA.entries().zip(0..) {
            assert_eq!(layout.rows_of(taxon), entry.number::<u64>(11).unwrap());
        }
        assert!((54..=56).contains(&layout.files().len()));
        assert_eq!(layout.earlier_total(), EARLIER_ROWS);
    }

    #[test]
    fn files_hold_every_row_once() {
        for rows in [1, 2, 42, 43, 1_000, 20_011] {
            let layout = arctic(rows);
            let mut numbers: Vec<u64> = layout
                .files()
                .iter()
                .flat_map(|file| layout.places(file))
                .map(|place| place.number)
                .collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..rows).collect::<Vec<_>>());
        }
    }

    #[test]
    fn taxa_and_years_of_the_lists_agree() {
        let (first_year, by_year) = arctic_years().unwrap();
        assert_eq!(first_year, 1975);
        for (entry, years) in TAXA.entries().zip(&by_year) {
            assert_eq!(years.iter().sum::<u64>(), entry.number::<u64>(11).unwrap());
            let first = first_year as usize + years.iter().position(|&rows| rows > 0).unwrap();
            assert_eq!(first, entry.number::<usize>(12).unwrap());
        }
        let names: Vec<_> = ROWS_BY_YEAR.entries().map(|entry| entry.text(0)).collect();
        assert_eq!(names, arctic_taxa().iter().map(|t| t.scientific_name).collect::<Vec<_>>());
        assert_eq!(world_years().unwrap().len(), by_year[0].len());
    }

    #[test]
    fn the_earlier_release_is_a_part_of_the_newer() {
        let layout = arctic(5_000);
        let earlier = layout
            .files()
            .iter()
            .flat_map(|file| layout.places(file))
            .filter(|&place| layout.is_earlier(place))
            .count() as u64;
        assert_eq!(earlier, layout.earlier_total());
        assert_eq!(earlier, scaled(5_000, EARLIER_ROWS, ARCTIC_ROWS));
    }
}
