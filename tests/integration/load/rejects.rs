//! The file of rejected records: its contents, and that it can be fixed and loaded by itself.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::cites::{Installation, csv_records, file_of, header, shipment};

const ABOUT: [&str; 9] = [
    "sterna_file",
    "sterna_line",
    "sterna_byte_offset",
    "sterna_column",
    "sterna_reason",
    "sterna_value",
    "sterna_message",
    "sterna_load",
    "sterna_record",
];

#[tokio::test]
async fn a_reject_says_where_it_stood_and_what_was_wrong() {
    let here = Installation::new().await;
    let bad = [
        shipment(&[("Id", "1"), ("Quantity", "0.048")]),
        shipment(&[("Id", "\"a\"\"b,\nc\""), ("Year", "MMXX")]),
        shipment(&[("Id", "3"), ("Term", "")]),
        "too,few".to_owned(),
    ];
    let fine = shipment(&[("Id", "4")]);
    let text = file_of(&[&bad[..2], &[fine], &bad[2..]].concat());
    let file = here.file("in.csv", &text);
    let report = here.report(3, &[&file, "--all", "--rejects", "out.csv"]);
    assert_eq!(report["rejects_file"], "out.csv");
    let reasons = json!({
        "field_count": 1, "invalid_integer": 1, "missing_required": 1, "numeric_scale": 1,
    });
    assert_eq!(report["reject_reasons"], reasons);

    let records = csv_records(&here.path("out.csv"));
    let header = header();
    let fields: Vec<&str> = header.split(',').chain(ABOUT).collect();
    assert_eq!(records[0], fields);
    let mut about: Vec<&[String]> = records[1..].iter().map(|r| &r[20..]).collect();
    about.sort_by_key(|a| a[1].parse::<u64>().unwrap());
    let expected = [
        ("2", "Quantity", "numeric_scale", "0.048"),
        ("3", "Year", "invalid_integer", "MMXX"),
        ("6", "Term", "missing_required", ""),
        ("7", "", "field_count", ""),
    ];
    for ((about, expected), raw) in about.iter().zip(expected).zip(&bad) {
        let (line, column, reason, value) = expected;
        assert_eq!([&about[0], &about[1]], [&file, line]);
        assert_eq!([&about[3], &about[4], &about[5]], [column, reason, value]);
        assert_eq!((&about[7], &about[8]), (&report["run_id"].as_str().unwrap().to_owned(), raw));
        let offset: usize = about[2].parse().unwrap();
        assert_eq!(&text[offset..offset + raw.len()], raw);
    }
    assert!(about[3][6].contains("2 fields; the header has 20"), "{about:?}");
}

