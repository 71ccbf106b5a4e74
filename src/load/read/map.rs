//! Maps taxa to species, and decides about records by taxon and year.
//!
//! Sources ask before they copy a record into a batch: in a worldwide download, 98% of the
//! records map to no species, and these are never copied.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::cites::Taxa;
use crate::error::{Error, Result};
use crate::load::account::Reason;
use crate::load::encode::parse_integer;

/// Limits for the number and total bytes of distinct names kept in memory. Further names are
/// looked up each time and counted together, so that memory stays bounded.
const MAX_NAMES: usize = 65_536;
const MAX_NAME_BYTES: usize = 4 << 20;

/// What to do with a record whose taxon maps to no species.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnUnmapped {
    /// Skip it and count it.
    Skip,
    /// Reject it.
    Reject,
    /// Stop the load.
    Fail,
}

/// The years to load; empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Years(BTreeSet<i32>);

impl Years {
    /// Whether every year is to be loaded.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the years of `other`.
    pub fn extend(&mut self, other: Years) {
        self.0.extend(other.0);
    }

    /// The years in ascending order; empty if all are meant.
    pub fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        self.0.iter().copied()
    }

    /// Whether records of this year are loaded.
    #[must_use]
    pub fn admits(&self, year: i32) -> bool {
        self.is_all() || self.contains(year)
    }

    fn contains(&self, year: i32) -> bool {
        self.0.contains(&year)
    }
}

impl FromIterator<i32> for Years {
    fn from_iter<I: IntoIterator<Item = i32>>(years: I) -> Self {
        Years(years.into_iter().collect())
    }
}

/// As [`Years::from_str`] reads them: `2015-2020,2023`.
impl fmt::Display for Years {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(i32, i32)> = Vec::new();
        for year in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == year => *last = year,
                _ => ranges.push((year, year)),
            }
        }
        for (at, (first, last)) in ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Years {
    type Err = Error;

    /// Parses a list such as `2015-2020,2023`.
    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::usage(format!("{text:?} is not a list of years"))
                .hint("write a year, a range such as 2015-2020, or several separated by commas")
        };
        let year = |text: &str| -> Result<i32> {
            let digits = text.trim();
            let plain =
                (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { digits.parse().map_err(|_| bad()) } else { Err(bad()) }
        };
        let mut years = BTreeSet::new();
        for part in text.split(',') {
            match part.split_once('-') {
                Some((from, to)) => {
                    let (from, to) = (year(from)?, year(to)?);
                    if from > to {
                        return Err(bad());
                    }
                    years.extend(from..=to);
                }
                None => {
                    years.insert(year(part)?);
                }
            }
        }
        Ok(Years(years))
    }
}

/// Names without a species, and the number of records of each.
#[derive(Clone, Debug, Default)]
pub struct UnmappedTaxa {
    counts: HashMap<Box<str>, u64>,
    bytes: usize,
    /// Records with names beyond the limits.
    pub others: u64,
}

impl UnmappedTaxa {
    fn add(&mut self, name: &str, rows: u64) {
        if let Some(count) = self.counts.get_mut(name) {
            *count += rows;
        } else if self.counts.len() < MAX_NAMES && self.bytes + name.len() <= MAX_NAME_BYTES {
            self.counts.insert(name.into(), rows);
            self.bytes += name.len();
        } else {
            self.others += rows;
        }
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: UnmappedTaxa) {
        for (name, rows) in other.counts {
            self.add(&name, rows);
        }
        self.others += other.others;
    }

    /// The number of distinct names counted separately.
    #[must_use]
    pub fn names(&self) -> usize {
        self.counts.len()
    }

    /// The `limit` most frequent names, most records first, then by name.
    #[must_use]
    pub fn most_frequent(&self, limit: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(name, rows)| (&**name, *rows)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all.truncate(limit);
        all
    }
}

/// The result of [`Mapper::decide`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum Decision {
    Row(Option<u32>),
    Unmapped,
    Filtered,
    Reject(Reason),
}

/// Maps the taxa of one source thread and caches the results.
pub(in crate::load) struct Mapper<'a> {
    taxa: &'a Taxa,
    years: &'a Years,
    known: HashMap<Box<str>, Option<u32>>,
    known_bytes: usize,
    /// Files are sorted by taxon for long stretches, so the last name is compared first.
    last: String,
    last_found: Option<u32>,
    last_unmapped: u64,
    unmapped: UnmappedTaxa,
}

