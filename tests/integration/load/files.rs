//! Which files of a folder or an archive are read, that none is read twice, and that the file
//! read is the one that was identified.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::process::Stdio;

use serde_json::Value;

use super::bad_input::{gzip, zip};
use super::process::{finished, go_on, pause};
use crate::cites::{Installation, file_of, generated, good, header, rows_of, shipment};
use crate::server::Finished;

/// The files that a report lists as left out, by the ends of their paths.
fn left_out(report: &Value) -> Vec<String> {
    let left_out = report["left_out"].as_array().unwrap();
    let name = |left: &Value| {
        assert!(!left["reason"].as_str().unwrap().is_empty(), "{left}");
        left["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    };
    left_out.iter().map(name).collect()
}

#[tokio::test]
async fn what_is_left_out_is_listed() {
    let here = Installation::new().await;
    fs::create_dir_all(here.path("all/sub/deep")).unwrap();
    here.file("all/a.csv", file_of(&good(3)));
    here.file("all/notes.txt", "x");
    here.file("all/.hidden.csv", "x");
    here.file("all/sterna-rejects-1.csv", "x");
    here.file("all/sub/b.csv", file_of(&[shipment(&[("Id", "4")])]));
    here.file("all/sub/deep/c.csv", file_of(&[shipment(&[("Id", "5")])]));
    let inner = file_of(&[shipment(&[("Id", "6")])]);
    let members: [(&str, &[u8]); 3] =
        [("d.csv", inner.as_bytes()), ("readme.md", b"x"), ("__MACOSX/._d.csv", b"x")];
    here.file("all/d.zip", zip(&members, zip::CompressionMethod::Stored));
    let beside = [".hidden.csv", "notes.txt", "sterna-rejects-1.csv"];
    let of_zip = ["readme.md", "._d.csv"];
    for (more, rows, folders) in [(&[][..], 4, &["sub"][..]), (&["--recursive"], 6, &[])] {
        let expected: Vec<_> = [&beside, folders, &of_zip].concat();
        let args = [&["all", "--all"], more].concat();
        let report = here.report(0, &args);
        assert_eq!((&report["rows_loaded"], left_out(&report)), (&rows.into(), names(&expected)));
        here.db.sterna(&["stage", "drop"]).expect_code(0);
        for args in [&["inspect", "all"][..], &["species", "missing", "all"]] {
            let run = |form: &str| {
                let args = [args, more, &["--format", form]].concat();
                let mut command = here.db.command(&args);
                let output = command.current_dir(here.folder.path()).output().unwrap();
                Finished::from(output).expect_code(0).stdout
            };
            let report: Value = serde_json::from_str(&run("json")).unwrap();
            assert_eq!(left_out(&report), names(&expected), "{args:?}");
            let text = run("text");
            assert!(text.contains("left out") && text.contains("all/notes.txt: "), "{text}");
        }
    }
    let mut command = here.db.command(&["load", "all", "--all"]);
    let output = command.current_dir(here.folder.path()).output().unwrap();
    let text = Finished::from(output).expect_code(0).stdout;
    assert!(text.contains("left out   all/sub: a folder; --recursive"), "{text}");
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn data_that_is_not_read_is_an_error() {
    let here = Installation::new().await;
    fs::create_dir(here.path("all")).unwrap();
    let plain = file_of(&good(3));
    let archive = |name: &str, content: &[u8]| {
        let members: [(&str, &[u8]); 2] = [("a.csv", plain.as_bytes()), (name, content)];
        zip(&members, zip::CompressionMethod::Stored)
    };
    let inner = archive("b.csv", b"x");
    for (name, content, why) in [
        ("all/a.csv.bz2", b"BZh".to_vec(), "a.csv.bz2: is data in an unsupported format"),
        ("all/b.7z", b"x".to_vec(), "b.7z: is data"),
        ("a.zip", archive("inner.zip", &inner), "a.zip/inner.zip: is packed inside an archive"),
        ("a.zip", archive("deep/b.csv.gz", &gzip(b"x")), "a.zip/deep/b.csv.gz: is packed"),
        ("a.zip", archive("b.csv.xz", b"x"), "a.zip/b.csv.xz: is data"),
    ] {
        here.file("all/good.csv", &plain);
        let file = here.file(name, content);
        let refused = here.load(&[name.split('/').next().unwrap(), "--all"]).expect_code(1);
        assert!(refused.stderr.contains(why) && refused.stderr.contains("hint: "), "{refused:?}");
        fs::remove_file(file).unwrap();
    }
}

/// Rewrites the end of an archive's directory in the ZIP64 form.
fn as_zip64(archive: &[u8]) -> Vec<u8> {
    let end = archive.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let number = |at: usize, bytes: usize| {
        archive[end + at..][..bytes].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte))
    };
    let (entries, bytes, start) = (number(10, 2), number(12, 4), number(16, 4));
    let mut large = archive[..end].to_vec();
    large.extend(b"PK\x06\x06");
    large.extend(44u64.to_le_bytes());
    large.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for field in [entries, entries, bytes, start] {
        large.extend(field.to_le_bytes());
    }
    large.extend(b"PK\x06\x07\0\0\0\0");
    large.extend((end as u64).to_le_bytes());
    large.extend([1, 0, 0, 0]);
    large.extend(b"PK\x05\x06\0\0\0\0");
    large.extend([0xff; 12]);
    large.extend([0, 0]);
    large
}

#[tokio::test]
async fn members_of_one_name_and_members_that_are_not_counted_are_refused() {
    let here = Installation::new().await;
    let (one, other) = (file_of(&good(3)), file_of(&[shipment(&[("Id", "4")])]));
    let members: [(&str, &[u8]); 2] = [("a.csv", one.as_bytes()), ("b.csv", other.as_bytes())];
    let fine = zip(&members, zip::CompressionMethod::Stored);
    let mut doubled = fine.clone();
    while let Some(at) = doubled.windows(5).position(|w| w == b"b.csv") {
        doubled[at] = b'a';
    }
    // As some tools write it for more than 65,535 entries: the count modulo 2^16.
    let mut uncounted = fine.clone();
    let end = uncounted.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    (uncounted[end + 8], uncounted[end + 10]) = (1, 1);
    for (name, content, why) in [
        ("doubled.zip", doubled.clone(), "two members of the archive have the same name"),
        ("doubled64.zip", as_zip64(&doubled), "two members of the archive have the same name"),
        ("uncounted.zip", uncounted, "claims to have 1 members, but has 2"),
    ] {
        here.file(name, content);
        let refused = here.load(&[name, "--all"]).expect_code(1);
        assert!(refused.stderr.contains(why), "{name}: {refused:?}");
    }
    here.file("fine.zip", as_zip64(&fine));
    assert_eq!(here.report(0, &["fine.zip", "--all"])["rows_loaded"], 4);
}

#[tokio::test]
async fn the_same_records_are_not_read_twice_however_they_are_packed() {
    let here = Installation::new().await;
    let plain = file_of(&good(300));
    let half = plain.len() / 2;
    let parts = [gzip(&plain.as_bytes()[..half]), gzip(&plain.as_bytes()[half..])].concat();
    let other = file_of(&[shipment(&[("Id", "4")])]);
    let both: [(&str, &[u8]); 2] = [("a.csv", plain.as_bytes()), ("b.csv", plain.as_bytes())];
    let one: [(&str, &[u8]); 2] = [("a.csv", plain.as_bytes()), ("b.csv", other.as_bytes())];
    here.file("c.csv", &plain);
    here.file("c.csv.gz", gzip(plain.as_bytes()));
    here.file("parts.csv.gz", parts);
    here.file("both.zip", zip(&both, zip::CompressionMethod::Deflated));
    here.file("one.zip", zip(&one, zip::CompressionMethod::Stored));
    fs::hard_link(here.path("c.csv"), here.path("hard.csv")).unwrap();
    for inputs in [
        &["c.csv", "c.csv.gz"][..],
        &["c.csv", "parts.csv.gz"],
        &["parts.csv.gz", "one.zip"],
        &["both.zip"],
        &["c.csv.gz", "one.zip"],
        &["c.csv", "one.zip"],
    ] {
        let refused = here.load(&[inputs, &["--all"]].concat()).expect_code(2);
        assert!(refused.stderr.contains("hold the same records"), "{inputs:?}: {refused:?}");
    }
    let refused = here.load(&["c.csv", "hard.csv", "--all"]).expect_code(2);
    assert!(refused.stderr.contains("hard.csv is named twice, also as c.csv"), "{refused:?}");
    // Files without records have nothing that could be read twice.
    here.file("empty.csv", header());
    here.file("none.csv", header());
    here.file("mark.csv", format!("\u{feff}{}\r\n", header()));
    let report = here.report(0, &["empty.csv", "c.csv", "none.csv", "mark.csv", "--all"]);
    assert_eq!((&report["rows_read"], &report["rows_loaded"]), (&300.into(), &300.into()));
}

#[tokio::test]
async fn what_was_read_decides_whether_a_file_has_changed() {
    for (change, code) in [("content", 1), ("touch", 0), ("rename", 0)] {
        let here = Installation::new().await;
        let text = generated(30_000, 4);
        let file = here.file("in.csv", &text);
        let args =
            [&file, "--all", "--on-inexact", "widen", "--batch-size", "200"].map(str::to_owned);
        let (child, session) = pause(&here, &args).await;
        let mut open = fs::OpenOptions::new().write(true).open(&file).unwrap();
        let modified = open.metadata().unwrap().modified().unwrap();
        match change {
            "content" => {
                // The same size and modification time.
                open.seek(SeekFrom::End(-2)).unwrap();
                open.write_all(if text.ends_with("7\n") { b"8" } else { b"7" }).unwrap();
                open.set_modified(modified).unwrap();
            }
            "touch" => open.set_modified(std::time::SystemTime::now()).unwrap(),
            // The opened file is the one that is read.
            _ => fs::rename(&file, here.path("elsewhere.csv")).unwrap(),
        }
        go_on(session).await;
        let done = finished(child).expect_code(code);
        if code == 1 {
            assert!(done.stderr.contains("in.csv: changed while it was being read"), "{done:?}");
        } else {
            assert!(here.staging().await == rows_of(&text), "{change}");
        }
    }
}

#[tokio::test]
async fn a_pipe_is_read_by_whatever_name() {
    let here = Installation::new().await;
    let text = file_of(&good(20));
    let mut command = here.command(&["/dev/stdin", "--all"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Finished::from(child.wait_with_output().unwrap()).expect_code(0);
    assert!(here.staging().await == rows_of(&text));
    here.db.sterna(&["stage", "drop"]).expect_code(0);

    let pipe = here.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (writer, content) = (pipe.clone(), gzip(text.as_bytes()));
    let writing = std::thread::spawn(move || fs::write(writer, content));
    here.report(0, &["pipe", "--all"]);
    writing.join().unwrap().unwrap();
    assert!(here.staging().await == rows_of(&text));
    // A command that reads its input several times says so.
    let content = gzip(text.as_bytes());
    let writing = std::thread::spawn(move || fs::write(pipe, content));
    let mut command = here.db.command(&["migrate", "pipe"]);
    let output = command.current_dir(here.folder.path()).output().unwrap();
    let refused = Finished::from(output).expect_code(2);
    assert!(refused.stderr.contains("a pipe is read once"), "{refused:?}");
    writing.join().unwrap().unwrap();
}