/// Replaces text in a file, as a person would with an editor.
fn fix(path: &Path, changes: &[(&[u8], &[u8])]) {
    let mut bytes = fs::read(path).unwrap();
    for (wrong, right) in changes {
        let at = bytes.windows(wrong.len()).position(|w| w == *wrong).unwrap();
        bytes.splice(at..at + wrong.len(), right.iter().copied());
    }
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn fixed_rejects_complete_the_load() {
    let here = Installation::new().await;
    let mut text = file_of(&[
        shipment(&[("Id", "1")]),
        shipment(&[("Id", "2"), ("Year", "MMXX")]),
        shipment(&[("Id", "3"), ("Quantity", "0.048")]),
    ])
    .into_bytes();
    // Latin-1, which a person would fix in the field and not in the raw record.
    text.extend_from_slice(
        shipment(&[("Id", "4"), ("Term", "sk?ns")]).replace('?', "§").as_bytes(),
    );
    let at = text.len() - "ns,1,,,,,,,,,,".len();
    assert_eq!(&text[at - 2..at], "§".as_bytes());
    text.splice(at - 2..at, [0xec]);
    let file = here.file("in.csv", &text);
    let report = here.report(3, &[&file, "--all", "--rejects", "out.csv"]);
    assert_eq!(report["rows_rejected"], 3, "{report:#}");

    let refused = here.load(&["out.csv", "--all"]).expect_code(6);
    assert!(refused.stderr.contains("--append"), "{refused:?}");
    let path = here.path("out.csv");
    fix(&path, &[(b"MMXX", b"2020"), (b"0.048", b"0.05"), (b"sk\xecns", b"skins")]);
    let fixed =
        here.report(0, &["out.csv", "--all", "--append", "--verify", "--rejects", "o2.csv"]);
    assert_eq!((&fixed["rows_loaded"], &fixed["verified"]), (&json!(3), &json!(true)));
    let rows: Vec<_> = here
        .staging()
        .await
        .into_iter()
        .map(|r| [&r[1], &r[2], &r[9], &r[10]].map(|cell| cell.clone().unwrap()).join(" "))
        .collect();
    assert_eq!(rows, ["1 2020 skins 1", "2 2020 skins 1", "3 2020 skins 0.05", "4 2020 skins 1"]);
    let runs = "SELECT r.state, m.state FROM sterna.load_run r
        LEFT JOIN sterna.load_run m ON m.run_id = r.mends ORDER BY r.started_at";
    assert_eq!(here.db.psql(runs).await, "loaded|\nloaded|loaded");
    let keys = "SELECT string_agg(contype::text, '' ORDER BY contype) FROM pg_constraint
        WHERE conrelid = 'cites_trade_records_staging'::regclass AND contype <> 'n'";
    assert_eq!(here.db.psql(keys).await, "p");
}

#[tokio::test]
async fn an_input_is_never_overwritten_with_rejects() {
    let here = Installation::new().await;
    let text = file_of(&[shipment(&[("Year", "x")])]);
    fs::create_dir(here.path("folder")).unwrap();
    let inside = here.file("folder/in.csv", &text);
    let folder = here.path("folder").display().to_string();
    let pattern = format!("{folder}/*.csv");
    let synonyms = here.file("synonyms.csv", "synonym,scientific_name\n");
    for (input, rejects) in
        [(&inside, &inside), (&folder, &inside), (&pattern, &inside), (&inside, &synonyms)]
    {
        let args = [input, "--all", "--rejects", rejects, "--synonyms", &synonyms];
        here.load(&args).expect_code(2);
        assert_eq!(fs::read_to_string(&inside).unwrap(), text);
        assert_eq!(fs::read_to_string(&synonyms).unwrap(), "synonym,scientific_name\n");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused_before_anything_is() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&[shipment(&[("Year", "x")])]));
    fs::create_dir(here.path("folder")).unwrap();
    for rejects in ["folder", "missing/out.csv", "in.csv/out.csv", "/proc/out.csv"] {
        let refused = here.load(&[&file, "--all", "--rejects", rejects]).expect_code(1);
        assert!(refused.stderr.contains(rejects), "{refused:?}");
        assert_eq!(here.db.psql("SELECT to_regclass('cites_trade_records_staging')").await, "");
    }
}

#[tokio::test]
async fn only_sternas_own_files_are_overwritten() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&[shipment(&[("Year", "x")])]));
    let precious = here.file("precious.txt", "precious\n");
    let refused = here.load(&[&file, "--all", "--rejects", &precious]).expect_code(2);
    assert!(refused.stderr.contains("was not written by sterna"), "{refused:?}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious\n");
    here.report(3, &[&file, "--all", "--rejects", "out.csv"]);
    here.db.sterna(&["stage", "truncate"]).expect_code(0);
    here.report(3, &[&file, "--all", "--rejects", "out.csv"]);
}

/// One good record, one with an invalid year, one with a field too many.
async fn with_two_rejects(here: &Installation) {
    let wide = shipment(&[("Id", "3"), ("Quantity", "1,5")]);
    let records = [shipment(&[("Id", "1")]), shipment(&[("Id", "2"), ("Year", "x")]), wide];
    let file = here.file("in.csv", file_of(&records));
    here.report(3, &[&file, "--all", "--rejects", "out.csv"]);
}

const STATES: &str = "SELECT string_agg(state, ' ' ORDER BY started_at) FROM sterna.load_run";

