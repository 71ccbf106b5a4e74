//! The closed lists of CITES: terms, units, purposes, sources, appendices,
//! countries and reporter types.
//!
//! A lookup compares bytes exactly, without trimming or case folding, so that
//! the actual content of an export is checked. An empty cell is not a code;
//! whether it may be empty is up to the caller.

use std::sync::LazyLock;

use hashbrown::HashSet;

use super::list::List;

const TERMS: List = List::new("data/terms.csv", include_str!("../data/terms.csv"));
const UNITS: List = List::new("data/units.csv", include_str!("../data/units.csv"));
const PURPOSES: List = List::new("data/purposes.csv", include_str!("../data/purposes.csv"));
const SOURCES: List = List::new("data/sources.csv", include_str!("../data/sources.csv"));
const APPENDICES: List = List::new("data/appendices.csv", include_str!("../data/appendices.csv"));
const COUNTRIES: List = List::new("data/countries.csv", include_str!("../data/countries.csv"));

type Codes = HashSet<&'static [u8]>;

/// The first column of a list, as a set.
fn codes(list: &List) -> Codes {
    list.entries().map(|entry| entry.text(0).as_bytes()).collect()
}

static TERM_CODES: LazyLock<Codes> = LazyLock::new(|| codes(&TERMS));
static UNIT_CODES: LazyLock<Codes> = LazyLock::new(|| codes(&UNITS));
static PURPOSE_CODES: LazyLock<Codes> = LazyLock::new(|| codes(&PURPOSES));
static SOURCE_CODES: LazyLock<Codes> = LazyLock::new(|| codes(&SOURCES));
static APPENDIX_CODES: LazyLock<Codes> = LazyLock::new(|| codes(&APPENDICES));
static COUNTRY_CODES: LazyLock<Codes> = LazyLock::new(|| codes(&COUNTRIES));

/// Whether `term` names what is traded, such as `live` or `ivory carvings`.
#[must_use]
pub fn is_term(term: impl AsRef<[u8]>) -> bool {
    TERM_CODES.contains(term.as_ref())
}

/// Whether `unit` is a unit of quantity, such as `kg`.
#[must_use]
pub fn is_unit(unit: impl AsRef<[u8]>) -> bool {
    UNIT_CODES.contains(unit.as_ref())
}

/// Whether `purpose` is a purpose of transaction, such as `T` for commercial.
#[must_use]
pub fn is_purpose(purpose: impl AsRef<[u8]>) -> bool {
    PURPOSE_CODES.contains(purpose.as_ref())
}

/// Whether `source` says where a specimen comes from, such as `W` for the wild.
#[must_use]
pub fn is_source(source: impl AsRef<[u8]>) -> bool {
    SOURCE_CODES.contains(source.as_ref())
}

/// Whether `appendix` is I, II, III, or N for not listed.
#[must_use]
pub fn is_appendix(appendix: impl AsRef<[u8]>) -> bool {
    APPENDIX_CODES.contains(appendix.as_ref())
}

/// Whether `country` is an ISO 3166-1 alpha-2 code, one that CITES adds, or
/// one of a former country that old records still carry.
#[must_use]
pub fn is_country(country: impl AsRef<[u8]>) -> bool {
    COUNTRY_CODES.contains(country.as_ref())
}

/// Whether `reporter` is `E` or `I`: the exporter or the importer reported.
#[must_use]
pub fn is_reporter_type(reporter: impl AsRef<[u8]>) -> bool {
    matches!(reporter.as_ref(), b"E" | b"I")
}

/// A function that returns whether a value is on the list of a column.
pub type IsListed = fn(&[u8]) -> bool;

/// The list for the values of a target column, by the column's name.
#[must_use]
pub fn list_of(column: &str) -> Option<IsListed> {
    Some(match column {
        "term" => |term| is_term(term),
        "unit" => |unit| is_unit(unit),
        "purpose" => |purpose| is_purpose(purpose),
        "source" => |source| is_source(source),
        "appendix" => |appendix| is_appendix(appendix),
        "importer" | "exporter" | "origin" => |country| is_country(country),
        "reporter_type" => |reporter| is_reporter_type(reporter),
        _ => return None,
    })
}

/// The codes that [`list_of`] a column accepts.
#[must_use]
pub fn codes_of(column: &str) -> Option<Vec<&'static str>> {
    let list = match column {
        "term" => &TERMS,
        "unit" => &UNITS,
        "purpose" => &PURPOSES,
        "source" => &SOURCES,
        "appendix" => &APPENDICES,
        "importer" | "exporter" | "origin" => &COUNTRIES,
        "reporter_type" => return Some(vec!["E", "I"]),
        _ => return None,
    };
    Some(list.entries().map(|entry| entry.text(0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_rectangular_and_without_repeats() {
        for list in [&TERMS, &UNITS, &PURPOSES, &SOURCES, &APPENDICES, &COUNTRIES] {
            let columns = list.header().len();
            assert!(list.entries().all(|entry| entry.len() == columns));
            assert_eq!(codes(list).len(), list.entries().count());
            assert!(!codes(list).contains(&b""[..]));
        }
    }

    #[test]
    fn lists_have_the_sizes_of_the_standards() {
        let status = |wanted| COUNTRIES.entries().filter(|e| e.text(2) == wanted).count();
        assert_eq!(status("iso"), 249);
        assert_eq!(PURPOSE_CODES.len(), 12);
        assert_eq!(SOURCE_CODES.len(), 11);
        assert_eq!(APPENDIX_CODES.len(), 4);
    }

    #[test]
    fn a_code_is_judged_as_it_stands() {
        // The public files end this term in a blank.
        assert!(is_term("jewellery - ivory "));
        assert!(!is_term("jewellery - ivory"));
        assert!(is_term(b"live") && !is_term("Live"));
        assert!(is_unit("kg") && !is_unit("") && !is_unit("KG"));
        assert!(is_purpose("T") && !is_purpose("A"));
        assert!(is_source("Y") && !is_source("B"));
        assert!(is_appendix("III") && !is_appendix("IV"));
        assert!(is_reporter_type("E") && !is_reporter_type("X"));
        assert!(!is_term([0xff, 0xfe]));
    }

    #[test]
    fn a_column_is_judged_by_its_own_list() {
        let listed = |column, value: &str| list_of(column).map(|is| is(value.as_bytes()));
        assert_eq!(listed("origin", "GL"), Some(true));
        assert_eq!(listed("term", "GL"), Some(false));
        assert_eq!(listed("unit", "kg"), Some(true));
        assert_eq!(listed("quantity", "kg"), None);
    }

    #[test]
    fn every_code_of_a_column_is_on_its_list() {
        for column in ["term", "unit", "purpose", "source", "appendix", "importer", "reporter_type"]
        {
            let (codes, is_listed) = (codes_of(column).unwrap(), list_of(column).unwrap());
            assert!(codes.len() > 1 && codes.iter().all(|code| is_listed(code.as_bytes())));
        }
        assert!(codes_of("quantity").is_none());
    }

    #[test]
    fn countries_include_what_cites_adds_and_what_history_left() {
        for code in ["GL", "XX", "XV", "ZZ", "XF", "XS", "HS", "SU", "DD", "YU", "CS", "ZC", "AN"] {
            assert!(is_country(code), "{code}");
        }
        assert!(!is_country("UK") && !is_country("gl"));
    }
}
