//! `docs/operations.md` and the commands in README.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::Recipe;
use crate::server::TestDb;

#[tokio::test]
async fn the_page_on_operations_shows_space_and_state() {
    let mut page = Recipe::with_production("operations.md").await;
    page.run("sterna migrate download.zip --on-inexact widen --to 1.2").expect_code(0);
    let checked = page.follow();
    for part in ["the limit is 8.0 GB", "pg_size_pretty"] {
        assert!(checked.stdout.contains(part), "{part}: {checked:?}");
    }
    assert!(page.follow().stdout.contains("1.2"));
    let settings = "[migrate]\nbench_seconds = 0\naccept_regression = true\n";
    std::fs::write(page.folder.path().join("sterna.toml"), settings).unwrap();
    page.db.psql("ALTER TABLE cites_trade_records ALTER unit SET DEFAULT 'kg'").await;
    page.follow();
    page.run("sterna rollback 1.1").expect_code(0);
    page.follow();
    assert!(page.commands.is_empty());
    let traces = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!sterna%'";
    assert_eq!(page.db.psql(traces).await, "0");
}

#[tokio::test]
async fn the_commands_in_readme_lead_to_a_rollback() {
    let mut page = Recipe::new("../README.md", TestDb::new().await);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    symlink(data, page.folder.path().join("data")).unwrap();
    let loaded = page.follow();
    assert!(loaded.stdout.contains("ready with"), "{loaded:?}");
    assert!(page.commands.is_empty());
    assert_eq!(page.db.psql("SELECT count(*) FROM cites_trade_records").await, "0");
}
