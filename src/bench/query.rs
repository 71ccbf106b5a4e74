//! Query files: a header that describes the query, and its text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::pg::{Columns, Ident};

/// The queries that come with sterna, by file.
const BUILT_IN: [(&str, &str); 14] = [
    ("sql/bench/latest-year.sql", include_str!("../../sql/bench/latest-year.sql")),
    ("sql/bench/yearly-trend.sql", include_str!("../../sql/bench/yearly-trend.sql")),
    ("sql/bench/species-by-year.sql", include_str!("../../sql/bench/species-by-year.sql")),
    (
        "sql/bench/species-quantity-by-year.sql",
        include_str!("../../sql/bench/species-quantity-by-year.sql"),
    ),
    (
        "sql/bench/species-reported-quantity-by-year.sql",
        include_str!("../../sql/bench/species-reported-quantity-by-year.sql"),
    ),
    ("sql/bench/species-of-year.sql", include_str!("../../sql/bench/species-of-year.sql")),
    ("sql/bench/summary-of-species.sql", include_str!("../../sql/bench/summary-of-species.sql")),
    ("sql/bench/top-importers.sql", include_str!("../../sql/bench/top-importers.sql")),
    ("sql/bench/top-exporters.sql", include_str!("../../sql/bench/top-exporters.sql")),
    ("sql/bench/purpose-shares.sql", include_str!("../../sql/bench/purpose-shares.sql")),
    ("sql/bench/source-shares.sql", include_str!("../../sql/bench/source-shares.sql")),
    ("sql/bench/records-page.sql", include_str!("../../sql/bench/records-page.sql")),
    ("sql/bench/record-by-id.sql", include_str!("../../sql/bench/record-by-id.sql")),
    ("sql/bench/count-by-filter.sql", include_str!("../../sql/bench/count-by-filter.sql")),
];

/// The placeholder of the table under test; any other stands for a table of its schema.
pub(super) const TRADE: &str = "trade";

/// A query that this installation may not be able to answer.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// Unique among the queries of a run.
    pub(super) name: String,
    /// What it asks, in words.
    pub(super) meaning: String,
    /// The time limit for the median execution, in milliseconds.
    pub(super) budget_ms: Option<f64>,
    /// The columns of the table under test whose values are `$1`, `$2` and so on.
    pub(super) parameters: Columns,
    /// The other tables that it names, by placeholder.
    pub(super) tables: Vec<Ident>,
    /// Its text, with placeholders.
    pub(super) sql: String,
    /// Where it comes from.
    pub(super) origin: Origin,
}

/// Where a query comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Built into sterna, for any installation: some lack a column that it needs.
    BuiltIn(&'static str),
    /// A user's file, for this installation: everything it names must exist.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn(path) => f.write_str(path),
            Origin::File(path) => path.display().fmt(f),
        }
    }
}

/// The built-in queries, then those of a folder in the order of their file names.
///
/// # Errors
/// Names the file that cannot be read or whose header is wrong.
pub(super) fn all(folder: Option<&Path>) -> Result<Vec<Query>> {
    let built_in = BUILT_IN.iter().map(|(path, text)| parse(text, Origin::BuiltIn(path)));
    let mut queries = built_in.collect::<Result<Vec<_>>>()?;
    if let Some(folder) = folder {
        let files = files(folder)?;
        if files.is_empty() {
            return Err(Error::usage(format!("there is no .sql file in {}", folder.display())));
        }
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(|e| Error::file(&file, e))?;
            queries.push(parse(&text, Origin::File(file))?);
        }
    }
    let mut named: BTreeMap<&str, &Origin> = BTreeMap::new();
    for query in &queries {
        if let Some(other) = named.insert(&query.name, &query.origin) {
            let what = format!("has the name {}, as {other} has", query.name);
            return Err(Error::bad_file(&query.origin, what).hint("set `-- name: ` in its header"));
        }
    }
    Ok(queries)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::file(folder, e);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "sql") && path.is_file());
    paths.sort();
    Ok(paths)
}

