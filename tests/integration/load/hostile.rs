//! Malformed records: each is counted in its place of the account, and its neighbours are loaded.

use serde_json::{Value, json};

use crate::cites::{Installation, Row, file_of, header, shipment};

/// Loads one file between two good records, accepting all rejects.
async fn load(content: &[u8]) -> (Value, Vec<Row>) {
    let here = Installation::new().await;
    here.db
        .psql(
            "INSERT INTO cites_trade_records (species_id, year, appendix, taxon, term)
        SELECT id, 2020, 'II', scientific_name, 'before' FROM species",
        )
        .await;
    let file = here.file("in.csv", content);
    let report = here.report(0, &[&file, "--all", "--max-rejects", "100%", "--verify"]);
    assert_eq!((&report["verified"], &report["files"][0]["path"]), (&json!(true), &json!(file)));
    let production = here.db.psql("SELECT count(*), min(term) FROM cites_trade_records").await;
    assert_eq!(production, "43|before");
    (report, here.staging().await)
}

/// The record between two good ones, in a file of its own form.
fn between(record: &str) -> Vec<u8> {
    file_of(&[shipment(&[("Id", "first")]), record.to_owned(), shipment(&[("Id", "last")])])
        .into_bytes()
}

#[tokio::test]
async fn a_bad_record_is_rejected_for_its_reason() {
    let with = |field, value| between(&shipment(&[("Id", "bad"), (field, value)]));
    let good = shipment(&[("Id", "bad")]);
    let mut latin1 = with("Term", "sk?ns");
    let at = latin1.iter().position(|b| *b == b'?').unwrap();
    latin1[at] = 0xec;
    for (reason, content) in [
        ("invalid_utf8", latin1),
        ("nul_byte", with("Term", "ski\0ns")),
        ("invalid_integer", with("Year", "MMXX")),
        ("invalid_integer", with("Year", " 2020")),
        ("invalid_integer", with("Year", "2020.0")),
        ("invalid_integer", with("Year", "2020\0")),
        ("out_of_range", with("Year", "2147483648")),
        ("missing_required", with("Year", "")),
        ("missing_required", with("Appendix", "")),
        ("missing_required", with("Term", "\"\"")),
        ("invalid_number", with("Quantity", "NaN")),
        ("invalid_number", with("Quantity", "-Infinity")),
        ("invalid_number", with("Quantity", "0x1F")),
        ("invalid_number", with("Quantity", "\"1,5\"")),
        ("invalid_number", with("Quantity", " ")),
        ("invalid_number", with("Quantity", "1 ")),
        ("invalid_number", with("Quantity", "1 kg")),
        ("numeric_precision", with("Quantity", "1e400")),
        ("numeric_precision", with("Quantity", "100000000")),
        ("numeric_scale", with("Quantity", "0.001")),
        ("field_count", between("one,two")),
        ("field_count", between(&format!("{good},"))),
        ("field_count", between(good.strip_suffix(',').unwrap())),
        ("field_count", between(" ")),
        ("field_count", with("Term", "\"sk\"ins")),
        ("field_count", with("Term", "\"skins\" ")),
    ] {
        let (report, rows) = load(&content).await;
        let text = String::from_utf8_lossy(&content).replace(&header(), "");
        assert_eq!(report["reject_reasons"], json!({reason: 1}), "{text}");
        let ids: Vec<_> = rows.iter().map(|row| row[1].as_deref().unwrap()).collect();
        assert_eq!(ids, ["first", "last"], "{text}");
    }
}

#[tokio::test]
async fn a_taxon_is_found_in_any_case_blanks_and_composition_and_nothing_else_is() {
    let here = Installation::new().await;
    let species = "INSERT INTO species (scientific_name, common_name, kingdom, phylum, class,
            order_name, family, genus, species_name)
        SELECT name, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'
        FROM (VALUES ('Isoëtes lacustris'), ('Twin  name'), ('Twin name')) AS n (name)";
    here.db.psql(species).await;
    let sql = "'; DROP TABLE species; --";
    let names = [
        ("ursus MARITIMUS", Some("Ursus maritimus")),
        ("  Ursus \u{a0} maritimus ", Some("Ursus maritimus")),
        ("Isoe\u{308}tes lacustris", Some("Isoëtes lacustris")),
        ("ISOËTES LACUSTRIS", Some("Isoëtes lacustris")),
        ("Twin  name", Some("Twin  name")),
        ("twin name", None),
        ("Ursus maritimu", None),
        ("Ursus", None),
        ("", None),
        (sql, None),
    ];
    let records: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, (name, _))| shipment(&[("Id", &at.to_string()), ("Taxon", name)]))
        .collect();
    let report = here.report(0, &[&here.file("in.csv", file_of(&records)), "--all"]);
    assert_eq!((&report["rows_loaded"], &report["rows_unmapped"]), (&json!(5), &json!(5)));
    let taxa = report["unmapped_taxa"].as_array().unwrap();
    assert!(taxa.contains(&json!({"taxon": sql, "rows": 1})), "{taxa:?}");
    for row in here.staging().await {
        let (name, species) = names[row[1].as_ref().unwrap().parse::<usize>().unwrap()];
        // The text from the file is stored unchanged.
        assert_eq!((row[0].as_deref(), row[4].as_deref()), (species, Some(name)));
    }
}

