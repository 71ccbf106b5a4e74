//! The short pages.

use std::fs;

use super::Recipe;
use crate::cites::{file_of, good, shipment};

/// Keeps a run independent of timing.
const SETTINGS: &str = "[migrate]\nbench_seconds = 0\naccept_regression = true\n";

async fn with_settings(page: &str) -> Recipe {
    let recipe = Recipe::with_production(page).await;
    fs::write(recipe.folder.path().join("sterna.toml"), SETTINGS).unwrap();
    recipe
}

#[tokio::test]
async fn one_year_is_loaded_and_discarded() {
    let mut page = Recipe::with_production("test-load.md").await;
    let fullest =
        "SELECT year FROM cites_trade_records GROUP BY year ORDER BY count(*) DESC LIMIT 1";
    let year = page.db.psql(fullest).await;
    let block = &mut page.commands[0];
    assert!(block.contains("--year 2024") && block.contains("--seconds 10"), "{block}");
    *block = block.replace("2024", &year).replace("--seconds 10", "--seconds 0");
    let done = page.follow();
    assert!(done.stdout.contains("passed"), "{done:?}");
    page.follow();
    assert!(page.commands.is_empty());
    let staging = "SELECT to_regclass('public.cites_trade_records_staging')";
    assert_eq!(page.db.psql(staging).await, "");
}

#[tokio::test]
async fn rejects_are_fixed_and_appended() {
    let mut page = Recipe::with_production("fixing-rejects.md").await;
    let mut records = good(5);
    records.push(shipment(&[("Id", "900001"), ("Quantity", "abc")]));
    // Contents decide what a file is.
    fs::write(page.folder.path().join("download.zip"), file_of(&records)).unwrap();
    let loaded = page.follow();
    assert!(loaded.stdout.contains("rejects.csv"), "{loaded:?}");
    page.run("sed -i 's/,abc,/,12.5,/' rejects.csv").expect_code(0);
    page.follow();
    assert!(page.commands.is_empty());
    let rows = page.db.psql("SELECT count(*) FROM cites_trade_records_staging").await;
    assert_eq!(rows, "6");
}

#[tokio::test]
async fn a_stopped_run_is_continued() {
    let mut page = with_settings("after-a-crash.md").await;
    page.run("sterna migrate download.zip --on-inexact widen --to 2.2").expect_code(0);
    assert!(page.follow().stdout.contains("--resume"));
    page.follow();
    assert!(page.commands.is_empty());
    assert!(page.run("sterna status").expect_code(0).stdout.contains("finished"));
}

#[tokio::test]
async fn a_run_is_rolled_back_step_by_step() {
    let mut page = with_settings("rolling-back.md").await;
    page.run("sterna migrate download.zip --on-inexact widen").expect_code(0);
    let rollbacks = page.commands.remove(0);
    page.follow();
    page.run(&rollbacks).expect_code(0);
    assert!(page.commands.is_empty());
    let beside =
        "SELECT count(*) FROM pg_class WHERE relname ~ '^cites_trade_records_(staging|old)$'";
    assert_eq!(page.db.psql(beside).await, "0");
}

#[tokio::test]
async fn a_rehearsal_passes() {
    let mut page = with_settings("rehearsal.md").await;
    let settings = format!("{SETTINGS}on_inexact = \"widen\"\n");
    fs::write(page.folder.path().join("sterna.toml"), settings).unwrap();
    let block = &mut page.commands[0];
    assert!(block.contains("489107"), "{block}");
    *block = block.replace("489107", "2000");
    page.follow();
    assert!(page.commands.is_empty());
}
