//! Inputs that are not CITES files: each has its own error, which names the file and if possible
//! the line, and nothing is written.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::cites::{Installation, Row, file_of, generated, good, header, rows_of, shipment};
use crate::server::Finished;

use super::process::{finished, go_on, pause};

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zip(members: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn utf16(text: &str, big_endian: bool, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let units = format!("{mark}{text}").encode_utf16().collect::<Vec<_>>();
    let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
    units.into_iter().flat_map(bytes).collect()
}

/// Sets the encryption bit in every header of an archive.
fn encrypted(mut archive: Vec<u8>) -> Vec<u8> {
    for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = archive.windows(4).position(|w| w == signature).unwrap();
        archive[at + flags] |= 1;
    }
    archive
}

#[tokio::test]
async fn what_is_no_cites_file_is_named_and_nothing_is_written() {
    let here = Installation::new().await;
    let plain = file_of(&good(300));
    let records: String = plain.lines().skip(1).map(|line| format!("{line}\n")).collect();
    let with_header = |header: String| format!("{header}\n{records}").into_bytes();
    let stored = zip::CompressionMethod::Stored;
    let deflated = zip::CompressionMethod::Deflated;
    let archive = zip(&[("a.csv", plain.as_bytes())], deflated);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("utf16le.csv", utf16(&plain, false, true), "UTF-16"),
        ("utf16be.csv", utf16(&plain, true, true), "UTF-16"),
        ("utf16le-no-mark.csv", utf16(&plain, false, false), "UTF-16"),
        ("utf16be-no-mark.csv", utf16(&plain, true, false), "UTF-16"),
        (
            "semicolon.csv",
            plain.replace(',', ";").into_bytes(),
            "line 1: the fields seem to be separated by ';'",
        ),
        ("tab.csv", plain.replace(',', "\t").into_bytes(), "separated by a tab"),
        (
            "no-header.csv",
            records.clone().into_bytes(),
            "line 1: the first line is not a known header",
        ),
        (
            "no-column.csv",
            with_header(header().replace(",Term", ",term")),
            "\"term\" stands where \"Term\" is expected",
        ),
        ("twice.csv", with_header(header() + ",Year"), "names \"Year\" twice"),
        ("unknown.csv", b"a,b\n1,2\n".to_vec(), "not a known header (it begins with \"a\")"),
        (
            "latin1.csv",
            [b"\xc9tat,".as_slice(), plain.as_bytes()].concat(),
            "line 1: column 1 of the header is not UTF-8",
        ),
        ("empty.csv", Vec::new(), "empty"),
        ("mark-only.csv", "\u{feff}".into(), "byte order mark"),
        ("blank.csv", b"\n\n\n".to_vec(), "blank lines"),
        ("zeros.csv", vec![0; 5_000], "not text at all"),
        ("short.csv.gz", gzip(plain.as_bytes())[..100].to_vec(), "truncated"),
        ("tiny.csv.gz", gzip(plain.as_bytes())[..9].to_vec(), "truncated"),
        ("short.zip", archive[..archive.len() / 2].to_vec(), "truncated or damaged"),
        (
            "none.zip",
            zip(&[("readme.txt", b"x"), ("__MACOSX/a.csv", b"x")], stored),
            "holds no CSV file",
        ),
        ("locked.zip", encrypted(archive.clone()), "a.csv: is encrypted"),
        ("inner.zip", zip(&[("a.csv", b"x;y\n")], stored), "inner.zip/a.csv"),
        ("a.bz2", b"BZh91AY&SY".to_vec(), "compressed with bzip2"),
        ("a.xz", b"\xfd7zXZ\0".to_vec(), "compressed with xz"),
        ("a.zst", b"\x28\xb5\x2f\xfd".to_vec(), "compressed with zstd"),
        ("a.xls", b"\xd0\xcf\x11\xe0".to_vec(), "an old Excel file"),
        ("a.pdf", b"%PDF-1.7".to_vec(), "a PDF"),
        ("a.parquet", b"PAR1".to_vec(), "a Parquet file"),
    ];
    for (name, content, why) in cases {
        let file = here.file(name, content);
        let refused = here.load(&[&file, "--all"]).expect_code(1);
        let message = refused.stderr.lines().next().unwrap();
        assert!(
            message.starts_with(&format!("error: {file}")) && message.contains(why),
            "{name}: {refused:?}"
        );
        let written = here.db.psql("SELECT to_regclass('cites_trade_records_staging')").await;
        assert_eq!(written, "", "{name}");
    }
}

