//! Export formats: the mapping of a file's fields to columns of the table.
//!
//! A format is data (`data/formats.toml`, or a user's file of the same form),
//! so a new export is a new entry and no new code. This module only matches
//! headers against formats; it knows neither files nor databases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use sterna_error::{Error, Result};

const BUILT_IN: &str = include_str!("../data/formats.toml");

/// One export format.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Its name in reports.
    pub name: String,
    /// A one-line description.
    #[serde(default)]
    pub about: String,
    /// The field that identifies a record.
    pub record_id: Option<String>,
    /// The uuid column that sterna fills itself.
    pub row_id: Option<String>,
    /// The field that `--year` selects by.
    pub year: Option<String>,
    /// A field whose value is looked up in another table.
    pub lookup: Option<Lookup>,
    /// Field to column, for every field that is stored.
    pub columns: BTreeMap<String, String>,
}

/// A field whose name is looked up in another table, such as a taxon in `species`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The field of the file that holds the name.
    pub field: String,
    /// The column of the target that gets the found row's value.
    pub column: String,
    /// The schema of the table to look in; the target's by default.
    pub schema: Option<String>,
    /// The table to look in.
    pub table: String,
    /// The column of that table that holds the name.
    pub key: String,
    /// The column of that table whose value is stored; a uuid.
    pub value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Vec<Format>,
}

/// The formats that a load accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formats(Vec<Format>);

impl Formats {
    /// The formats of the CITES Trade Database.
    ///
    /// # Errors
    /// Never in a released build: a test parses the same text.
    pub fn built_in() -> Result<Self> {
        Self::parse(BUILT_IN, "data/formats.toml")
    }

    /// A user's formats: `text` in the form of `data/formats.toml`, from the file `name`.
    ///
    /// # Errors
    /// If the text does not have that form.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let file: File = toml::from_str(text)
            .map_err(|e| Error::usage(format!("{name}: not a list of formats: {e}")))?;
        for format in &file.format {
            format.check().map_err(|e| e.context(name))?;
        }
        if file.format.is_empty() {
            return Err(Error::usage(format!("{name}: no [[format]]")));
        }
        let mut names: Vec<&str> = file.format.iter().map(|format| &*format.name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::usage(format!("{name}: two formats have the name {:?}", pair[0])));
        }
        Ok(Formats(file.format))
    }

    /// The columns that the years of records are stored in.
    #[must_use]
    pub fn year_columns(&self) -> BTreeSet<&str> {
        let of_formats = self.0.iter();
        let columns = of_formats.filter_map(|format| format.columns.get(format.year.as_ref()?));
        columns.map(String::as_str).collect()
    }

    /// The format at `index`, which is a [`Layout::format`].
    #[must_use]
    pub fn get(&self, index: usize) -> &Format {
        &self.0[index]
    }

    /// Matches a header against every format.
    ///
    /// # Errors
    /// A sentence with the reason why no format fits, without the file's name.
    pub fn layout(&self, header: &[&str]) -> std::result::Result<Layout, String> {
        if let Some(complaint) = not_a_header(header) {
            return Err(complaint);
        }
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(header.len());
        let mut twice = None;
        for (at, name) in header.iter().enumerate() {
            let first = *places.entry(name).or_insert(at);
            // Columns without a name, which spreadsheets leave at the end, are ignored.
            if first < at && !name.is_empty() {
                twice.get_or_insert((first, at));
            }
        }
        let missing = |format: &Format| {
            let absent = format.fields().filter(|field| !places.contains_key(field));
            absent.map(str::to_owned).collect::<Vec<_>>()
        };
        let fitting = self.0.iter().enumerate().filter(|(_, f)| missing(f).is_empty());
        let Some((index, format)) = fitting.max_by_key(|(_, f)| f.columns.len()) else {
            return Err(self.explain_misfit(header, missing));
        };
        if let Some((first, at)) = twice {
            return Err(format!(
                "the header names {:?} twice, in columns {} and {}",
                header[at],
                first + 1,
                at + 1
            ));
        }
        let at = |field: &str| places.get(field).copied();
        Ok(Layout {
            format: index,
            header: header.iter().map(ToString::to_string).collect(),
            columns: format
                .columns
                .iter()
                .filter_map(|(field, column)| at(field).map(|i| (column.clone(), i)))
                .collect(),
            record_id: format.record_id.as_deref().and_then(at),
            year: format.year.as_deref().and_then(at),
            lookup: format.lookup.as_ref().and_then(|l| at(&l.field)),
        })
    }

    fn explain_misfit(&self, header: &[&str], missing: impl Fn(&Format) -> Vec<String>) -> String {
        let nearest = self.0.iter().min_by_key(|f| (missing(f).len(), f.columns.len()));
        let Some(nearest) = nearest else {
            return "no format is known".into();
        };
        let absent = missing(nearest);
        if absent.len() == nearest.fields().count() {
            let first = header.first().copied().unwrap_or_default();
            // The first format is the usual one.
            let usual = self.0.first().unwrap_or(nearest);
            return format!(
                "the first line is not a known header (it begins with {first:?}); a header line is needed, such as that of {}",
                usual.name
            );
        }
        let near = absent.iter().filter_map(|want| {
            let same = |h: &&&str| h.trim().eq_ignore_ascii_case(want);
            header.iter().find(same).map(|h| format!("; {h:?} stands where {want:?} is expected"))
        });
        format!(
            "the header fits no known format; the nearest, {}, also needs {}{}",
            nearest.name,
            absent.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>().join(", "),
            near.collect::<String>()
        )
    }
}

