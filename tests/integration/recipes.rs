//! The recipes in `docs/` that claim to work as they are.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server::{Finished, TestDb};
use crate::switchover::exchange::names;

/// The fenced blocks of a page: the info string after the fence, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let mut parts = text.split("\n```").skip(1);
    let mut blocks = Vec::new();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (info, body) = block.split_once('\n').unwrap();
        blocks.push((info.to_owned(), format!("{body}\n")));
    }
    blocks
}

#[tokio::test]
async fn another_table_is_replaced_by_what_its_recipe_says() {
    let db = TestDb::empty().await;
    let folder = tempfile::tempdir().unwrap();
    let mut commands = String::new();
    for (info, body) in blocks("another-table.md") {
        match info.split_once(' ') {
            Some((_, name)) => {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, body).unwrap();
            }
            None => commands.push_str(&body),
        }
    }
    // Runs the recipe line by line, to look at the database in between.
    let program = Path::new(env!("CARGO_BIN_EXE_sterna")).parent().unwrap();
    let run = |line: &str| {
        let path = std::env::var("PATH").unwrap();
        let as_sterna = db.command::<&str>(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(folder.path());
        shell.envs(as_sterna.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("PATH", format!("{}:{path}", program.display()));
        Finished::from(shell.output().unwrap()).expect_code(0)
    };
    let lines: Vec<&str> = commands.lines().collect();
    let [schema, inspect, migrate, look, switch_back, back] = lines[..] else {
        panic!("{commands}");
    };
    run(schema);
    let rows = "SELECT string_agg(p::text, ' ' ORDER BY code) FROM public.ports AS p";
    let before = (names(&db).await, db.psql(rows).await);
    assert!(run(inspect).stdout.contains("ready"));
    let migrated = run(migrate);
    // Both gates have run the user's own checks and queries.
    let report = fs::read_dir(folder.path()).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path().join("report.json");
        fs::read_to_string(path).ok()
    });
    let report: String = report.collect();
    for own in ["\"position\"", "\"ports-of-country\""] {
        assert!(report.contains(own), "{own}: {migrated:?} {report}");
    }
    assert_eq!(db.psql("SELECT count(*), count(DISTINCT country_code) FROM ports").await, "5|3");
    let shown = run(look).stdout;
    assert!(shown.contains("Tromsø") && shown.contains("Hammerfest"), "{shown}");
    run(switch_back);
    run(back);
    assert_eq!((names(&db).await, db.psql(rows).await), before);
}