#[tokio::test]
async fn damage_further_on_stops_the_load_which_can_begin_anew() {
    let here = Installation::new().await;
    here.db
        .psql(
            "INSERT INTO cites_trade_records (species_id, year, appendix, taxon, term)
        SELECT id, 2020, 'II', scientific_name, 'before' FROM species",
        )
        .await;
    let text = generated(5_000, 1);
    let plain = text.as_bytes();
    let packed = gzip(plain);
    let stored = zip(&[("a.csv", plain)], zip::CompressionMethod::Stored);
    let with = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        bytes
    };
    let mut twice = file_of(&good(3));
    twice.push_str(&file_of(&good(2)));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut.csv.gz", packed[..packed.len() - 20].to_vec(), "truncated"),
        ("trailing.csv.gz", [&packed[..], b"garbage at the end"].concat(), "unexpected data"),
        ("sum.csv.gz", with(&packed, packed.len() - 6), "damaged"),
        ("sum.zip", with(&stored, stored.len() / 2), "damaged"),
        ("twice.csv", twice.into_bytes(), "line 5: the header appears a second time"),
    ];
    for (name, content, why) in cases {
        let file = here.file(name, content);
        let failed = here.load(&[&file, "--all", "--on-inexact", "widen"]).expect_code(1);
        let message = failed.stderr.lines().next().unwrap();
        assert!(
            message.starts_with(&format!("error: {file}")) && message.contains(why),
            "{name}: {failed:?}"
        );
        assert!(failed.stderr.contains("hint: "), "{name}: {failed:?}");
        assert_eq!(
            here.db.psql("SELECT state FROM sterna.load_run WHERE state <> 'discarded'").await,
            "loading"
        );
        here.db.sterna(&["stage", "truncate"]).expect_code(0);
    }
    assert_eq!(
        here.db.psql("SELECT count(*) FROM cites_trade_records WHERE term = 'before'").await,
        "43"
    );
    let whole = here.file("whole.csv.gz", packed);
    here.report(0, &[&whole, "--all", "--on-inexact", "widen"]);
    assert!(here.staging().await == rows_of(&text));
}

#[tokio::test]
async fn arguments_that_name_no_input_or_one_twice_are_refused() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(3)));
    fs::copy(&file, here.path("copy.csv")).unwrap();
    fs::create_dir_all(here.path("empty/nested")).unwrap();
    fs::copy(&file, here.path("empty/nested/a.csv")).unwrap();
    std::os::unix::fs::symlink(&file, here.path("link.csv")).unwrap();
    for (inputs, code, why) in [
        (&["missing.csv"][..], 1, "missing.csv"),
        (&["none-*.csv"], 1, "none-*.csv: matches no file"),
        (&["empty"], 1, "empty: holds no .csv"),
        (&["/dev/null"], 1, "/dev/null: the file is empty"),
        (&["a.csv", "a.csv"], 2, "a.csv is named twice"),
        (&["a.csv", "./a.csv"], 2, "a.csv is named twice"),
        (&["a.csv", "link.csv"], 2, "link.csv is named twice"),
        (&["a*.csv", "a.csv"], 2, "a.csv is named twice"),
        (&["a.csv", "copy.csv"], 2, "hold the same records"),
        (&["-", "-"], 2, "- is given twice"),
        (&["-"], 1, "stdin: the file is empty"),
        (&["a[.csv"], 2, "not a glob"),
        (&[""], 1, "error: "),
    ] {
        let refused = here.load(&[inputs, &["--all"]].concat()).expect_code(code);
        assert!(refused.stderr.contains(why), "{inputs:?}: {refused:?}");
    }
}

