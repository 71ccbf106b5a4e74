//! Findings about the records, in memory that does not grow with the input.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::subject::Subject;
use crate::load::account::{Account, Reason};

/// The maximum number of distinct years counted per file.
const MAX_YEARS: usize = 1_000;
/// The maximum number of spellings kept per species.
const MAX_SPELLINGS: usize = 8;
/// The maximum number of distinct unlisted codes counted per column.
const MAX_CODES: usize = 1_000;
/// The maximum number of examples kept per misfit.
const MAX_EXAMPLES: usize = 3;
/// The maximum number of characters shown of a value.
const SHOWN_CHARS: usize = 60;

/// The place of a record. Places are ordered by file and line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Index of its file.
    pub(super) member: usize,
    /// Its line, counted from 1.
    pub(super) line: u64,
}

/// All findings of one examiner; several can be merged.
#[derive(Clone, Debug)]
pub(super) struct Findings {
    /// By index of the member.
    pub(super) files: Vec<FileFindings>,
    /// By index of the species.
    pub(super) species: Vec<SpeciesFindings>,
    /// By column of the plan, if the fault is in one, and reason.
    pub(super) misfits: BTreeMap<(Option<usize>, Reason), Misfits>,
    /// By column of the plan, then by code.
    pub(super) codes: BTreeMap<usize, HashMap<Box<str>, Sightings>>,
    /// Cells with codes beyond [`MAX_CODES`].
    pub(super) other_codes: u64,
}

/// The findings for one file.
#[derive(Clone, Debug, Default)]
pub(super) struct FileFindings {
    /// The outcome for its records under the strict policy.
    pub(super) account: Account,
    /// Rejected records that would be loaded with rounding.
    pub(super) rounded: u64,
    /// Rejected records that would be loaded into wider columns.
    pub(super) widened: u64,
    /// Mapped records by year.
    pub(super) years: BTreeMap<i32, u64>,
}

/// The findings for one species.
#[derive(Clone, Debug, Default)]
pub(super) struct SpeciesFindings {
    pub(super) rows: u64,
    /// First and last year.
    pub(super) years: Option<(i32, i32)>,
    /// Spellings of its name in the files that differ from the database.
    pub(super) spellings: BTreeSet<Box<str>>,
}

/// Values that do not fit their column, for one reason.
#[derive(Clone, Debug, Default)]
pub(super) struct Misfits {
    pub(super) values: u64,
    /// Those that would fit when rounded.
    pub(super) rounded: u64,
    /// Those that would fit a wider column.
    pub(super) widened: u64,
    /// The first of them.
    pub(super) examples: Vec<(Place, Box<str>)>,
}

/// How often a code was seen, and where first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sightings {
    pub(super) rows: u64,
    pub(super) first: Place,
}

impl Findings {
    pub(super) fn new(subject: &Subject<'_>) -> Self {
        Findings {
            files: vec![FileFindings::default(); subject.strict.members()],
            species: vec![SpeciesFindings::default(); subject.reading.taxa.all().len()],
            misfits: BTreeMap::new(),
            codes: BTreeMap::new(),
            other_codes: 0,
        }
    }

    /// Adds the findings of `other`. The result does not depend on who found what.
    pub(super) fn merge(&mut self, other: Findings) {
        for (mine, theirs) in self.files.iter_mut().zip(other.files) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.species.iter_mut().zip(other.species) {
            mine.merge(theirs);
        }
        for (key, theirs) in other.misfits {
            self.misfits.entry(key).or_default().merge(theirs);
        }
        for (column, codes) in other.codes {
            for (code, theirs) in codes {
                self.saw_code(column, &code, theirs);
            }
        }
        self.other_codes += other.other_codes;
    }

    /// Records a code that is not on its list.
    pub(super) fn saw_code(&mut self, column: usize, code: &str, seen: Sightings) {
        let codes = self.codes.entry(column).or_default();
        let code = &*shown(code.as_bytes());
        if let Some(known) = codes.get_mut(code) {
            known.rows += seen.rows;
            known.first = known.first.min(seen.first);
        } else if codes.len() < MAX_CODES {
            codes.insert(code.into(), seen);
        } else {
            self.other_codes += seen.rows;
        }
    }
}

impl FileFindings {
    fn merge(&mut self, other: FileFindings) {
        self.account += other.account;
        self.rounded += other.rounded;
        self.widened += other.widened;
        for (year, rows) in other.years {
            self.saw_year(year, rows);
        }
    }

    pub(super) fn saw_year(&mut self, year: i32, rows: u64) {
        // A thousand years are enough to judge a file by.
        if self.years.len() < MAX_YEARS || self.years.contains_key(&year) {
            *self.years.entry(year).or_default() += rows;
        }
    }
}