impl<'a> Mapper<'a> {
    pub(in crate::load) fn new(taxa: &'a Taxa, years: &'a Years) -> Self {
        Mapper {
            taxa,
            years,
            known: HashMap::new(),
            known_bytes: 0,
            last: String::new(),
            last_found: taxa.find(""),
            last_unmapped: 0,
            unmapped: UnmappedTaxa::default(),
        }
    }

    /// Whether only some years are loaded.
    pub(in crate::load) fn selects_years(&self) -> bool {
        !self.years.is_all()
    }

    /// Decides about a record by its taxon and year, if its format has them. Both have already
    /// been checked to be UTF-8.
    pub(in crate::load) fn decide(
        &mut self,
        taxon: Option<&[u8]>,
        year: Option<&[u8]>,
    ) -> Decision {
        let species = match taxon {
            None => None,
            Some(name) => match self.find(name) {
                None => {
                    self.last_unmapped += 1;
                    return Decision::Unmapped;
                }
                found => found,
            },
        };
        if let Some(year) = year.filter(|_| !self.years.is_all()) {
            match parse_integer::<i32>(year) {
                Ok(year) if self.years.contains(year) => {}
                Ok(_) => return Decision::Filtered,
                Err(reason) => return Decision::Reject(reason),
            }
        }
        Decision::Row(species)
    }

    fn find(&mut self, name: &[u8]) -> Option<u32> {
        if name == self.last.as_bytes() {
            return self.last_found;
        }
        self.settle_last();
        let name = std::str::from_utf8(name).unwrap_or_default();
        let found = match self.known.get(name) {
            Some(found) => *found,
            None => {
                let found = self.taxa.find(name);
                let known_bytes = self.known_bytes + name.len();
                if self.known.len() < MAX_NAMES && known_bytes <= MAX_NAME_BYTES {
                    self.known.insert(name.into(), found);
                    self.known_bytes = known_bytes;
                }
                found
            }
        };
        self.last.clear();
        self.last.push_str(name);
        self.last_found = found;
        found
    }

    fn settle_last(&mut self) {
        if self.last_unmapped > 0 {
            self.unmapped.add(&self.last, self.last_unmapped);
            self.last_unmapped = 0;
        }
    }

    /// Returns the names without a species.
    pub(in crate::load) fn into_unmapped(mut self) -> UnmappedTaxa {
        self.settle_last();
        self.unmapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cites::Species;

    #[test]
    fn years_are_lists_and_ranges() {
        let years: Years = "2015-2017,2023, 1999".parse().unwrap();
        assert_eq!(years.to_string(), "1999,2015-2017,2023");
        assert!([1999, 2015, 2016, 2017, 2023].iter().all(|y| years.contains(*y)));
        assert!(!years.contains(2018));
        for bad in ["", "x", "2020-2015", "2015-", "20155", "-5", "2015--2016", "2015,,2016"] {
            assert!(bad.parse::<Years>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn taxon_first_then_year() {
        let species = Species { id: uuid::Uuid::nil(), name: "Ursus maritimus".into() };
        let taxa = Taxa::new(vec![species]).unwrap();
        let years: Years = "2022".parse().unwrap();
        let mut mapper = Mapper::new(&taxa, &years);
        let mut decide = |taxon: &'static str, year: &'static str| {
            mapper.decide(Some(taxon.as_bytes()), Some(year.as_bytes()))
        };
        assert_eq!(decide("Ursus maritimus", "2022"), Decision::Row(Some(0)));
        assert_eq!(decide("Ursus maritimus", "2021"), Decision::Filtered);
        assert_eq!(decide("ursus maritimus", "x"), Decision::Reject(Reason::InvalidInteger));
        assert_eq!(decide("Python regius", "x"), Decision::Unmapped);
        assert_eq!(decide("Python regius", "2022"), Decision::Unmapped);
        assert_eq!(decide("", "2022"), Decision::Unmapped);
        assert_eq!(decide("Python regius", "2022"), Decision::Unmapped);
        let unmapped = mapper.into_unmapped();
        assert_eq!(unmapped.most_frequent(50), [("Python regius", 3), ("", 1)]);
    }

    #[test]
    fn names_beyond_the_limit_are_counted_together() {
        let mut unmapped = UnmappedTaxa::default();
        for i in 0..MAX_NAMES + 10 {
            unmapped.add(&i.to_string(), 2);
        }
        assert_eq!((unmapped.names(), unmapped.others), (MAX_NAMES, 20));
        let mut long = UnmappedTaxa::default();
        for i in 0..10 {
            long.add(&format!("{i}{}", "x".repeat(MAX_NAME_BYTES / 4)), 1);
        }
        assert_eq!((long.names(), long.others), (3, 7));
    }
}