#[tokio::test]
async fn every_supported_form_holds_the_same_rows() {
    let text = generated(500, 2);
    let half = text.len() / 2 + text[text.len() / 2..].find('\n').unwrap() + 1;
    let (first, second) =
        (text.as_bytes()[..half].to_vec(), format!("{}\n{}", header(), &text[half..]).into_bytes());
    let expected = rows_of(&text);
    let here = Installation::new().await;
    fs::create_dir(here.path("folder")).unwrap();
    here.file("folder/one.csv", &first);
    here.file("folder/two.csv.gz", gzip(&second));
    here.file("folder/notes.txt", "not a CSV file");
    let members: [(&str, &[u8]); 3] =
        [("deep/er/1.csv", &first), ("2.CSV", &second), ("readme.md", b"x")];
    here.file("all.zip", zip(&members, zip::CompressionMethod::Deflated));
    here.file("misnamed.txt", &text);
    here.file(
        "members.csv.gz",
        [gzip(&text.as_bytes()[..half]), gzip(&text.as_bytes()[half..])].concat(),
    );
    let check = async |rows: Vec<Row>, form: &str| {
        assert!(rows == expected, "{form}");
        here.db.sterna(&["stage", "drop"]).expect_code(0);
    };
    let options = ["--all", "--on-inexact", "widen", "--verify"];
    for inputs in [
        &["folder"][..],
        &["folder/*"],
        &["folder/one.csv", "folder/two.csv.gz"],
        &["all.zip"],
        &["misnamed.txt"],
        &["members.csv.gz"],
    ] {
        let inputs = if inputs == ["folder/*"] { &["folder/*.c*"][..] } else { inputs };
        let report = here.report(0, &[inputs, &options].concat());
        assert_eq!(report["rows_loaded"], 500);
        check(here.staging().await, inputs[0]).await;
    }
    for bytes in
        [text.as_bytes().to_vec(), gzip(text.as_bytes()), fs::read(here.path("all.zip")).unwrap()]
    {
        let mut command = here.command(&[&["-"], &options[..]].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        Finished::from(child.wait_with_output().unwrap()).expect_code(0);
        check(here.staging().await, "stdin").await;
    }
}

#[tokio::test]
async fn a_file_that_grows_meanwhile_is_noticed() {
    let here = Installation::new().await;
    let text = generated(30_000, 4);
    let file = here.file("in.csv", &text);
    let args = [&file, "--all", "--on-inexact", "widen", "--batch-size", "200"].map(str::to_owned);
    let (child, session) = pause(&here, &args).await;
    let mut open = fs::OpenOptions::new().append(true).open(&file).unwrap();
    writeln!(open, "{}", shipment(&[])).unwrap();
    go_on(session).await;
    let failed = finished(child).expect_code(1);
    assert!(failed.stderr.contains("in.csv: changed while it was being read"), "{failed:?}");
    assert_eq!(here.db.psql("SELECT state FROM sterna.load_run").await, "loading");
    // Rows read before are not mixed with the file's current contents.
    let mut resumed = args.to_vec();
    resumed.push("--resume".into());
    here.load(&resumed).expect_code(6);
    here.file("in.csv", &text);
    let again = here.load(&resumed);
    if again.code != Some(0) {
        // Excess rows are in the table and cannot be told from the others.
        let again = again.expect_code(6);
        assert!(again.stderr.contains("sterna stage truncate"), "{again:?}");
        here.db.sterna(&["stage", "truncate"]).expect_code(0);
        here.report(0, &resumed);
    }
    assert!(here.staging().await == rows_of(&text));
}

#[tokio::test]
async fn after_a_load_that_wrote_nothing_a_mended_file_is_loaded_at_once() {
    let here = Installation::new().await;
    let good = file_of(&[shipment(&[("Id", "1")])]);
    let file = here.file("in.csv", format!("{good}{}\n", header()));
    let failed = here.load(&[&file, "--all"]).expect_code(1);
    assert!(failed.stderr.contains("the header appears"), "{failed:?}");
    let file = here.file("in.csv", &good);
    // Rows unknown to the ledger must not be discarded.
    here.db
        .psql(
            "INSERT INTO cites_trade_records_staging (species_id, year, appendix, taxon, term)
        SELECT id, 2000, 'I', 'x', 'y' FROM species LIMIT 1",
        )
        .await;
    here.load(&[&file, "--all"]).expect_code(6);
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records_staging").await, "1");
    here.db.psql("DELETE FROM cites_trade_records_staging").await;
    here.load(&[&file, "--all"]).expect_code(0);
    assert_eq!(here.db.psql("SELECT count(*) FROM cites_trade_records_staging").await, "1");
}
