//! Creates files in which every record is known: its values or its flaw, its line, its offset.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sterna::cites::arctic::species_rows;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::cites::{Row, header, plain_decimal};

const FIELDS: usize = 20;
const YEAR: usize = 1;
const APPENDIX: usize = 2;
const TAXON: usize = 3;
const TERM: usize = 8;
const QUANTITY: usize = 9;
/// Where padding goes: text that may be of any length.
const PERMIT: usize = 17;

/// Text that is awkward in a field.
const PIECES: [&str; 26] = [
    "a",
    "Z9",
    ",",
    "\"",
    "\"\"",
    "\n",
    "\r",
    "\r\n",
    ";",
    "\t",
    " ",
    "  ",
    "\\",
    "\\N",
    "\\.",
    "'",
    "\u{feff}",
    "\u{a0}",
    "é",
    "e\u{301}",
    "ß",
    "日本",
    "🐻\u{200d}❄\u{fe0f}",
    "\u{1}",
    "NULL",
    "\u{7f}",
];
/// Each is invalid UTF-8.
const NOT_UTF8: [&[u8]; 6] =
    [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe6\x97", b"\xf5\x80\x80\x80", b"\x80"];
/// The sizes of the buffers in between, and more.
const BUFFERS: [usize; 6] = [4 << 10, 8 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10];

/// The expected result of a record.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Loaded(Row),
    Unmapped,
    Rejected(&'static str),
}

/// A record as written in a file.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) fate: Fate,
    line: u64,
    offset: u64,
}

/// A file before it is compressed.
pub(super) struct File {
    name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Built>,
}

/// How the loader gets the files.
#[derive(Clone, Copy, Debug)]
enum Container {
    Plain,
    Gzip,
    Zip,
}

/// Files that are loaded together.
pub(super) struct Load {
    pub(super) files: Vec<File>,
    pub(super) options: Vec<String>,
    container: Container,
    random: ChaCha8Rng,
}

/// The form of a file.
struct Form {
    line_end: &'static str,
    /// Of 100 fields, how many are quoted unnecessarily.
    quoted: u32,
    /// Of 100 records, how many are followed by empty lines.
    blank: u32,
    /// Of 100 records, how many have a flaw.
    flawed: u32,
    /// Of 100 text fields, how many are awkward.
    awkward: u32,
    /// Of 100 records, how many end near the end of a buffer.
    padded: u32,
}

impl Built {
    pub(super) fn row(&self) -> Option<Row> {
        match &self.fate {
            Fate::Loaded(row) => Some(row.clone()),
            Fate::Unmapped | Fate::Rejected(_) => None,
        }
    }
}

impl Load {
    pub(super) fn build(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let container =
            *[Container::Plain, Container::Gzip, Container::Zip].choose(&mut random).unwrap();
        let count = random.random_range(1..=4);
        let mut next_id = 0;
        let files: Vec<File> = (0..count)
            .map(|at| File::build(format!("f{at}.csv"), &mut random, &mut next_id))
            .collect();
        let batch = *[1, 2, 7, 100, 10_000].choose(&mut random).unwrap();
        let mut options = vec![
            format!("--batch-size={batch}"),
            format!("--workers={}", random.random_range(1..=3)),
            format!("--connections={}", random.random_range(1..=2)),
        ];
        if random.random_bool(0.3) {
            options.push("--verify".into());
        }
        Load { files, options, container, random }
    }

    pub(super) fn built(&self) -> impl Iterator<Item = &Built> {
        self.files.iter().flat_map(|file| &file.records)
    }

    /// File name, line, byte offset and reason of each reject, sorted.
    pub(super) fn rejects(&self) -> Vec<(String, u64, u64, String)> {
        let of_file = |file: &File| {
            let name = file.name.clone();
            let records = file.records.clone().into_iter();
            records.filter_map(move |built| match built.fate {
                Fate::Rejected(reason) => {
                    Some((name.clone(), built.line, built.offset, reason.to_owned()))
                }
                Fate::Loaded(_) | Fate::Unmapped => None,
            })
        };
        let mut all: Vec<_> = self.files.iter().flat_map(of_file).collect();
        all.sort();
        all
    }

    /// The files on disk: name and content.
    pub(super) fn containers(&self) -> Vec<(String, Vec<u8>)> {
        let mut random = self.random.clone();
        match self.container {
            Container::Plain => {
                self.files.iter().map(|f| (f.name.clone(), f.bytes.clone())).collect()
            }
            Container::Gzip => {
                let gzip = |f: &File| (format!("{}.gz", f.name), gzip(&f.bytes, &mut random));
                self.files.iter().map(gzip).collect()
            }
            Container::Zip => {
                let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
                for file in &self.files {
                    let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
                    let options = SimpleFileOptions::default()
                        .compression_method(*methods.choose(&mut random).unwrap());
                    zip.start_file(file.name.clone(), options).unwrap();
                    zip.write_all(&file.bytes).unwrap();
                }
                vec![("all.zip".into(), zip.finish().unwrap().into_inner())]
            }
        }
    }
}