impl SpeciesFindings {
    fn merge(&mut self, other: SpeciesFindings) {
        self.rows += other.rows;
        if let Some((first, last)) = other.years {
            self.saw_year(first);
            self.saw_year(last);
        }
        self.spellings.extend(other.spellings);
        while self.spellings.len() > MAX_SPELLINGS {
            self.spellings.pop_last();
        }
    }

    pub(super) fn saw_year(&mut self, year: i32) {
        let (first, last) = self.years.unwrap_or((year, year));
        self.years = Some((first.min(year), last.max(year)));
    }

    pub(super) fn saw_spelling(&mut self, name: &str) {
        let name = &*shown(name.as_bytes());
        if self.spellings.len() < MAX_SPELLINGS && !self.spellings.contains(name) {
            self.spellings.insert(name.into());
        }
    }
}

impl Misfits {
    /// Records a misfit, and whether it would fit when rounded or in a wider column.
    pub(super) fn saw(&mut self, place: Place, value: &[u8], rounded: bool, widened: bool) {
        self.values += 1;
        self.rounded += u64::from(rounded);
        self.widened += u64::from(widened);
        self.add_example(place, || shown(value));
    }

    fn merge(&mut self, other: Misfits) {
        self.values += other.values;
        self.rounded += other.rounded;
        self.widened += other.widened;
        for (place, value) in other.examples {
            self.add_example(place, || value);
        }
    }

    fn add_example(&mut self, place: Place, value: impl FnOnce() -> Box<str>) {
        let at = self.examples.partition_point(|(known, _)| *known <= place);
        if at < MAX_EXAMPLES {
            self.examples.truncate(MAX_EXAMPLES - 1);
            self.examples.insert(at.min(self.examples.len()), (place, value()));
        }
    }
}

/// A value as shown in a report, truncated if long.
fn shown(value: &[u8]) -> Box<str> {
    // A character has at most four bytes.
    let start = &value[..value.len().min(SHOWN_CHARS * 4)];
    let text = String::from_utf8_lossy(start);
    let mut short: String = text.chars().take(SHOWN_CHARS).collect();
    if text.len() > short.len() || start.len() < value.len() {
        short.push('…');
    }
    short.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty(files: usize, species: usize) -> Findings {
        Findings {
            files: vec![FileFindings::default(); files],
            species: vec![SpeciesFindings::default(); species],
            misfits: BTreeMap::new(),
            codes: BTreeMap::new(),
            other_codes: 0,
        }
    }

    fn at(member: usize, line: u64) -> Place {
        Place { member, line }
    }

    #[test]
    fn the_first_examples_stay_whoever_saw_them() {
        let mut parts = [Misfits::default(), Misfits::default()];
        for line in [9, 2, 7, 4, 5, 3] {
            let value = line.to_string();
            parts[line as usize % 2].saw(at(0, line), value.as_bytes(), line < 5, true);
        }
        let [mut one, other] = parts;
        one.merge(other);
        let lines: Vec<_> =
            one.examples.iter().map(|(place, value)| (place.line, &**value)).collect();
        assert_eq!(lines, [(2, "2"), (3, "3"), (4, "4")]);
        assert_eq!((one.values, one.rounded, one.widened), (6, 3, 6));
    }

    #[test]
    fn codes_beyond_the_limit_are_counted_together() {
        let mut parts = [empty(0, 0), empty(0, 0)];
        for n in 0..MAX_CODES as u64 + 5 {
            let seen = Sightings { rows: 2, first: at(1, n) };
            parts[(n % 2) as usize].saw_code(3, &n.to_string(), seen);
        }
        let [mut one, other] = parts;
        one.merge(other);
        assert_eq!((one.codes[&3].len(), one.other_codes), (MAX_CODES, 10));
        one.saw_code(3, "0", Sightings { rows: 1, first: at(0, 8) });
        let known = one.codes[&3]["0"];
        assert_eq!((known.rows, known.first), (3, at(0, 8)));
    }

    #[test]
    fn years_and_spellings_are_bounded() {
        let mut file = FileFindings::default();
        (0..2 * MAX_YEARS as i32).for_each(|year| file.saw_year(year, 1));
        assert_eq!(file.years.len(), MAX_YEARS);
        let mut species = SpeciesFindings::default();
        for year in [2001, 1999, 2024] {
            species.saw_year(year);
            species.saw_spelling("ursus maritimus");
        }
        assert_eq!((species.years, species.spellings.len()), (Some((1999, 2024)), 1));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(&*shown(b"0.048"), "0.048");
        let long = shown("ü".repeat(200).as_bytes());
        assert_eq!(long.chars().count(), SHOWN_CHARS + 1);
        assert!(long.ends_with('…'));
        assert_eq!(&*shown(b"a\xff"), "a\u{fffd}");
    }
}
