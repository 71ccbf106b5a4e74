//! Records that share a row id: one is loaded, the others are rejected, even if sterna or the
//! server crashes.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sterna::cites::generate::SHIPMENT_HEADER;

use crate::server::TestDb;

const SPECIES: &str = "
    INSERT INTO species (id, scientific_name, common_name, kingdom, phylum, class, order_name,
                         family, genus, species_name)
    VALUES ('00000000-0000-0000-0000-000000000001', 'Ursus maritimus', 'Polar bear', 'Animalia',
            'Chordata', 'Mammalia', 'Carnivora', 'Ursidae', 'Ursus', 'maritimus')";

/// Writes a shipment file with these record ids; each line's term gives its position.
fn write(path: &Path, ids: impl Iterator<Item = u32>) {
    let mut text = SHIPMENT_HEADER.to_owned();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    for (at, id) in ids.enumerate() {
        let line = at + 2;
        text += &format!(
            "{id},2000,I,Ursus maritimus,Mammalia,Carnivora,Ursidae,Ursus,{name} {line},1,,NO,GL,,P,W,E,,,\n"
        );
    }
    std::fs::write(path, text).unwrap();
}

/// Two files of 3,000 records; every hundredth of the second repeats one of the first.
fn write_both(folder: &Path) {
    write(&folder.join("a.csv"), 0..3000);
    write(&folder.join("b.csv"), (0..3000).map(|i| if i % 100 == 7 { i } else { 3000 + i }));
}

const LOAD: [&str; 8] =
    ["load", "input", "--all", "--batch-size", "250", "--format", "json", "--verify"];

async fn rows_of(db: &TestDb) -> String {
    db.psql(
        "SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE record_id::int < 3000 AND term LIKE 'b %')
         FROM cites_trade_records_staging",
    )
    .await
}

#[tokio::test]
async fn the_first_of_the_files_is_loaded_and_the_others_are_rejected() {
    let db = TestDb::new().await;
    db.psql(SPECIES).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("input")).unwrap();
    write_both(&folder.path().join("input"));
    let mut command = db.command(&LOAD);
    command.args(["--max-rejects", "30", "--rejects", "r.csv"]).current_dir(folder.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rows_loaded"], 5970);
    assert_eq!(report["reject_reasons"]["constraint"], 30);
    assert_eq!(report["verified"], true);
    assert_eq!(rows_of(&db).await, "5970|5970|0");
    let rejects = std::fs::read_to_string(folder.path().join("r.csv")).unwrap();
    assert_eq!(rejects.lines().count(), 31);
    assert!(
        rejects.contains("\"the record in input/a.csv, line 9, has the same row id "),
        "{rejects}"
    );
    let valid =
        "SELECT count(*) FROM pg_index WHERE indrelid = 'cites_trade_records_staging'::regclass";
    assert_eq!(db.psql(valid).await, "3");
}

#[tokio::test]
async fn a_client_killed_while_it_takes_them_out_can_be_resumed() {
    for delay_ms in [20, 60, 100, 140, 180, 220, 260, 300] {
        let db = TestDb::new().await;
        db.psql(SPECIES).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("input")).unwrap();
        write_both(&folder.path().join("input"));
        let run = |more: &[&str]| {
            let mut command = db.command(&LOAD);
            command.args(["--max-rejects", "30", "--rejects", "r.csv"]).args(more);
            command.current_dir(folder.path()).stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let mut first = run(&[]);
        std::thread::sleep(std::time::Duration::from_millis(delay_ms));
        // It may have ended already, which is fine.
        let _ = kill(Pid::from_raw(first.id().cast_signed()), Signal::SIGKILL);
        first.wait().unwrap();
        let second = run(&["--resume"]).wait_with_output().unwrap();
        assert!(second.status.success(), "after {delay_ms} ms: {second:?}");
        assert_eq!(rows_of(&db).await, "5970|5970|0", "after {delay_ms} ms");
    }
}

#[tokio::test]
async fn the_first_of_the_files_is_loaded_with_indexes_in_place_as_well() {
    let db = TestDb::new().await;
    db.psql(SPECIES).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("input")).unwrap();
    write_both(&folder.path().join("input"));
    for _ in 0..3 {
        let mut command = db.command(&["load", "input", "--all", "--batch-size", "20"]);
        command.args(["--keep-indexes", "--workers", "4", "--connections", "4", "--verify"]);
        command.args(["--max-rejects", "30", "--rejects", "r.csv"]).current_dir(folder.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(rows_of(&db).await, "5970|5970|0");
        let rejects = std::fs::read_to_string(folder.path().join("r.csv")).unwrap();
        assert_eq!(rejects.lines().filter(|line| line.contains(",b ")).count(), 30, "{rejects}");
        db.sterna(&["stage", "drop"]).expect_code(0);
    }
}