/// Up to four members, cut anywhere.
fn gzip(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut cuts: Vec<usize> =
        (0..random.random_range(0..=3)).map(|_| random.random_range(0..=bytes.len())).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let mut all = Vec::new();
    for part in cuts.windows(2) {
        let mut encoder = GzEncoder::new(&mut all, Compression::new(random.random_range(0..=9)));
        encoder.write_all(&bytes[part[0]..part[1]]).unwrap();
        encoder.finish().unwrap();
    }
    all
}

impl Form {
    fn any(random: &mut ChaCha8Rng) -> Self {
        let mut percent = |choices: &[u32]| *choices.choose(random).unwrap();
        Form {
            quoted: percent(&[0, 10, 100]),
            blank: percent(&[0, 0, 20]),
            flawed: percent(&[0, 5, 30, 100]),
            awkward: percent(&[0, 20, 80]),
            padded: percent(&[0, 0, 5]),
            line_end: ["\n", "\r\n"].choose(random).unwrap(),
        }
    }
}

fn happens(percent: u32, random: &mut ChaCha8Rng) -> bool {
    random.random_ratio(percent, 100)
}

impl File {
    fn build(name: String, random: &mut ChaCha8Rng, next_id: &mut u64) -> Self {
        let form = Form::any(random);
        let mut order: Vec<usize> = (0..FIELDS).collect();
        if random.random_bool(0.3) {
            order.shuffle(random);
        }
        let mut file = File { name, bytes: Vec::new(), records: Vec::new() };
        if random.random_bool(0.3) {
            file.bytes.extend("\u{feff}".as_bytes());
        }
        let names: Vec<Vec<u8>> =
            header().split(',').map(|name| name.as_bytes().to_vec()).collect();
        let ordered: Vec<_> = order.iter().map(|at| names[*at].clone()).collect();
        file.write(&ordered, &form, random);
        file.end_line(&form, random);
        let count = *[0, 1, 3, 30, 30, 300].choose(random).unwrap();
        for at in 0..count {
            *next_id += 1;
            file.add(*next_id, &order, &form, random);
            if at + 1 < count || random.random_bool(0.8) {
                file.end_line(&form, random);
            }
        }
        file
    }

    fn end_line(&mut self, form: &Form, random: &mut ChaCha8Rng) {
        self.bytes.extend(form.line_end.as_bytes());
        while happens(form.blank, random) {
            self.bytes.extend(form.line_end.as_bytes());
        }
    }

    fn add(&mut self, id: u64, order: &[usize], form: &Form, random: &mut ChaCha8Rng) {
        let line = 1 + self.bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let offset = self.bytes.len() as u64;
        let (values, species) = values(id, form, random);
        let mut fields: Vec<Vec<u8>> = values.iter().map(|v| v.clone().into_bytes()).collect();
        let mut fate = Fate::Loaded(row(&values, species));
        if happens(form.flawed, random) {
            fate = flaw(&mut fields, random);
        }
        if let (Fate::Loaded(row), true) = (&mut fate, happens(form.padded, random)) {
            // Without quotes and commas, so that its length is known.
            let used: usize = fields.iter().map(|field| field.len() + 1).sum();
            let buffer = *BUFFERS.choose(random).unwrap();
            let here = self.bytes.len() + used;
            let pad = (buffer - here % buffer + buffer + random.random_range(0..6) - 3) % buffer;
            let pad = "x".repeat(pad.max(1));
            fields[PERMIT] = pad.clone().into_bytes();
            row[PERMIT + 1] = Some(pad);
        }
        let mut ordered: Vec<_> = order.iter().map(|at| fields[*at].clone()).collect();
        if let Fate::Rejected("field_count") = fate {
            match random.random_range(0..3) {
                0 => ordered.push(b"more".to_vec()),
                // With a line end in it, it could contain other records, which stops a load.
                1 if !ordered[1..].iter().flatten().any(|byte| *byte == b'\n') => {
                    self.write(&ordered[1..], form, random);
                    self.bytes.extend(b",\"stray\" text");
                    self.records.push(Built { fate, line, offset });
                    return;
                }
                _ => ordered.truncate(random.random_range(2..FIELDS)),
            }
        }
        self.write(&ordered, form, random);
        self.records.push(Built { fate, line, offset });
    }

