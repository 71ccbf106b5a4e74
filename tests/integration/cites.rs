//! Databases with species, files to load into them, and a reader of both that shares no code with
//! sterna: the contents of files and staging are compared as text, value by value.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sterna::cites::arctic::species_rows;
use sterna::cites::generate::{GenerateOptions, Generator};
use sterna::pg::Connection;
use sterna::pg::embedded::ModelSchema;

use crate::server::{Finished, TestDb};

/// A field of a shipment file, and its column.
const FIELDS: [(&str, &str); 20] = [
    ("Id", "record_id"),
    ("Year", "year"),
    ("Appendix", "appendix"),
    ("Taxon", "taxon"),
    ("Class", "class"),
    ("Order", "order_name"),
    ("Family", "family"),
    ("Genus", "genus"),
    ("Term", "term"),
    ("Quantity", "quantity"),
    ("Unit", "unit"),
    ("Importer", "importer"),
    ("Exporter", "exporter"),
    ("Origin", "origin"),
    ("Purpose", "purpose"),
    ("Source", "source"),
    ("Reporter.type", "reporter_type"),
    ("Import.permit.RandomID", "import_permit"),
    ("Export.permit.RandomID", "export_permit"),
    ("Origin.permit.RandomID", "origin_permit"),
];
const TAXON: usize = 3;
const QUANTITY: usize = 9;

/// A row as text; `None` is NULL. The species' name comes first.
pub(crate) type Row = Vec<Option<String>>;

/// The header of a shipment file, without its line end.
pub(crate) fn header() -> String {
    FIELDS.map(|(field, _)| field).join(",")
}

/// A good shipment record, except for these fields; no field is quoted.
pub(crate) fn shipment(changes: &[(&str, &str)]) -> String {
    let fields = FIELDS.map(|(field, _)| {
        let changed = changes.iter().find(|(name, _)| *name == field);
        changed.map_or_else(|| usual(field), |(_, value)| value)
    });
    fields.join(",")
}

fn usual(field: &str) -> &'static str {
    match field {
        "Id" => "1",
        "Year" => "2020",
        "Appendix" => "II",
        "Taxon" => "Ursus maritimus",
        "Term" => "skins",
        "Quantity" => "1",
        _ => "",
    }
}

/// A shipment file of these records.
pub(crate) fn file_of(records: &[String]) -> String {
    let mut text = header();
    for record in records {
        text.push('\n');
        text.push_str(record);
    }
    text + "\n"
}

/// Good records with the ids `1..=count`.
pub(crate) fn good(count: usize) -> Vec<String> {
    (1..=count).map(|id| shipment(&[("Id", &id.to_string())])).collect()
}