/// Parses the `-- key: value` lines of the comment at the top; its other lines are ignored.
fn parse(text: &str, origin: Origin) -> Result<Query> {
    let text = text.trim_start_matches('\u{feff}');
    let stem = Path::new(&origin.to_string()).file_stem().map(|s| s.to_string_lossy().into_owned());
    let mut query = Query {
        name: stem.unwrap_or_default(),
        meaning: String::new(),
        budget_ms: None,
        parameters: Columns(Vec::new()),
        tables: Vec::new(),
        sql: text.to_owned(),
        origin,
    };
    let wrong = |query: &Query, what: String| Error::bad_file(&query.origin, what);
    let header = text.lines().map(str::trim).take_while(|l| l.is_empty() || l.starts_with("--"));
    for line in header {
        let Some((key, value)) = line.trim_start_matches('-').split_once(':') else { continue };
        let value = value.trim();
        match key.trim() {
            "name" => query.name = value.to_owned(),
            "meaning" => query.meaning = value.to_owned(),
            "budget_ms" => {
                let budget = value.parse::<f64>().ok().filter(|ms| ms.is_finite() && *ms > 0.0);
                let wrong = || wrong(&query, format!("budget_ms {value:?}: not a number above 0"));
                query.budget_ms = Some(budget.ok_or_else(wrong)?);
            }
            "parameters" => {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                let names = names.map(Ident::new).collect::<Result<Vec<_>>>();
                query.parameters = Columns(names.map_err(|e| e.context(&query.origin))?);
            }
            _ => {}
        }
    }
    if query.name.is_empty() || query.name.contains(char::is_control) {
        return Err(wrong(&query, format!("{:?} is not a name for a query", query.name)));
    }
    let columns = &query.parameters.0;
    if let Some(twice) = columns.iter().find(|c| columns.iter().filter(|d| d == c).count() > 1) {
        let what = format!("the parameter {twice} is listed twice; use its number twice instead");
        return Err(wrong(&query, what));
    }
    query.tables = placeholders(text).filter(|name| name.name() != TRADE).collect();
    if !placeholders(text).any(|name| name.name() == TRADE) {
        return Err(wrong(&query, "the query does not use {trade}, the table under test".into()));
    }
    Ok(query)
}

/// The names in braces that can be lower-case table names.
fn placeholders(text: &str) -> impl Iterator<Item = Ident> {
    text.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain))
            .then(|| Ident::new(name).ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Query> {
        parse(text, Origin::File("dir/slow one.sql".into()))
    }

    #[test]
    fn the_built_in_queries_say_what_they_are() {
        let queries = all(None).unwrap();
        assert!(queries.len() >= 10);
        for query in queries {
            assert!(!query.meaning.is_empty() && query.budget_ms.is_some(), "{query:?}");
            let file = format!("sql/bench/{}.sql", query.name);
            assert_eq!(query.origin.to_string(), file);
        }
    }

    #[test]
    fn a_header_is_read_and_a_name_comes_from_the_file_otherwise() {
        let query = of("-- budget_ms: 2.5\n-- parameters: year , id\n\n-- why\nSELECT $1 FROM \
            {trade} t, {species} s WHERE t.x = '{1,2}' AND s.y = '{\"a\": 1}' -- name: no")
        .unwrap();
        assert_eq!((query.name.as_str(), query.budget_ms), ("slow one", Some(2.5)));
        assert_eq!(query.parameters.to_string(), "\"year\", \"id\"");
        assert_eq!(query.tables, [Ident::new("species").unwrap()]);
    }

    #[test]
    fn a_wrong_header_names_the_file() {
        for (text, what) in [
            ("-- budget_ms: soon\nSELECT FROM {trade}", "not a number above 0"),
            ("-- budget_ms: NaN\nSELECT FROM {trade}", "not a number above 0"),
            ("-- parameters: id, id\nSELECT FROM {trade}", "listed twice"),
            ("-- name:\nSELECT FROM {trade}", "not a name"),
            ("SELECT 1", "does not use {trade}"),
            ("", "does not use {trade}"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.starts_with("dir/slow one.sql: ") && error.contains(what), "{error}");
        }
    }
}
