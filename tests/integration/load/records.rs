//! Where records begin and end, and the errors if that cannot be determined.

use serde_json::Value;

use super::bad_input::gzip;
use crate::cites::{Installation, file_of, good, header, rows_of, shipment};

#[tokio::test]
async fn a_cr_ends_no_line_alone() {
    let here = Installation::new().await;
    let text = file_of(&good(5));
    for (content, why) in [
        (text.replace('\n', "\r"), "line 1: lines end in CR alone"),
        (text.replacen("\n3,", "\r3,", 1), "line 3: a CR without LF, while other lines end in LF"),
        (text.replacen("skins", "sk\rins", 1), "line 2: a CR without LF"),
    ] {
        let file = here.file("a.csv", content);
        let refused = here.load(&[&file, "--all"]).expect_code(1);
        assert!(refused.stderr.contains(why) && refused.stderr.contains("hint: "), "{refused:?}");
        here.db.sterna(&["stage", "drop"]);
    }
    for content in [
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r\r\n"),
        text.replacen('\n', "\r\n\n\r\n", 3),
        text.trim_end().to_owned() + "\r",
    ] {
        let file = here.file("a.csv", &content);
        here.report(0, &[&file, "--all"]);
        assert!(here.staging().await == rows_of(&text), "{content:?}");
        here.db.sterna(&["stage", "drop"]).expect_code(0);
    }
    let quoted = text.replacen("skins", "\"sk\rins\"", 1);
    let file = here.file("a.csv", quoted);
    here.report(0, &[&file, "--all"]);
    let term = "SELECT term FROM cites_trade_records_staging WHERE record_id = '1'";
    assert_eq!(here.db.psql(term).await, "sk\rins");
}

#[tokio::test]
async fn a_record_that_is_too_long_costs_that_record() {
    let here = Installation::new().await;
    let long = |id: &str, bytes: usize| {
        shipment(&[("Id", id), ("Import.permit.RandomID", &"x".repeat(bytes))])
    };
    let quoted = |id: &str, inner: &str| {
        shipment(&[("Id", id), ("Import.permit.RandomID", &format!("\"{inner}\""))])
    };
    let lines = "a \"\"b\"\", c\r\n".repeat(40_000);
    let text = file_of(&[
        shipment(&[("Id", "1")]),
        long("2", 300_000),
        shipment(&[("Id", "3")]),
        quoted("4", &lines),
        shipment(&[("Id", "5")]),
        long("6", 3_000),
    ]);
    let file = here.file("a.csv", &text);
    let few = ["--all", "--max-record-bytes", "4096", "--max-rejects", "2"];
    let report = here.report(0, &[&[file.as_str()], &few[..]].concat());
    assert_eq!(report["rows_loaded"], 4);
    assert_eq!(report["reject_reasons"], serde_json::json!({"record_too_long": 2}));
    let first = &report["first_rejects"];
    assert_eq!((&first[0]["line"], &first[1]["line"]), (&3.into(), &5.into()));
    let said = first[0]["message"].as_str().unwrap();
    let bytes = long("2", 300_000).len();
    assert_eq!(said, format!("a record of {bytes} bytes; --max-record-bytes is 4096"));
    let ids =
        "SELECT string_agg(record_id, ',' ORDER BY record_id) FROM cites_trade_records_staging";
    assert_eq!(here.db.psql(ids).await, "1,3,5,6");
    // The rejects give its position.
    let rejects = crate::cites::csv_records(&here.path(report["rejects_file"].as_str().unwrap()));
    let offset = rejects[0].iter().position(|name| name == "sterna_byte_offset").unwrap();
    let at: usize = rejects[1][offset].parse().unwrap();
    assert!(text[at..].starts_with("2,2020"), "{rejects:?}");
    here.db.sterna(&["stage", "drop"]).expect_code(0);
    // With a larger limit all are loaded, even some over a MiB.
    let file = here.file("a.csv", text.replacen("xx", &"y".repeat(3 << 20), 1));
    let report = here.report(0, &[&file, "--all"]);
    assert_eq!(report["rows_loaded"], 6);
}

