//! Backups with valid checksums that are nevertheless not what was taken.

use std::fs;
use std::path::Path;

use sterna::pg::embedded::ModelSchema;

use super::{Finished, Installation, backup, filled, shell, verify};

/// Changes a file of the backup `saved` and updates the checksums, verifies with these arguments,
/// and restores everything.
fn verified_with(
    place: &Installation,
    name: &str,
    change: impl Fn(Vec<u8>) -> Vec<u8>,
    args: &[&str],
) -> Finished {
    let folder = place.path("saved");
    let (file, sums) = (folder.join(name), folder.join("SHA256SUMS"));
    let before = [&file, &sums].map(|path| fs::read(path).unwrap());
    let changed = change(before[0].clone());
    assert_ne!(changed, before[0], "{name}");
    fs::write(&file, changed).unwrap();
    if name != "SHA256SUMS" {
        let line = "sha256sum $(ls | grep -v SHA256SUMS) > SHA256SUMS";
        shell(&folder, line, &place.db).expect_code(0);
    }
    let found = verify(place, "saved", args);
    fs::write(&file, &before[0]).unwrap();
    fs::write(&sums, &before[1]).unwrap();
    found
}

async fn saved(method: &str) -> Installation {
    let place = filled(ModelSchema::Production).await;
    backup(&place, "saved", &["--method", method]).expect_code(0);
    place
}

fn without_line(text: Vec<u8>, name: &str) -> Vec<u8> {
    let text = String::from_utf8(text).unwrap();
    let lines = text.lines().filter(|line| !line.ends_with(name));
    lines.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

#[tokio::test]
async fn every_file_has_a_checksum_and_none_lies_elsewhere() {
    for (method, names) in [
        ("pg-dump", ["backup.dump", "manifest.json"].as_slice()),
        ("copy", &["000.copy", "tables.sql", "constraints.sql", "restore.sql", "manifest.json"]),
    ] {
        let place = saved(method).await;
        for name in names {
            let left_out = |text| without_line(text, name);
            let found = verified_with(&place, "SHA256SUMS", left_out, &[]).expect_code(4);
            assert!(found.stderr.contains(&format!("has no checksum of {name}")), "{found:?}");
        }
        let nothing = shell(Path::new("/"), "sha256sum </dev/null | cut -c1-64", &place.db);
        let further = format!("{}  ../nothing\n", nothing.stdout.trim());
        fs::write(place.path("nothing"), "").unwrap();
        let outside = |text: Vec<u8>| [text, further.clone().into_bytes()].concat();
        let refused = verified_with(&place, "SHA256SUMS", outside, &[]).expect_code(1);
        assert!(refused.stderr.contains("is not a checksum"), "{refused:?}");
        verify(&place, "saved", &[]).expect_code(0);
    }
}

#[tokio::test]
async fn rows_that_were_cut_off_are_missed() {
    let place = saved("copy").await;
    let cut = |mut rows: Vec<u8>| {
        rows.truncate(rows.len() - 2);
        rows
    };
    let found = verified_with(&place, "000.copy", cut, &[]).expect_code(4);
    assert!(found.stderr.contains("000.copy is cut short"), "{found:?}");
    let other = |mut rows: Vec<u8>| {
        rows[0] ^= 1;
        rows
    };
    let found = verified_with(&place, "000.copy", other, &[]).expect_code(4);
    assert!(found.stderr.contains("000.copy is not a binary COPY"), "{found:?}");
}

#[tokio::test]
async fn a_table_that_the_dump_lacks_is_missed_though_it_had_no_rows() {
    let place = filled(ModelSchema::Production).await;
    place.db.psql("DELETE FROM public.species_trade_summary").await;
    backup(&place, "saved", &["--method", "pg-dump"]).expect_code(0);
    let renamed = |text: Vec<u8>| {
        let text = String::from_utf8(text).unwrap();
        text.replace("\"species_trade_summary\"", "\"species_summary\"").into_bytes()
    };
    let found = verified_with(&place, "manifest.json", renamed, &[]).expect_code(4);
    assert!(found.stderr.contains("\"species_summary\" is not in it"), "{found:?}");
}

#[tokio::test]
async fn rows_that_do_not_come_back_are_missed() {
    let place = saved("copy").await;
    let deletes =
        |text: Vec<u8>| [text, b"DELETE FROM public.species_trade_summary;\n".to_vec()].concat();
    verified_with(&place, "constraints.sql", deletes, &[]).expect_code(0);
    let found = verified_with(&place, "constraints.sql", deletes, &["--restore"]).expect_code(4);
    assert!(found.stderr.contains("0 rows of"), "{found:?}");
    assert!(found.stderr.contains("were restored instead of 5"), "{found:?}");
}
