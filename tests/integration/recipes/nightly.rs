//! `docs/nightly.md`.

use std::fs;

use super::Recipe;

const RUNS: &str = "SELECT count(*) FROM sterna.migration";

#[tokio::test]
async fn the_nightly_script_migrates_skips_and_fails_as_its_page_says() {
    let mut page = Recipe::with_production("nightly.md").await;
    // Keeps the test independent of timing.
    let settings = page.folder.path().join("sterna.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{text}bench_seconds = 0\naccept_regression = true\n")).unwrap();

    let script = page.commands[0].clone();
    page.follow();
    assert_eq!(page.db.psql(RUNS).await, "1");
    // The same file again.
    page.run(&script).expect_code(0);
    assert_eq!(page.db.psql(RUNS).await, "1");
    let pruned = page.follow();
    assert!(pruned.stdout.contains("nothing to remove"), "{pruned:?}");
    let last = page.follow();
    assert!(last.stdout.trim().starts_with("20"), "{last:?}");

    // Another file, most of which is missing.
    page.run("sterna generate --rows 500 --out download.zip --force").expect_code(0);
    let failed = page.run(&script).expect_code(4);
    assert!(failed.stderr.contains("year-shrunk"), "{failed:?}");
    // The next night waits for somebody to look.
    let refused = page.run(&script).expect_code(6);
    assert!(refused.stderr.contains("--resume"), "{refused:?}");
    page.run("sterna rollback 1.1").expect_code(0);
    assert!(page.commands.is_empty());
}

#[tokio::test]
async fn the_nightly_script_tries_once_more_if_the_table_is_locked() {
    let page = Recipe::with_production("nightly.md").await;
    let settings = page.folder.path().join("sterna.toml");
    let text = fs::read_to_string(&settings).unwrap().replace("10m", "1s");
    fs::write(&settings, format!("{text}bench_seconds = 0\naccept_regression = true\n")).unwrap();
    let reader = page.db.connect().await;
    reader.batch_execute("BEGIN; SELECT FROM public.cites_trade_records LIMIT 1").await.unwrap();
    page.run(&page.commands[0]).expect_code(7);
    let tries = "SELECT count(*) FROM sterna.step WHERE step = '4.2'";
    assert_eq!(page.db.psql(tries).await, "2");
    reader.batch_execute("COMMIT").await.unwrap();
    page.run(&page.commands[0]).expect_code(6);
    page.run("sterna migrate download.zip --resume").expect_code(0);
}