#[tokio::test]
async fn the_end_of_a_record_is_not_guessed() {
    let here = Installation::new().await;
    let rest = good(2_000).join("\n");
    let few = ["--all", "--max-record-bytes", "4096", "--max-rejects", "100%"];
    for open in ["\"open,", "\"a\" b,\"open,"] {
        for rest in [rest.clone(), rest.clone() + "\n9,\"closed\",,\n" + &rest] {
            let file = here.file("a.csv", format!("{}\n1,2020,{open}\n{rest}\n", header()));
            let refused = here.load(&[&[file.as_str()], &few[..]].concat()).expect_code(1);
            assert!(refused.stderr.contains("line 2: "), "{refused:?}");
            assert!(refused.stderr.contains("never closed"), "{refused:?}");
            here.db.sterna(&["stage", "drop"]);
        }
    }
    let file = here.file("a.csv", format!("{}{}\n", header(), ",x".repeat(3_000)));
    let refused = here.load(&[&[file.as_str()], &few[..]].concat()).expect_code(1);
    assert!(refused.stderr.contains("line 1: the header has"), "{refused:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_by_its_cause() {
    let here = Installation::new().await;
    let text = file_of(&good(30));
    let plain = text.as_bytes();
    let packed = gzip(plain);
    let joined = format!("\u{feff}{text}\u{feff}{}", text.replacen("Id,", "\"Id\",", 1));
    for (name, content, why) in [
        ("blank.csv", b"\n\r\n\n".to_vec(), "the file holds only blank lines"),
        ("mark.csv", "\u{feff}".into(), "the file holds only a byte order mark"),
        ("empty.csv", Vec::new(), "the file is empty"),
        ("a.csv.gz", gzip(&packed), "is compressed a second time, with gzip"),
        (
            "stray.csv.gz",
            [&packed[..], b"x"].concat(),
            "unexpected data after the end of the gzip data",
        ),
        (
            "mixed.csv.gz",
            [&packed[..], plain].concat(),
            "unexpected data after the end of the gzip data",
        ),
        (
            "nul.csv",
            text.replacen("Year", "Ye\0ar", 1).into(),
            "column 2 of the header holds a NUL",
        ),
        (
            "latin1.csv",
            [b"Id,Ye\xe9r".as_slice(), &plain[7..]].concat(),
            "column 2 of the header is not UTF-8",
        ),
        ("joined.csv", joined.into(), "line 32: the header appears a second time"),
    ] {
        let file = here.file(name, content);
        let refused = here.load(&[&file, "--all"]).expect_code(1);
        assert!(refused.stderr.contains(why), "{name}: {refused:?}");
        here.db.sterna(&["stage", "drop"]);
    }
}

#[tokio::test]
async fn what_is_fine_is_read() {
    let here = Installation::new().await;
    let text = file_of(&good(30));
    let mark = "\u{feff}".as_bytes();
    let quoted = text.replacen("Id,", "\"Id\",", 1);
    for (name, content) in [
        // As left by empty spreadsheet columns.
        ("commas.csv", text.replace('\n', ",,\n").into_bytes()),
        ("mark.csv.gz", [gzip(mark), gzip(text.as_bytes())].concat()),
        ("mark-quoted.csv.gz", [gzip(mark), gzip(quoted.as_bytes())].concat()),
        ("padded.csv.gz", [&gzip(text.as_bytes())[..], &[0; 700]].concat()),
        ("blank.csv", format!("\n\r\n{}", text.replace('\n', "\n\n")).into_bytes()),
    ] {
        let file = here.file(name, content);
        here.report(0, &[&file, "--all", "--verify"]);
        assert!(here.staging().await == rows_of(&text), "{name}");
        here.db.sterna(&["stage", "drop"]).expect_code(0);
    }
    // In a file with one column, a value may equal the column's name.
    here.db.psql("CREATE TABLE names (name text PRIMARY KEY)").await;
    let mapping = "[[format]]\nname = \"names\"\n[format.columns]\nname = \"name\"\n";
    let mapping = here.file("m.toml", mapping);
    let file = here.file("names.csv", "name\nfirst\nname\nlast\n");
    let args = ["--all", "--mapping", &mapping, "--table", "names"];
    let report: Value = here.report(0, &[&[file.as_str()], &args[..]].concat());
    assert_eq!(report["rows_loaded"], 3);
}