/// The text of a generated shipment file.
pub(crate) fn generated(rows: u64, seed: u64) -> String {
    let mut options = GenerateOptions::new(rows);
    options.seed = seed;
    let generator = Generator::new(options).unwrap();
    let mut bytes = Vec::new();
    for index in 0..generator.files() {
        let mut file = Vec::new();
        generator.write_file(index, &mut file).unwrap();
        let skipped = if index == 0 { 0 } else { header().len() + 1 };
        bytes.extend_from_slice(&file[skipped..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// What staging must hold after this shipment file, if all of it fits. Reads by splitting at
/// commas, because none of its fields may be quoted.
pub(crate) fn rows_of(text: &str) -> Vec<Row> {
    assert!(!text.contains('"') && text.starts_with(&header()));
    let mut rows: Vec<Row> = text.lines().skip(1).map(row_of).collect();
    rows.sort();
    rows
}

fn row_of(line: &str) -> Row {
    let fields: Vec<&str> = line.split(',').collect();
    assert_eq!(fields.len(), FIELDS.len(), "{line}");
    let cell = |(at, text): (usize, &&str)| match (at, *text) {
        (_, "") => None,
        (QUANTITY, number) => Some(plain_decimal(number)),
        (_, text) => Some(text.to_owned()),
    };
    let species = Some(fields[TAXON].to_owned());
    std::iter::once(species).chain(fields.iter().enumerate().map(cell)).collect()
}

/// A decimal without exponent and without insignificant zeros.
pub(crate) fn plain_decimal(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i64 = exponent.parse().unwrap();
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let mut point = whole.len() as i64 + exponent;
    while point < 0 {
        digits.insert(0, '0');
        point += 1;
    }
    while (digits.len() as i64) < point {
        digits.push('0');
    }
    let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap());
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if whole == "0" && fraction.is_empty() { "" } else { sign };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// A database with the 43 species, and a folder for files.
pub(crate) struct Installation {
    pub(crate) db: TestDb,
    pub(crate) folder: tempfile::TempDir,
}

impl Installation {
    pub(crate) async fn new() -> Self {
        Self::with_schema(ModelSchema::Production).await
    }

    pub(crate) async fn with_schema(schema: ModelSchema) -> Self {
        let db = TestDb::with_schema(schema).await;
        db.psql(&insert_species()).await;
        Installation { db, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// `sterna load` with these arguments, in the folder.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = self.db.command(&["load", "--format", "json"]);
        command.args(args).current_dir(self.folder.path());
        command
    }

    /// Runs `sterna load` with these arguments to its end.
    pub(crate) fn load<A: AsRef<OsStr>>(&self, args: &[A]) -> Finished {
        Finished::from(self.command(args).output().unwrap())
    }

    /// Like [`Installation::load`], but must end with this exit code and a report.
    #[track_caller]
    pub(crate) fn report<A: AsRef<OsStr>>(&self, code: i32, args: &[A]) -> Value {
        let finished = self.load(args).expect_code(code);
        let report = serde_json::from_str(&finished.stdout).unwrap();
        assert_balances(&report);
        report
    }

    /// What staging holds, in the form of [`rows_of`].
    pub(crate) async fn staging(&self) -> Vec<Row> {
        staging(&self.db.connect().await).await
    }
}

/// What staging holds, in the form of [`rows_of`].
pub(crate) async fn staging(client: &Connection) -> Vec<Row> {
    let columns = FIELDS.map(|(_, column)| format!("t.{column}::text")).join(", ");
    let sql = format!(
        "SELECT s.scientific_name, {columns}
        FROM public.cites_trade_records_staging AS t LEFT JOIN public.species AS s
            ON s.id = t.species_id"
    );
    let found = client.query(&sql, &[]).await.unwrap();
    let row = |row: &tokio_postgres::Row| -> Row {
        let mut cells: Row = (0..row.len()).map(|at| row.get(at)).collect();
        let quantity = cells[QUANTITY + 1].take();
        cells[QUANTITY + 1] = quantity.map(|number| plain_decimal(&number));
        cells
    };
    let mut rows: Vec<Row> = found.iter().map(row).collect();
    rows.sort();
    rows
}

/// The statement that adds the 43 species.
pub(crate) fn insert_species() -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let rows = species_rows().into_iter().map(|s| {
        let id = s.id.to_string();
        let ranks = [s.kingdom, s.phylum, s.class, s.order_name, s.family, s.genus];
        let names = [&id, s.scientific_name, s.common_name];
        let cells = names.into_iter().chain(ranks).chain([s.species_name]);
        format!("({})", cells.map(quoted).collect::<Vec<_>>().join(", "))
    });
    format!(
        "INSERT INTO public.species (id, scientific_name, common_name, kingdom, phylum, class,
            order_name, family, genus, species_name) VALUES {}",
        rows.collect::<Vec<_>>().join(", ")
    )
}

/// The account adds up, for each file and in total, and the files add up to the total.
#[track_caller]
pub(crate) fn assert_balances(report: &Value) {
    let places = ["rows_loaded", "rows_rejected", "rows_unmapped", "rows_filtered"];
    let count = |of: &Value, name: &str| of[name].as_u64().unwrap();
    let files = report["files"].as_array().unwrap();
    for of in files.iter().chain([report]) {
        let sum: u64 = places.iter().map(|place| count(of, place)).sum();
        assert_eq!(count(of, "rows_read"), sum, "{of:#}");
    }
    for name in places.iter().chain(&["rows_read"]) {
        let sum: u64 = files.iter().map(|file| count(file, name)).sum();
        assert_eq!(count(report, name), sum, "{name} of {report:#}");
    }
    let reasons = report["reject_reasons"].as_object().unwrap().values();
    let rejected: u64 = reasons.map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(count(report, "rows_rejected"), rejected, "{report:#}");
}

/// The records of a CSV file with quoted fields, header first.
pub(crate) fn csv_records(path: &Path) -> Vec<Vec<String>> {
    let bytes = std::fs::read(path).unwrap();
    // The rejected record is there unchanged.
    let text = String::from_utf8_lossy(&bytes);
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            char => field.push(char),
        }
    }
    assert!(!quoted && record.is_empty() && field.is_empty(), "{path:?} ends in a record");
    records
}

#[test]
fn decimals_are_written_out() {
    for (text, plain) in [
        ("3.3E+8", "330000000"),
        ("1e-3", "0.001"),
        ("0.0480", "0.048"),
        ("150.00", "150"),
        ("-0.0", "0"),
        (".5", "0.5"),
    ] {
        assert_eq!(plain_decimal(text), plain);
    }
}