    /// Writes fields, quoted if necessary or if the form says so.
    fn write(&mut self, fields: &[Vec<u8>], form: &Form, random: &mut ChaCha8Rng) {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.bytes.push(b',');
            }
            let must = field.first() == Some(&b'"')
                || field.iter().any(|byte| matches!(byte, b',' | b'\r' | b'\n'));
            if must || happens(form.quoted, random) {
                self.bytes.push(b'"');
                for byte in field {
                    self.bytes
                        .extend(std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
                }
                self.bytes.push(b'"');
            } else {
                self.bytes.extend(field);
            }
        }
    }
}

/// Good values of a record, and the species of its taxon.
fn values(id: u64, form: &Form, random: &mut ChaCha8Rng) -> (Vec<String>, String) {
    let species = species_rows().into_iter().map(|s| s.scientific_name.to_owned());
    let species: Vec<String> = species.collect();
    let species = species.choose(random).unwrap().clone();
    let mut values: Vec<String> = (0..FIELDS).map(|_| text(form, random)).collect();
    values[0] = format!("{id}{}", text(form, random));
    values[YEAR] = random.random_range(1975..=2024).to_string();
    values[APPENDIX] = ["I", "II", "III", "N"].choose(random).unwrap().to_string();
    values[TAXON] = match random.random_range(0..4) {
        0 => species.to_uppercase(),
        1 => format!(" {}\u{a0}", species.replace(' ', "  ")),
        _ => species.clone(),
    };
    values[TERM] = format!("t{}", text(form, random));
    let quantities = ["", "1", "0.25", "1.5E2", "150.00", ".5", "7.", "12345678.9", "+3", "5e-1"];
    values[QUANTITY] = quantities.choose(random).unwrap().to_string();
    (values, species)
}

fn text(form: &Form, random: &mut ChaCha8Rng) -> String {
    if !happens(form.awkward, random) {
        return ["", "US", "kg"].choose(random).unwrap().to_string();
    }
    (0..random.random_range(0..6)).map(|_| *PIECES.choose(random).unwrap()).collect()
}

/// The expected row in staging for good values.
fn row(values: &[String], species: String) -> Row {
    let cell = |(at, value): (usize, &String)| match (at, value.as_str()) {
        (_, "") => None,
        (QUANTITY, number) => Some(plain_decimal(number.trim_start_matches('+'))),
        (_, text) => Some(text.to_owned()),
    };
    std::iter::once(Some(species)).chain(values.iter().enumerate().map(cell)).collect()
}

/// Values that a column does not accept, and the reason given.
const BAD_VALUES: [(&[usize], &[&str], Option<&str>); 7] = [
    (&[YEAR], &["MMXX", " 2020", "2020.0", "20 20", "-", "0x7E4"], Some("invalid_integer")),
    (&[YEAR], &["2147483648", "-99999999999999999999"], Some("out_of_range")),
    (&[YEAR, APPENDIX, TERM], &[""], Some("missing_required")),
    (
        &[QUANTITY],
        &["NaN", "Infinity", "1,5", "1 kg", " ", "0x1F", "1e", ".", "--1"],
        Some("invalid_number"),
    ),
    (&[QUANTITY], &["0.001", "1e-3", "12.345"], Some("numeric_scale")),
    (&[QUANTITY], &["100000000", "1E8", "1e400"], Some("numeric_precision")),
    (&[TAXON], &["Nemo nemo", "Ursus", "Ursus maritimu", "-"], None),
];

/// Puts one flaw into a record, and returns the expected result.
fn flaw(fields: &mut [Vec<u8>], random: &mut ChaCha8Rng) -> Fate {
    let kind = random.random_range(0..BAD_VALUES.len() + 3);
    if let Some((columns, values, reason)) = BAD_VALUES.get(kind) {
        let column = *columns.choose(random).unwrap();
        fields[column] = values.choose(random).unwrap().as_bytes().to_vec();
        return reason.map_or(Fate::Unmapped, Fate::Rejected);
    }
    let texts = [0, 4, 5, 6, 7, TERM, 10, 11, 12, 13, 14, 15, 16, PERMIT, 18, 19];
    let field = &mut fields[*texts.choose(random).unwrap()];
    let at = random.random_range(0..=field.len());
    match kind - BAD_VALUES.len() {
        0 => {
            field.splice(at..at, NOT_UTF8.choose(random).unwrap().iter().copied());
            Fate::Rejected("invalid_utf8")
        }
        1 => {
            // Within a character it would break that as well.
            field.insert(if random.random_bool(0.5) { 0 } else { field.len() }, 0);
            Fate::Rejected("nul_byte")
        }
        _ => Fate::Rejected("field_count"),
    }
}
