//! The recipes in `docs/` that claim to work as they are.

mod commands;
mod nightly;
mod operations;
mod pages;
mod partitions;
mod restoring;
mod role;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server::{Finished, TestDb};
use crate::switchover::exchange::names;

/// A page of `docs/`, its files in a folder and its commands on a database.
struct Recipe {
    db: TestDb,
    folder: tempfile::TempDir,
    /// The commands, block by block.
    commands: Vec<String>,
}

impl Recipe {
    /// A fenced block whose info string names a file is that file; other blocks of `sh` are
    /// commands.
    fn new(page: &str, db: TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut commands = Vec::new();
        for (info, body) in blocks(page) {
            match info.split_once(' ') {
                Some((_, name)) => {
                    let path = folder.path().join(name);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, body).unwrap();
                }
                None if info == "sh" => commands.push(body),
                None => {}
            }
        }
        Recipe { db, folder, commands }
    }

    /// Production with 43 species and the rows of `download.zip`, which is in the folder.
    async fn with_production(page: &str) -> Self {
        let recipe = Self::new(page, TestDb::new().await);
        recipe.db.psql(&crate::cites::insert_species()).await;
        recipe.run("sterna generate --rows 2000 --out download.zip").expect_code(0);
        let load = "sterna load download.zip --all --on-inexact round --max-rejects 100%";
        recipe.run(load).expect_code(0);
        recipe
            .db
            .psql(
                "INSERT INTO cites_trade_records SELECT * FROM cites_trade_records_staging;
                 DROP TABLE cites_trade_records_staging;
                 DROP SCHEMA sterna CASCADE;
                 ANALYZE cites_trade_records",
            )
            .await;
        recipe
    }

    /// Runs lines in a shell that stops at the first failure.
    fn run(&self, lines: &str) -> Finished {
        let program = Path::new(env!("CARGO_BIN_EXE_sterna")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let as_sterna = self.db.command::<&str>(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-euc", lines]).current_dir(self.folder.path());
        shell.envs(as_sterna.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("PATH", format!("{}:{path}", program.display())).env("PAUSE", "0");
        Finished::from(shell.output().unwrap())
    }

    /// Runs the next block of the page.
    #[track_caller]
    fn follow(&mut self) -> Finished {
        let block = self.commands.remove(0);
        self.run(&block).expect_code(0)
    }
}

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
    let recipe = Recipe::new("another-table.md", TestDb::empty().await);
    let db = &recipe.db;
    // Runs the recipe line by line, to look at the database in between.
    let run = |line: &str| recipe.run(line).expect_code(0);
    let commands = recipe.commands.concat();
    let lines: Vec<&str> = commands.lines().collect();
    let [schema, inspect, migrate, look, switch_back, back] = lines[..] else {
        panic!("{commands}");
    };
    run(schema);
    let rows = "SELECT string_agg(p::text, ' ' ORDER BY code) FROM public.ports AS p";
    let before = (names(db).await, db.psql(rows).await);
    assert!(run(inspect).stdout.contains("ready"));
    let migrated = run(migrate);
    // Both gates have run the user's own checks and queries.
    let report = fs::read_dir(recipe.folder.path()).unwrap().filter_map(|entry| {
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
    assert_eq!((names(db).await, db.psql(rows).await), before);
}