#[tokio::test]
async fn other_records_do_not_complete_a_load() {
    let here = Installation::new().await;
    with_two_rejects(&here).await;
    let other = [shipment(&[("Id", "8")]), shipment(&[("Id", "9")])];
    let other = here.file("other.csv", file_of(&other));
    let failed = here.load(&[&other, "--all", "--append"]).expect_code(3);
    assert!(failed.stderr.contains("stays rejected"), "{failed:?}");
    assert!(failed.stderr.contains("append the missing records of out.csv"), "{failed:?}");
    assert_eq!(here.db.psql(STATES).await, "rejected loaded");
    // The same input again would duplicate its rows.
    let refused = here.load(&[&other, "--all", "--append"]).expect_code(6);
    assert!(refused.stderr.contains("already"), "{refused:?}");
}

#[tokio::test]
async fn rejects_that_were_not_mended_are_not_loaded() {
    let here = Installation::new().await;
    with_two_rejects(&here).await;
    fix(&here.path("out.csv"), &[(b",x,", b",2020,")]);
    let failed = here.load(&["out.csv", "--all", "--append"]).expect_code(3);
    assert!(failed.stderr.contains("stays rejected"), "{failed:?}");
    // sterna does not guess about the record with a field too many.
    let ids =
        "SELECT string_agg(record_id, ' ' ORDER BY record_id) FROM cites_trade_records_staging";
    assert_eq!(here.db.psql(ids).await, "1 2");
    assert_eq!(here.db.psql(STATES).await, "rejected loaded");
}

#[tokio::test]
async fn a_record_that_staging_has_already_is_rejected_when_appended() {
    let here = Installation::new().await;
    with_two_rejects(&here).await;
    let again = [shipment(&[("Id", "1")]), shipment(&[("Id", "7")]), shipment(&[("Id", "7")])];
    let again = here.file("again.csv", file_of(&again));
    let report =
        here.report(3, &[&again, "--all", "--append", "--max-rejects", "2", "--rejects", "o2.csv"]);
    assert_eq!((&report["rows_loaded"], &report["rows_rejected"]), (&json!(1), &json!(2)));
    let ids =
        "SELECT string_agg(record_id, ' ' ORDER BY record_id) FROM cites_trade_records_staging";
    assert_eq!(here.db.psql(ids).await, "1 7");
}

#[tokio::test]
async fn a_taken_name_of_an_index_is_no_index() {
    let here = Installation::new().await;
    here.db.psql("CREATE INDEX idx_cites_trade_year_staging ON species (genus)").await;
    let file = here.file("in.csv", file_of(&[shipment(&[("Id", "1")])]));
    let refused = here.load(&[&file, "--all"]).expect_code(6);
    assert!(refused.stderr.contains("idx_cites_trade_year_staging"), "{refused:?}");
    here.db.psql("DROP INDEX idx_cites_trade_year_staging").await;
    here.load(&[&file, "--all", "--resume"]).expect_code(0);
}

#[tokio::test]
async fn two_members_of_one_name_are_refused() {
    let here = Installation::new().await;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, id) in [("a.csv", "1"), ("b.csv", "2")] {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        zip.start_file(name, options).unwrap();
        std::io::Write::write_all(&mut zip, file_of(&[shipment(&[("Id", id)])]).as_bytes())
            .unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    // The library cannot write such an archive, so one is made by patching.
    while let Some(at) = bytes.windows(5).position(|w| w == b"b.csv") {
        bytes[at] = b'a';
    }
    let file = here.file("in.zip", &bytes);
    let refused = here.load(&[&file, "--all"]).expect_code(1);
    assert!(refused.stderr.contains("the same name"), "{refused:?}");
}

#[tokio::test]
async fn rows_of_other_columns_are_not_appended() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&[shipment(&[("Id", "1")])]));
    here.report(0, &[&file, "--all"]);
    let more = here.file("more.csv", file_of(&[shipment(&[("Id", "2")])]));
    let refused = |args: &[&str], words: &str| {
        let refused = here.load(&[&[more.as_str(), "--all", "--append"], args].concat());
        let refused = refused.expect_code(6);
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    };
    refused(&["--on-inexact", "widen"], "staging was loaded with other columns or types");
    let alter = "ALTER TABLE cites_trade_records_staging ALTER genus TYPE varchar";
    here.db.psql(&format!("{alter}(9)")).await;
    refused(&[], "column \"genus\" of");
    assert_eq!(here.staging().await.len(), 1);
    here.db.psql("ALTER TABLE cites_trade_records_staging ALTER genus TYPE text").await;
    here.report(0, &[&more, "--all", "--append"]);
}
