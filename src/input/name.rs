//! Names of files in folders and archives: which are read, and in which order.

/// The kind of a file, judged by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Read.
    Csv,
    /// Read in a folder, but not inside an archive.
    Packed,
    /// Data in an unsupported format.
    OtherData,
    /// Not read, for the given reason.
    LeftOut(&'static str),
}

/// Name endings of data in unsupported formats.
const OTHER_DATA: [&str; 8] =
    [".tsv", ".parquet", ".7z", ".rar", ".tar", ".tgz", ".tar.gz", ".csv.z"];
/// Name endings of compressed files.
const COMPRESSED: [&str; 7] = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma", ".br"];

/// Judges a file by the last part of its path.
pub(super) fn kind(name: &str) -> Kind {
    let name = name.to_lowercase();
    if name.starts_with('.') {
        return Kind::LeftOut("a hidden file");
    }
    // Rejects of an earlier load are loaded only if named explicitly.
    if name.starts_with("sterna-rejects-") {
        return Kind::LeftOut("rejects of an earlier load; name the file explicitly to load it");
    }
    if name.ends_with(".csv") {
        return Kind::Csv;
    }
    if name.ends_with(".csv.gz") || name.ends_with(".zip") {
        return Kind::Packed;
    }
    let uncompressed = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending));
    // The inner ending says what was compressed.
    let is_compressed_data = uncompressed.is_some_and(|inner| {
        !inner.contains('.') || [".csv", ".tar"].iter().any(|e| inner.ends_with(e))
    });
    if is_compressed_data || OTHER_DATA.iter().any(|ending| name.ends_with(ending)) {
        return Kind::OtherData;
    }
    Kind::LeftOut("its name does not end in .csv, .csv.gz or .zip; name it explicitly to read it")
}

/// A sort key for natural order: `trade_db_2.csv` comes before `trade_db_10.csv`.
pub(super) fn natural(name: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (number, tail) = tail.split_at(end);
        let value = number.parse().unwrap_or(if number.is_empty() { 0 } else { u128::MAX });
        parts.push(Part { word: word.to_owned(), value, number: number.to_owned() });
        rest = tail;
    }
    parts
}

/// A word and the number after it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    word: String,
    value: u128,
    number: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["t_10.csv", "t_9.csv", "t_1.csv", "s.csv"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["s.csv", "t_1.csv", "t_9.csv", "t_10.csv"]);
    }

    #[test]
    fn names_say_what_is_read() {
        for name in ["a.csv", "A.CSV", "a.b.csv"] {
            assert_eq!(kind(name), Kind::Csv, "{name}");
        }
        for name in ["a.csv.gz", "a.zip", "A.ZIP"] {
            assert_eq!(kind(name), Kind::Packed, "{name}");
        }
        for name in ["a.csv.bz2", "a.csv.xz", "a.gz", "a.tar.zst", "a.tgz", "a.7z", "a.tsv"] {
            assert_eq!(kind(name), Kind::OtherData, "{name}");
        }
        for name in ["a.txt", "a.sql.gz", ".a.csv", "sterna-rejects-1.csv", "a", "a.csv~"] {
            assert!(matches!(kind(name), Kind::LeftOut(_)), "{name}");
        }
    }
}