/// A complaint if the header is not comma-separated, with the separator it seems to use.
fn not_a_header(header: &[&str]) -> Option<String> {
    let only = match header {
        [only] => *only,
        [] => return Some("the file is empty; a header line is needed".into()),
        _ => return None,
    };
    let separator = [(';', "';'"), ('\t', "a tab"), ('|', "'|'")]
        .into_iter()
        .find(|(separator, _)| only.matches(*separator).count() >= 2);
    separator.map(|(_, name)| {
        format!("the fields seem to be separated by {name}; export the file with commas")
    })
}

impl Format {
    /// The fields that a header must contain.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    fn check(&self) -> Result<()> {
        // The name becomes part of the name of the format's rejects file.
        if self.name.contains(['/', '\0']) {
            return Err(Error::usage(format!("{:?} cannot be the name of a format", self.name))
                .hint("use a name without slashes"));
        }
        let lookup = self.lookup.as_ref().map(|l| &l.field);
        for field in [&self.record_id, &self.year].into_iter().flatten().chain(lookup) {
            if !self.columns.contains_key(field) {
                return Err(Error::usage(format!(
                    "format {:?} names the field {field:?}, which its columns do not store",
                    self.name
                )));
            }
        }
        let made = self.row_id.iter().chain(self.lookup.iter().map(|l| &l.column));
        let mut columns: Vec<_> = self.columns.values().chain(made).collect();
        columns.sort_unstable();
        match columns.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::usage(format!(
                "format {:?} fills the column {:?} twice",
                self.name, pair[0]
            ))),
            None => Ok(()),
        }
    }
}

/// The positions of a format's fields in the header of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Index into the [`Formats`] that matched it.
    pub format: usize,
    /// The unchanged header; every record must have as many fields.
    pub header: Vec<String>,
    /// Column to index of its field.
    pub columns: BTreeMap<String, usize>,
    /// Index of the field that identifies a record.
    pub record_id: Option<usize>,
    /// Index of the field that `--year` selects by.
    pub year: Option<usize>,
    /// Index of the field that is looked up.
    pub lookup: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header_of(name: &str) -> Vec<String> {
        let formats = Formats::built_in().unwrap();
        let format = formats.0.iter().find(|f| f.name == name).unwrap();
        format.fields().map(str::to_owned).collect()
    }

    fn layout(header: &[String]) -> std::result::Result<Layout, String> {
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        Formats::built_in().unwrap().layout(&header)
    }

    #[test]
    fn the_widest_fitting_format_wins() {
        for (name, fields) in
            [("cites-shipments", 20), ("cites-comptab", 16), ("cites-comptab-13", 13)]
        {
            let header = header_of(name);
            assert_eq!(header.len(), fields);
            let formats = Formats::built_in().unwrap();
            assert_eq!(formats.get(layout(&header).unwrap().format).name, name);
        }
    }

    proptest! {
        #[test]
        fn order_and_further_columns_do_not_matter(seed in any::<u64>(), extra in 0usize..4) {
            let mut header = header_of("cites-shipments");
            header.extend((0..extra).map(|i| format!("extra_{i}")));
            let mut state = seed;
            for i in (1..header.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                header.swap(i, (state >> 33) as usize % (i + 1));
            }
            let layout = layout(&header).unwrap();
            for (column, field) in [("record_id", "Id"), ("order_name", "Order")] {
                prop_assert_eq!(header[layout.columns[column]].as_str(), field);
            }
            prop_assert_eq!(header[layout.lookup.unwrap()].as_str(), "Taxon");
            prop_assert_eq!(layout.header.len(), header.len());
        }
    }

    #[test]
    fn what_is_no_header_is_explained() {
        let text = |fields: &[&str]| Formats::built_in().unwrap().layout(fields).unwrap_err();
        assert!(text(&[]).contains("empty"));
        assert!(text(&["Id;Year;Appendix;Taxon"]).contains("';'"));
        assert!(text(&["Id\tYear\tAppendix"]).contains("a tab"));
        assert!(text(&["1", "1980", "II"]).contains("not a known header"));
        let mut header = header_of("cites-shipments");
        header[0] = header[0].to_lowercase();
        assert!(layout(&header).unwrap_err().contains("stands where"));
        let mut header = header_of("cites-comptab");
        header.extend([String::new(), String::new()]);
        assert_eq!(layout(&header).unwrap().header.len(), 18);
        header.push("Year".into());
        assert!(layout(&header).unwrap_err().contains("\"Year\" twice"));
    }

    /// A linear search for each column took a second per 20,000 columns.
    #[test]
    fn a_wide_header_is_matched() {
        let mut header = header_of("cites-shipments");
        header.extend((0..500_000).map(|column| format!("column {column}")));
        assert_eq!(layout(&header).unwrap().header.len(), 500_020);
    }

    #[test]
    fn a_mapping_that_contradicts_itself_is_refused() {
        let parse = |text: &str| Formats::parse(text, "m.toml").unwrap_err().to_string();
        let twice = "[[format]]\nname='a'\n[format.columns]\nx='c'\ny='c'\n";
        assert!(parse(twice).contains("twice"));
        let absent = "[[format]]\nname='a'\nyear='z'\n[format.columns]\nx='c'\n";
        assert!(parse(absent).contains("\"z\""));
        assert!(parse("[[format]]\nname='a'\ntypo=1\n[format.columns]\n").contains("typo"));
    }
}