#[tokio::test]
async fn what_is_unusual_but_right_is_loaded_as_it_stands() {
    let long = "x".repeat(100_000);
    let record = shipment(&[
        ("Id", &long),
        ("Term", "jewellery - ivory "),
        ("Unit", "\"kg, \"\"dry\"\"\nweight\r\n\""),
        ("Purpose", " "),
        ("Source", "5\" wide"),
        ("Class", "\"\""),
        ("Genus", "';--\\.\\N"),
    ]);
    let (report, rows) = load(&between(&record)).await;
    assert_eq!(report["rows_loaded"], 3);
    let row = rows.iter().find(|row| row[1].as_deref() == Some(&long)).unwrap();
    let cell = |at: usize| row[at + 1].as_deref();
    assert_eq!(cell(8), Some("jewellery - ivory "));
    assert_eq!(cell(10), Some("kg, \"dry\"\nweight\r\n"));
    assert_eq!((cell(14), cell(15)), (Some(" "), Some("5\" wide")));
    assert_eq!((cell(4), cell(7)), (None, Some("';--\\.\\N")));
}

#[tokio::test]
async fn the_form_of_the_lines_does_not_matter() {
    let plain = file_of(&[shipment(&[("Id", "1")]), shipment(&[("Id", "2")])]);
    let (_, expected) = load(plain.as_bytes()).await;
    let quoted: String =
        plain.lines().map(|line| format!("\"{}\"\n", line.replace(',', "\",\""))).collect();
    let more: String = plain.lines().map(|line| format!("common_name,{line},\"a\nb\"\n")).collect();
    let more = more.replacen("\"a\nb\"", "species_class", 1);
    let turned: String = plain
        .lines()
        .map(|line| line.split(',').rev().collect::<Vec<_>>().join(",") + "\n")
        .collect();
    for (form, text) in [
        ("BOM", format!("\u{feff}{plain}")),
        ("CR LF", plain.replace('\n', "\r\n")),
        ("blank lines", plain.replace('\n', "\n\n\r\n")),
        ("blank lines at the start", format!("\n\n{plain}")),
        ("no last line end", plain.trim_end().to_owned()),
        ("quoted", quoted),
        ("more columns", more),
        ("columns turned round", turned),
        (
            "BOM, CR LF and quoted header",
            format!("\u{feff}\"Id\"{}", plain.replace('\n', "\r\n").trim_start_matches("Id")),
        ),
    ] {
        let (report, rows) = load(text.as_bytes()).await;
        assert_eq!(report["rows_loaded"], 2, "{form}");
        assert!(rows == expected, "{form}: {rows:?}");
    }
}

#[tokio::test]
async fn a_quote_that_is_never_closed_stops_the_load() {
    let mut records = vec![shipment(&[("Id", "first")]), shipment(&[("Id", "\"open")])];
    records.extend((0..10).map(|id| shipment(&[("Id", &id.to_string())])));
    // As a single reject, the records after it would not be accounted for.
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&records));
    let failed = here.load(&[&file, "--all", "--max-rejects", "100%"]).expect_code(1);
    assert!(failed.stderr.contains(&format!("{file}: line 3: a quote opened here")), "{failed:?}");
    // A record over the size limit has swallowed others.
    records.extend((0..30_000).map(|id| shipment(&[("Id", &id.to_string())])));
    let file = here.file("in.csv", file_of(&records));
    let most = ["--max-record-bytes", "1048576"];
    let failed = here.load(&[&[file.as_str(), "--all"], &most[..]].concat()).expect_code(1);
    assert!(
        failed.stderr.contains(&format!("{file}: line 3: a record of more than 1048576 bytes")),
        "{failed:?}"
    );
    assert!(failed.stderr.contains("never closed"), "{failed:?}");
}

#[tokio::test]
async fn a_file_without_records_is_an_empty_load() {
    let (report, rows) = load((header() + "\n").as_bytes()).await;
    assert_eq!(
        (&report["rows_read"], &report["state"], rows.len()),
        (&json!(0), &json!("loaded"), 0)
    );
}
